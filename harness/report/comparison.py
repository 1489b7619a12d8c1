"""A comparison as tables of text, and as Markdown."""

from collections.abc import Sequence

from harness.api.comparisons import ArmSummary, Comparison, PairTest, SplitComparison
from harness.api.numbers import NOTHING, decimals_of, figures, fixed, percent, words

Table = tuple[tuple[str, ...], list[tuple[str, ...]]]


def means_table(found: Comparison) -> Table:
    """Headers and rows: every procedure on every split."""
    level = percent(found.confidence)
    headers = ("split", "procedure", "runs", "mean", level, "worst quartile", "worst run", "seeds")
    runs = {each.label: each for each in found.contestants}
    rows = []
    for split in found.splits:
        places = _places(split)
        for arm in split.arms:
            one = runs[arm.label]
            number = str(one.runs) if one.runs == one.planned else f"{one.runs} of {one.planned}"
            rows.append((split.split, arm.label, number, *_mean(arm, places)))
    if any(split.ranks for split in found.splits):
        places_of = [_rank(split, arm.label) for split in found.splits for arm in split.arms]
        return (*headers, "rank"), [(*row, rank) for row, rank in zip(rows, places_of, strict=True)]
    return headers, rows


def pairs_table(found: Comparison) -> Table:
    """Headers and rows: every two procedures on every split."""
    level = percent(found.confidence)
    several = any(len(split.pairs) > 1 for split in found.splits)
    headers = [
        "split", "A", "B", "B - A", level, "p", "A beats B", level, "B - A, worst quartile", level,
        "B - A, worst run", "better",
    ]  # fmt: skip
    if several:
        headers.insert(6, "p, corrected")
    rows = []
    for split in found.splits:
        places = _places(split)
        for pair in split.pairs:
            row = [
                split.split,
                pair.first,
                pair.second,
                fixed(pair.effect, places),
                _ends(pair.low, pair.high, places),
                NOTHING if pair.p is None else figures(pair.p, 2),
                percent(pair.beats),
                NOTHING
                if pair.beats_low is None
                else f"{percent(pair.beats_low)} to {percent(pair.beats_high)}",
                fixed(pair.quartile_difference, places),
                _ends(pair.quartile_low, pair.quartile_high, places),
                fixed(pair.worst_difference, places),
                _better(pair),
            ]
            if several:
                p = pair.p_corrected
                row.insert(6, NOTHING if p is None else figures(p, 2))
            rows.append(tuple(row))
    return tuple(headers), rows


def head(found: Comparison) -> str:
    """One line: what was compared, and how."""
    direction = "higher" if found.higher_is_better else "lower"
    drawn = words([level.name for level in found.levels if level.drawn])
    held = [f"{level.name} held fixed ({level.why})" for level in found.levels if not level.drawn]
    how = f"{found.replicates:,} replicates, seed {found.seed}, {found.method} intervals"
    return "; ".join([f"{found.score}, {direction} is better", f"drawn anew: {drawn}", *held, how])


def markdown(found: Comparison) -> str:
    """The whole comparison as Markdown."""
    lines = [f"# {found.score}: {words([each.label for each in found.contestants], 'against')}", ""]
    lines += [_escaped(f"**{warning}**") + "\n" for warning in found.warnings]
    lines += [_escaped(split.text) + "\n" for split in found.splits]
    for title, table in (("Procedures", means_table(found)), ("Differences", pairs_table(found))):
        lines += [f"## {title}", "", *_rows(table), ""]
    lines += [f"{_escaped(head(found))}.", "", *(f"- {_escaped(note)}" for note in found.notes)]
    return "\n".join(lines).rstrip() + "\n"


def _mean(arm: ArmSummary, places: int) -> tuple[str, ...]:
    return (
        fixed(arm.mean, places),
        _ends(arm.low, arm.high, places),
        fixed(arm.quartile, places),
        fixed(arm.worst, places),
        arm.worst_seeds,
    )


def _rank(split: SplitComparison, label: str) -> str:
    rank = next(rank for rank in split.ranks if rank.label == label)
    if rank.best == rank.worst:
        return str(rank.rank)
    return f"{rank.rank} ({rank.best} to {rank.worst})"


def _better(pair: PairTest) -> str:
    if pair.verdict in ("first", "second"):
        return pair.first if pair.verdict == "first" else pair.second
    return pair.verdict


def _ends(low: float | None, high: float | None, places: int) -> str:
    return NOTHING if low is None else f"{fixed(low, places)} to {fixed(high, places)}"


def _places(split: SplitComparison) -> int:
    widths = [p.high - p.low for p in split.pairs if p.low is not None and p.high is not None]
    return decimals_of((arm.mean for arm in split.arms), (width / 2 for width in widths))


def _rows(table: Table) -> list[str]:
    headers, rows = table
    return [_row(headers), "|" + "---|" * len(headers), *map(_row, rows)]


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(_escaped(cell) for cell in cells) + " |"


def _escaped(text: str) -> str:
    """Labels are the user's own: no markup of theirs takes effect."""
    for sign in "\\|<`[":
        text = text.replace(sign, f"\\{sign}")
    return " ".join(text.split())
