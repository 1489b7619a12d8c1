"""The page's tables: rows of text made from findings, ready for the template."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from harness.api.findings import Findings, PairSummary, PointSummary, Spread
from harness.api.numbers import NOTHING, count, decimals_of, figures, fixed, percent, percents
from harness_reporters.protocols import KINDS

S = TypeVar("S", PairSummary, PointSummary)


@dataclass(frozen=True)
class Row:
    """Cells of one row; `head` stands before `span` rows, None where it stands already."""

    head: str | None
    span: int
    cells: list[str]
    mark: bool = False
    note: str = ""
    under: str = ""


@dataclass(frozen=True)
class Table:
    """Headed columns; the first `texts` of them hold words, the others numbers."""

    title: str
    columns: list[str]
    texts: int
    rows: list[Row]


def spread_tables(findings: Findings) -> list[Table]:
    """One table per score, the primary score first; rows by split, then procedure."""
    scores = list(dict.fromkeys(spread.score for spread in findings.spreads))
    scores.sort(key=lambda score: score != findings.primary_score)
    return [_spread_table(findings, score) for score in scores]


def _spread_table(findings: Findings, score: str) -> Table:
    spreads = [s for s in findings.spreads if s.score == score]
    places = decimals_of((s.mean for s in spreads), (s.sd for s in spreads))
    noisy = any(s.sampling_sd is not None for s in spreads)
    around = any(s.low is not None for s in spreads)
    rows = []
    for split in dict.fromkeys(s.split for s in spreads):
        here = [s for s in spreads if s.split == split]
        for place, s in enumerate(here):
            cells = [s.procedure, *(fixed(v, places) for v in (s.mean, s.sd, s.worst))]
            if around:
                known = s.low is not None
                ends = f"{fixed(s.low, places)} to {fixed(s.high, places)}" if known else NOTHING
                cells.insert(2, ends)
            cells += [s.worst_seeds or NOTHING, f"{s.runs}/{s.planned}"]
            if noisy:
                cells.append(fixed(s.sampling_sd, places))
            holes = s.runs < s.planned or s.not_finite > 0
            head = _split_name(s) if place == 0 else None
            under = count(s.examples, "example") if s.examples else ""
            rows.append(Row(head, len(here), cells, holes, _remark(s), under))
    way = "higher is better" if spreads[0].higher_is_better else "lower is better"
    columns = ["split", "procedure", "mean", *["95 %"] * around, "sd", "worst", "at seeds", "n"]
    return Table(f"{score} ({way})", columns + ["test noise"] * noisy, 2, rows)


def _split_name(spread: Spread) -> str:
    if spread.split_kind == "id":
        return f"{spread.split} (ID)"
    told = spread.shift and spread.shift not in spread.split
    return f"{spread.split} ({spread.shift})" if told else spread.split


def _remark(spread: Spread) -> str:
    remarks = []
    if spread.runs < spread.planned:
        remarks.append(f"{spread.planned - spread.runs} of {spread.planned} runs have no value")
    if spread.not_finite:
        remarks.append(f"{count(spread.not_finite, 'value')} NaN or infinite: no mean")
    if spread.diverged:
        remarks.append(f"{count(spread.diverged, 'run')} diverged in training")
    if spread.unscorable:
        remarks.append(f"{count(spread.unscorable, 'prediction')} could not be scored")
    return "; ".join(remarks)


def share_table(findings: Findings) -> Table:
    """Variance shares of the primary score with their intervals, and the components behind them."""
    found = [s for s in findings.variance if s.score == findings.primary_score]
    order = any(s.order is not None for s in found)
    apart = any(s.testing is not None for s in found)
    rows = []
    for name in dict.fromkeys(share.procedure for share in found):
        here = [share for share in found if share.procedure == name]
        for place, s in enumerate(here):
            parts = [(s.pretrain, s.pretrain_range), (s.finetune, s.finetune_range)]
            parts += [(s.order, s.order_range)] * order
            parts.append((s.interaction, s.interaction_range))
            sizes = [s.total_sd, s.pretrain_sd, s.finetune_sd, *([s.order_sd] * order)]
            sizes += [s.interaction_sd, s.sampling_sd]
            cells = [s.split, *(percents(*part) for part in parts)]
            cells += [figures(size, 2) for size in sizes]
            if apart:
                cells += [percent(s.testing), percent(s.pretrain_alone)]
            head = name if place == 0 else None
            little = "the interval of the pretraining share says next to nothing"
            note = "; ".join(filter(None, (little * s.says_little, s.note)))
            rows.append(Row(head, len(here), cells, s.pretrain is None, note))
    kinds = ["pretrain", "fine-tune", *["order"] * order, "rest"]
    columns = ["procedure", "split", *kinds, "sd over runs", *(f"sd {kind}" for kind in kinds)]
    columns += ["test noise", *["testing", "pretrain without testing"] * apart]
    return Table(f"Components of {findings.primary_score} (95 % intervals)", columns, 2, rows)


def metric_tables(findings: Findings) -> dict[str, Table]:
    """By metric, the summary of its values over pairs or runs."""
    tables: dict[str, Table] = {}
    for metric in dict.fromkeys(pair.metric for pair in findings.pairs):
        found = [pair for pair in findings.pairs if pair.metric == metric]
        rows = _heads(found, lambda p: [p.procedure, KINDS.get(p.pair_kind, p.pair_kind),
                                        f"{p.pairs}/{max(p.planned, p.pairs)}"])  # fmt: skip
        columns = ["value", "procedure", "pairs of runs with", "n", *_MOMENTS]
        tables[metric] = Table(f"{metric}, per kind of pair", columns, 3, rows)
    for metric in dict.fromkeys(point.metric for point in findings.points):
        points = [point for point in findings.points if point.metric == metric]
        rows = _heads(points, lambda p: [p.procedure, f"{p.runs}/{max(p.planned, p.runs)}"])
        what = "groups" if points[0].of == "group" else "runs"
        columns = ["value", "procedure", "n", *_MOMENTS]
        tables[metric] = Table(f"{metric}, {what} per procedure", columns, 2, rows)
    return tables


_MOMENTS = ("mean", "sd", "least", "greatest")


def _heads(found: Sequence[S], words: Callable[[S], list[str]]) -> list[Row]:
    """Rows of summaries, those of one value on one split under one head."""
    groups: dict[str, list[S]] = {}
    for one in found:
        groups.setdefault(f"{one.name} on {one.split}" if one.split else one.name, []).append(one)
    rows = []
    for head, here in groups.items():
        for place, one in enumerate(here):
            numbers = [figures(v) for v in (one.mean, one.sd, one.minimum, one.maximum)]
            notes = [
                f"{number} {word}"
                for number, word in (
                    (one.not_finite, "not finite: no mean"),
                    (one.not_converged, "not converged"),
                    (one.diverged, "with a diverged run"),
                )
                if number
            ]
            first = head if place == 0 else None
            rows.append(Row(first, len(here), words(one) + numbers, bool(notes), "; ".join(notes)))
    return rows


@dataclass(frozen=True)
class Trouble:
    """Cells that share a state and a reason."""

    state: str
    what: str
    reason: str
    cells: str


def troubles(findings: Findings) -> list[Trouble]:
    """Problems grouped by state, stage and reason, the worst state first."""
    groups: dict[tuple[str, str, str], list[str]] = {}
    for p in findings.problems:
        who = f"{p.procedure} {p.seeds}".strip()
        groups.setdefault((p.state, p.stage, p.reason), []).append(who)
    order = ("failed", "damaged", "diverged", "unscored", "missing")
    return [
        Trouble(state, count(len(cells), f"{stage} cell"), reason, _some(cells))
        for (state, stage, reason), cells in sorted(
            groups.items(), key=lambda item: order.index(item[0][0])
        )
    ]


def _some(cells: list[str]) -> str:
    more = f" and {len(cells) - 12} more" if len(cells) > 12 else ""
    return "; ".join(cells[:12]) + more


@dataclass(frozen=True)
class Level:
    """A procedure's score on one split, for the first screen."""

    split: str
    mean: str
    facts: str


@dataclass(frozen=True)
class Tile:
    """A procedure's levels on the primary splits."""

    procedure: str
    levels: list[Level]


def tiles(findings: Findings) -> list[Tile]:
    """One tile per procedure; none where they would be too many to take in."""
    splits = (findings.primary_id, *findings.primary_ood)
    found = [
        s
        for s in findings.spreads
        if s.score == findings.primary_score and s.split in splits and s.mean is not None
    ]
    if len(found) > 8 or len(splits) > 4:
        return []
    places = decimals_of((s.mean for s in found), (s.sd for s in found))
    return [
        Tile(
            name,
            [
                Level(
                    _split_name(s),
                    fixed(s.mean, places),
                    f"sd {fixed(s.sd, places)}, worst {fixed(s.worst, places)}, "
                    f"n {s.runs}/{s.planned}" + (f", {s.diverged} diverged" if s.diverged else ""),
                )
                for s in found
                if s.procedure == name
            ],
        )
        for name in dict.fromkeys(s.procedure for s in found)
    ]


def facts(findings: Findings) -> list[tuple[str, str]]:
    """Provenance in pairs of a word and what it says."""
    p = findings.provenance
    told = [
        ("suite", f"{findings.suite} {findings.version}"),
        ("plan", p.plan_digest),
        ("seedscape", p.harness_version),
        ("plugins", _versions(p.plugins)),
        ("packages", _versions(p.packages)),
        ("machines", "; ".join(p.machines)),
        ("precision", ", ".join(p.precisions)),
        ("work", f"{duration(p.wall_seconds)} in {count(p.cells, 'finished cell')}"),
        ("licences", ", ".join(f"{name}: {text}" for name, text in p.licenses.items())),
    ]
    return [(word, text) for word, text in told if text]


def _versions(found: dict[str, str]) -> str:
    return ", ".join(f"{name} {version}" for name, version in found.items())


def duration(seconds: float) -> str:
    """Seconds in the units that a reader thinks in.

    >>> duration(42.3), duration(562.5), duration(20000)
    ('42 s', '9 min 22 s', '5 h 33 min')
    """
    whole = int(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
