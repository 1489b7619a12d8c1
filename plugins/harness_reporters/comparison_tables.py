"""Tables of the comparison of procedures, and of the suites or stores that stand side by side."""

from harness.api.comparisons import Comparison, PairTest, Rank, SplitComparison
from harness.api.findings import Findings
from harness.api.numbers import NOTHING, decimals_of, figures, fixed, percent
from harness_reporters.page import Row, Table


def comparison_tables(findings: Findings) -> list[Table]:
    """Sources, means with their intervals, differences with their tests; those that there are."""
    found = findings.comparison
    tables = [_sources(findings)]
    if found is not None:
        tables += [_means(found), _differences(found)]
    return [table for table in tables if table.rows]


def _sources(findings: Findings) -> Table:
    why = {refusal.source: "; ".join(refusal.reasons) for refusal in findings.refusals}
    rows = []
    for source in findings.sources:
        told = [f"not compared: {why[source.label]}"] if source.label in why else []
        told += [f"{name} not compared: {why[name]}" for name in source.procedures if name in why]
        note = "; ".join(told)
        cells = [f"{source.suite} {source.version}", source.store]
        cells += [str(len(source.procedures)), f"{source.done}/{source.planned}"]
        rows.append(Row(source.label, 1, cells, bool(note), note))
    return Table("Side by side", ["source", "suite", "store", "procedures", "cells"], 3, rows)


def _means(found: Comparison) -> Table:
    runs = {each.label: each for each in found.contestants}
    ranked = all(split.ranks for split in found.splits)
    rows = []
    for split in found.splits:
        places = places_of(split)
        for place, arm in enumerate(split.arms):
            cells = [arm.label, fixed(arm.mean, places), ends(arm.low, arm.high, places)]
            cells += [fixed(arm.quartile, places), fixed(arm.worst, places)]
            one = runs[arm.label]
            cells.append(f"{one.runs}/{one.planned}")
            if ranked:
                cells.append(_rank(next(r for r in split.ranks if r.label == arm.label)))
            note = f"left out: {', '.join(one.left_out)}" if one.left_out else ""
            head = split.split if place == 0 else None
            under = f"{split.examples} examples"
            rows.append(Row(head, len(split.arms), cells, bool(note), note, under))
    level = percent(found.confidence)
    columns = ["split", "procedure", "mean", level, "worst quartile", "worst run", "n"]
    columns += ["rank"] * ranked
    single = all(one.pretrain_seeds == 1 for one in found.contestants)
    over = "runs" if single else "pretraining seeds"
    return Table(f"{found.score}: means over {over}", columns, 2, rows)


def _rank(found: Rank) -> str:
    around = f" ({found.best} to {found.worst})" if found.best < found.worst else ""
    return f"{found.rank}{around}"


def _differences(found: Comparison) -> Table:
    rows = []
    for split in found.splits:
        places = places_of(split)
        for place, pair in enumerate(split.pairs):
            cells = [pair.first, pair.second, better(pair), fixed(pair.effect, places)]
            cells += [ends(pair.low, pair.high, places), _p(pair.p), _p(pair.p_corrected)]
            cells.append(percent(pair.beats))
            head = split.split if place == 0 else None
            rows.append(Row(head, len(split.pairs), cells))
    level = percent(found.confidence)
    columns = ["split", "A", "B", "better", "B - A", level, "p", "p, corrected", "A beats B"]
    return Table(f"{found.score}: differences between procedures", columns, 4, rows)


def places_of(split: SplitComparison) -> int:
    """Decimals for the numbers of one split."""
    known = [(p.low, p.high) for p in split.pairs if p.low is not None and p.high is not None]
    known += [(a.low, a.high) for a in split.arms if a.low is not None and a.high is not None]
    return decimals_of((arm.mean for arm in split.arms), ((high - low) / 2 for low, high in known))


def ends(low: float | None, high: float | None, places: int) -> str:
    """An interval in words, or a dash."""
    return NOTHING if low is None else f"{fixed(low, places)} to {fixed(high, places)}"


def better(pair: PairTest) -> str:
    """Which one is better, or that nobody can tell."""
    return {"first": pair.first, "second": pair.second}.get(pair.verdict, pair.verdict)


def _p(p: float | None) -> str:
    return NOTHING if p is None else figures(p, 2)
