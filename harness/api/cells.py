"""The plan's words: seeds, uses of offers, and the kinds of stored work.

Everything here is a frozen, picklable value: a cell can be sent to any worker.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from harness.api.settings import Json

PRECISIONS = ("float32", "bfloat16")
"""What forward passes can be computed in; weights are float32 in any case."""


class Stage(StrEnum):
    """The kinds of cells, in the order of the data flow."""

    PRETRAIN = "pretrain"
    FINETUNE = "finetune"
    MERGE = "merge"
    BRANCH = "branch"
    EVALUATE = "evaluate"
    PART = "part"
    MEASURE = "measure"


@dataclass(frozen=True, slots=True)
class Use:
    """An offer as a suite uses it: `settings` holds what differs from the defaults, as JSON.

    `label` is its name in reports (the offer's own unless the suite says `as:`); `digest` is the
    hash of the offer's source, so that edited code makes new cells. `hidden` names settings that do
    not enter the identity of a cell (where a data file lies; its fingerprint says what it holds).
    `fingerprint` stands for the files that a model's or a score's settings name, "" without any.
    """

    noun: str
    name: str
    label: str
    settings: Mapping[str, Json]
    digest: str
    hidden: tuple[str, ...] = ()
    fingerprint: str = ""


@dataclass(frozen=True, slots=True)
class Seeds:
    """Seeds of one run. `order` is the fine-tuning seed unless the suite splits it.

    In a nested design the same fine-tuning seed means other draws under another pretraining seed.
    """

    pretrain: int
    finetune: int | None = None
    order: int | None = None
    nested: bool = False


@dataclass(frozen=True, slots=True)
class Limit:
    """A trial run: at most so many examples per split and so many steps. Marks every result."""

    examples: int | None = None
    steps: int | None = None


@dataclass(frozen=True, slots=True)
class MergedClass:
    """A class of a split, and the model's classes (their places) that stand for it."""

    name: str
    members: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class SplitUse:
    """One split as it is made: `source` of the dataset, then shifts in order.

    `name` is its name in the suite; `source` is "train" or a split of the dataset's own;
    `shift` is None for in-domain splits; `parent` names the ID split it is compared with.
    `merged` has every class of a split on which a model of more classes is scored: the predicted
    class is that of the model's largest logit, a class's probability the sum of its members'.
    Empty where the classes are the model's. `grouped` is False where the dataset has no groups, so
    that scores over groups are left out.
    """

    name: str
    dataset: Use
    fingerprint: str
    source: str
    by: tuple[Use, ...] = ()
    shift: str | None = None
    parent: str | None = None
    merged: tuple[MergedClass, ...] = ()
    grouped: bool = True

    @property
    def kind(self) -> str:
        """`id` or `ood`."""
        return "id" if self.shift is None else "ood"


@dataclass(frozen=True, slots=True)
class Branch:
    """A training that leaves a run's way: its first `step` steps are the run's own.

    What is drawn afterwards (data order, dropout, augmentation) comes from streams of the copy's
    own. Copy 0 is the run itself, so `copy` is at least 1.
    """

    step: int
    copy: int = 1


@dataclass(frozen=True, slots=True)
class TrainWork:
    """Train one model on one split from one starting point. Stages pretrain, finetune and branch.

    `branch` says where a branch leaves the run whose seeds and start it has; None for runs.
    `init` is "random", "pretrained" (the weights of the cell's only parent), "checkpoint"
    (`checkpoint` is a safetensors file, `checkpoint_digest` the hash of its bytes) or "brought" (by
    the model: `checkpoint` is what it calls them, `checkpoint_digest` their fingerprint).
    """

    model: Use
    method: Use
    train: SplitUse
    augment: tuple[Use, ...]
    batch: int
    init: str
    checkpoint: str | None = None
    checkpoint_digest: str | None = None
    branch: Branch | None = None


@dataclass(frozen=True, slots=True)
class EvaluateWork:
    """Predict one split with the weights of the cell's only parent, and score the predictions.

    `model` and `train` (the parent's training split) say how the parent's network is built.
    """

    model: Use
    train: SplitUse
    split: SplitUse
    scores: tuple[Use, ...]


@dataclass(frozen=True, slots=True)
class MeasureWork:
    """Measure one metric on the weights of the cell's parents (1: point, 2: pair, more: group).

    `pair_kind` is "same-pretrain-seed" or "different-pretrain-seed" for pairs. `model` and `train`
    (the parents' training split) say how the parents' network is built; `splits` are the
    evaluation splits that the metric is read on. `branches` are those of the run that stands first
    among the parents; their cells are the other parents, in this order. `varied` holds, for a
    metric across a setting of the method, its value in each parent (whose key holds it already).
    `parts` is the number of parts whose readings are joined instead of measuring anything: their
    cells are the last parents. They say nothing new, so they do not enter the identity. `scores`
    are those of the suite's scores that the metric asks for.
    """

    metric: Use
    of: str
    model: Use
    train: SplitUse
    splits: tuple[SplitUse, ...]
    pair_kind: str | None = None
    branches: tuple[Branch, ...] = ()
    varied: tuple[float, ...] = ()
    parts: int = 0
    scores: tuple[Use, ...] = ()


@dataclass(frozen=True, slots=True)
class PartWork:
    """Measure part number `part` (0, 1, ...) of `whole.parts` of a piece of work.

    The parents are those of the whole, without the parts.
    """

    whole: MeasureWork
    part: int

    @property
    def metric(self) -> Use:
        """The metric of the whole."""
        return self.whole.metric

    @property
    def model(self) -> Use:
        """The model of its runs."""
        return self.whole.model


Work = TrainWork | EvaluateWork | MeasureWork | PartWork


@dataclass(frozen=True, slots=True)
class Cell:
    """One unit of stored work.

    `key` identifies it by content; `procedure` is the label of the procedure it belongs to
    ("" for pretraining shared by several); `seeds` has one entry per run that a measure cell is of
    and one entry otherwise. `steps` is the number of optimizer steps, if known.
    """

    key: str
    stage: Stage
    procedure: str
    seeds: tuple[Seeds, ...]
    parents: tuple[str, ...]
    work: Work
    precision: str = "float32"
    limit: Limit | None = None
    steps: int | None = None


@dataclass(frozen=True)
class Procedure:
    """Model + initialisation + method + training settings, without seeds."""

    label: str
    model: Use
    init: str
    method: Use


@dataclass(frozen=True)
class Primary:
    """What the suite's answer is read off: a score, an in-domain split, and OOD splits."""

    score: str
    id: str
    ood: tuple[str, ...]


@dataclass(frozen=True)
class Plan:
    """The frozen graph of all cells of a suite; parents come before children.

    `suite_id`, `version` and `title` name the suite; `digest` is the hash of all keys in order.
    `primary` is (score label, ID split, OOD splits) as the suite names them.
    """

    suite_id: str
    version: str
    title: str
    digest: str
    cells: tuple[Cell, ...]
    procedures: tuple[Procedure, ...]
    splits: tuple[SplitUse, ...]
    primary: Primary
    smoke: bool = False
    sources: tuple[str, ...] = ()
