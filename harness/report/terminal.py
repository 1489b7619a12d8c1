"""The findings on a terminal: the answers first, then the numbers behind them."""

from collections.abc import Iterator

from rich.console import Console
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from harness.api.findings import Findings, PairSummary, Spread
from harness.api.numbers import (
    NOTHING,
    TRIAL,
    count,
    decimals_of,
    figures,
    fixed,
    percent,
    percents,
)
from harness.api.variance import VarianceShare
from harness.report.contest import say_contest
from harness.report.predictors import say_predictors
from harness.report.readings import say_readings
from harness.report.shapes import bullet, table_of

NARROW = 72
MOST_ROWS = 60  # of the scores; beyond, the terminal shows the primary splits alone
MOST_PROCEDURES = 6  # beyond, it shows the first value of a pair metric alone
KINDS = {"same-pretrain-seed": "same seed", "different-pretrain-seed": "different seeds"}


def terminal(findings: Findings, console: Console) -> None:
    """Print the findings; text from suites and plugins is shown as it is, never as markup."""
    narrow = console.width < NARROW
    console.print(Rule(Text(f"{findings.suite} {findings.version}", "bold"), align="left"))
    console.print(Text(findings.title, "bold"))
    if findings.smoke:
        console.print(Text(TRIAL, "bold white on red"))
    for answer in findings.answers:
        console.print(bullet("·", answer.text))
    for warning in findings.warnings:
        console.print(bullet("!", warning, "yellow"))
    console.print()
    console.print(_scores(findings, narrow))
    _say_others(findings, console)
    say_contest(findings, console)
    for table in _pairs(findings):
        console.print()
        console.print(table)
    say_readings(findings, console)
    say_predictors(findings, console)
    _say_problems(findings, console)


def _scores(findings: Findings, narrow: bool) -> Table:
    spreads = _shown(findings)
    shares = {(s.procedure, s.split): s for s in findings.variance if s.score == spreads[0].score}
    decimals = decimals_of((s.mean for s in spreads), (s.sd for s in spreads))
    table = table_of(
        f"{findings.primary_score}: mean, sd, worst run; % of the variance (95 % interval)"
    )
    table.add_column("split", overflow="fold", min_width=15)
    for name in ("mean", "sd", "worst", "at", "n"):
        table.add_column(name, justify="right", no_wrap=name != "at")
    if not narrow:
        for name in ("pretrain", "fine-tune", "rest"):
            table.add_column(name, justify="right", no_wrap=True)
    for procedure in dict.fromkeys(spread.procedure for spread in spreads):
        table.add_row(Text(procedure, "bold"))
        for spread in (s for s in spreads if s.procedure == procedure):
            row = _spread(spread, decimals)
            if not narrow:
                row += _shares(shares.get((spread.procedure, spread.split)))
            table.add_row(*row)
    return table


def _shown(findings: Findings) -> list[Spread]:
    spreads = [s for s in findings.spreads if s.score == findings.primary_score]
    if len(spreads) <= MOST_ROWS:
        return spreads
    primary = (findings.primary_id, *findings.primary_ood)
    return [s for s in spreads if s.split in primary]


def _spread(spread: Spread, decimals: int) -> list[Text]:
    whole = spread.runs == spread.planned and not spread.not_finite
    return [
        Text("  " + spread.split + ("" if spread.split_kind == "ood" else " (ID)")),
        Text(fixed(spread.mean, decimals)),
        Text(fixed(spread.sd, decimals)),
        Text(fixed(spread.worst, decimals)),
        Text(spread.worst_seeds or NOTHING),
        Text(_number(spread), "" if whole else "yellow"),
    ]


def _number(spread: Spread) -> str:
    return f"{spread.runs}/{spread.planned}"


def _shares(share: VarianceShare | None) -> list[Text]:
    if share is None:
        return [Text(NOTHING)] * 3
    first = percents(share.pretrain, share.pretrain_range).replace(" %", "")
    others = (percent(x).removesuffix(" %") for x in (share.finetune, share.interaction))
    return [Text(first, "dim" * share.says_little), *map(Text, others)]


def _say_others(findings: Findings, console: Console) -> None:
    notes = {s.note for s in findings.variance if s.note and s.pretrain is None}
    for note in sorted(notes):
        console.print(bullet(" ", f"No shares: {note}.", "dim"))
    shares = [s for s in findings.variance if s.score == findings.primary_score]
    little = sum(share.says_little for share in shares)
    if little:
        text = (
            f"{little} of {len(shares)} intervals say next to nothing: too few pretraining seeds."
        )
        console.print(bullet(" ", text, "dim"))
    if any(share.order is not None for share in shares):
        text = "Fine-tune seeds without the data order, whose share is in the full report."
        console.print(bullet(" ", text, "dim"))
    splits = {s.split for s in findings.spreads} - {s.split for s in _shown(findings)}
    if splits:
        text = f"{count(len(splits), 'more split')} in the full report."
        console.print(bullet(" ", text, "dim"))
    scores = dict.fromkeys(s.score for s in findings.spreads if s.score != findings.primary_score)
    if scores:
        console.print(bullet(" ", f"Also scored: {', '.join(scores)} (full report).", "dim"))


def _pairs(findings: Findings) -> Iterator[Table]:
    for metric in dict.fromkeys(pair.metric for pair in findings.pairs):
        of = [pair for pair in findings.pairs if pair.metric == metric]
        splits = [pair.split for pair in of]
        split = findings.primary_id if findings.primary_id in splits else splits[0]
        here = [pair for pair in of if pair.split == split]
        kinds = list(dict.fromkeys(pair.pair_kind for pair in here))
        table = table_of(f"{metric}{f' on {split}' if split else ''}: mean over pairs of runs (sd)")
        table.add_column("between runs of", overflow="fold", min_width=15)
        for kind in kinds:
            table.add_column(Text(KINDS.get(kind, kind)), justify="right", overflow="fold")
            table.add_column("n", justify="right", no_wrap=True)
        procedures = list(dict.fromkeys(pair.procedure for pair in here))
        values = 4 if len(procedures) <= MOST_PROCEDURES else 1
        for procedure in procedures:
            own = [pair for pair in here if pair.procedure == procedure]
            for name in list(dict.fromkeys(pair.name for pair in own))[:values]:
                cells = {pair.pair_kind: pair for pair in own if pair.name == name}
                row = [Text(f"{procedure}, {name}")]
                for kind in kinds:
                    row += [Text(_summary(cells.get(kind))), Text(_pair_count(cells.get(kind)))]
                table.add_row(*row)
        yield table


def _pair_count(pair: PairSummary | None) -> str:
    return NOTHING if pair is None else f"{pair.pairs}/{max(pair.planned, pair.pairs)}"


def _summary(found: PairSummary | None) -> str:
    if found is None or (found.mean is None and not found.not_finite):
        return NOTHING
    if found.mean is None:
        return f"{found.not_finite} not finite"
    diverged = f", {found.diverged} diverged" if found.diverged else ""
    return f"{figures(found.mean)} ({figures(found.sd, 2)}){diverged}"


def _say_problems(findings: Findings, console: Console) -> None:
    groups: dict[tuple[str, str, str], list[str]] = {}
    for problem in findings.problems:
        key = (problem.state, problem.stage, problem.reason)
        groups.setdefault(key, []).append(f"{problem.procedure} {problem.seeds}".strip())
    if groups:
        console.print(Text("Cells without a usable result", "bold red"))
    for (state, stage, reason), cells in list(groups.items())[:8]:
        who = "; ".join(cells[:3]) + (f" and {len(cells) - 3} more" if len(cells) > 3 else "")
        text = f"{count(len(cells), f'{stage} cell')} {state}: {' '.join(reason.split())} ({who})"
        console.print(bullet("x", text, "red" if state in ("failed", "damaged") else "yellow"))
    if len(groups) > 8:
        console.print(bullet(" ", f"and {len(groups) - 8} more kinds of problems", "dim"))
