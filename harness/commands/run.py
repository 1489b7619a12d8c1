"""`seedscape run`: do what is missing, then say what was found."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from harness.api.errors import HarnessError
from harness.commands.options import SuiteOptions, store_option, suite_options

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.api.settings import Json
    from harness.run.options import RunOptions
    from harness.run.outcome import Outcome

INTERRUPTED = 130
REPORTERS = ("html",)
"""Forms of the report that are written unless others are asked for."""


@click.command("run")
@suite_options
@store_option
@click.option(
    "--executor",
    default="processes",
    show_default=True,
    metavar="NAME",
    help="Where cells run; with settings as in `{processes: {start: spawn}}`.",
)
@click.option(
    "--workers",
    type=click.IntRange(min=0),
    default=0,
    metavar="N",
    help="Cells at a time. Default: one per core, or one per GPU.",
)
@click.option(
    "--device",
    default="auto",
    show_default=True,
    metavar="NAME",
    help="auto, cpu, cuda, cuda:N or mps.",
)
@click.option(
    "--precision",
    type=click.Choice(["float32", "bfloat16"]),
    default="float32",
    show_default=True,
    help="Of forward passes; another precision makes other cells.",
)
@click.option(
    "--pack",
    default="auto",
    show_default=True,
    metavar="auto|N",
    help="Runs that are trained as one stack; auto: timed, on a CPU normally 1.",
)
@click.option("--offline", is_flag=True, help="Use no network.")
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
def command(suite: SuiteOptions, store: str, **given: Any) -> int:
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

    options = _options(given)
    reporters: tuple[str, ...] = () if given["no_report"] else given["reporters"]
    checked, catalogue = suite.open()
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
    _tell_failures(outcome)
    return outcome.exit_code or reporting


def _options(given: Mapping[str, Any]) -> RunOptions:
    from harness.run.options import RunOptions

    executor, settings = _executor(given["executor"])
    return RunOptions(
        executor=executor,
        executor_settings=settings,
        workers=given["workers"],
        device=given["device"],
        precision=given["precision"],
        pack=_pack(given["pack"]),
        offline=given["offline"],
    )


def _executor(text: str) -> tuple[str, dict[str, Json]]:
    """A name, or a mapping of a name to its settings, as in a suite."""
    if "{" not in text:
        return text, {}
    import yaml

    try:
        use = yaml.safe_load(text)
    except yaml.YAMLError:
        use = None
    if isinstance(use, dict) and len(use) == 1:
        ((name, settings),) = use.items()
        if isinstance(settings, dict):
            return str(name), settings
    raise HarnessError(
        f"cannot read {text!r}", where="--executor", fix="write NAME or {NAME: {SETTING: VALUE}}"
    )


def _pack(text: str) -> int | None:
    if text == "auto":
        return None
    if text.isdecimal() and int(text) > 0:
        return int(text)
    raise HarnessError(f"{text!r} is neither auto nor a number of runs", where="--pack")


def _tell_failures(outcome: Outcome) -> None:
    """Which cells have no result, at the end, where they are seen."""
    for key, failure in list(outcome.failed.items())[:5]:
        click.echo(f"failed: {key}: {' '.join(failure.reason.split())}", err=True)
    if len(outcome.failed) > 5:
        click.echo(f"failed: {len(outcome.failed) - 5} more, see `seedscape status`", err=True)
