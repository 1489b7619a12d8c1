"""What is stored of a finished cell: `record.json`, typed and versioned."""

from datetime import datetime
from typing import Literal

from harness.api.readings import Reading, Record
from harness.api.settings import Json

SCHEMA_VERSION = 1


class FileEntry(Record):
    """A file beside the record: its SHA-256 and its size in bytes."""

    sha256: str
    bytes: int


class Plugin(Record):
    """A distribution whose offers took part, with the hash of their source."""

    distribution: str
    version: str
    offers: dict[str, str]


class Machine(Record):
    """Where and with what a cell ran."""

    python: str
    packages: dict[str, str]
    platform: str
    processor: str
    device: str
    threads: int
    git_commit: str | None = None
    git_dirty: bool | None = None


class Trained(Record):
    """How a training went.

    `losses` are training losses at `loss_steps`; `pack` is how many seeds were trained as one;
    `calibration` holds the timed seconds per step and seed of each pack size that was tried.
    `diverged_at` is the first step whose loss was not finite; `compiled` says that the network went
    through `torch.compile`. `truncated` counts training texts that the model's reader cut off, of
    `examples` (0: not told).
    """

    steps: int
    examples_seen: int
    loss_steps: list[int]
    losses: list[float]
    pack: int = 1
    calibration: dict[str, float] = {}
    diverged_at: int | None = None
    checkpoints: list[int] = []
    compiled: bool = False
    truncated: int = 0
    examples: int = 0


class Scored(Record):
    """Scores of one point on one split.

    `scores` maps the score's label to its value; `examples` is the number of predictions, of which
    `unscorable` (not finite) counted as the worst possible. `failed` maps a score that could not
    be computed to the reason. `truncated` counts texts that the model's reader cut off.
    """

    split: str
    examples: int
    unscorable: int
    scores: dict[str, float]
    failed: dict[str, str] = {}
    predictions_from: str | None = None
    truncated: int = 0


class CellRecord(Record):
    """Everything worth knowing of one finished cell.

    `identity` is what the key is the hash of. `outcome` is "ok", or "diverged" for a training whose
    loss was no longer finite: an outcome to report, not an error. `files` are the other files in
    the folder. `wall_seconds` and `peak_bytes` are those of the worker while it ran the cell.
    `start` is what a model calls the weights that it brought to a training (a folder, a commit).
    """

    schema_version: int = SCHEMA_VERSION
    key: str
    stage: str
    identity: dict[str, Json]
    parents: list[str]
    outcome: Literal["ok", "diverged"] = "ok"
    result: Trained | Scored | Reading
    settings: dict[str, Json]
    plugins: list[Plugin]
    machine: Machine
    precision: str
    smoke: bool
    started: datetime
    wall_seconds: float
    peak_bytes: int
    files: dict[str, FileEntry] = {}
    start: str = ""


class Failure(Record):
    """A cell that could not be finished: why, and the end of its log."""

    schema_version: int = SCHEMA_VERSION
    key: str
    stage: str
    reason: str
    log: str
    attempts: int
    when: datetime
