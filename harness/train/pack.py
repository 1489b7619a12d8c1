"""From training cells to trained weights: a pack as one stack, or one by one."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

import torch
from torch import Tensor

from harness.api.cells import Cell, TrainWork
from harness.api.results import Trained
from harness.compute.letting_go import bytes_of, let_go
from harness.compute.workbench import Workbench
from harness.train.alone import Alone
from harness.train.batches import Batches
from harness.train.course import Course, course_of
from harness.train.loop import Trail, train
from harness.train.stack import Stack
from harness.train.start import starting_weights
from harness.train.turning import streams_of


@dataclass(frozen=True)
class Training:
    """A finished training: its record, its final weights, and those at the steps asked for.

    A run that diverged has the outcome "diverged", NaN for all its final weights (whatever pack it
    was in and whenever that was noticed), and the checkpoints before it diverged.
    """

    trained: Trained
    weights: dict[str, Tensor]
    checkpoints: dict[int, dict[str, Tensor]]
    outcome: Literal["ok", "diverged"] = "ok"


def train_pack(
    cells: Sequence[Cell], bench: Workbench, tell: Callable[[str], None]
) -> list[Training]:
    """Train cells that differ in seeds and parents only; one `Training` per cell, in order.

    Branches may differ in their copies too.
    """
    if len({_shared(cell) for cell in cells}) != 1:
        raise ValueError("the cells of a pack must differ in seeds and parents only")
    course = course_of(cells[0], bench)
    if len(cells) > 1 and course.stackable:
        return _trained(cells, course, bench, tell)
    return [_trained([cell], course, bench, tell)[0] for cell in cells]


def _shared(cell: Cell) -> str:
    """What the cells of a pack have in common, as one string."""
    work = cell.work
    if isinstance(work, TrainWork):
        branch = None if work.branch is None else replace(work.branch, copy=1)
        work = replace(work, checkpoint=None, checkpoint_digest=None, branch=branch)
    return repr((cell.stage, work, cell.precision, cell.limit))


def _trained(
    cells: Sequence[Cell], course: Course, bench: Workbench, tell: Callable[[str], None]
) -> list[Training]:
    runs = [streams_of(cell) for cell in cells]
    starts = [starting_weights(cell, course, bench) for cell in cells]
    stacked = len(cells) > 1
    learner = Stack(course, starts, runs) if stacked else Alone(course, starts[0], runs[0])
    parameters = {n for n, _ in course.network.module.named_parameters(remove_duplicate=False)}
    buffers = [{n: t for n, t in start.items() if n not in parameters} for start in starts]
    held = sum(bytes_of(start.values()) for start in starts)
    del starts  # a large network's weights would be held a second time
    let_go(held)
    trail = train(course, learner, Batches(course, runs, stacked=stacked), tell)
    final = learner.weights()
    trainings = []
    for run, at_start in enumerate(buffers):
        finite = partial(_finite, buffers=at_start)
        trainings.append(_training(course, trail, final[run], run, finite))
    return trainings


def _training(
    course: Course,
    trail: Trail,
    final: dict[str, Tensor],
    run: int,
    finite: Callable[[dict[str, Tensor]], bool],
) -> Training:
    diverged = trail.log.diverged[run]
    if diverged is None and not finite(final):
        diverged = course.steps  # the last step broke it, and no later loss could tell
    if diverged is not None:
        final = {name: _undone(tensor) for name, tensor in final.items()}
    last = course.steps if diverged is None else diverged
    curve = {step: loss for step, loss in trail.log.curves[run].items() if step <= last}
    kept = {
        step: weights[run]
        for step, weights in trail.checkpoints.items()
        if diverged is None or (step < diverged and finite(weights[run]))
    }
    trained = Trained(
        steps=last,
        examples_seen=course.examples_seen(last),
        loss_steps=list(curve),
        losses=list(curve.values()),
        pack=len(trail.log.curves),
        compiled=course.compiled,
        diverged_at=diverged,
        checkpoints=list(kept),
        truncated=course.split.truncated,
        examples=len(course.split),
    )
    return Training(trained, final, kept, "ok" if diverged is None else "diverged")


def _finite(weights: dict[str, Tensor], buffers: Mapping[str, Tensor]) -> bool:
    """Whether training left numbers; a buffer (a mask of -inf) may be as it was at the start."""
    return all(
        bool(torch.isfinite(tensor).all())
        or (name in buffers and torch.equal(tensor, buffers[name].to(tensor.device)))
        for name, tensor in weights.items()
    )


def _undone(tensor: Tensor) -> Tensor:
    return torch.full_like(tensor, torch.nan) if tensor.is_floating_point() else tensor
