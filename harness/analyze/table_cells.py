"""Cells of a table: as numbers, texts and shares, and what is no such thing."""

import re
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from harness.api.errors import HarnessError
from harness.api.numbers import count, some

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

HOLES = ("", "nan", "na", "n/a", "none", "null", "<na>", "nat")
"""Texts that stand for no number."""
MOST_LEVELS = 10
"""Different texts beyond which a control is no small set of choices."""


def check_names(path: Path, frame: pd.DataFrame, named: Mapping[str, Sequence[str]]) -> None:
    """Refuses columns that are not there, and one column in two parts that exclude each other."""
    there = list(frame.columns)
    for option, names in named.items():
        for name in names:
            if name not in there:
                close = get_close_matches(name, there, n=1)
                fix = f"did you mean '{close[0]}'?" if close else f"there are {some(there, 6)}"
                raise HarnessError(f"no column '{name}' ({option})", where=str(path), fix=fix)
            if list(names).count(name) > 1:
                raise HarnessError(f"column '{name}' is named twice by {option}")
    taken: dict[str, str] = {}
    for option in ("--id", "--ood", "--predictors", "--controls"):
        for name in named.get(option, ()):
            if name in taken:
                raise HarnessError(
                    f"column '{name}' is asked for as {taken[name]} and as {option}",
                    fix="give each column one part",
                )
            taken[name] = option
    free = [n for n in named.get("--log", ()) if taken.get(n) not in ("--predictors", "--controls")]
    if free:
        fix = "logarithms are taken of --predictors and --controls"
        raise HarnessError(f"--log: '{free[0]}' is neither of them", fix=fix)


def kept(
    path: Path, frame: pd.DataFrame, wanted: Mapping[str, str], notes: list[str]
) -> pd.DataFrame:
    """The rows whose columns match; what is left out is noted."""
    for name, pattern in wanted.items():
        chosen = matching(path, frame, name, pattern, "--keep")
        if not chosen.any():
            raise HarnessError(f"no row matches {pattern!r}", where=f"{path}: column '{name}'")
        left = int((~chosen).sum())
        if left:
            notes.append(f"{count(left, 'row')} left out: '{name}' does not match {pattern}")
        frame = frame[chosen]
    return frame


def matching(path: Path, frame: pd.DataFrame, name: str, pattern: str, option: str) -> Mask:
    """Which rows' text in a column matches a regular expression."""
    try:
        wanted = re.compile(pattern)
    except re.error as error:
        message = f"{option}: {pattern!r} is no regular expression: {error}"
        raise HarnessError(message) from None
    return np.array([bool(wanted.search(text)) for (text,) in texts_of(frame, (name,))], dtype=bool)


def texts_of(frame: pd.DataFrame, names: Sequence[str]) -> list[tuple[str, ...]]:
    """The cells of some columns as text, row by row."""
    columns = [[str(value).strip() for value in frame[name]] for name in names]
    return list(zip(*columns, strict=True)) if columns else [() for _ in range(len(frame))]


def holes_of(frame: pd.DataFrame, name: str) -> Mask:
    """Which rows have nothing in a column; a text "none" is something."""
    values = frame[name]
    empty = [isinstance(value, str) and not value.strip() for value in values]
    found: Mask = values.isna().to_numpy(dtype=bool) | np.array(empty, dtype=bool)
    return found


def is_numeric(frame: pd.DataFrame, name: str) -> bool:
    """Whether every cell of a column that is no hole is a number."""
    texts = [text for (text,) in texts_of(frame, (name,)) if text.lower() not in HOLES]
    return all(_number(text) is not None for text in texts)


def numbers_of(path: Path, frame: pd.DataFrame, name: str) -> Array:
    """A column as numbers, NaN for holes."""
    found = np.empty(len(frame))
    for place, (text,) in enumerate(texts_of(frame, (name,))):
        number = np.nan if text.lower() in HOLES else _number(text)
        if number is None or np.isinf(number):
            where = f"{path}: column '{name}', {row_of(frame, place)}"
            wrong = "is no number" if number is None else "is not finite"
            raise HarnessError(f"'{_short(text)}' {wrong}", where=where, fix=_fix(text))
        found[place] = number
    return found


def _number(text: str) -> float | None:
    try:
        return None if "_" in text else float(text)
    except ValueError:
        return None


def _fix(text: str) -> str | None:
    if text.endswith("%"):
        return "leave the signs out and add --percent"
    if re.fullmatch(r"-?\d+,\d+", text):
        return "write a decimal point"
    return None


def _short(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:40]}..."


def row_of(frame: pd.DataFrame, place: int) -> str:
    """The row's number in its file, the header not counted."""
    return f"row {int(frame.index[place]) + 1}"


def as_shares(
    path: Path, numbers: dict[str, Array], names: Sequence[str], notes: list[str], *, percent: bool
) -> None:
    """Turns percentages into shares in place; refuses what is no share of 1 then."""
    for name in names:
        values, where = numbers[name], f"{path}: column '{name}'"
        lowest, highest = float(values.min()), float(values.max())
        most = 100 if percent else 1
        if lowest < 0 or highest > most:
            wrong = lowest if lowest < 0 else highest
            raise HarnessError(
                f"{wrong:g} is no share of {most}",
                where=where,
                fix="scores are shares between 0 and 1: add --percent if these are percentages"
                if not percent and lowest >= 0 and highest <= 100
                else "with --scale linear scores may be anything",
            )
        if not percent:
            continue
        if highest <= 1:
            raise HarnessError(
                f"no value above {highest:g} %",
                where=where,
                fix="leave --percent out if these are shares of 1",
            )
        small = int(((values > 0) & (values <= 1)).sum())
        if small:
            rows = count(small, "value")
            notes.append(f"'{name}': {rows} of at most 1 %: make sure that none is a share of 1")
        numbers[name] = values / 100


def refuse_constant(path: Path, name: str, values: Array) -> None:
    """Refuses a column that is the same for all runs."""
    if np.ptp(values) == 0:
        fix = "leave it out: what never changes explains nothing"
        raise HarnessError(
            f"all runs have {values[0]:g}", where=f"{path}: column '{name}'", fix=fix
        )


def refuse_twice(path: Path, labels: Sequence[str]) -> None:
    """Refuses two rows of one run."""
    seen: set[str] = set()
    for label in labels:
        if label in seen:
            fix = "name all the columns that make a run with --runs"
            raise HarnessError(f"run '{label}' is there twice", where=str(path), fix=fix)
        seen.add(label)


def logarithm(path: Path, name: str, values: Array) -> Array:
    """The natural logarithm of a column."""
    if not (values > 0).all():
        message = f"{values.min():g} has no logarithm"
        raise HarnessError(message, where=f"{path}: column '{name}'", fix="leave it out of --log")
    found: Array = np.log(values)
    return found


def coded(path: Path, name: str, texts: Sequence[str], notes: list[str]) -> dict[str, Array]:
    """A control of few texts as one column of 0 and 1 for each but the most frequent."""
    levels = sorted(set(texts), key=lambda text: (-texts.count(text), text))
    where = f"{path}: column '{name}'"
    if len(levels) > MOST_LEVELS:
        raise HarnessError(
            f"{len(levels)} different texts ({some(levels)}) are too many to control for",
            where=where,
            fix=f"leave it out, or make columns of numbers or of at most {MOST_LEVELS} texts of it",
        )
    if len(levels) == 1:
        fix = "leave it out: what never changes explains nothing"
        raise HarnessError(f"all runs have '{levels[0]}'", where=where, fix=fix)
    notes.append(f"'{name}' is text: coded as {some(levels[1:], 6)} against {levels[0]}")
    return {
        f"{name}={level}": np.array([float(text == level) for text in texts])
        for level in levels[1:]
    }
