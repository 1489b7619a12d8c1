"""Predictions of one point on one split, and their file."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from harness.api.errors import HarnessError

Array = np.ndarray[Any, np.dtype[Any]]

COLUMNS = ("example", "target", "group", "logits")
MERGED = b"merged"
"""The file's metadata that say which logits stand for which class, where classes are merged."""

TRUNCATED = b"truncated"
"""The same for how many texts were cut off."""

Merged = tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class Predictions:
    """What a network says of n examples.

    `logits` is float32 [n, classes] and may hold values that are not finite; `targets`, `groups`
    and `examples` (places in the dataset's split) are int64 [n]; `groups` is None without groups.
    In regression `logits` is [n, 1] and `targets` float32.

    On a split of fewer classes `merged` has, for each of them, the places of the model's classes
    that stand for it. The predicted class is then that of the largest logit, which need not be the
    most probable one (McCoy, Pavlick and Linzen 2019, arXiv 1902.01007, score models of three
    classes so on HANS); the probability of a class is the sum of its members'. `truncated` counts
    the texts that the model's reader cut off.
    """

    logits: Array
    targets: Array
    groups: Array | None = None
    examples: Array | None = None
    merged: Merged = ()
    truncated: int = 0

    def taken(self, where: Array) -> Predictions:
        """Those of the examples at `where`, int64 [k], which may hold a place several times."""
        return replace(
            self,
            logits=self.logits[where],
            targets=self.targets[where],
            groups=None if self.groups is None else self.groups[where],
            examples=None if self.examples is None else self.examples[where],
        )

    @property
    def classes(self) -> int:
        """The number of classes that targets are of."""
        return len(self.merged) or int(self.logits.shape[1])

    @property
    def scorable(self) -> Array:
        """True [n] where all logits are finite."""
        return np.asarray(np.isfinite(self.logits).all(axis=1))

    @property
    def labels(self) -> Array:
        """Predicted labels [n]: the largest logit (of equals the first), or `wrong`."""
        chosen = np.where(np.isfinite(self.logits), self.logits, -np.inf).argmax(axis=1)
        if self.merged:
            chosen = self._membership.argmax(axis=1)[chosen]
        return np.where(self.scorable, chosen, self.wrong)

    @property
    def probabilities(self) -> Array:
        """Softmax of the logits, float64 [n, classes]; all on `wrong` where not scorable.

        Of merged classes the sums.
        """
        scorable = self.scorable
        logits = np.where(scorable[:, None], self.logits, 0).astype(np.float64)
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        shares = powers / powers.sum(axis=1, keepdims=True)
        if self.merged:
            shares = shares @ self._membership
        if not scorable.all():
            shares[~scorable] = np.eye(self.classes)[self.wrong[~scorable]]
        return np.asarray(shares)

    @property
    def values(self) -> Array:
        """What regression predicts, float64 [n]; as far off as can be where not scorable."""
        far = 2 * np.abs(self.targets).max(initial=1.0) + 1e3
        return np.where(self.scorable, self.logits[:, 0].astype(np.float64), far)

    @property
    def wrong(self) -> Array:
        """The class after the true one [n]: what an example that cannot be scored is taken for."""
        return np.asarray((self.targets + 1) % self.classes)

    @property
    def _membership(self) -> Array:
        """1 [model's classes, merged classes] where the one stands for the other, else 0."""
        table = np.zeros((self.logits.shape[1], len(self.merged)))
        for place, members in enumerate(self.merged):
            table[list(members), place] = 1
        return table


def write_predictions(path: Path, predictions: Predictions) -> None:
    """Write a parquet file: example, target, group (null without groups) and the list of logits."""
    n, classes = predictions.logits.shape
    examples = np.arange(n) if predictions.examples is None else predictions.examples
    groups = predictions.groups
    logits = _column(predictions.logits.reshape(-1), np.float32)
    columns = {
        "example": _column(examples, np.int64),
        "target": _column(predictions.targets, _kind(predictions.targets)),
        "group": pa.nulls(n, pa.int64()) if groups is None else _column(groups, np.int64),
        "logits": pa.FixedSizeListArray.from_arrays(logits, classes),
    }
    table = pa.Table.from_arrays(list(columns.values()), names=list(columns))
    facts: dict[bytes, str] = {}
    if predictions.merged:
        facts[MERGED] = json.dumps(predictions.merged)
    if predictions.truncated:
        facts[TRUNCATED] = str(predictions.truncated)
    if facts:
        table = table.replace_schema_metadata(facts)
    pq.write_table(table, path, compression="zstd", write_statistics=False)


def _kind(targets: Array) -> type[np.generic]:
    return np.float32 if targets.dtype.kind == "f" else np.int64


def _column(values: Array, kind: type[np.generic]) -> pa.Array:
    # Not `pa.array`: it imports pandas to ask whether it was given a series (0.3 s per worker).
    plain = np.ascontiguousarray(values, dtype=kind)
    return pa.Array.from_buffers(
        pa.from_numpy_dtype(plain.dtype), len(plain), [None, pa.py_buffer(plain)]
    )


def read_predictions(path: Path) -> Predictions:
    """Read what `write_predictions` wrote; `HarnessError` for anything else."""
    try:
        table = pq.read_table(path, columns=list(COLUMNS), use_threads=False)
    except (OSError, pa.ArrowException, KeyError) as error:
        raise HarnessError(f"cannot read predictions: {error}", where=str(path)) from error
    known = table.column_names == list(COLUMNS)
    if not known or not pa.types.is_fixed_size_list(table.schema.field("logits").type):
        raise HarnessError(
            f"predictions must have the columns {', '.join(COLUMNS)}", where=str(path)
        )
    group = table["group"]
    return Predictions(
        logits=_whole(table["logits"])
        .flatten()
        .to_numpy()
        .reshape(table.num_rows, table.schema.field("logits").type.list_size),
        targets=table["target"].to_numpy(),
        groups=None if group.null_count else group.to_numpy(),
        examples=table["example"].to_numpy(),
        merged=_merged(table, path),
        truncated=int((table.schema.metadata or {}).get(TRUNCATED, b"0")),
    )


def _merged(table: pa.Table, path: Path) -> Merged:
    written = (table.schema.metadata or {}).get(MERGED)
    if written is None:
        return ()
    logits = table.schema.field("logits").type.list_size
    try:
        found = tuple(tuple(int(place) for place in members) for members in json.loads(written))
    except (TypeError, ValueError):
        found = ()
    if sorted(place for members in found for place in members) != list(range(logits)):
        raise HarnessError("the merged classes of these predictions make no sense", where=str(path))
    return found


def _whole(column: pa.ChunkedArray) -> pa.Array:
    joined = column.combine_chunks()
    return joined.combine_chunks() if isinstance(joined, pa.ChunkedArray) else joined
