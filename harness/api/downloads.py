"""What an offer needs from elsewhere, so that it can be fetched before anything runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Download:
    """Something that lies elsewhere: what it is called, whether it is here, and how to get it.

    Neither the function `downloads` that gives these nor `here()` asks a network. `fetch()` puts it
    where the offer will look for it, and raises `HarnessError` where it cannot be had, `OutOfReach`
    where there is no network. Downloads of one name are the same.
    """

    name: str
    here: Callable[[], bool]
    fetch: Callable[[], None]
