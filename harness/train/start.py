"""Where a run starts: drawn, a parent's weights, the model's own, or a file; which head it has."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

from torch import Tensor

from harness.api.cells import Cell, TrainWork
from harness.api.errors import HarnessError
from harness.api.offers import Source
from harness.compute.brought import brought_weights, check_brought
from harness.compute.building import wants_fresh_head, with_head
from harness.compute.streams import RunStreams
from harness.compute.weights import load_weights
from harness.compute.workbench import Workbench
from harness.train.course import Course


def starting_weights(cell: Cell, course: Course, bench: Workbench) -> dict[str, Tensor]:
    """The state dict that a run starts from; shared tensors, to be copied."""
    streams = RunStreams.of(cell.seeds[0])
    work = course.work
    if work.init == "random":
        weights = drawn_weights(work, bench, streams.init)
    else:
        weights = _given(cell, work, bench)
    fresh = course.recipe.head == "fresh" or (
        course.recipe.head == "auto" and wants_fresh_head(course.network, weights)
    )
    if fresh and not course.network.head:
        raise HarnessError(
            f"the model {work.model.name!r} names no head that could be drawn afresh",
            fix="set the method's `head: keep`",
        )
    if fresh:
        weights = with_head(course.network, weights, drawn_weights(work, bench, streams.head))
    _check(course, weights, cell.parents[0] if cell.parents else work.checkpoint or work.init)
    return weights


def drawn_weights(work: TrainWork, bench: Workbench, derived: int) -> dict[str, Tensor]:
    """A fresh network's state dict, drawn from a derived seed."""
    module = bench.network_from(work.model, work.train, derived).module
    return dict(module.state_dict())


def _given(cell: Cell, work: TrainWork, bench: Workbench) -> dict[str, Tensor]:
    if work.init == "pretrained":
        return bench.weights(cell.parents[0])
    if work.checkpoint is None:
        raise HarnessError(f"the initialisation {work.init!r} names no weights", where=cell.key)
    if work.init == "brought":
        if work.checkpoint_digest:  # a training that is looked into again has its own
            planned = Source(work.checkpoint, work.checkpoint_digest)
            check_brought(work.model, cell.seeds[0].pretrain, planned, bench)
        return brought_weights(work.model, work.checkpoint, bench)
    path = Path(work.checkpoint)
    weights = load_weights(path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    if work.checkpoint_digest and not digest.startswith(work.checkpoint_digest):
        raise HarnessError(
            "the file has changed since the plan was made",
            where=str(path),
            fix="run the suite again to plan with the new file",
        )
    return weights


def _check(course: Course, weights: Mapping[str, Tensor], source: str) -> None:
    own = course.network.module.state_dict()
    missing = [name for name in own if name not in weights]
    surplus = [name for name in weights if name not in own]
    if missing or surplus:
        raise HarnessError(
            f"its weights do not fit the model {course.work.model.name!r}: "
            f"missing {missing[:3]}, surplus {surplus[:3]}",
            where=source,
        )
    for name, tensor in own.items():
        if weights[name].shape != tensor.shape:
            raise HarnessError(
                f"{name!r} is {tuple(weights[name].shape)}, the model wants {tuple(tensor.shape)}",
                where=source,
                fix="the method's `head: fresh` draws a new head",
            )
