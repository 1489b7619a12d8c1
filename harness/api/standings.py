"""How procedures stand over several splits at once: robust summaries with their intervals."""

from harness.api.readings import Record


class Estimate(Record):
    """A number and the ends of its 95 % interval, None where nothing is known of other seeds."""

    value: float
    low: float | None = None
    high: float | None = None


class Standing(Record):
    """One procedure over all splits of `Standings`, in score units.

    `runs` of `planned` have a value on every split. `mean` is over runs and splits; `middle` is the
    interquartile mean, that of the middle half of all of them; `worst_split` is the mean on the
    split `worst_split_name`, where it is worst; a quarter of the runs do as badly as `quartile` or
    worse, by their means over splits; `worst_run` is the worst such mean, at `worst_seeds`, and has
    no interval: drawing runs anew says nothing of it. `profile` is by threshold the share of runs
    and splits that do better. All numbers are None where there is no standing, and `note` says why.
    """

    procedure: str
    planned: int
    runs: int
    pretrain_seeds: int
    mean: Estimate | None = None
    middle: Estimate | None = None
    worst_split: Estimate | None = None
    worst_split_name: str = ""
    quartile: Estimate | None = None
    worst_run: float | None = None
    worst_seeds: str = ""
    profile: tuple[Estimate, ...] = ()
    note: str = ""


class Improvement(Record):
    """The chance that a random run of `first` does better than one of `second`, over splits.

    P(X > Y) with ties counting half, averaged over the splits.
    """

    first: str
    second: str
    chance: Estimate


class Standings(Record):
    """All procedures over the same splits; `thresholds` are those of the profiles.

    `improvements` are of every two procedures, none where they are too many.
    """

    score: str
    higher_is_better: bool
    splits: tuple[str, ...]
    primary: bool
    thresholds: tuple[float, ...]
    procedures: tuple[Standing, ...]
    improvements: tuple[Improvement, ...]
    replicates: int
    confidence: float
