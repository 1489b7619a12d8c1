"""What predicts a score: tests of predictors, the ladder of baselines, accuracy on the line."""

from harness.api.readings import Record


class PredictorTest(Record):
    """How a predictor goes together with a target (a score on an OOD split) over runs.

    `tau` is Kendall's tau-b, `spearman` the rank correlation; `p` is two-sided by rearranging whole
    seeds, `p_family` the same for the largest of all predictors `tried` (max-T), `p_screen` after
    Benjamini and Hochberg. `partial` is Spearman's correlation given the `controls`, with its own
    three p-values. `gain` is the out-of-fold R^2 that the predictor adds to the controls, seeds it
    was not fitted to predicted, with an interval over drawn seeds. `uses_ood` marks a predictor
    that has looked at OOD data: no fair competitor; `baseline` one of the baselines itself, which
    has no controls. None with a `note` where there is no number: a gain or its interval where runs
    are few beside the controls.

    Of a suite, `procedure` is whose runs these are ("" for all procedures, each run by its distance
    from the mean of its procedure, in standard deviations). `planned` counts the suite's runs;
    `least_p` is the smallest p that so many seeds and permutations can give. `clusters` counts the
    seeds whose runs hang together, and `unit` names them: fine-tuning seeds where there is but one
    pretraining seed.
    """

    target: str
    predictor: str
    procedure: str = ""
    baseline: bool = False
    planned: int = 0
    permutations: int = 0
    least_p: float | None = None
    runs: int
    clusters: int
    tried: int
    uses_ood: bool = False
    tau: float | None = None
    spearman: float | None = None
    p: float | None = None
    p_family: float | None = None
    p_screen: float | None = None
    controls: tuple[str, ...] = ()
    partial: float | None = None
    partial_p: float | None = None
    partial_p_family: float | None = None
    partial_p_screen: float | None = None
    gain: float | None = None
    gain_low: float | None = None
    gain_high: float | None = None
    note: str = ""
    unit: str = "pretraining seed"

    @property
    def verdict(self) -> float:
        """The p of the best of all predictors, given the controls where there are any.

        1 where there is none: a predictor that could not be held against what is known shows
        nothing beyond it.
        """
        found = self.partial_p_family if self.controls else self.p_family
        return 1.0 if found is None else found

    @property
    def rank(self) -> tuple[float, float]:
        """By what predictors are put in order: the verdict, then the size of the association."""
        size = self.tau if self.partial is None else self.partial
        return self.verdict, -abs(size or 0.0)


class LadderStep(Record):
    """What a set of baselines predicts of a target: out-of-fold R^2, or None with a `note`.

    `r2_low` and `r2_high` end its 95 % interval, over drawn seeds; None for nothing known, and
    where drawn seeds leave too few runs for so many features.
    Of a suite, `procedure` is whose runs these are, "" for all; `uses_ood` marks a step that looked
    at OOD inputs.
    """

    target: str
    step: str
    procedure: str = ""
    uses_ood: bool = False
    features: tuple[str, ...]
    r2: float | None
    r2_low: float | None = None
    r2_high: float | None = None
    runs: int
    clusters: int
    note: str = ""
    unit: str = "pretraining seed"


class PairTest(Record):
    """Whether a quantity of pairs goes together with how far a pair's runs lie apart in a score.

    `rho` is Spearman's correlation over the `pairs` that were measured and are finite (`holes`
    counts the others), `p` by rearranging whole seeds (Mantel, QAP), `p_family` for the largest of
    all `tried`. None with a `note` where there is no number.
    """

    target: str
    quantity: str
    procedure: str
    runs: int
    pairs: int
    tried: int
    holes: int = 0
    uses_ood: bool = False
    rho: float | None = None
    p: float | None = None
    p_family: float | None = None
    note: str = ""


class LineFit(Record):
    """A target's accuracy against in-domain accuracy, over `models`.

    `slope_low` and `slope_high` end a 95 % interval over models (and examples, where predictions
    are known) drawn anew. `left_out` counts models at 0 or 1, which have no place on the scale.
    `reliability` is the share of the variance of in-domain accuracies that is not noise of testing:
    an estimate from predictions, a lower bound from the number of examples, None without either. A
    `warning` says why not to trust the slope.

    Of a suite, the models are the runs of one `procedure`.
    """

    target: str
    in_domain: str
    procedure: str = ""
    scale: str
    models: int
    slope: float | None = None
    slope_low: float | None = None
    slope_high: float | None = None
    intercept: float | None = None
    left_out: int = 0
    r2: float | None = None
    reliability: float | None = None
    warning: str = ""
