"""Measure cells: those of one network share its scene, their points and what is known there."""

from collections.abc import Iterator, Sequence

from harness.api.cells import Cell, MeasureWork, SplitUse
from harness.api.contexts import Subject
from harness.api.offers import Metric
from harness.api.readings import Reading
from harness.compute.quitting import no_quitting
from harness.compute.workbench import Workbench
from harness.measure.access import SplitKind
from harness.measure.points import RunPoints
from harness.measure.reading import Order, read
from harness.measure.scene import Budget, Examples, Scene
from harness.measure.shared import Shared


def measure_pack(
    cells: Sequence[Cell], bench: Workbench
) -> Iterator[tuple[Cell, Reading | Exception]]:
    """Readings of cells one by one, in order; a cell that fails yields its exception.

    A reading does not depend on the other cells of the pack, except for its cost: what an earlier
    cell has paid for is free.
    """
    scenes: dict[str, Shared] = {}
    for cell in cells:
        try:
            with no_quitting():
                reading = _measure(cell, bench, scenes)
            yield cell, reading
        except Exception as problem:
            yield cell, problem


def _measure(cell: Cell, bench: Workbench, scenes: dict[str, Shared]) -> Reading:
    work = cell.work
    if not isinstance(work, MeasureWork):
        raise TypeError(f"{cell.key} is no measure cell")
    metric, settings = bench.offer(work.metric)
    if not isinstance(metric, Metric):
        raise TypeError(f"{work.metric.name!r} is a {metric.noun}, no metric")
    name = repr((work.model, work.train, work.splits, cell.limit))
    if name not in scenes:
        scenes[name] = Shared(_scene(cell, work, bench))
    subject = Subject(of=work.of, keys=cell.parents, seeds=cell.seeds, pair_kind=work.pair_kind)
    order = Order(metric, settings, subject, tuple(split.name for split in work.splits))
    return read(order, scenes[name])


def _scene(cell: Cell, work: MeasureWork, bench: Workbench) -> Scene:
    uses: dict[str, SplitUse] = {use.name: use for use in work.splits} | {"train": work.train}
    kinds: dict[str, SplitKind] = {
        use.name: "id" if use.shift is None else "ood" for use in work.splits
    }
    kinds["train"] = "train"  # also where a metric is read on it

    trained = bench.outline(work.train).inputs

    def examples(split: str) -> Examples:
        return bench.split(uses[split], cell.limit).seen_as(trained)

    runs = RunPoints(bench, work)
    network = bench.blank(work.model, work.train)
    return Scene(
        network=network,
        examples=examples,
        kinds=kinds,
        points=runs.load,
        device=bench.device,
        budget=Budget.of(bench.device),
        stacked=bench.device.type != "cpu" and network.stackable,
        origin=runs.origin,
        named=runs.named,
    )
