"""A checked suite: every name is resolved, every setting valid, every split known."""

from dataclasses import dataclass, field
from typing import Literal

from harness.api.cells import Limit, Primary, SplitUse, Use
from harness.api.data import Outline


@dataclass(frozen=True)
class DataUse:
    """Data of one training: its training split, the splits to evaluate on, and the batch size.

    `outline` is the dataset's own; `train` and `splits` are as the suite makes them (shifted, or
    from other datasets); `splits` holds the in-domain ones first. `augment` are shifts that are
    drawn anew for every batch.
    """

    outline: Outline
    train: SplitUse
    splits: tuple[SplitUse, ...]
    augment: tuple[Use, ...]
    batch: int


@dataclass(frozen=True)
class Pretrain:
    """The suite's own pretraining: one model per pretraining seed."""

    data: DataUse
    method: Use


@dataclass(frozen=True)
class Init:
    """A starting point: "random", "pretrained", or "checkpoint" with the path of its weights.

    A `{seed}` in the path stands for the pretraining seed. "pretrained" weights are those of the
    suite's own pretraining, or those that the model brings along where the suite has none.
    """

    label: str
    kind: Literal["random", "pretrained", "checkpoint"]
    checkpoint: str | None = None


@dataclass(frozen=True)
class SeedDesign:
    """Seeds to cross or to nest. `order` is None unless the suite splits the fine-tuning seed."""

    pretrain: tuple[int, ...]
    finetune: tuple[int, ...]
    order: tuple[int, ...] | None = None
    design: Literal["crossed", "nested"] = "crossed"


@dataclass(frozen=True)
class MetricUse:
    """A landscape metric as the suite uses it.

    `splits` are the evaluation splits that it is read on. For pair metrics `pairs` says which runs
    of one procedure are paired: "all", "within-pretrain-seed", or a number of pairs drawn evenly
    from same- and different-pretraining-seed pairs, with a fixed stream.
    """

    use: Use
    of: str
    splits: tuple[str, ...]
    pairs: Literal["all", "within-pretrain-seed"] | int = "all"


@dataclass(frozen=True)
class Suite:
    """What is trained, on what, over which seeds, and what is scored and measured.

    `text` is the resolved suite as YAML (overrides and limits applied), saved beside the results.
    `plugins` are files or modules that the suite loads; `without` what the user set aside.
    `over_groups` are the labels of those scores that need groups; `notes` are what its data sets
    say of themselves that is strange and yet no fault.
    """

    id: str
    version: str
    title: str
    sources: tuple[str, ...]
    plugins: tuple[str, ...]
    without: tuple[str, ...]
    models: tuple[Use, ...]
    pretrain: Pretrain | None
    data: DataUse
    inits: tuple[Init, ...]
    methods: tuple[Use, ...]
    seeds: SeedDesign
    scores: tuple[Use, ...]
    metrics: tuple[MetricUse, ...]
    primary: Primary
    limit: Limit | None
    text: str
    over_groups: tuple[str, ...] = ()
    notes: tuple[str, ...] = field(default=(), compare=False)

    def scores_of(self, split: SplitUse) -> tuple[Use, ...]:
        """The scores that a split has: all, but those over groups only where it has groups."""
        left_out = () if split.grouped else self.over_groups
        return tuple(use for use in self.scores if use.label not in left_out)

    @property
    def smoke(self) -> bool:
        """A trial run, whose results say so everywhere."""
        return self.limit is not None
