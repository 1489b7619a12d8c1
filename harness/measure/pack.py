"""Measure cells: those of one network share its scene, their points and what is known there."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from harness.api.cells import Cell, MeasureWork, PartWork, SplitUse, Use
from harness.api.data import Outline
from harness.api.offers import Metric
from harness.api.probes import ProbeScore
from harness.api.readings import Reading
from harness.compute.losses import codes
from harness.compute.quitting import no_quitting
from harness.compute.workbench import Workbench
from harness.measure.access import SplitKind
from harness.measure.joining import join
from harness.measure.points import RunPoints
from harness.measure.reading import Order, read
from harness.measure.scene import (
    CLASSIFICATION,
    MERGED,
    REGRESSION,
    Budget,
    Examples,
    Objective,
    Scene,
    Trainings,
)
from harness.measure.shared import Shared
from harness.measure.subjects import subject_of

Looking = Callable[[MeasureWork], Trainings]
"""Looks into the trainings of the runs that a piece of work is about."""

Scoring = Callable[[Use], ProbeScore]
"""Makes one of the suite's scores ready for logits at any point."""


def measure_pack(
    cells: Sequence[Cell],
    bench: Workbench,
    looking: Looking | None = None,
    scoring: Scoring | None = None,
) -> Iterator[tuple[Cell, Reading | Exception]]:
    """Readings of cells one by one, in order; a cell that fails yields its exception.

    A reading does not depend on the other cells of the pack, except for its cost: what an earlier
    cell has paid for is free. Without `looking`, nothing is known of how runs were trained;
    without `scoring`, metrics have loss and error only.
    """
    scenes = Scenes(bench, looking, scoring)
    for cell in cells:
        try:
            with no_quitting():
                reading = _measure(cell, bench, scenes)
            yield cell, reading
        except Exception as problem:
            yield cell, problem


def _measure(cell: Cell, bench: Workbench, scenes: "Scenes") -> Reading:
    part = cell.work.part if isinstance(cell.work, PartWork) else None
    work = cell.work.whole if isinstance(cell.work, PartWork) else cell.work
    if not isinstance(work, MeasureWork):
        raise TypeError(f"{cell.key} is no measure cell")
    metric, settings = bench.offer(work.metric)
    if not isinstance(metric, Metric):
        raise TypeError(f"{work.metric.name!r} is a {metric.noun}, no metric")
    if part is None and work.parts:
        return join(metric, settings, _parts(cell, work, bench))
    subject = subject_of(cell, work)
    names = tuple(split.name for split in work.splits)
    order = Order(metric, settings, subject, names, part, scenes.scores(work))
    return read(order, scenes.of(cell, work))


def _parts(cell: Cell, work: MeasureWork, bench: Workbench) -> list[Reading]:
    """The stored readings of a cell's parts, in order."""
    found = [bench.store.read(key).result for key in cell.parents[-work.parts :]]
    return [reading for reading in found if isinstance(reading, Reading)]


@dataclass(frozen=True)
class _Place:
    """A network's scene with the splits that readings have named so far."""

    shared: Shared
    splits: dict[str, SplitUse]
    kinds: dict[str, SplitKind]
    merged: dict[str, tuple[tuple[int, ...], ...]]

    def takes(self, splits: Sequence[SplitUse]) -> bool:
        """Whether these names mean here what they mean to others."""
        return all(self.splits.get(use.name, use) == use for use in splits)

    def add(self, splits: Sequence[SplitUse]) -> None:
        """Know these splits too."""
        for use in splits:
            self.splits.setdefault(use.name, use)
            self.kinds.setdefault(use.name, "id" if use.shift is None else "ood")
            if use.merged:
                self.merged[use.name] = tuple(each.members for each in use.merged)


@dataclass(frozen=True)
class Scenes:
    """One scene per network and its data, whichever splits its readings are on."""

    bench: Workbench
    looking: Looking | None = None
    scoring: Scoring | None = None
    _places: dict[str, list[_Place]] = field(default_factory=dict)

    def scores(self, work: MeasureWork) -> dict[str, ProbeScore]:
        """The scores that a metric asked for, by label."""
        if self.scoring is None:
            return {}
        return {use.label: self.scoring(use) for use in work.scores}

    def of(self, cell: Cell, work: MeasureWork) -> Shared:
        """The scene of a cell: what it shares with the cells before it."""
        merging = any(use.merged for use in work.splits)
        places = self._places.setdefault(repr((work.model, work.train, cell.limit, merging)), [])
        splits = [use for use in work.splits if use.name != "train"]  # that is the training split
        place = next((place for place in places if place.takes(splits)), None)
        if place is None:
            place = _place(cell, work, self)
            places.append(place)
        place.add(splits)
        return place.shared


def _objective(work: MeasureWork, outline: Outline) -> Objective:
    if outline.task.kind == "regression":
        return REGRESSION
    return MERGED if any(use.merged for use in work.splits) else CLASSIFICATION


def _place(cell: Cell, work: MeasureWork, scenes: Scenes) -> _Place:
    bench = scenes.bench
    uses: dict[str, SplitUse] = {"train": work.train}
    kinds: dict[str, SplitKind] = {"train": "train"}
    merged: dict[str, tuple[tuple[int, ...], ...]] = {}
    outline = bench.outline(work.train)
    trained = outline.inputs

    def examples(split: str) -> Examples:
        use = uses[split]
        found = bench.split(use, cell.limit, work.model).seen_as(trained)
        if split not in merged:
            return found
        return replace(found, targets=codes(found.targets, merged[split]))

    runs = RunPoints(bench, work)
    network = bench.blank(work.model, work.train)
    scene = Scene(
        network=network,
        examples=examples,
        kinds=kinds,
        points=runs.load,
        objective=_objective(work, outline),
        device=bench.device,
        budget=Budget.of(bench.device),
        stacked=bench.device.type != "cpu" and network.stackable,
        origin=runs.origin,
        named=runs.named,
        trainings=None if scenes.looking is None else scenes.looking(work),
        merged=merged,
    )
    return _Place(Shared(scene), uses, kinds, merged)
