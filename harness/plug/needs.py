"""What uses need from elsewhere, as their offers say; and how it is told in one line."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from harness.api.cells import Use
from harness.api.data import DataRoom
from harness.api.downloads import Download
from harness.api.offers import Dataset, Model
from harness.plug.catalogue import Catalogue
from harness.plug.uses import offer_from

SHOWN = 3
"""Names of one need that a line has, before it counts."""


@dataclass(frozen=True)
class Need:
    """A use with the pretraining seeds whose weights it needs, and where it stands in a suite."""

    use: Use
    seeds: tuple[int, ...] = ()
    where: str | None = None


def downloads_of(need: Need, catalogue: Catalogue, room: DataRoom) -> tuple[Download, ...]:
    """What it needs from elsewhere, whether it is here or not.

    Raises:
        HarnessError: the offer finds fault with its settings or with these seeds.
    """
    offer, settings = offer_from(need.use, catalogue)
    if isinstance(offer, Dataset) and offer.downloads is not None:
        return tuple(offer.downloads(settings, room))
    if isinstance(offer, Model) and offer.downloads is not None:
        return tuple(offer.downloads(settings, need.seeds, room))
    return ()


def each_once(groups: Iterable[Iterable[Download]]) -> list[list[Download]]:
    """The same groups, where what several have in common stands in the first."""
    seen: set[str] = set()
    found = []
    for group in groups:
        own = {each.name: each for each in group if each.name not in seen}
        seen |= own.keys()
        found.append(list(own.values()))
    return found


def in_one_line(groups: Iterable[Sequence[str]]) -> str:
    """The names, of each group the first ones.

    >>> in_one_line([["a"], [], ["b", "c", "d", "e", "f"]])
    'a, b, c, d and 2 more'
    """
    lines = []
    for names in groups:
        more = len(names) - SHOWN
        shown = names if more < 2 else names[:SHOWN]  # "and 1 more" is no shorter
        lines += [", ".join(shown) + (f" and {more} more" if more > 1 else "")] if names else []
    return ", ".join(lines)
