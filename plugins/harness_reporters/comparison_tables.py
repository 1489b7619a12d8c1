"""Tables of the comparison of procedures, and of the suites or stores that stand side by side."""

from harness.api.comparisons import Comparison, SplitComparison
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
    runs = {each.label: f"{each.runs}/{each.planned}" for each in found.contestants}
    rows = []
    for split in found.splits:
        places = _places(split)
        for place, arm in enumerate(split.arms):
            cells = [arm.label, fixed(arm.mean, places), _ends(arm.low, arm.high, places)]
            cells += [fixed(arm.quartile, places), fixed(arm.worst, places), runs[arm.label]]
            head = split.split if place == 0 else None
            rows.append(Row(head, len(split.arms), cells, under=f"{split.examples} examples"))
    level = percent(found.confidence)
    columns = ["split", "procedure", "mean", level, "worst quartile", "worst run", "n"]
    return Table(f"{found.score}: means over pretraining seeds", columns, 2, rows)


def _differences(found: Comparison) -> Table:
    rows = []
    for split in found.splits:
        places = _places(split)
        for place, pair in enumerate(split.pairs):
            better = {"first": pair.first, "second": pair.second}.get(pair.verdict, pair.verdict)
            cells = [pair.first, pair.second, better, fixed(pair.effect, places)]
            cells += [_ends(pair.low, pair.high, places), _p(pair.p), _p(pair.p_corrected)]
            cells.append(percent(pair.beats))
            head = split.split if place == 0 else None
            rows.append(Row(head, len(split.pairs), cells))
    level = percent(found.confidence)
    columns = ["split", "A", "B", "better", "B - A", level, "p", "p, corrected", "A beats B"]
    return Table(f"{found.score}: differences between procedures", columns, 4, rows)


def _places(split: SplitComparison) -> int:
    known = [(p.low, p.high) for p in split.pairs if p.low is not None and p.high is not None]
    return decimals_of((arm.mean for arm in split.arms), ((high - low) / 2 for low, high in known))


def _ends(low: float | None, high: float | None, places: int) -> str:
    return NOTHING if low is None else f"{fixed(low, places)} to {fixed(high, places)}"


def _p(p: float | None) -> str:
    return NOTHING if p is None else figures(p, 2)
