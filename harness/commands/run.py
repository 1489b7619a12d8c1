"""`seedscape run`: do what is missing, then say what was found."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from harness.api.errors import HarnessError
from harness.commands.execution import execution_options, tell_failures
from harness.commands.options import SuiteOptions, store_option, suite_options

if TYPE_CHECKING:
    from harness.run.options import RunOptions

INTERRUPTED = 130
REPORTERS = ("html",)
"""Forms of the report that are written unless others are asked for."""


@click.command("run")
@suite_options
@store_option
@execution_options
@click.option(
    "--pack",
    default="auto",
    show_default=True,
    metavar="auto|N",
    help="Runs that are trained as one stack; auto: timed, on a CPU normally 1.",
)
@click.option(
    "--report",
    "reporters",
    multiple=True,
    default=REPORTERS,
    show_default=True,
    metavar="NAME",
    help="Forms to write the report in. Repeatable.",
)
@click.option("--no-report", is_flag=True, help="Run only; neither print nor write findings.")
def command(suite: SuiteOptions, store: str, options: RunOptions, **given: Any) -> int:
    """Run what the store does not hold yet of SUITE, and report.

    SUITE is a built-in suite's name or the path of a YAML file. Running again computes nothing
    twice; Ctrl-C keeps what is finished. Exit code 1 says that some cell failed.
    """
    # `Any`: click hands over what the options above declare
    click.echo(f"{suite.name}: reading the suite")
    from harness.commands.conclusion import Subject, conclude
    from harness.plan import expand
    from harness.run.execute import execute
    from harness.store import Store

    options = replace(options, pack=_pack(given["pack"]))
    reporters: tuple[str, ...] = () if given["no_report"] else given["reporters"]
    checked, catalogue = suite.open(store)
    for aside in catalogue.set_aside:
        click.echo(f"warning: plugin set aside: {aside}", err=True)
    for name in reporters:
        catalogue.find("reporter", name)
    place = Store(store)
    plan = expand(checked, catalogue, precision=options.precision)
    outcome = execute(plan, checked, place, catalogue, options)
    for line in outcome.lines():
        click.echo(line)
    if outcome.interrupted:
        click.echo("interrupted; what is finished is kept: run the same command again to go on")
        return INTERRUPTED
    reporting = 0
    if not given["no_report"]:
        from rich.console import Console

        from harness.report.terminal import terminal

        conclusion = conclude(Subject(checked, plan, catalogue, place), outcome, reporters)
        terminal(conclusion.findings, Console())
        reporting = conclusion.written.tell()
    failed = [f"{key}: {failure.reason}" for key, failure in outcome.failed.items()]
    tell_failures(failed, ", see `seedscape status`")
    return outcome.exit_code or reporting


def _pack(text: str) -> int | None:
    if text == "auto":
        return None
    if text.isdecimal() and int(text) > 0:
        return int(text)
    raise HarnessError(f"{text!r} is neither auto nor a number of runs", where="--pack")
