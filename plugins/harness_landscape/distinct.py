"""A check of settings that list things: none twice, since each gives values of its own name."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TypeVar

T = TypeVar("T", bound=Hashable)


def distinct(listed: tuple[T, ...]) -> tuple[T, ...]:
    """The list itself.

    >>> distinct(("l2", "linf"))
    ('l2', 'linf')

    Raises:
        ValueError: where something stands in it twice.
    """
    for place, item in enumerate(listed):
        if item in listed[:place]:
            raise ValueError(f"{item} stands there twice")
    return listed
