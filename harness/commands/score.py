"""`seedscape score`: score stored predictions again; nothing is trained or predicted."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from harness.api.errors import HarnessError
from harness.api.numbers import count, fixed
from harness.commands.execution import tell_failures
from harness.commands.options import SuiteOptions, store_option, suite_options
from harness.commands.tables import echo_results

if TYPE_CHECKING:
    from harness.analyze.results import Results
    from harness.api.suites import Suite
    from harness.plug.catalogue import Catalogue


@click.command("score")
@suite_options
@store_option
@click.option(
    "--score",
    "names",
    multiple=True,
    metavar="NAME",
    help="A score besides those of the suite. Repeatable.",
)
@click.option(
    "--precision",
    type=click.Choice(["float32", "bfloat16"]),
    default="float32",
    show_default=True,
    help="Of the runs whose predictions are scored.",
)
def command(suite: SuiteOptions, store: str, names: tuple[str, ...], precision: str) -> int:
    """Score the stored predictions of SUITE again, with more scores or edited ones.

    What was never predicted is counted and left alone: `seedscape run` does that. Exit code 1
    says that something is missing or could not be scored.
    """
    from harness.plan import expand
    from harness.run.rescore import rescore_plan
    from harness.store import Store

    checked, catalogue = suite.open(store)
    more = _with_scores(checked, names, catalogue)
    plan = expand(more, catalogue, precision=precision)
    place = Store(store)
    done = rescore_plan(plan, place, catalogue)
    unscored: dict[str, int] = {}
    click.echo(
        f"{done.reused:,} of {done.planned:,} evaluations had these scores, "
        f"{done.scored:,} were scored from stored predictions"
    )
    if done.scored or done.reused:
        from harness.analyze.load import load_results

        results = load_results(plan, place)
        _tell(results)
        unscored = _reasons(results)
    for reason, times in unscored.items():
        click.echo(f"not scored: {reason} ({count(times, 'evaluation')})", err=True)
    tell_failures(list(done.failed.values()))
    if done.missing:
        line = f"{done.missing:,} evaluations have no stored predictions"
        click.echo(f"{line}: `seedscape run {suite.name}`", err=True)
    return 1 if done.failed or done.missing or unscored else 0


def _with_scores(suite: Suite, names: tuple[str, ...], catalogue: Catalogue) -> Suite:
    """The suite with further scores, each with its own defaults."""
    from harness.api.cells import Use
    from harness.plug import fingerprint_of

    known = {use.label for use in suite.scores}
    added, grouped = [], [*suite.over_groups]
    for name in dict.fromkeys(names):
        provided = catalogue.find("score", name)
        if provided.offer.groups and not any(split.grouped for split in suite.data.splits):
            raise HarnessError(
                f"the score {name!r} needs groups",
                where="--score",
                fix=f"dataset {suite.data.train.dataset.name!r} has none",
            )
        grouped += [name] * provided.offer.groups
        try:
            settings = provided.offer.settings()
        except ValueError:  # pydantic's own
            raise HarnessError(
                f"score {name!r} needs settings",
                where="--score",
                fix="write it with its settings under `scores:` of the suite",
            ) from None
        if name not in known:
            stands_for = fingerprint_of(provided.offer, settings)
            added.append(Use("score", name, name, {}, provided.digest, fingerprint=stands_for))
    return replace(suite, scores=(*suite.scores, *added), over_groups=tuple(grouped))


def _reasons(results: Results) -> dict[str, int]:
    """Why scores have no value, and on how many evaluations."""
    reasons = (problem.reason for problem in results.problems if problem.state == "unscored")
    return dict(Counter(reasons))


def _tell(results: Results) -> None:
    """Mean, sd over runs and number of runs by procedure and split, with the rules of reports."""
    from harness.analyze.spread import spreads

    rows = []
    for spread in spreads(results.scores, {}):
        runs = f"{spread.runs} of {spread.planned}"
        numbers = (fixed(spread.mean, 4), fixed(spread.sd, 4), runs)
        rows.append((spread.procedure, spread.split, spread.score, *numbers))
    headers = ("procedure", "split", "score", "mean", "sd", "runs")
    echo_results(headers, rows, smoke=results.smoke)
