"""The training loop: phases, steps, a look at the losses now and then, checkpoints."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from torch import Tensor

from harness.compute.device import autocast
from harness.train.batches import Batches
from harness.train.course import Course
from harness.train.learner import Learner
from harness.train.losslog import LossLog
from harness.train.schedule import multiplier

LOOK = 50  # steps between looks at the losses ...
PATIENCE = 2.0  # ... or seconds, where steps are slow
TELL = 0.25  # seconds between lines for the display


@dataclass
class Trail:
    """What a training left behind: its losses, and weights at the steps asked for."""

    log: LossLog
    checkpoints: dict[int, list[dict[str, Tensor]]] = field(default_factory=dict)


def train(course: Course, learner: Learner, batches: Batches, tell: Callable[[str], None]) -> Trail:
    """Take all steps of the course; stops early where every run has diverged."""
    trail = Trail(LossLog(batches.runs, course.loss_steps))
    if 0 in course.checkpoints:
        trail.checkpoints[0] = learner.weights()
    wanted = frozenset(course.checkpoints)
    step, told, looked = 0, 0.0, time.monotonic()
    with autocast("float32", course.split.targets.device):
        for stretch in course.stretches:
            learner.begin(stretch)
            batches.order.begin(stretch.batch)
            for place in range(stretch.steps):
                step += 1
                rate = multiplier(stretch.phase.schedule, place, stretch.steps)
                trail.log.add(learner.step(batches.next(step), step, rate))
                if step in wanted:
                    trail.checkpoints[step] = learner.weights()
                if step % LOOK and time.monotonic() - looked < PATIENCE:
                    continue
                if not trail.log.look():
                    return trail
                looked = time.monotonic()
                if looked - told > TELL:
                    tell(f"step {step}/{course.steps}, loss {trail.log.latest:.3g}")
                    told = looked
    trail.log.look()
    return trail
