"""Fixed, stratified splits: which example goes where depends on its index alone."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from harness.api.errors import HarnessError

if TYPE_CHECKING:
    import numpy as np


def sizes(n: int, parts: Mapping[str, float]) -> dict[str, int]:
    """Numbers of examples: below 1 a part is a fraction of n, from 1 on it is a number.

    Raises `HarnessError` where nothing is left to train on.

    >>> sizes(1797, {"val": 0.1, "test": 500})
    {'val': 180, 'test': 500}
    """
    if not n:
        raise HarnessError("there are no examples to train on")
    found = {name: round(n * part) if part < 1 else round(part) for name, part in parts.items()}
    if sum(found.values()) >= n:
        asked = " and ".join(f"{size:,} for {name}" for name, size in found.items())
        raise HarnessError(
            f"of {n:,} examples nothing is left to train on ({asked})", fix="ask for less"
        )
    return found


def stratified(
    labels: Sequence[int] | np.ndarray, wanted: Mapping[str, int], salt: str
) -> dict[str, np.ndarray]:
    """Indices (int64, ascending) of each wanted part, and of "train", which gets the rest.

    Within a class examples are ranked by `sha256("SALT:INDEX")`; a part takes the first of each
    class still free, as many as its share (largest remainder), so that the sizes are exact. The
    split never moves: no seed, no library's shuffling takes part.
    """
    import numpy as np

    targets = np.asarray(labels)
    rank = np.array([_hash(salt, index) for index in range(len(targets))], dtype=np.uint64)
    free = {
        label: (members := np.flatnonzero(targets == label))[np.argsort(rank[members])]
        for label in np.unique(targets).tolist()
    }
    parts = {}
    for name, size in wanted.items():
        shares = _shares([len(members) for members in free.values()], size)
        taken = [members[:k] for members, k in zip(free.values(), shares, strict=True)]
        free = {
            label: members[k:] for (label, members), k in zip(free.items(), shares, strict=True)
        }
        parts[name] = np.sort(np.concatenate(taken))
    parts["train"] = np.sort(np.concatenate(list(free.values())))
    return parts


def _shares(counts: Sequence[int], size: int) -> list[int]:
    total = sum(counts)
    shares = [size * count // total for count in counts]
    by_remainder = sorted(range(len(counts)), key=lambda i: (-(size * counts[i] % total), i))
    for i in by_remainder[: size - sum(shares)]:
        shares[i] += 1
    return shares


def _hash(salt: str, index: int) -> int:
    return int.from_bytes(hashlib.sha256(f"{salt}:{index}".encode()).digest()[:8], "big")
