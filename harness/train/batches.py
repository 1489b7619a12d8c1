"""The inputs and targets of each step, augmented."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from harness.api.networks import Language
from harness.compute.draws import HashDraws
from harness.compute.hashing import key_of, keyed
from harness.compute.loading import apply_shift
from harness.compute.streams import RunStreams
from harness.train.course import Course
from harness.train.language import at_places, masked_tokens, next_tokens
from harness.train.order import Order
from harness.train.turning import turn_of, turned, turning


@dataclass(frozen=True)
class Batch:
    """Model inputs and targets: [b, ...] for one run, [runs, b, ...] for a stack.

    Targets of language are [..., length], what is predicted at each place, or [..., k] at `places`.
    """

    inputs: dict[str, Tensor]
    targets: Tensor


class Batches:
    """Batches for one run or a stack of runs, each from its own order and augmentation streams."""

    def __init__(self, course: Course, runs: list[RunStreams], *, stacked: bool) -> None:
        device = course.split.targets.device
        orders = [run.order for run in runs]
        lengths = course.split.lengths
        # Where lengths decide how much is read, places are wanted where the lengths are.
        places = device if lengths is None else torch.device("cpu")
        self.order = Order(orders, len(course.split), places, stacked=stacked, lengths=lengths)
        self.runs = len(runs)
        self._course = course
        self._turn, self._later = turn_of(runs), [run.order for run in turned(runs)]

        def keys(runs: Sequence[RunStreams]) -> Tensor:
            augments = [run.augment for run in runs]
            return key_of(augments if stacked else augments[0], device)

        self._keys = turning(runs, keys)

    def next(self, step: int) -> Batch:
        """The batch of a step (1 is the first)."""
        if step - 1 == self._turn:
            self.order.turn(self._later)
        where = self.order.batch()
        split = self._course.split
        if self._course.language is not None:
            return self._language(self._course.language, where, step)
        targets = split.targets[where]
        if not self._course.shifts:
            return Batch(split.model_inputs(where), targets)
        return Batch(self._augmented(where, step), targets)

    def _language(self, language: Language, where: Tensor, step: int) -> Batch:
        """Text that is its own target; what is hidden is drawn for all runs in one go."""
        inputs = self._course.split.model_inputs(where)
        if language.objective == "next-token":
            return Batch(inputs, next_tokens(inputs))
        flat = {name: values.flatten(0, where.ndim - 1) for name, values in inputs.items()}
        hidden, targets = masked_tokens(language, flat, self._draws(where, step, 0))
        if language.at_places:
            hidden, targets = at_places(hidden, targets)
        given = {name: torch.unflatten(x, 0, where.shape) for name, x in hidden.items()}
        return Batch(given, torch.unflatten(targets, 0, where.shape))

    def _draws(self, where: Tensor, step: int, position: int) -> HashDraws:
        """Draws for the examples of all runs; each example has its own run's key."""
        keys = keyed(self._keys(step), step)
        if where.ndim > 1:
            keys = keys.repeat_interleave(where.shape[1])
        return HashDraws(keyed(keys, position), self._course.split.examples[where.reshape(-1)])

    def _augmented(self, where: Tensor, step: int) -> dict[str, Tensor]:
        """All runs' examples shifted in one go."""
        split = self._course.split
        places = where.reshape(-1)
        inputs = {name: values[places] for name, values in split.inputs.items()}
        for position, shift in enumerate(self._course.shifts):
            inputs = apply_shift(shift, inputs, self._draws(where, step, position))
        floats = split.floats(inputs)
        return {n: torch.unflatten(x, 0, where.shape) for n, x in floats.items()}
