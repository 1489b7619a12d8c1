"""How many cells go into one job, and how many runs are trained as one stack."""

import hashlib
import json
import platform
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from harness.api.cells import Cell, Stage
from harness.plan import identity_of
from harness.plan.identity import ENGINE
from harness.run.board import POINT, Board, Group
from harness.store.disk import write_text
from harness.train.choice import choose_pack

TRAINING = (Stage.PRETRAIN, Stage.FINETUNE, Stage.BRANCH)
WORTHWHILE = MappingProxyType({"cpu": 1.5})
"""By device, how many times faster a stack must be: on a CPU, runs apart are also bit-equal."""
WORTHWHILE_ELSEWHERE = 1.05

LARGEST_EVALUATION = 64
LARGEST_MEASUREMENT = 32
LARGEST_SHARED = 256
"""Readings of several runs, which share most when they are many."""


@dataclass(frozen=True)
class Calibration:
    """Timed seconds per step and seed by pack size, on a type of device ("cpu", "cuda")."""

    seconds: Mapping[str, float] = field(default_factory=dict)
    device: str = ""

    def best(self, seeds: int, workers: int) -> int:
        """The pack size that finishes so many runs first: 1 unless a stack is clearly faster.

        >>> Calibration({"1": 1.0, "4": 0.8}, "cpu").best(8, 1)
        1
        >>> Calibration({"1": 1.0, "4": 0.8}, "cuda").best(8, 1)
        4
        """
        if "1" not in self.seconds:
            return 1
        size = choose_pack(self.seconds, seeds, workers)
        worthwhile = WORTHWHILE.get(self.device, WORTHWHILE_ELSEWHERE)
        return size if self.seconds["1"] >= worthwhile * self.seconds[str(size)] else 1


@dataclass
class Packing:
    """The policy of one run. `pack` None and `calibrate` means: time it, then decide."""

    pack: int | None
    calibrate: bool
    workers: int
    device: str
    cache: Path
    known: dict[Group, Calibration] = field(default_factory=dict)

    def wants_calibration(self, group: Group, board: Board) -> bool:
        """Whether the group is worth timing: several equal trainings that nobody has timed."""
        if not self.calibrate or self.pack is not None or group[0] not in TRAINING:
            return False
        if group in self.known or len(board.group(group)) < 2:
            return False
        stored = self._stored(board.group(group)[0])
        if stored is None:
            return True
        self.known[group] = stored
        return False

    def size(self, group: Group, board: Board) -> int:
        """How many ready cells of the group the next job gets, so that all workers are busy."""
        ready = board.ready(group)
        if group[0] == Stage.EVALUATE:
            return min(ready, LARGEST_EVALUATION)
        if group[:2] == (Stage.MEASURE, POINT):
            return min(ready, LARGEST_MEASUREMENT)
        if group[0] == Stage.PART:  # long ones: jobs get shorter towards the end
            return min(-(-ready // (2 * self.workers)), LARGEST_MEASUREMENT)
        if group[0] == Stage.MEASURE:  # one worker shares everything; more get equal parts
            jobs = 2 * self.workers if self.workers > 1 else 1
            return board.whole(group, min(-(-ready // jobs), LARGEST_SHARED))
        if group[0] not in TRAINING:
            return 1
        if self.pack is not None:
            return min(self.pack, ready)
        calibration = self.known.get(group, Calibration())
        best = calibration.best(len(board.group(group)), self.workers)
        return min(best, -(-ready // self.workers))

    def learn(self, group: Group, cell: Cell, calibration: Calibration) -> None:
        """Keep a calibration for this run, and for later ones on this machine."""
        self.known[group] = calibration
        if calibration.seconds:
            text = json.dumps({"seconds": dict(calibration.seconds), "device": calibration.device})
            write_text(self._file(cell), text)

    def _stored(self, cell: Cell) -> Calibration | None:
        try:
            content = json.loads(self._file(cell).read_text(encoding="utf-8"))
            seconds = {str(size): float(value) for size, value in content["seconds"].items()}
            return Calibration(seconds, str(content["device"]))
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return None  # none yet, or not readable: it costs a second to time it again

    def _file(self, cell: Cell) -> Path:
        identity = identity_of(cell)
        if cell.stage == Stage.BRANCH:  # a step of it takes as long as one of its run
            identity |= {"stage": Stage.FINETUNE.value, "engine": ENGINE[Stage.FINETUNE]}
        left_out = ("seeds", "parents", "branch")
        course = {name: part for name, part in identity.items() if name not in left_out}
        what = json.dumps([course, platform.node(), self.workers, self.device], sort_keys=True)
        digest = hashlib.sha256(what.encode()).hexdigest()[:24]
        return self.cache / "calibrations" / f"{digest}.json"
