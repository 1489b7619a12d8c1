"""How the data sets by path name their splits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from harness.api.data import OodOutline
from harness.api.settings import Settings, setting


class OodPart(Settings):
    """An OOD split that lies beside the training data."""

    source: str = setting(..., "where it lies: its folder, or what `{split}` stands for")
    shift: str = setting("natural", "the kind of shift, for reports")
    parent: str = setting("test", "the in-domain split that it is compared with")


def ood_outlines(
    parts: Mapping[str, OodPart], sizes: Mapping[str, int | None]
) -> dict[str, OodOutline]:
    """The outlines of the OOD splits."""
    return {
        name: OodOutline(shift=part.shift, parent=part.parent, examples=sizes[name])
        for name, part in parts.items()
    }


def once(names: Sequence[str]) -> None:
    """Raise `ValueError` for a split name that is used twice; `train` is taken."""
    taken = ["train", *names]
    for name in taken:
        if taken.count(name) > 1:
            raise ValueError(f"the split name {name!r} is used twice")
