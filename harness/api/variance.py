"""Which seed carries the variance: estimated components, their shares, and their intervals."""

from harness.api.readings import Record

Range = tuple[float, float]
"""The ends of a 95 % interval."""

SAYS_LITTLE = 0.8
"""How wide the interval of a share is that says next to nothing."""


class VarianceShare(Record):
    """Shares of the variance over runs; None (with a `note`) where the design cannot tell.

    `pretrain`, `finetune`, `order` and `interaction` are estimated components divided by their sum;
    the `*_sd` are the components' square roots in units of the score; `*_range` and `*_sd_range`
    are their 95 % intervals. `order` is the data order's where it has seeds of its own (`finetune`
    is then the head's, with dropout and augmentation), otherwise None. `interaction` is what no
    seed explains by itself; it includes everything else that differs between two runs. In a nested
    design of two kinds of seeds `finetune` holds all of that, `interaction` is None, and `pretrain`
    is the intraclass correlation. `truncated` names components whose estimate was negative and is
    shown as 0. `method` is "anova" (full tables) or "reml" (runs missing, three kinds of seeds).

    `total_sd` is the sd over all runs (ddof=1); `sampling_sd` is what testing on finitely many
    examples does to one run's score (see `Spread`). `testing` is how much of the variance *between*
    runs, all tested on the same examples, testing adds, as a share of it; `seeds_sd` the sd between
    runs that is left when it is taken off; `pretrain_alone` and `finetune_alone` are shares of what
    is left. From scores of single examples; None without them.
    """

    procedure: str
    split: str
    split_kind: str
    score: str
    design: str
    pretrain_seeds: int
    finetune_seeds: int
    total_sd: float | None
    pretrain: float | None
    finetune: float | None
    interaction: float | None
    note: str = ""
    pretrain_sd: float | None = None
    finetune_sd: float | None = None
    interaction_sd: float | None = None
    truncated: tuple[str, ...] = ()
    sampling_sd: float | None = None
    method: str = ""
    runs: int = 0
    order_seeds: int = 0
    order: float | None = None
    order_sd: float | None = None
    pretrain_range: Range | None = None
    finetune_range: Range | None = None
    order_range: Range | None = None
    interaction_range: Range | None = None
    pretrain_sd_range: Range | None = None
    finetune_sd_range: Range | None = None
    order_sd_range: Range | None = None
    interaction_sd_range: Range | None = None
    testing: float | None = None
    seeds_sd: float | None = None
    pretrain_alone: float | None = None
    finetune_alone: float | None = None

    @property
    def says_little(self) -> bool:
        """Whether the interval of the pretraining share leaves nearly everything open.

        So does one that has shrunk to 0: it takes seeds that differ by less than chance makes them.
        """
        ends = self.pretrain_range
        return ends is not None and (ends[1] - ends[0] >= SAYS_LITTLE or ends[1] <= 0)
