"""What cells need from elsewhere: told before anything starts, fetched if asked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.api.cells import Cell, EvaluateWork, MeasureWork, PartWork, SplitUse, TrainWork, Use
from harness.api.data import DataRoom
from harness.api.downloads import Download
from harness.api.errors import HarnessError, OutOfReach
from harness.plug.catalogue import Catalogue
from harness.plug.needs import Need, downloads_of, each_once, in_one_line


@dataclass(frozen=True)
class Wanted:
    """What one data set or model needs from elsewhere, and the plugin that says so."""

    provider: str
    downloads: tuple[Download, ...]


def needs_of(cells: Iterable[Cell]) -> tuple[Need, ...]:
    """The data sets and models of these cells, with the pretraining seeds of brought weights."""
    datasets: dict[str, Use] = {}
    models: dict[str, tuple[Use, set[int]]] = {}
    for cell in cells:
        for split in _splits(cell):
            datasets.setdefault(_content(split.dataset), split.dataset)
        work = cell.work
        _, seeds = models.setdefault(_content(work.model), (work.model, set()))
        if isinstance(work, TrainWork) and work.init == "brought":
            seeds.add(cell.seeds[0].pretrain)
    return (
        *(Need(use) for use in datasets.values()),
        *(Need(use, tuple(sorted(seeds))) for use, seeds in models.values()),
    )


def wanted_by(cells: Iterable[Cell], catalogue: Catalogue, cache: Path) -> list[Wanted]:
    """What the cells need from elsewhere, whether it is here or not; each download once."""
    needs = needs_of(cells)
    room = DataRoom(cache=cache, offline=False)
    found = each_once(downloads_of(need, catalogue, room) for need in needs)
    makers = [catalogue.find(need.use.noun, need.use.name).provider for need in needs]
    return [Wanted(maker, tuple(each)) for maker, each in zip(makers, found, strict=True)]


def must_be_here(wanted: Sequence[Wanted]) -> None:
    """Raise `HarnessError` with the list of what is missing."""
    missing = [[each.name for each in group.downloads if not each.here()] for group in wanted]
    if any(missing):
        message = f"not here, and no network may be used: {in_one_line(missing)}"
        raise HarnessError(message, fix="`seedscape fetch` gets it where there is a network")


def fetch_missing(wanted: Sequence[Wanted], tell: Callable[[str], None]) -> None:
    """Fetch what is not here, and `tell` of each.

    After one that fails the others go on; where nobody answers, no more is asked of that plugin's
    downloads, which would wait each.

    Raises:
        HarnessError: with the list of what could not be had.
    """
    total = sum(len(group.downloads) for group in wanted)
    begun = 0
    silent: set[str] = set()
    failed: list[list[str]] = []
    for group in wanted:
        failed.append([])
        for each in group.downloads:
            begun += 1
            if each.here():
                tell(f"here      {each.name}")
                continue
            if group.provider in silent:
                failed[-1].append(each.name)
                continue
            tell(f"fetching  {each.name} ({begun} of {total})")
            try:
                each.fetch()
            except HarnessError as error:
                tell(f"failed    {error}")
                failed[-1].append(each.name)
                silent |= {group.provider} if isinstance(error, OutOfReach) else set()
    if any(failed):
        fix = "run `seedscape fetch` again; what is here stays"
        raise HarnessError(f"not fetched: {in_one_line(failed)}", fix=fix)


def _splits(cell: Cell) -> Iterator[SplitUse]:
    match cell.work:
        case TrainWork(train=train):
            yield train
        case EvaluateWork(train=train, split=split):
            yield from (train, split)
        case MeasureWork() | PartWork():
            whole = cell.work.whole if isinstance(cell.work, PartWork) else cell.work
            yield from (whole.train, *whole.splits)


def _content(use: Use) -> str:
    return repr((use.name, sorted(use.settings.items()), use.digest))
