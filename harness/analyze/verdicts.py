"""A comparison in words: which procedure is better, or why these seeds cannot tell."""

from collections.abc import Iterator, Mapping, Sequence

from harness.analyze.comparison_design import ONE_SEED, Asked, Design
from harness.analyze.contenders import Gathered
from harness.api.cells import Seeds
from harness.api.comparisons import (
    ArmSummary,
    Comparison,
    Pairing,
    PairTest,
    SplitComparison,
)
from harness.api.numbers import count, decimals_of, figures, fixed, percent, words
from harness.statistics.comparison import FEW_SEEDS, seeds_to_reach

Chosen = Sequence[tuple[Seeds, ...]]
TOO_FEW = 3
"""Seeds that show nothing of how their effects are distributed, on which intervals rest."""


def text(found: SplitComparison, asked: Asked) -> str:
    """What one split says."""
    where = f"On {found.split} ({'in-domain' if found.kind == 'id' else 'OOD'})"
    if len(found.pairs) == 1:
        return f"{where}, {_duel(found, found.pairs[0], asked)}"
    if not found.pairs:
        return f"{where}, {_levels(found, asked)}"
    return f"{where}, {_order(found, asked)}"


def _duel(found: SplitComparison, pair: PairTest, asked: Asked) -> str:
    arms = {arm.label: arm for arm in found.arms}
    one, other = arms[pair.first], arms[pair.second]
    if pair.verdict == "second" or (pair.verdict != "first" and pair.beats < 0.5):
        one, other = other, one
    places = _places(one, other, pair)
    means = f"{asked.score} {fixed(one.mean, places)} against {fixed(other.mean, places)}"
    gap = _gap(pair, asked, places)
    if pair.verdict == "not tested":
        return f"nothing is known of other seeds: {means}; {gap}."
    rate = pair.beats if one.label == pair.first else 1 - pair.beats
    chance = (
        f"A random run of {one.label} does better than one of {other.label} in {percent(rate)} "
        "of cases"
    )
    if pair.verdict == "cannot tell":
        head = f"these seeds cannot tell {one.label} from {other.label}: {means}; {gap}. {chance}."
        return " ".join([head, *_why_not(pair, asked.alpha, places)])
    tail = _tail(pair, one.label)
    return (
        f"{one.label} is better than {other.label}: {means}; {gap}. {chance}; its worst run "
        f"{tail} ({fixed(one.worst, places)} against {fixed(other.worst, places)})."
    )


def _places(one: ArmSummary, other: ArmSummary, pair: PairTest) -> int:
    known = pair.low is not None and pair.high is not None
    spread = (pair.high - pair.low) / 2 if known else None  # type: ignore[operator]  # known
    return decimals_of((one.mean, other.mean, pair.effect), (spread,))


def _gap(pair: PairTest, asked: Asked, places: int) -> str:
    ends = "no interval"
    if pair.low is not None:
        low, high = fixed(pair.low, places), fixed(pair.high, places)
        ends = f"{percent(asked.confidence)} {low} to {high}"
    p = "no test" if pair.p is None else f"p = {figures(pair.p, 2)}"
    if pair.p is not None and pair.p_corrected is not None and pair.p_corrected > pair.p:
        p += f", corrected {figures(pair.p_corrected, 2)}"
    return f"{pair.second} less {pair.first} is {fixed(pair.effect, places)} ({ends}, {p})"


def _levels(found: SplitComparison, asked: Asked) -> str:
    """Means alone, where nothing is tested."""
    up = found.arms if len(found.arms) < 2 else sorted(found.arms, key=lambda arm: arm.mean)
    places = decimals_of(arm.mean for arm in found.arms)
    told = [f"{arm.label} has {asked.score} {_mean(arm, asked, places)}" for arm in up]
    if len(told) > 2:
        return f"{len(told)} means reach from lowest to highest: {told[0]}, {told[-1]}."
    return f"{words(told)}."


def _mean(arm: ArmSummary, asked: Asked, places: int) -> str:
    if arm.low is None:
        return fixed(arm.mean, places)
    ends = f"{fixed(arm.low, places)} to {fixed(arm.high, places)}"
    return f"{fixed(arm.mean, places)} ({percent(asked.confidence)} {ends})"


def _tail(pair: PairTest, winner: str) -> str:
    if pair.worst_difference == 0:
        return "is as bad"
    # better where the difference of worst runs has the sign of that of the means
    same = (pair.worst_difference > 0) == (pair.effect > 0)
    assert winner == (pair.second if pair.verdict == "second" else pair.first)
    return "is better too" if same else "is worse, though"


def _why_not(pair: PairTest, alpha: float, places: int) -> Iterator[str]:
    without_zero = pair.low is not None and pair.high is not None and not pair.low <= 0 <= pair.high
    if pair.p_corrected is not None and without_zero:
        yield "The interval is without 0, but the test does not agree."
    elif pair.low is None:
        yield "There is no interval, and the verdict needs one."
    elif pair.p_corrected is not None and pair.p_corrected <= alpha:
        yield "The test would tell them apart, but the interval, which draws more, holds 0."
    if pair.detectable is not None:
        size = fixed(pair.detectable, max(places, 3))
        yield f"Four of five such experiments would find a true difference of {size}."


def _order(found: SplitComparison, asked: Asked) -> str:
    score = asked.score
    ordered = sorted(found.ranks, key=lambda rank: rank.rank)
    means = {arm.label: arm.mean for arm in found.arms}
    best = ordered[0].label
    behind = {p.second for p in found.pairs if p.first == best and p.verdict == "first"}
    behind |= {p.first for p in found.pairs if p.second == best and p.verdict == "second"}
    alike = [rank.label for rank in ordered[1:] if rank.label not in behind]
    places = decimals_of(means.values())
    head = f"the best mean is that of {best} ({score} {fixed(means[best], places)})"
    next_ = _against_the_next(found, (best, ordered[1].label), asked)
    if len(found.ties) == 1:
        return f"{head}, but these seeds cannot tell any of the {len(ordered)} apart.{next_}"
    rest = f"; these seeds cannot tell it from {words(alike)}" if alike else ", better than all"
    groups = "; ".join(words(group) for group in found.ties)
    return f"{head}{rest}. Groups that cannot be told apart, best first: {groups}.{next_}"


def _against_the_next(found: SplitComparison, two: tuple[str, str], asked: Asked) -> str:
    """The best procedure and the next in rank, with the numbers of their test."""
    pair = next(p for p in found.pairs if {p.first, p.second} == set(two))
    arms = {arm.label: arm for arm in found.arms}
    places = _places(arms[two[0]], arms[two[1]], pair)
    rate = pair.beats if pair.first == two[0] else 1 - pair.beats
    return (
        f" The best two: {_gap(pair, asked, places)}; a random run of {two[0]} does better than "
        f"one of {two[1]} in {percent(rate)} of cases."
    )


def warnings(found: Comparison, design: Design, units: Sequence[int]) -> Iterator[str]:
    """What a reader must know before believing the answers; `units` counts those of each."""
    if found.smoke:
        yield "Trial run: it shows that everything works; its numbers mean nothing."
    alone = [each.label for each, n in zip(found.contestants, units, strict=True) if n < 2]
    if alone and design.unit:
        other = "; --levels finetune,examples holds it fixed" if design.unit == "pretrain" else ""
        within = " of a pretraining seed" if design.within_fixed else ""
        yield (
            f"{words(alone)}: only one of the {found.unit}{within}, so there is no interval and "
            f"no test{other}."
        )
    if any(level.why == ONE_SEED for level in found.levels):
        yield (
            "One pretraining seed, held fixed: intervals and tests are about other fine-tuning "
            "seeds of the same weights."
        )
    yield from out_of_reach(found)
    fewest = min(units)
    if design.unit and 2 <= fewest < FEW_SEEDS:
        number = count(fewest, found.unit.removesuffix("s"))
        if design.within_fixed:
            number = f"{count(fewest - 1, 'run')} beyond the first of each pretraining seed"
        if design.method == "percentile":
            yield f"Only {number}: below {FEW_SEEDS}, intervals are too narrow as a rule."
        elif fewest <= TOO_FEW:
            yield f"Only {number}: intervals are widened, and hold for normal effects at best."
        else:
            yield f"Only {number}: intervals are widened for so few, and rough below {FEW_SEEDS}."
    for each in found.contestants:
        if each.diverged:
            yield (
                f"{each.label}: {each.diverged} of {count(each.runs, 'run')} diverged; their "
                "scores are in the numbers as they are."
            )
    lost = sum(arm.unscorable for split in found.splits for arm in split.arms)
    if lost:
        yield f"{count(lost, 'prediction')} could not be scored and counted as the worst."
    yield from _lost(found)
    devices = {device for each in found.contestants for device in each.devices}
    if len(devices) > 1:
        yield f"Runs were trained on different devices: {words(sorted(devices))}."


def _lost(found: Comparison) -> Iterator[str]:
    """Splits on which the score cannot be computed in some draws."""
    for split in found.splits:
        for arm in split.arms:
            if arm.lost_draws:
                end = "no interval" if arm.low is None else "its interval leaves them out"
                yield (
                    f"{arm.label} on {split.split}: {found.score} cannot be computed in "
                    f"{arm.lost_draws:,} of {count(found.replicates, 'draw')} of examples: {end}."
                )


def out_of_reach(found: Comparison) -> Iterator[str]:
    """Pairs whose seeds cannot give a small p, whatever the difference."""
    pairs = found.splits[0].pairs
    told: dict[str, list[str]] = {}
    for pair in pairs:
        if pair.least_p is None or pair.least_p * len(pairs) <= found.alpha:
            continue
        paired = pair.pairing != "none"
        enough = seeds_to_reach(found.alpha / len(pairs), paired=paired)
        corrected = f" after correction for {len(pairs)} pairs" if len(pairs) > 1 else ""
        least = figures(min(1.0, pair.least_p * len(pairs)), 2)
        line = (
            f"so few {found.unit} cannot give p below {least}{corrected}, so that no difference "
            f"can be significant at {found.alpha:g}, however large: {enough} "
            f"{'pairs' if paired else 'of each'} could"
        )
        told.setdefault(line, []).append(f"{pair.first} and {pair.second}")
    for line, which in told.items():
        who = "" if len(which) == len(pairs) else f"{words(which)}: "
        yield f"{who}{line if who else line[0].upper() + line[1:]}."


def overlaps(
    gathered: Sequence[Gathered], chosen: Chosen, pairings: Mapping[tuple[int, int], Pairing]
) -> Iterator[str]:
    """Warnings of procedures that have seeds in common and are not compared in pairs."""
    for (i, j), pairing in pairings.items():
        shared = len(set(chosen[i]) & set(chosen[j]))
        if pairing != "none" or not shared:
            continue
        who = f"{gathered[i].label} and {gathered[j].label}"
        if chosen[i] == chosen[j]:
            yield f"{who} have the same seeds and are taken as independent, as asked for."
        else:
            yield (
                f"{who} have {shared} runs of the same seeds and others besides, and are taken as "
                "independent: --common-seeds compares the former in pairs."
            )


def notes(design: Design, gathered: Sequence[Gathered], chosen: Chosen) -> Iterator[str]:
    """How to read the numbers."""
    if design.unit == "pretrain" and design.levels.finetune and design.levels.design == "crossed":
        yield (
            "p is about other pretraining seeds with these fine-tuning seeds; intervals draw both, "
            "and the verdict needs both to agree."
        )
    if design.levels.finetune and any(one.order is not None for seeds in chosen for one in seeds):
        crossed = design.levels.design == "crossed"
        how = "each is drawn by itself" if crossed else "a pair of them is drawn as one"
        yield f"Head and data order have seeds of their own: {how}."
    designs = sorted({each.contender.suite.seeds.design for each in gathered})
    if len(designs) > 1:
        yield f"Fine-tuning seeds are {words(designs)}; they are averaged."
