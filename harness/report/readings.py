"""What the terminal shows of metrics of runs, trainings and groups: one compact table."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from harness.api.findings import Findings, PointSummary
from harness.api.numbers import NOTHING, count, figures, some_of
from harness.report.shapes import bullet, table_of

ROWS = 88  # of the whole table
LEAST, MOST = 2, 8  # values of one metric on one split
MANY = 6  # procedures, beyond which a value has one row for all of them
WIDE = 78  # columns; below, the range and the procedures' own column are left out
WORDS = {"trajectory": "run", "point": "run"}


def say_readings(findings: Findings, console: Console) -> None:
    """Print the table, and how much of what was measured it leaves out."""
    if not findings.points:
        return
    metrics = {
        metric: [point for point in findings.points if point.metric == metric]
        for metric in dict.fromkeys(point.metric for point in findings.points)
    }
    short = _without_what_is_common(list(dict.fromkeys(p.procedure for p in findings.points)))
    procedures = len(short)
    lines = 1 if procedures > MANY else max(1, procedures)
    each = max(LEAST, min(MOST, ROWS // (len(metrics) * lines)))
    table = _table(narrow=console.width < WIDE)
    left_out = 0
    for metric, found in metrics.items():
        split = _split(findings, found)
        here = [point for point in found if point.split == split]
        names = some_of(list(dict.fromkeys(point.name for point in here)), each)
        what = f"per {WORDS.get(found[0].of, found[0].of)}"
        told = Text(f"on {split}, {what}" if split else what, "dim")
        if console.width < WIDE:
            table.add_row(Text.assemble((metric, "bold"), ", ", told))
        else:
            table.add_row(Text(metric, "bold"), "", "", "", "", told)
        rows = [
            point.model_copy(update={"procedure": short[point.procedure]})
            for name in names
            for point in here
            if point.name == name
        ]
        left_out += len(found) - len(rows)
        if procedures > MANY:
            rows = [_over_all([row for row in rows if row.name == name]) for name in names]
        for point in rows:
            table.add_row(*_row(point, rows, narrow=console.width < WIDE))
    console.print()
    console.print(table)
    if left_out:
        text = f"{count(left_out, 'more row')} (other values and splits) in the full report."
        console.print(bullet(" ", text, "dim"))


def _without_what_is_common(labels: Sequence[str]) -> dict[str, str]:
    """By label, what tells it from the others: the parts that all have alike are left out."""
    parts = [label.split(" \u00b7 ") for label in labels]
    if len(labels) < 2 or len({len(each) for each in parts}) > 1:
        return {label: label for label in labels}
    kept = [place for place in range(len(parts[0])) if len({each[place] for each in parts}) > 1]
    return {
        label: " \u00b7 ".join(each[place] for place in kept)
        for label, each in zip(labels, parts, strict=True)
    }


def _split(findings: Findings, found: Sequence[PointSummary]) -> str | None:
    """The primary in-domain split where the metric was read there, else the first one."""
    splits = [point.split for point in found]
    return findings.primary_id if findings.primary_id in splits else splits[0]


def _table(*, narrow: bool) -> Table:
    table = table_of("Metrics of runs and groups: mean, sd and range over what was measured")
    table.add_column("value", overflow="fold", min_width=12)
    if not narrow:
        table.add_column("procedure", overflow="fold")
    for name in ("mean", "sd", "n"):
        table.add_column(name, justify="right", no_wrap=True)
    if not narrow:
        table.add_column("range", justify="right", overflow="fold")
    return table


def _over_all(rows: Sequence[PointSummary]) -> PointSummary:
    """One value over many procedures: their range, and no mean over different things."""
    least = [row.minimum for row in rows if row.minimum is not None]
    greatest = [row.maximum for row in rows if row.maximum is not None]
    counts = ("runs", "planned", "not_finite", "not_converged", "diverged")
    totals = {name: sum(getattr(row, name) for row in rows) for name in counts}
    return rows[0].model_copy(
        update={
            **totals,
            "procedure": f"all {len(rows)}",
            "mean": None,
            "sd": None,
            "minimum": min(least, default=None),
            "maximum": max(greatest, default=None),
        }
    )


def _row(point: PointSummary, rows: Sequence[PointSummary], *, narrow: bool) -> list[Text]:
    several = len({other.procedure for other in rows}) > 1
    first = next(other for other in rows if other.name == point.name) is point
    name = f"  {point.name}" if first or narrow else ""
    words = [Text(f"{name}, {point.procedure}" if narrow and several else name)]
    if not narrow:
        words.append(Text(point.procedure))
    flawed = point.not_finite or point.not_converged or point.diverged
    number = Text(f"{point.runs}/{max(point.planned, point.runs)}", "yellow" if flawed else "")
    numbers = [Text(_mean(point)), Text(figures(point.sd, 2)), number]
    return words + numbers + ([] if narrow else [Text(_range(point))])


def _mean(point: PointSummary) -> str:
    return "not finite" if point.not_finite else figures(point.mean)


def _range(point: PointSummary) -> str:
    if point.runs < 2 or point.minimum is None:
        return NOTHING
    return f"{figures(point.minimum)} to {figures(point.maximum)}"
