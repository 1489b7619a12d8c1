"""Predictions per example of the runs of a table: right or wrong, by split."""

import io
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from harness.analyze.table_files import open_frame, parsed, read_bytes
from harness.api.errors import HarnessError
from harness.api.numbers import count, some, words

ARRAYS = ".npz"
LABELS = "_labels"
MODELS = "models"
LONG = ("split", "example", "predicted", "label")


@dataclass(frozen=True)
class Predicted:
    """Which examples each run got right: [runs, examples] by split, and the runs' names.

    `more` holds other columns of the file, one value per run (their seeds, say).
    """

    names: tuple[str, ...]
    correct: Mapping[str, NDArray[np.bool_]]
    more: Mapping[str, tuple[str, ...]]
    digest: str

    def frame(self) -> pd.DataFrame:
        """A table of the runs: their names under `models`, accuracies, and other columns."""
        accuracies = {name: right.mean(axis=1) for name, right in self.correct.items()}
        return pd.DataFrame({MODELS: self.names, **self.more, **accuracies})


def read_predicted(path: Path, runs: Sequence[str]) -> Predicted:
    """Predictions from an .npz file, or from a long table with the columns `runs` and `LONG`.

    The .npz holds, for every split, `SPLIT` [runs, examples] of predicted labels and
    `SPLIT_labels` [examples]; `models` names the runs. Other arrays with one value per run become
    columns.

    Raises:
        HarnessError: a file of another form, shapes that do not fit, runs that are named twice or
            lack examples that others have.
    """
    found = _arrays(path) if path.suffix.lower() == ARRAYS else _long(path, runs)
    twice = sorted({name for name in found.names if found.names.count(name) > 1})
    if twice:
        raise HarnessError(f"run '{twice[0]}' is there twice", where=str(path))
    return found


def _arrays(path: Path) -> Predicted:
    content, digest = read_bytes(path)
    arrays: dict[str, NDArray[np.generic]] = {}

    def load() -> pd.DataFrame:
        if not zipfile.is_zipfile(io.BytesIO(content)):
            raise HarnessError("is no .npz file")
        with np.load(io.BytesIO(content), allow_pickle=False) as loaded:
            arrays.update({name: loaded[name] for name in loaded.files})
        return pd.DataFrame()

    parsed(path, load)
    if MODELS not in arrays:
        there = some(sorted(arrays), 6) or "nothing"
        raise HarnessError(
            f"no array '{MODELS}' names the runs", where=str(path), fix=f"it holds {there}"
        )
    runs = len(np.atleast_1d(arrays[MODELS]))
    correct: dict[str, NDArray[np.bool_]] = {}
    more: dict[str, tuple[str, ...]] = {}
    for name, values in arrays.items():
        if f"{name}{LABELS}" in arrays:
            correct[name] = _right(path, name, values, arrays[f"{name}{LABELS}"], runs)
        elif name.endswith(LABELS) and name.removesuffix(LABELS) in arrays:
            continue
        elif values.shape == (runs,):
            more[name] = tuple(str(value) for value in values)
        else:
            raise HarnessError(
                f"array '{name}' {values.shape} is neither a split nor a value per run",
                where=str(path),
                fix=f"a split has its true labels in '{name}{LABELS}' [examples]",
            )
    if not correct:
        fix = "put a split's true labels in an array SPLIT_labels beside SPLIT"
        raise HarnessError("holds no predictions", where=str(path), fix=fix)
    names = more.pop(MODELS)
    return Predicted(names, correct, more, digest)


def _right(
    path: Path, name: str, predicted: NDArray[np.generic], true: NDArray[np.generic], runs: int
) -> NDArray[np.bool_]:
    if predicted.ndim != 2 or len(predicted) != runs:
        message = f"array '{name}' {predicted.shape} is not [{count(runs, 'run')}, examples]"
        raise HarnessError(message, where=str(path))
    if true.shape != predicted.shape[1:] or not true.size:
        message = f"'{name}{LABELS}' {true.shape} does not label '{name}' {predicted.shape}"
        raise HarnessError(message, where=str(path))
    if not (predicted.dtype.kind in "iub" and true.dtype.kind in "iub") and (
        predicted.dtype.kind != true.dtype.kind or predicted.dtype.kind not in "US"
    ):
        raise HarnessError(
            f"'{name}' holds {predicted.dtype} and its labels {true.dtype}",
            where=str(path),
            fix="predicted and true labels are both whole numbers or both text (no scores)",
        )
    return np.asarray(predicted == true[None], dtype=np.bool_)


def _long(path: Path, runs: Sequence[str]) -> Predicted:
    frame, digest = open_frame(path)
    for name in (*runs, *LONG):
        if name not in frame.columns:
            raise HarnessError(
                f"no column '{name}'",
                where=str(path),
                fix=f"a long table has {words([*runs, *LONG])}, one row per run and example",
            )
    text = frame[[*runs, *LONG]].astype(str)
    for name in ("predicted", "label"):  # 1 and 1.0 are one class, whatever the column's type
        text[name] = text[name].str.strip().str.replace(r"\.0$", "", regex=True)
    run = text[list(runs)].agg(" ".join, axis=1)
    names = tuple(dict.fromkeys(run))
    correct = {}
    for split, rows in text.groupby("split", sort=False):
        at = run[rows.index]
        if rows.assign(run=at).duplicated(["run", "example"]).any():
            twice = rows[rows.assign(run=at).duplicated(["run", "example"])].iloc[0]
            message = f"example '{twice['example']}' of '{split}' is there twice for one run"
            raise HarnessError(message, where=str(path))
        if rows.groupby("example")["label"].nunique().gt(1).any():
            raise HarnessError(f"one example of '{split}' has two labels", where=str(path))
        right = pd.Series((rows["predicted"] == rows["label"]).to_numpy())
        keys = pd.MultiIndex.from_arrays([at.to_numpy(), rows["example"].to_numpy()])
        table = pd.Series(right.to_numpy(dtype=float), index=keys).unstack()
        examples = list(dict.fromkeys(rows["example"]))  # as they come: a draw is of places
        table = table.reindex(index=list(names), columns=examples)
        lacking = table.isna().any(axis=1)
        if lacking.any():
            raise HarnessError(
                f"run '{table.index[lacking][0]}' lacks examples of '{split}' that others have",
                where=str(path),
                fix="every run must be tested on the same examples",
            )
        correct[str(split)] = table.to_numpy() > 0
    return Predicted(names, correct, {}, digest)
