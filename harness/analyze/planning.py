"""How many seeds are enough: `plan_seeds`, from the components of a pilot."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from harness.api.numbers import words
from harness.api.seedplans import Cases, DesignPower, Enough, PilotNote, SeedPlan
from harness.statistics.chance import named
from harness.statistics.comparison import (
    FEW_SEEDS,
    least_p_of_labels,
    least_p_of_signs,
    seeds_to_reach,
)
from harness.statistics.layout import Layout
from harness.statistics.power import (
    Pilot,
    detectable_difference,
    least_p,
    power_of_difference,
    power_of_tau,
    precision,
)

ALPHA = 0.05
ROUNDS = 200
"""Simulated rounds per design of the power to find a tau: its standard error is at most .035."""


@dataclass(frozen=True)
class Question:
    """What is asked of designs of `pretrain` x `finetune` seeds; None is not asked."""

    pretrain: Sequence[int]
    finetune: Sequence[int]
    width: float | None = None
    difference: float | None = None
    tau: float | None = None
    paired: bool = False
    power: float = 0.8


def plan_seeds(pilot: PilotNote, asked: Question) -> SeedPlan:
    """What each design can tell, and the fewest runs that are enough.

    With `paired` the pilot's components are those of differences between two procedures that share
    their seeds; otherwise a difference is one of procedures with seeds of their own.
    """
    cases = _cases(pilot)
    designs = tuple(
        _design(cases, asked, (a, b), pilot.design) for a in asked.pretrain for b in asked.finetune
    )
    return SeedPlan(
        pilot=pilot,
        paired=asked.paired,
        wanted_power=asked.power,
        width=asked.width,
        difference=asked.difference,
        tau=asked.tau,
        designs=designs,
        enough=tuple(_enough(designs, asked, tuple(cases))),
        warnings=tuple(_warnings(pilot, designs, asked)),
    )


def _cases(pilot: PilotNote) -> dict[str, Pilot]:
    """The components as estimated, and at the ends of their intervals."""
    rest = pilot.rest_sd
    found = {
        "estimate": Pilot(
            pilot.pretrain_sd**2, pilot.finetune_sd**2, None if rest is None else rest**2
        )
    }
    first, second, third = pilot.pretrain_sd_range, pilot.finetune_sd_range, pilot.rest_sd_range
    if first is None or second is None or (rest is not None and third is None):
        return found
    for end, name in enumerate(("best", "worst")):
        left = None if third is None or rest is None else third[end] ** 2
        found[name] = Pilot(first[end] ** 2, second[end] ** 2, left)
    return found


def _design(
    cases: dict[str, Pilot], asked: Question, seeds: tuple[int, int], design: str
) -> DesignPower:
    a, b = seeds
    apart = cases if asked.paired else {name: pilot.doubled() for name, pilot in cases.items()}
    layout = _layout(a, b, design)

    def each(pilots: dict[str, Pilot], of: Callable[[Pilot], float]) -> Cases:
        return Cases.model_validate({name: _finite(of(pilot)) for name, pilot in pilots.items()})

    size = asked.difference
    power = None
    if size is not None:
        power = each(apart, lambda pilot: power_of_difference(pilot, size, a, b))
    return DesignPower(
        pretrain_seeds=a,
        finetune_seeds=b,
        runs=a * b,
        half_width=each(cases, lambda pilot: precision(pilot, a, b).half_width),
        detectable=each(apart, lambda pilot: detectable_difference(pilot, a, b, power=asked.power)),
        least_p=least_p_of_signs(a) if asked.paired else least_p_of_labels(a, a),
        least_p_tau=least_p(layout),
        power=power,
        tau_power=None if asked.tau is None else _tau(asked.tau, cases["estimate"], layout),
    )


def _layout(a: int, b: int, design: str) -> Layout:
    clusters = tuple(i for i in range(a) for _ in range(b))
    members = tuple(j for _ in range(a) for j in range(b))
    return Layout(clusters, members, "nested" if design == "nested" else "crossed")


def _tau(tau: float, pilot: Pilot, layout: Layout) -> float:
    if least_p(layout) > ALPHA:
        return 0.0
    total = pilot.pretrain + pilot.finetune + (pilot.interaction or 0.0)
    nested = pilot.interaction is None
    shares = (pilot.pretrain / total, 0.0 if nested else pilot.finetune / total)
    generator = named("power of tau", str(tau), str(layout.runs), str(len(set(layout.cluster))))
    return power_of_tau(tau, layout, shares, generator, rounds=ROUNDS)


def _enough(
    designs: Sequence[DesignPower], asked: Question, cases: Sequence[str]
) -> Iterator[Enough]:
    for case in cases:
        if asked.width is not None:
            width = asked.width
            yield _fewest("width", case, [d for d in designs if _most(d.half_width, case, width)])
        if asked.difference is not None:
            found = [
                d
                for d in designs
                if d.power is not None
                and (getattr(d.power, case) or 0.0) >= asked.power
                and d.least_p <= ALPHA
            ]
            yield _fewest("difference", case, found)
    if asked.tau is not None:
        strong = [d for d in designs if (d.tau_power or 0.0) >= asked.power]
        yield _fewest("tau", "estimate", strong)


def _most(found: Cases, case: str, limit: float) -> bool:
    value = getattr(found, case)
    return value is not None and value <= limit


def _fewest(question: str, case: str, found: Sequence[DesignPower]) -> Enough:
    least = min(found, key=lambda d: (d.runs, d.pretrain_seeds), default=None)
    return Enough(
        question=question,
        case=case,
        pretrain_seeds=None if least is None else least.pretrain_seeds,
        finetune_seeds=None if least is None else least.finetune_seeds,
    )


def _warnings(pilot: PilotNote, designs: Sequence[DesignPower], asked: Question) -> Iterator[str]:
    if 0 < pilot.seeds < FEW_SEEDS:
        yield (
            f"the pilot has {pilot.seeds} pretraining seeds and knows its components badly: "
            "read the worst case, or run more pilot seeds first"
        )
    blind = sorted({d.pretrain_seeds for d in designs if d.least_p > ALPHA})
    if blind:
        least = seeds_to_reach(ALPHA, paired=asked.paired)
        how = "signs of whole seeds" if asked.paired else "exchanging whole seeds"
        yield (
            f"with {words(map(str, blind), 'or')} pretraining seeds no difference can reach "
            f"p < {ALPHA}, however large ({how}): {least} are the fewest"
        )
    deaf = [f"{d.pretrain_seeds} x {d.finetune_seeds}" for d in designs if d.least_p_tau > ALPHA]
    if deaf and asked.tau is not None:
        yield (
            f"with {words(deaf, 'or')} seeds no relation between a metric and a score can reach "
            f"p < {ALPHA}, however strong"
        )
    if pilot.rest_sd is not None and any(d.finetune_seeds == 1 for d in designs):
        yield (
            "with one fine-tuning seed in a crossed design nothing is known of other fine-tuning "
            "seeds: no interval for them"
        )


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
