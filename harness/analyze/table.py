"""A table of results that was made elsewhere: read, chosen from, and checked to the last cell."""

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from harness.api.errors import HarnessError
from harness.api.numbers import count, some, words

Array = NDArray[np.float64]

READERS: Mapping[str, Callable[[Path], pd.DataFrame]] = {
    ".csv": lambda path: pd.read_csv(path, encoding="utf-8-sig", dtype=str, keep_default_na=False),
    ".tsv": lambda path: pd.read_csv(
        path, sep="\t", encoding="utf-8-sig", dtype=str, keep_default_na=False
    ),
    ".parquet": pd.read_parquet,
    ".jsonl": lambda path: pd.read_json(path, lines=True, dtype=False),
}
HOLES = ("", "nan", "na", "n/a", "none", "null")


@dataclass(frozen=True)
class Columns:
    """Which column is what. `runs` name a run; `groups` its seeds: (cluster,) or (cluster, member).

    `keep` maps a column to a regular expression that a row's text must match to count.
    """

    runs: tuple[str, ...]
    id: str
    ood: tuple[str, ...]
    predictors: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    controls: tuple[str, ...] = ()
    keep: Mapping[str, str] | None = None
    percent: bool = False
    drop_missing: bool = False


@dataclass(frozen=True)
class RunTable:
    """The rows that count: labels of the runs, their groups, and the numbers of each column.

    `digest` is the SHA-256 of the file; `notes` say what was left out and why.
    """

    path: Path
    digest: str
    columns: Columns
    labels: tuple[str, ...]
    groups: tuple[tuple[str, ...], ...]
    numbers: Mapping[str, Array]
    notes: tuple[str, ...]


def read_table(path: Path, columns: Columns) -> RunTable:
    """The table with its columns checked.

    Raises:
        HarnessError: a file that cannot be read or has another format; a column that is not there,
            is named twice, has a hole, a text where a number belongs, or the same value throughout;
            two rows of one run; fewer than three runs.
    """
    frame, digest = _opened(path)
    _check_names(path, frame, columns)
    frame, notes = _kept(path, frame, columns)
    numbers = {name: _numbers(path, frame, name) for name in _numeric(columns)}
    holes = {name: ~np.isfinite(values) for name, values in numbers.items()}
    missing = {name: int(hole.sum()) for name, hole in holes.items() if hole.any()}
    if missing and not columns.drop_missing:
        name = next(iter(missing))
        row = int(np.flatnonzero(holes[name])[0])
        raise HarnessError(
            f"no value in {count(missing[name], 'row')} (first {_row(frame, row)})",
            where=f"{path}: column '{name}'",
            fix="leave such rows out with --drop-missing, or choose rows with --keep",
        )
    if missing:
        whole = ~np.any(list(holes.values()), axis=0)
        told = words(f"'{name}' ({n})" for name, n in missing.items())
        left = count(int((~whole).sum()), "row")
        notes.append(f"{left} left out for want of a value: {told}")
        frame, numbers = frame[whole], {name: values[whole] for name, values in numbers.items()}
    labels = [" ".join(row) for row in _texts(frame, columns.runs)]
    _refuse_twice(path, labels)
    if len(labels) < 3:
        raise HarnessError(f"{count(len(labels), 'run')} left", where=str(path), fix="use three")
    numbers = {name: _share(path, name, values, columns) for name, values in numbers.items()}
    for name, values in numbers.items():
        if np.ptp(values) == 0:
            fix = "leave it out: what never changes explains nothing"
            raise HarnessError(
                f"all runs have {values[0]:g}", where=f"{path}: column '{name}'", fix=fix
            )
    groups = tuple(_texts(frame, columns.groups))
    return RunTable(path, digest, columns, tuple(labels), groups, numbers, tuple(notes))


def _opened(path: Path) -> tuple[pd.DataFrame, str]:
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        fix = f"give a table that ends with {words(READERS, 'or')}"
        raise HarnessError(f"'{path.suffix}' is no format of a table", where=str(path), fix=fix)
    try:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        return reader(path), digest
    except OSError as error:
        reason = error.strerror or str(error)
        raise HarnessError(f"cannot be read: {reason}", where=str(path)) from None
    except (ValueError, pd.errors.ParserError) as error:  # pyarrow's errors are ValueErrors
        reason = str(error).splitlines()[0]
        raise HarnessError(f"is no such table: {reason}", where=str(path)) from None


def _numeric(columns: Columns) -> list[str]:
    return list(dict.fromkeys((columns.id, *columns.ood, *columns.predictors, *columns.controls)))


def _check_names(path: Path, frame: pd.DataFrame, columns: Columns) -> None:
    there = [str(name) for name in frame.columns]
    twice = sorted({name for name in there if there.count(name) > 1})
    if twice:
        raise HarnessError(f"two columns are called '{twice[0]}'", where=str(path))
    asked = (*columns.runs, *_numeric(columns), *columns.groups, *(columns.keep or {}))
    for name in asked:
        if name not in there:
            close = get_close_matches(name, there, n=1)
            fix = f"did you mean '{close[0]}'?" if close else f"there are {some(there, 6)}"
            raise HarnessError(f"no column '{name}'", where=str(path), fix=fix)
    roles = {"--id": (columns.id,), "--ood": columns.ood, "--predictors": columns.predictors}
    taken: dict[str, str] = {}
    for role, names in roles.items():
        for name in names:
            if taken.setdefault(name, role) != role or names.count(name) > 1:
                raise HarnessError(
                    f"column '{name}' is asked for as {taken[name]} and as {role}"
                    if taken[name] != role
                    else f"column '{name}' is named twice by {role}",
                    fix="give each column one part",
                )


def _kept(path: Path, frame: pd.DataFrame, columns: Columns) -> tuple[pd.DataFrame, list[str]]:
    notes = []
    for name, pattern in (columns.keep or {}).items():
        try:
            wanted = re.compile(pattern)
        except re.error as error:
            raise HarnessError(f"--keep: {pattern!r} is no regular expression: {error}") from None
        chosen = [bool(wanted.search(text)) for (text,) in _texts(frame, (name,))]
        left = len(chosen) - sum(chosen)
        if not any(chosen):
            raise HarnessError(f"no row matches {pattern!r}", where=f"{path}: column '{name}'")
        if left:
            notes.append(f"{count(left, 'row')} left out: '{name}' does not match {pattern}")
        frame = frame[chosen]
    return frame, notes


def _numbers(path: Path, frame: pd.DataFrame, name: str) -> Array:
    found = np.empty(len(frame))
    for place, value in enumerate(frame[name]):
        text = "" if value is None else str(value).strip()
        try:
            found[place] = np.nan if text.lower() in HOLES else float(text)
        except ValueError:
            where = f"{path}: column '{name}', {_row(frame, place)}"
            raise HarnessError(f"{text!r} is no number", where=where) from None
    return found


def _share(path: Path, name: str, values: Array, columns: Columns) -> Array:
    """Accuracies as shares; other columns as they are."""
    if name not in (columns.id, *columns.ood):
        return values
    if columns.percent:
        values = values / 100
    elif float(values.max()) > 1 and float(values.min()) >= 0 and float(values.max()) <= 100:
        raise HarnessError(
            f"values up to {values.max():g}", where=f"{path}: column '{name}'",
            fix="scores are shares between 0 and 1: add --percent if these are percentages",
        )  # fmt: skip
    return values


def _texts(frame: pd.DataFrame, names: Sequence[str]) -> list[tuple[str, ...]]:
    return [
        tuple(str(value) for value in row) for row in frame[list(names)].itertuples(index=False)
    ]


def _row(frame: pd.DataFrame, place: int) -> str:
    return f"row {int(frame.index[place]) + 1}"


def _refuse_twice(path: Path, labels: Sequence[str]) -> None:
    seen: set[str] = set()
    for label in labels:
        if label in seen:
            raise HarnessError(
                f"run '{label}' is there twice",
                where=str(path),
                fix="name all the columns that make a run with --runs",
            )
        seen.add(label)
