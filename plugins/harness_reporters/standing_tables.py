"""Tables of how procedures stand over several splits together."""

from collections.abc import Iterator

from harness.api.findings import Findings
from harness.api.numbers import NOTHING, decimals_of, fixed, percent
from harness.api.standings import Estimate, Standing, Standings
from harness_reporters.comparison_tables import ends
from harness_reporters.page import Row, Table


def standing_tables(findings: Findings) -> list[Table]:
    """Summaries, and the chances of every two; those that there are."""
    found = findings.standings
    tables = [] if found is None else [_standings(found), _chances(found)]
    return [table for table in tables if table.rows]


def _standings(found: Standings) -> Table:
    places = decimals_of(one.mean.value for one in found.procedures if one.mean is not None)
    rows = [
        Row(one.procedure, 1, [*_numbers(one, places), f"{one.runs}/{one.planned}"],
            bool(one.note), one.note)
        for one in found.procedures
    ]  # fmt: skip
    columns = ["procedure", "mean", "interquartile mean", "worst split", "which", "lower quartile"]
    columns += ["worst run", "at seeds", "n"]
    which = "primary OOD" if found.primary else "OOD"
    title = f"{found.score} over {len(found.splits)} {which} splits (95 % intervals)"
    return Table(title, columns, 1, rows)


def _numbers(one: Standing, places: int) -> Iterator[str]:
    yield _estimate(one.mean, places)
    yield _estimate(one.middle, places)
    yield _estimate(one.worst_split, places)
    yield one.worst_split_name or NOTHING
    yield _estimate(one.quartile, places)
    yield fixed(one.worst_run, places)
    yield one.worst_seeds or NOTHING


def _estimate(found: Estimate | None, places: int) -> str:
    if found is None:
        return NOTHING
    around = "" if found.low is None else f" ({ends(found.low, found.high, places)})"
    return f"{fixed(found.value, places)}{around}"


def _chances(found: Standings) -> Table:
    rows = []
    for one in found.improvements:
        c = one.chance
        around = NOTHING if c.low is None else f"{percent(c.low)} to {percent(c.high)}"
        rows.append(Row(one.first, 1, [one.second, percent(c.value), around]))
    title = "P(A > B): a random run of A does better than one of B, averaged over these splits"
    return Table(title, ["A", "B", "P(A > B)", "95 %"], 2, rows)
