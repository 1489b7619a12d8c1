"""What a comparison draws anew, what it holds fixed and why, and what its tests rearrange."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from harness.analyze.comparable import NotComparable
from harness.analyze.contenders import Gathered
from harness.api.comparisons import Level
from harness.api.errors import HarnessError
from harness.statistics.resampling import Grid, Levels

NAMES = {
    "pretrain": "pretraining seeds",
    "finetune": "fine-tuning seeds",
    "examples": "examples",
}
ONE_SEED = "only one, which is held fixed"
PRESETS = {"all": tuple(NAMES), "multiberts": ("pretrain", "examples")}


@dataclass(frozen=True)
class Asked:
    """How to compare.

    `score` and `splits` default to the primary ones of the first procedure's suite; `levels` is
    "all", "multiberts", or some of pretrain, finetune and examples between commas. `common_seeds`
    leaves out runs that not every procedure has; `unpaired` takes no notice of equal seeds.
    Without `tests` every procedure is taken alone. `because` says why a level that is not in
    `levels` is not drawn.
    """

    score: str | None = None
    splits: tuple[str, ...] = ()
    levels: str = "all"
    replicates: int = 10_000
    seed: int = 0
    common_seeds: bool = False
    unpaired: bool = False
    tests: bool = True
    because: str = "as asked for"
    confidence: float = 0.95
    alpha: float = 0.05


@dataclass(frozen=True)
class Design:
    """`levels` as the bootstrap takes them, and as they are stated.

    `unit` is the level whose whole units the tests rearrange: "pretrain", "finetune" where
    pretraining seeds are held fixed, or "" where only examples are drawn.
    """

    levels: Levels
    stated: tuple[Level, ...]
    unit: Literal["pretrain", "finetune", ""]
    method: Literal["bca", "percentile"]

    @property
    def within_fixed(self) -> bool:
        """Whether fine-tuning seeds are drawn within pretraining seeds that are held fixed."""
        return self.unit == "finetune" and self.levels.design == "nested"

    def units(self, grid: Grid) -> int:
        """How many units of the drawn seeds a procedure has; examples are there in plenty.

        Of fine-tuning seeds within pretraining seeds that are held fixed, one and those beyond the
        first of each: as many tell of the spread. One, where some pretraining seed has no second.
        """
        if self.unit == "pretrain":
            return len(grid.seeds)
        if self.within_fixed:
            each = [grid.pretrain.count(seed) for seed in grid.seeds]
            return 1 + sum(each) - len(each) if min(each) > 1 else 1
        return len(set(grid.finetune)) if self.unit == "finetune" else 2


def wanted(text: str) -> tuple[str, ...]:
    """The levels of `Asked.levels`.

    >>> wanted("multiberts"), wanted("finetune, examples")
    (('pretrain', 'examples'), ('finetune', 'examples'))
    """
    if text in PRESETS:
        return PRESETS[text]
    names = tuple(dict.fromkeys(part.strip() for part in text.split(",")))
    if not names or not set(names) <= NAMES.keys():
        raise HarnessError(
            f"no levels {text!r}",
            fix="write all, multiberts, or some of pretrain,finetune,examples",
        )
    return names


def design_of(
    asked: Asked, gathered: Sequence[Gathered], grids: Sequence[Grid], *, examples: bool
) -> Design:
    """Which levels are drawn: those that are asked for, less those that cannot be.

    Raises:
        NotComparable: fine-tuning seeds are drawn, crossed in one procedure and nested in another.
    """
    names = wanted(asked.levels)
    why = {name: asked.because for name in NAMES if name not in names}
    if asked.levels == "multiberts":
        why = {"finetune": "averaged, as in MultiBERTs"}
    if "examples" not in why and not examples:
        why["examples"] = (
            f"the score {asked.score} does not say how it is made of examples; "
            "--levels pretrain,finetune,examples computes it anew for every draw, which takes long"
        )
    single = all(len(grid.seeds) == 1 for grid in grids)
    if asked.levels == "all" and single and all(len(grid.pretrain) > 1 for grid in grids):
        why["pretrain"] = ONE_SEED
    alone = all(len(grid.pretrain) == len(grid.seeds) for grid in grids)
    if "finetune" not in why and "pretrain" not in why and alone:
        why["finetune"] = "one for each pretraining seed: they are drawn together"
    designs = {each.label: each.contender.suite.seeds.design for each in gathered}
    if single:
        designs = dict.fromkeys(designs, "crossed")  # with one row the two are the same
    if "finetune" not in why and len(set(designs.values())) > 1:
        told = ", ".join(f"{label} {design}" for label, design in designs.items())
        raise NotComparable(
            [f"fine-tuning seeds are drawn, and they are crossed here and nested there: {told}"],
            "--levels multiberts averages them",
        )
    if len(why) == len(NAMES):
        raise HarnessError("nothing is left to draw anew", where="--levels", fix="name more levels")
    return Design(
        levels=Levels(
            pretrain="pretrain" not in why,
            finetune="finetune" not in why,
            examples="examples" not in why,
            design=next(iter(designs.values())),
        ),
        stated=tuple(
            Level.model_validate({"name": NAMES[n], "drawn": n not in why, "why": why.get(n, "")})
            for n in NAMES
        ),
        unit="pretrain" if "pretrain" not in why else "finetune" if "finetune" not in why else "",
        method="percentile" if asked.levels == "multiberts" else "bca",
    )
