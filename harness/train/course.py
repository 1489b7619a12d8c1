"""A training cell with everything resolved: how many steps, of what size, on what."""

from collections.abc import Callable
from dataclasses import dataclass

from torch import nn

from harness.api.cells import Cell, TrainWork
from harness.api.data import Outline
from harness.api.errors import HarnessError
from harness.api.networks import Language, Network
from harness.api.offers import Method
from harness.api.recipes import Phase, Recipe
from harness.compute.loading import ShiftUse
from harness.compute.splits import DeviceSplit
from harness.compute.workbench import Workbench
from harness.plan.steps import phase_steps

CURVE = 50  # training losses that a record keeps


@dataclass(frozen=True)
class Stretch:
    """A phase with its length and batch size."""

    phase: Phase
    steps: int
    batch: int


@dataclass(frozen=True)
class Course:
    """What all runs of a pack share. `network` is shared: its weights mean nothing.

    `module()` builds one that is nobody else's. `drops` says whether the network draws dropout
    masks in training; `language` what it learns where the task is language; `compiled` whether it
    is to go through `torch.compile`.
    """

    work: TrainWork
    recipe: Recipe
    network: Network
    module: Callable[[], nn.Module]
    outline: Outline
    split: DeviceSplit
    shifts: tuple[ShiftUse, ...]
    stretches: tuple[Stretch, ...]
    checkpoints: tuple[int, ...]
    precision: str
    drops: bool
    language: Language | None = None
    compiled: bool = False

    @property
    def stackable(self) -> bool:
        """Whether several runs may be trained as one."""
        return self.network.stackable and not self.network.recomputed and not self.compiled

    @property
    def steps(self) -> int:
        """Steps of all phases."""
        return sum(stretch.steps for stretch in self.stretches)

    @property
    def loss_steps(self) -> list[int]:
        """Steps whose loss is recorded: at most 50, evenly spaced, the first and last included."""
        if self.steps <= CURVE:
            return list(range(1, self.steps + 1))
        gap = (self.steps - 1) / (CURVE - 1)
        return [1 + round(i * gap) for i in range(CURVE)]

    def examples_seen(self, steps: int) -> int:
        """Examples in the first `steps` batches."""
        seen = 0
        for stretch in self.stretches:
            part = min(steps, stretch.steps)
            seen += part * min(stretch.batch, len(self.split))
            steps -= part
        return seen


def course_of(cell: Cell, bench: Workbench) -> Course:
    """Resolve a training cell: recipe, steps, data and network. Branches keep no checkpoints."""
    work = cell.work
    if not isinstance(work, TrainWork):
        raise TypeError(f"{cell.key} is not a training")
    method, settings = bench.offer(work.method)
    outline = bench.outline(work.train)
    if not isinstance(method, Method) or method.kind != "train":
        raise HarnessError(f"{work.method.name!r} is not a training method")
    recipe = method.recipe(settings, outline)
    split = bench.split(work.train, cell.limit, work.model)
    stretches = _stretches(cell, recipe, work, len(split))
    limited = cell.limit is not None and cell.limit.steps is not None
    total = sum(stretch.steps for stretch in stretches)
    if work.branch is not None and work.branch.step > total and not limited:
        message = f"a branch after {work.branch.step:,} steps, of a training of {total:,}"
        raise HarnessError(message, fix="branch earlier")
    network = bench.blank(work.model, work.train)
    return Course(
        work=work,
        recipe=recipe,
        network=network,
        module=lambda: bench.untouched(work.model, work.train).module,
        outline=outline,
        split=split,
        shifts=tuple(bench.shifts(work.augment)),
        stretches=stretches,
        checkpoints=() if work.branch else _checkpoints(recipe, total, limited),
        precision=cell.precision,
        drops=bench.drops(work.model, work.train),
        language=_language(work, network, outline),
        compiled=bench.compiled,
    )


def _language(work: TrainWork, network: Network, outline: Outline) -> Language | None:
    if outline.task.kind != "language":
        return None
    if network.language is None:
        raise HarnessError(
            f"the model {work.model.name!r} does not say how it learns language, and the dataset "
            f"{work.train.dataset.name!r} has text without labels",
            fix="choose a model whose Network has `language`, or labelled data",
        )
    return network.language


def _stretches(cell: Cell, recipe: Recipe, work: TrainWork, examples: int) -> tuple[Stretch, ...]:
    where = f"method {work.method.name!r}"
    if not recipe.phases:
        raise HarnessError("its recipe has no phases", where=where)
    if any((phase.steps is None) == (phase.epochs is None) for phase in recipe.phases):
        raise HarnessError("a phase needs `steps` or `epochs`, and not both", where=where)
    steps = phase_steps(recipe, examples, work.batch, cell.limit)
    assert steps is not None  # the number of examples is known
    return tuple(
        Stretch(phase, length, phase.batch or work.batch)
        for phase, length in zip(recipe.phases, steps, strict=True)
        if length > 0
    )


def _checkpoints(recipe: Recipe, total: int, limited: bool) -> tuple[int, ...]:
    """Steps to keep, ascending. "log" is the starting point and the powers of two below the end."""
    if recipe.checkpoints == "log":
        return (0, *(2**i for i in range(total.bit_length()) if 2**i < total))
    asked = sorted(set(recipe.checkpoints))
    if asked and (asked[0] < 0 or (asked[-1] > total and not limited)):
        raise HarnessError(f"a checkpoint outside the {total} steps of the training: {asked}")
    return tuple(step for step in asked if step <= total)
