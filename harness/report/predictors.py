"""What the terminal shows of predictors: the best few of each OOD split, beside the baselines."""

from collections.abc import Iterator

from rich.console import Console
from rich.table import Table
from rich.text import Text

from harness.api.findings import Findings
from harness.api.numbers import NOTHING, count, figures, fixed
from harness.api.predictors import PredictorTest
from harness.report.shapes import bullet, table_of

BEST, BEST_OOD = 3, 1
WIDE = 78  # columns; below, only the partial association and its p are shown


def say_predictors(findings: Findings, console: Console) -> None:
    """Print a table per primary OOD split, and what it leaves out."""
    for target in findings.primary_ood:
        tests = [t for t in findings.predictors if t.target == target and not t.baseline]
        tested = [test for test in tests if test.p_family is not None]
        if not tested:
            continue
        # where there are several procedures, the first tests are those over all of them
        names = list(dict.fromkeys(t.procedure for t in tested))
        shown = [t for t in tested if t.procedure == names[0]]
        console.print()
        console.print(_table(target, shown, narrow=console.width < WIDE))
        more = len(tests) - min(BEST, sum(not t.uses_ood for t in shown))
        more -= min(BEST_OOD, sum(t.uses_ood for t in shown))
        if more:
            text = f"{count(more, 'more row')} of predictors in the full report."
            console.print(bullet(" ", text, "dim"))


def _table(target: str, tests: list[PredictorTest], *, narrow: bool) -> Table:
    first = tests[0]
    of = f"{first.runs}/{first.planned} runs, {count(first.clusters, first.unit)}"
    table = table_of(f"What predicts {target}: p for the best of all tried ({of})")
    table.add_column("quantity", overflow="fold", min_width=12)
    if not narrow:
        table.add_column("tau", justify="right", no_wrap=True)
        table.add_column("p", justify="right", no_wrap=True)
    for name in ("partial", "p"):
        table.add_column(name, justify="right", no_wrap=True)
    if not narrow:
        table.add_column("adds to R² (95 %)", justify="right", overflow="fold")
    for test in _rows(tests):
        table.add_row(*_row(test, narrow=narrow))
    return table


def _rows(tests: list[PredictorTest]) -> Iterator[PredictorTest]:
    for ood, number in ((False, BEST), (True, BEST_OOD)):
        found = sorted((t for t in tests if t.uses_ood == ood), key=lambda t: t.rank)
        yield from found[:number]


def _row(test: PredictorTest, *, narrow: bool) -> list[Text]:
    style = "dim" if test.uses_ood else ""
    name = test.predictor + (" (saw OOD data)" if test.uses_ood else "")
    numbers = [fixed(test.partial, 2), figures(test.partial_p_family, 2)]
    if not narrow:
        numbers = [fixed(test.tau, 2), figures(test.p_family, 2), *numbers, _gain(test)]
    return [Text(text, style) for text in (name, *numbers)]


def _gain(test: PredictorTest) -> str:
    if test.gain is None:
        return NOTHING
    if test.gain_low is None:
        return fixed(test.gain, 2)
    return f"{fixed(test.gain, 2)} ({fixed(test.gain_low, 2)} to {fixed(test.gain_high, 2)})"
