"""Where draws come from: a stream of its own for every name."""

import hashlib

import numpy as np

MEANS = "arms"
"""The stream of the draws of means, of a suite's split or a table's column of that name."""


def named(*names: str) -> np.random.Generator:
    """A generator that starts from the names alone: the same report gives the same numbers.

    A new name (another split, another score) moves no other.

    >>> bool(named("a", "b").random() == named("a", "b").random())
    True
    """
    text = "\x1f".join(("seedscape", *names))
    return np.random.default_rng(int.from_bytes(hashlib.sha256(text.encode()).digest()[:16], "big"))


def seeded(seed: int, *names: str) -> np.random.Generator:
    """The same for a seed that is asked for: a split's means have one stream wherever they lie.

    >>> bool(seeded(0, "test", MEANS).random() == seeded(1, "test", MEANS).random())
    False
    """
    digest = hashlib.sha256("\n".join(names).encode()).digest()
    return np.random.default_rng([seed, int.from_bytes(digest[:8])])
