"""How many seeds: what designs of so many seeds can tell, from the components of a pilot."""

from harness.api.readings import Record
from harness.api.variance import Range

SCHEMA_VERSION = 1


class Cases(Record):
    """A number for the pilot's estimates, and for the ends of their 95 % intervals.

    `best` takes all components at their lower ends, `worst` at their upper ends; None where the
    pilot has no intervals. None as a number: the design cannot give it.
    """

    estimate: float | None
    best: float | None = None
    worst: float | None = None


class PilotNote(Record):
    """Standard deviations between seeds in units of the score, with their 95 % intervals.

    `rest_sd` is None in a nested design. `seeds` is how many pretraining seeds the pilot has, 0
    where the components were given by hand.
    """

    source: str
    design: str
    pretrain_sd: float
    finetune_sd: float
    rest_sd: float | None
    pretrain_sd_range: Range | None = None
    finetune_sd_range: Range | None = None
    rest_sd_range: Range | None = None
    seeds: int = 0


class DesignPower(Record):
    """What `pretrain_seeds` x `finetune_seeds` runs of a procedure can tell.

    `half_width` is that of the 95 % interval of a mean; `detectable` the smallest true difference
    of two procedures that a test at 5 % finds with the wanted power; `power` the chance to find the
    difference that was asked for, `tau_power` the tau. `least_p` and `least_p_tau` are the smallest
    p-values that the tests of whole seeds can give with the design.
    """

    pretrain_seeds: int
    finetune_seeds: int
    runs: int
    half_width: Cases
    detectable: Cases
    least_p: float
    least_p_tau: float
    power: Cases | None = None
    tau_power: float | None = None


class Enough(Record):
    """The fewest runs that give what was asked for: `case` is "estimate", "best" or "worst"."""

    question: str
    case: str
    pretrain_seeds: int | None
    finetune_seeds: int | None


class SeedPlan(Record):
    """All that `seedscape power` says; `width`, `difference` and `tau` are what was asked for."""

    schema_version: int = SCHEMA_VERSION
    pilot: PilotNote
    paired: bool
    wanted_power: float
    width: float | None = None
    difference: float | None = None
    tau: float | None = None
    designs: tuple[DesignPower, ...] = ()
    enough: tuple[Enough, ...] = ()
    warnings: tuple[str, ...] = ()
