"""Weights that models bring, held against their models before anything is trained."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from harness.api.cells import Cell, TrainWork, Use
from harness.api.data import DataRoom
from harness.api.errors import HarnessError
from harness.api.offers import Model
from harness.plug.catalogue import Catalogue
from harness.plug.uses import offer_from


def misfits(cells: Iterable[Cell], catalogue: Catalogue, cache: Path) -> list[HarnessError]:
    """What models say against the weights that these trainings start from, each asked once.

    What is wrong with the model itself, whatever the weights, is said once.
    """
    asked: dict[tuple[str, str], tuple[Use, str]] = {}
    for cell in cells:
        work = cell.work
        if isinstance(work, TrainWork) and work.init == "brought" and work.checkpoint is not None:
            key = (work.model.label, work.checkpoint)
            asked.setdefault(key, (work.model, work.checkpoint))
    room = DataRoom(cache=cache, offline=True)
    found = (_misfit(model, name, catalogue, room) for model, name in asked.values())
    return list({str(error): error for error in found if error is not None}.values())


def must_fit(cells: Iterable[Cell], catalogue: Catalogue, cache: Path) -> None:
    """Raise the first of `misfits`, with their number."""
    found = misfits(cells, catalogue, cache)
    if found:
        first, more = found[0], len(found) - 1
        told = f"{first.message} (and so {more} more)" if more else first.message
        raise HarnessError(told, where=first.where, fix=first.fix)


def _misfit(model: Use, name: str, catalogue: Catalogue, room: DataRoom) -> HarnessError | None:
    offer, settings = offer_from(model, catalogue)
    if not isinstance(offer, Model) or offer.pretrained is None or offer.pretrained.check is None:
        return None
    try:
        offer.pretrained.check(settings, name, room)
    except HarnessError as error:
        return error
    return None
