"""What the terminal shows of procedures against each other, and over several splits together."""

from rich.console import Console
from rich.text import Text

from harness.api.comparisons import Comparison, SplitComparison
from harness.api.findings import Findings
from harness.api.numbers import NOTHING, count, decimals_of, figures, fixed, percent
from harness.api.standings import Estimate, Standings
from harness.report.comparison import pairs_table
from harness.report.shapes import bullet, table_of

ROWS = 12  # pairs on splits
MOST = 8  # procedures of the standings
WIDE = 78


def say_contest(findings: Findings, console: Console) -> None:
    """Print the differences, then the standings."""
    if findings.comparison is not None and any(s.pairs for s in findings.comparison.splits):
        _say_differences(findings.comparison, console)
    if findings.standings is not None and len(findings.standings.procedures) > 1:
        _say_standings(findings.standings, console)


def _say_differences(found: Comparison, console: Console) -> None:
    _, rows = pairs_table(found)
    console.print()
    level = percent(found.confidence)
    table = table_of(f"{found.score}: second less first ({level} interval), p of whole seeds")
    table.add_column("first, second", overflow="fold", min_width=15)
    for name in ("difference", "p", "first wins", "better"):
        if name != "first wins" or console.width >= WIDE:
            table.add_column(name, justify="right", overflow="fold")
    shown = 0
    for split in found.splits:
        if shown >= ROWS:
            break
        table.add_row(Text(split.split + (" (ID)" if split.kind == "id" else ""), "bold"))
        for row in _pairs(split, narrow=console.width < WIDE)[: ROWS - shown]:
            table.add_row(*row)
            shown += 1
    console.print(table)
    if shown < len(rows):
        text = f"{count(len(rows) - shown, 'more pair')} of procedures in the full report."
        console.print(bullet(" ", text, "dim"))


def _pairs(split: SplitComparison, *, narrow: bool) -> list[list[Text]]:
    widths = [p.high - p.low for p in split.pairs if p.low is not None and p.high is not None]
    places = decimals_of((arm.mean for arm in split.arms), (width / 2 for width in widths))
    rows = []
    for pair in split.pairs:
        ends = "" if pair.low is None else f" ({_ends(pair.low, pair.high, places)})"
        p = pair.p if pair.p_corrected is None else pair.p_corrected
        verdict = {"first": pair.first, "second": pair.second}.get(pair.verdict, pair.verdict)
        cells = [f"  {pair.first}, {pair.second}", f"{fixed(pair.effect, places)}{ends}"]
        cells += [figures(p, 2), *([] if narrow else [percent(pair.beats)]), verdict]
        rows.append([Text(cell) for cell in cells])
    return rows


def _say_standings(found: Standings, console: Console) -> None:
    which = "primary OOD" if found.primary else "OOD"
    console.print()
    table = table_of(f"{found.score} over {len(found.splits)} {which} splits (95 % interval)")
    table.add_column("procedure", overflow="fold", min_width=15)
    narrow = console.width < WIDE
    for name in ("mean", "IQM", "worst split", *([] if narrow else ["worst run", "n"])):
        table.add_column(name, justify="right", overflow="fold", no_wrap=name in ("worst run", "n"))
    places = decimals_of(one.mean.value for one in found.procedures if one.mean is not None)
    for one in found.procedures[:MOST]:
        cells = [one.procedure, *(_estimate(e, places) for e in (one.mean, one.middle))]
        cells.append(_estimate(one.worst_split, places))
        if not narrow:
            cells += [fixed(one.worst_run, places), f"{one.runs}/{one.planned}"]
        table.add_row(*(Text(cell) for cell in cells))
    console.print(table)
    more = len(found.procedures) - MOST
    if more > 0:
        console.print(bullet(" ", f"{count(more, 'more procedure')} in the full report.", "dim"))
    if len(found.improvements) == 1:
        best = found.improvements[0]
        chance = best.chance
        low, high = percent(chance.low), percent(chance.high)
        around = "" if chance.low is None else f" (95 % {low} to {high})"
        text = (
            f"On one of them at random, a random run of {best.first} does better than one of "
            f"{best.second} in {percent(chance.value)} of cases{around}."
        )
        console.print(bullet(" ", text, "dim"))


def _estimate(found: Estimate | None, places: int) -> str:
    if found is None:
        return NOTHING
    around = "" if found.low is None else f" ({_ends(found.low, found.high, places)})"
    return f"{fixed(found.value, places)}{around}"


def _ends(low: float | None, high: float | None, places: int) -> str:
    return f"{fixed(low, places)} to {fixed(high, places)}"
