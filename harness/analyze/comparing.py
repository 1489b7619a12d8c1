"""Procedures against each other, on every split: what `seedscape compare` says."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np

from harness.analyze import verdicts
from harness.analyze.arena import Arena, Pair
from harness.analyze.collect import run_text
from harness.analyze.comparable import choose_runs, pairing, refuse_others, suites_differ
from harness.analyze.comparison_design import NAMES, Asked, design_of
from harness.analyze.contenders import Contender, Gathered, gather
from harness.analyze.resampled import arms_of, grid_of, made_of_examples
from harness.api.cells import Seeds
from harness.api.comparisons import (
    ArmSummary,
    Comparison,
    Contestant,
    Pairing,
    PairTest,
    Rank,
    SplitComparison,
    Verdict,
)
from harness.api.errors import HarnessError
from harness.plug.uses import offer_from
from harness.plug.version import harness_version
from harness.statistics.comparison import holm, tie_groups
from harness.statistics.intervals import Interval

FEWEST = 100  # replicates: below, the ends of an interval are single replicates
Chosen = Sequence[tuple[Seeds, ...]]


def compare_procedures(contenders: Sequence[Contender], asked: Asked) -> Comparison:
    """Effects, intervals, tests, chances and tails of every two contenders on every split.

    Raises:
        NotComparable: they were scored otherwise, or on other data, or runs are missing.
        HarnessError: fewer than two of them, or what was asked for is not there.
    """
    if len(contenders) < 2:
        raise HarnessError("a comparison needs two procedures", fix="name another one")
    return weigh(contenders, asked)


def weigh(contenders: Sequence[Contender], asked: Asked) -> Comparison:
    """The same for any number of contenders; one alone has a mean and its interval."""
    if asked.replicates < FEWEST:
        raise HarnessError(f"{asked.replicates} replicates", fix=f"draw {FEWEST} at least")
    asked, splits = _completed(contenders[0], asked)
    assert asked.score is not None
    refuse_others(contenders, splits, asked.score)
    gathered = [gather(each, splits, asked.score) for each in contenders]
    chosen, notes = choose_runs(gathered, common=asked.common_seeds)
    # A score that is computed anew for every draw takes long: only who asks for it has that.
    drawable = asked.levels != "all" or all(
        made_of_examples(each, asked.score) for each in contenders
    )
    grids = [grid_of(seeds) for seeds in chosen]
    design = design_of(asked, gathered, grids, examples=drawable)
    pairings = _pairings(gathered, chosen, asked)
    first = contenders[0]
    offer = offer_from(first.score(asked.score), first.catalogue)[0]
    compared = []
    for split in splits:
        arms = arms_of(gathered, chosen, split, asked.score, examples=design.levels.examples)
        sign = 1 if offer.higher_is_better else -1
        arena = Arena(split, arms, pairings, sign, design, asked, offer.bounds)
        compared.append(_split(arena, gathered, chosen))
    found = Comparison(
        score=asked.score,
        higher_is_better=offer.higher_is_better,
        precision=next(first.runs()).precision,
        smoke=any(each.plan.smoke for each in contenders),
        made=datetime.now(UTC),
        harness_version=harness_version(),
        contestants=tuple(map(_contestant, gathered, chosen)),
        splits=tuple(compared),
        levels=design.stated,
        unit=NAMES.get(design.unit, ""),
        method=design.method,
        replicates=asked.replicates,
        seed=asked.seed,
        confidence=asked.confidence,
        alpha=asked.alpha,
        notes=(*notes, *suites_differ(contenders), *verdicts.notes(design, gathered, chosen)),
    )
    units = [design.units(grid) for grid in grids]
    warnings = (
        *verdicts.warnings(found, design, units),
        *verdicts.overlaps(gathered, chosen, pairings),
    )
    return found.model_copy(update={"warnings": warnings})


def _completed(first: Contender, asked: Asked) -> tuple[Asked, tuple[str, ...]]:
    """What was asked for, with the primary score and splits where nothing was said."""
    primary = first.plan.primary
    splits = tuple(dict.fromkeys(asked.splits or (primary.id, *primary.ood)))
    if splits == ("all",):
        splits = tuple(split.name for split in first.plan.splits)
    return replace(asked, score=asked.score or primary.score), splits


def _pairings(gathered: Sequence[Gathered], chosen: Chosen, asked: Asked) -> dict[Pair, Pairing]:
    places = range(len(gathered)) if asked.tests else ()
    return {
        (i, j): "none"
        if asked.unpaired
        else pairing((gathered[i], gathered[j]), (chosen[i], chosen[j]))
        for i in places
        for j in places
        if i < j
    }


def _contestant(gathered: Gathered, seeds: tuple[Seeds, ...]) -> Contestant:
    contender = gathered.contender
    return Contestant(
        label=contender.label,
        procedure=contender.procedure,
        suite=contender.plan.suite_id,
        version=contender.plan.version,
        store=str(contender.store.root),
        plan_digest=contender.plan.digest,
        planned=len(gathered.starts),
        runs=len(seeds),
        pretrain_seeds=len({one.pretrain for one in seeds}),
        finetune_seeds=len({one.finetune for one in seeds}),
        order_seeds=len({one.order for one in seeds} - {None}),
        design=contender.suite.seeds.design,
        diverged=len(gathered.diverged & set(seeds)),
        left_out=tuple(run_text(one) for one in gathered.starts if one not in seeds),
        devices=gathered.devices,
    )


def _split(arena: Arena, gathered: Sequence[Gathered], chosen: Chosen) -> SplitComparison:
    labels = [each.label for each in gathered]
    use = next(gathered[0].contender.evaluations(arena.split))[1].split
    arms = tuple(
        _summary(arena, place, each, seeds)
        for place, (each, seeds) in enumerate(zip(gathered, chosen, strict=True))
    )
    pairs = _pairs(arena, labels)
    ranks, ties = _ranks(arms, pairs, arena.sign) if len(arms) > 2 and pairs else ((), ())
    found = SplitComparison(
        split=use.name,
        kind=use.kind,
        shift=use.shift,
        parent=use.parent,
        examples=gathered[0].results[use.name][chosen[0][0]].examples,
        text="",
        arms=arms,
        pairs=pairs,
        ranks=ranks,
        ties=ties,
    )
    return found.model_copy(update={"text": verdicts.text(found, arena.asked)})


def _summary(arena: Arena, place: int, gathered: Gathered, seeds: tuple[Seeds, ...]) -> ArmSummary:
    mean, interval = arena.mean(place)
    worst, quartile = arena.tail(place)
    low, high = _ends(interval)
    results = gathered.results[arena.split]
    return ArmSummary(
        label=gathered.label,
        mean=mean,
        low=low,
        high=high,
        worst=float(arena.scores[place][worst]),
        worst_seeds=run_text(seeds[worst]),
        quartile=quartile,
        unscorable=sum(results[one].unscorable for one in seeds),
        lost_draws=arena.lost(place),
    )


def _pairs(arena: Arena, labels: Sequence[str]) -> tuple[PairTest, ...]:
    """Every two arms; p-values are corrected for the number of pairs."""
    tests = {pair: arena.test(pair) for pair in arena.pairs}
    matrix = np.ones((len(labels), len(labels)))
    for (i, j), (p, _) in tests.items():
        matrix[i, j] = matrix[j, i] = 1.0 if p is None else p
    corrected = holm(matrix)
    found = []
    for pair, (p, least) in tests.items():
        effect, interval, one_sided = arena.effect(pair)
        beats, of_beats, of_quartile = arena.chances(pair)
        tails = [arena.tail(place) for place in pair]
        worst = [float(arena.scores[at][run]) for at, (run, _) in zip(pair, tails, strict=True)]
        p_corrected = None if p is None else float(corrected[pair])
        low, high = _ends(interval)
        beats_low, beats_high = _ends(of_beats)
        quartile_low, quartile_high = _ends(of_quartile)
        found.append(
            PairTest(
                first=labels[pair[0]],
                second=labels[pair[1]],
                pairing=arena.pairings[pair],
                effect=effect,
                low=low,
                high=high,
                p=p,
                p_corrected=p_corrected,
                least_p=least,
                p_bootstrap=one_sided,
                beats=beats,
                beats_low=beats_low,
                beats_high=beats_high,
                worst_difference=worst[1] - worst[0],
                quartile_difference=tails[1][1] - tails[0][1],
                quartile_low=quartile_low,
                quartile_high=quartile_high,
                detectable=arena.detectable(pair),
                verdict=_verdict(arena.sign * effect, interval, p_corrected, arena.asked.alpha),
            )
        )
    return tuple(found)


def _verdict(gain: float, interval: Interval | None, p: float | None, alpha: float) -> Verdict:
    """Which one is better: the test says so, and the interval, which draws more, agrees."""
    if p is None:
        return "not tested"
    if interval is None or p > alpha or interval.low <= 0 <= interval.high:
        return "cannot tell"
    return "second" if gain > 0 else "first"


def _ranks(
    arms: Sequence[ArmSummary], pairs: Sequence[PairTest], sign: int
) -> tuple[tuple[Rank, ...], tuple[tuple[str, ...], ...]]:
    """Places by the mean, the places that are possible, and groups that cannot be told apart."""
    labels = [arm.label for arm in arms]
    better = {(p.first, p.second) for p in pairs if p.verdict == "first"}
    better |= {(p.second, p.first) for p in pairs if p.verdict == "second"}
    differs = np.ones((len(arms), len(arms)))
    for one, other in better:
        i, j = labels.index(one), labels.index(other)
        differs[i, j] = differs[j, i] = 0.0
    means = [sign * arm.mean for arm in arms]
    ordered = sorted(means, reverse=True)
    ranks = tuple(
        Rank(
            label=label,
            rank=1 + ordered.index(mean),
            best=1 + sum(loser == label for _, loser in better),
            worst=len(arms) - sum(winner == label for winner, _ in better),
        )
        for label, mean in zip(labels, means, strict=True)
    )
    groups = tie_groups(means, differs)
    return ranks, tuple(tuple(labels[place] for place in group) for group in groups)


def _ends(interval: Interval | None) -> tuple[float | None, float | None]:
    return (None, None) if interval is None else (interval.low, interval.high)
