"""Reads a table of results that was made elsewhere, and checks it to the last cell."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from harness.analyze.joining import join
from harness.analyze.predicted import ARRAYS, Predicted, read_predicted
from harness.analyze.table import Array, Columns, RunTable
from harness.analyze.table_cells import (
    as_shares,
    check_names,
    coded,
    holes_of,
    is_numeric,
    kept,
    logarithm,
    matching,
    numbers_of,
    refuse_constant,
    refuse_twice,
    row_of,
    texts_of,
)
from harness.analyze.table_files import open_frame
from harness.api.errors import HarnessError
from harness.api.numbers import count, some, words
from harness.api.tables import SourceFile


def read_table(
    path: Path, columns: Columns, *, joined: Path | None = None, predictions: Path | None = None
) -> RunTable:
    """The table with its columns checked.

    Args:
        path: the table; an .npz of predictions (see `predicted`) is a table of its accuracies.
        columns: which column is what.
        joined: a table, or JSON of {run: {column: value}}, with more columns of the same runs.
        predictions: predictions per example, from which scores that the table lacks are made.

    Raises:
        HarnessError: a file that cannot be read or has another format; a column that is not there,
            is named twice, has a hole, a text where a number belongs, or the same value throughout;
            two rows of one run; fewer than three runs; predictions that lack a run.
    """
    notes: list[str] = []
    frame, predicted, sources = _opened(path, columns, predictions)
    digest, sources = sources[0].digest, sources[1:]
    if joined is not None:
        frame, source, told = join(path, frame, columns.runs, joined)
        sources, notes = [*sources, source], [*notes, *told]
    made = _makes(path, frame, columns, predicted)
    if predicted is not None and path.suffix.lower() != ARRAYS:
        frame = _with_scores(path, frame, columns, predicted, made)
    check_names(path, frame, columns.named)
    frame = kept(path, frame, columns.keep, notes)
    frame, numbers = _whole(path, frame, columns, notes)
    labels = _labels(path, frame, columns.runs)
    refuse_twice(path, labels)
    if len(labels) < 3:
        raise HarnessError(f"{count(len(labels), 'run')} left", where=str(path), fix="use three")
    if columns.shares:
        given = [name for name in columns.scores if name not in made]
        as_shares(path, numbers, given, notes, percent=columns.percent)
    axes = {name: tuple(t for (t,) in texts_of(frame, (name,))) for name in columns.controls}
    columns, numbers = _prepared(path, columns, axes, numbers, notes)
    return RunTable(
        path=path,
        digest=digest,
        columns=columns,
        labels=tuple(labels),
        groups=tuple(texts_of(frame, columns.groups)),
        numbers=numbers,
        axes=axes,
        baselines=_baselines(path, frame, columns.baselines),
        correct=_matched(predicted, labels, numbers, columns.scores, notes),
        sources=tuple(sources),
        notes=tuple(notes),
    )


def _opened(
    path: Path, columns: Columns, predictions: Path | None
) -> tuple[pd.DataFrame, Predicted | None, list[SourceFile]]:
    """The table, predictions where there are any, and the files, the table's first."""
    if path.suffix.lower() == ARRAYS:
        if predictions is not None:
            fix = "leave --predictions out"
            raise HarnessError("the table holds predictions itself", where=str(path), fix=fix)
        predicted = read_predicted(path, columns.runs)
        return predicted.frame(), predicted, [_source("table", path, predicted.digest)]
    frame, digest = open_frame(path)
    if predictions is None:
        return frame, None, [_source("table", path, digest)]
    predicted = read_predicted(predictions, columns.runs)
    sources = [
        _source("table", path, digest),
        _source("predictions", predictions, predicted.digest),
    ]
    if not set(predicted.correct) & set(columns.scores):
        raise HarnessError(
            f"no predictions of {words(columns.scores, 'or')}",
            where=str(predictions),
            fix=f"its splits are {some(list(predicted.correct), 6)}",
        )
    return frame, predicted, sources


def _source(part: str, path: Path, digest: str) -> SourceFile:
    return SourceFile(part=part, file=path.name, digest=digest)


def _makes(
    path: Path, frame: pd.DataFrame, columns: Columns, predicted: Predicted | None
) -> frozenset[str]:
    """The scores that are made from predictions."""
    if predicted is None:
        return frozenset()
    if path.suffix.lower() == ARRAYS:
        made = frozenset(predicted.correct)
    else:
        made = frozenset(n for n in columns.scores if n in predicted.correct and n not in frame)
    if columns.percent and made >= set(columns.scores):
        raise HarnessError("scores made from predictions are shares", fix="leave --percent out")
    return made


def _with_scores(
    path: Path, frame: pd.DataFrame, columns: Columns, predicted: Predicted, made: frozenset[str]
) -> pd.DataFrame:
    check_names(path, frame, {"--runs": columns.runs})
    place = {name: row for row, name in enumerate(predicted.names)}
    rows = [place.get(" ".join(names)) for names in texts_of(frame, columns.runs)]
    more = {
        name: [None if row is None else float(predicted.correct[name][row].mean()) for row in rows]
        for name in sorted(made)
    }
    return frame.assign(**{name: pd.Series(more[name], dtype=object) for name in more})


def _whole(
    path: Path, frame: pd.DataFrame, columns: Columns, notes: list[str]
) -> tuple[pd.DataFrame, dict[str, Array]]:
    """The rows without a hole and their numbers; a text control has none."""
    numbers = {name: numbers_of(path, frame, name) for name in columns.numeric}
    for name in columns.controls:
        if name not in numbers and is_numeric(frame, name):
            numbers[name] = numbers_of(path, frame, name)
    holes = {name: ~np.isfinite(values) for name, values in numbers.items()}
    for name in (*columns.controls, *columns.groups, *columns.baselines):
        holes.setdefault(name, holes_of(frame, name))
    missing = {name: int(hole.sum()) for name, hole in holes.items() if hole.any()}
    if missing and not columns.drop_missing:
        name = next(iter(missing))
        row = row_of(frame, int(np.flatnonzero(holes[name])[0]))
        raise HarnessError(
            f"no value in {count(missing[name], 'row')} (first {row})",
            where=f"{path}: column '{name}'",
            fix="leave such rows out with --drop-missing, or choose rows with --keep",
        )
    if missing:
        whole = ~np.any(list(holes.values()), axis=0)
        told = words(f"'{name}' ({n})" for name, n in missing.items())
        left = count(int((~whole).sum()), "row")
        notes.append(f"{left} left out for want of a value: {told}")
        frame, numbers = frame[whole], {name: values[whole] for name, values in numbers.items()}
    return frame, numbers


def _labels(path: Path, frame: pd.DataFrame, runs: tuple[str, ...]) -> list[str]:
    for name in runs:
        holes = holes_of(frame, name)
        if holes.any():
            row = row_of(frame, int(np.flatnonzero(holes)[0]))
            fix = "every row needs the name of its run: choose rows with --keep"
            raise HarnessError(f"{row} names no run", where=f"{path}: column '{name}'", fix=fix)
    return [" ".join(row) for row in texts_of(frame, runs)]


def _prepared(
    path: Path,
    columns: Columns,
    axes: Mapping[str, tuple[str, ...]],
    numbers: dict[str, Array],
    notes: list[str],
) -> tuple[Columns, dict[str, Array]]:
    """Text controls as indicators, logarithms taken, and nothing that never changes."""
    found = dict(numbers)
    controls: list[str] = []
    for name in columns.controls:
        if name in found:
            controls.append(name)
            continue
        indicators = coded(path, name, axes[name], notes)
        found |= indicators
        controls += indicators
    for name in columns.log:
        found[f"log {name}"] = logarithm(path, name, found.pop(name))
    renamed = {name: f"log {name}" for name in columns.log}
    for name, values in found.items():
        refuse_constant(path, name, values)
    predictors = tuple(renamed.get(name, name) for name in columns.predictors)
    known = tuple(renamed.get(name, name) for name in controls)
    return replace(columns, predictors=predictors, controls=known), found


def _baselines(
    path: Path, frame: pd.DataFrame, wanted: Mapping[str, str]
) -> NDArray[np.bool_] | None:
    if not wanted:
        return None
    chosen = np.ones(len(frame), dtype=bool)
    for name, pattern in wanted.items():
        chosen &= matching(path, frame, name, pattern, "--baselines")
    if chosen.sum() < 3:
        raise HarnessError(
            f"{count(int(chosen.sum()), 'baseline')} left",
            where=str(path),
            fix="a line takes three",
        )
    if chosen.all():
        fix = "leave --baselines out to fit the line to all"
        raise HarnessError(
            "all runs are baselines: none is left to judge", where=str(path), fix=fix
        )
    return chosen


def _matched(
    predicted: Predicted | None,
    labels: Sequence[str],
    numbers: Mapping[str, Array],
    scores: Sequence[str],
    notes: list[str],
) -> dict[str, NDArray[np.bool_]]:
    """Which examples each run got right, by score, in the order of the table's runs."""
    if predicted is None:
        return {}
    place = {name: row for row, name in enumerate(predicted.names)}
    lacking = [label for label in labels if label not in place]
    if lacking:
        fix = f"they name {some(predicted.names)}"
        raise HarnessError(f"no predictions of run '{lacking[0]}'", fix=fix)
    rows = [place[label] for label in labels]
    found = {name: predicted.correct[name][rows] for name in scores if name in predicted.correct}
    for name, right in found.items():
        apart = float(np.abs(right.mean(axis=1) - numbers[name]).max())
        if apart > 5e-4:
            notes.append(f"'{name}': the table and the predictions differ by up to {apart:.2g}")
    return found
