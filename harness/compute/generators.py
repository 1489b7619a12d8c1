"""The global random generators: nothing here may draw from them, so all are watched."""

import random
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch

Undo = tuple[str, Callable[[], bool]]  # gives True where there was something to put back


def global_generators() -> Iterator[Undo]:
    """Each generator's name, and a function that puts its present state back."""
    yield "torch's random state", undo_of(torch.get_rng_state, torch.set_rng_state, torch.equal)
    if torch.cuda.is_initialized():  # type: ignore[no-untyped-call]  # asking would initialise it
        yield (
            "CUDA's random states",
            undo_of(
                torch.cuda.get_rng_state_all,
                torch.cuda.set_rng_state_all,
                lambda a, b: all(map(torch.equal, a, b)),
            ),
        )
    yield "Python's random state", undo_of(random.getstate, random.setstate, lambda a, b: a == b)
    yield "numpy's random state", undo_of(np.random.get_state, np.random.set_state, _same_numpy)


def undo_of(
    read: Callable[[], Any], write: Callable[[Any], object], same: Callable[[Any, Any], bool]
) -> Callable[[], bool]:
    """A function that puts back what `read` gives now (`Any`: each state has its own type)."""
    before = read()

    def put_back() -> bool:
        if same(read(), before):
            return False
        write(before)
        return True

    return put_back


def _same_numpy(left: Any, right: Any) -> bool:
    """`Any`: numpy's state is a tuple of mixed parts."""
    return all(np.array_equal(a, b) for a, b in zip(left, right, strict=True))
