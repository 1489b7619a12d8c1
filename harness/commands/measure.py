"""`seedscape measure`: read metrics off finished runs; no run is trained."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from harness.api.errors import HarnessError
from harness.api.numbers import count, figures
from harness.commands.execution import execution_options, tell_failures
from harness.commands.options import SuiteOptions, store_option, suite_options
from harness.commands.tables import echo_results

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from harness.api.cells import Cell, Plan
    from harness.api.suites import Suite
    from harness.plug.catalogue import Catalogue
    from harness.run.options import RunOptions
    from harness.run.remeasure import Measured
    from harness.store.store import Store

INTERRUPTED = 130


@dataclass(frozen=True)
class Chosen:
    """Metrics as the command line names them; settings, pairs and splits are of a single one."""

    names: tuple[str, ...]
    settings: tuple[str, ...] = ()
    pairs: str | None = None
    splits: tuple[str, ...] = ()

    def overrides(self) -> list[str]:
        """What puts these metrics in the place of the suite's."""
        if not self.names:
            return []
        found = [f"metrics={json.dumps([{name: {}} for name in self.names])}"]
        (name, *_) = self.names
        found += [f"metrics.0.{name}.{setting}" for setting in self.settings]
        if self.pairs is not None:
            found.append(f"metrics.0.pairs={self.pairs}")
        if self.splits:
            found.append(f"metrics.0.splits={json.dumps(self.splits)}")
        return found

    def option(self, where: str | None) -> str | None:
        """The option that a place among the overrides was made of."""
        if where is None or not where.startswith("--set metrics"):
            return where
        options = {"pairs=": "--pairs", "splits=": "--splits"}
        for start, option in options.items():
            if where.startswith(f"--set metrics.0.{start}"):
                return option
        return "--metric-set" if where.startswith("--set metrics.0.") else "--metric"

    def open(self, suite: SuiteOptions, store: str) -> tuple[Suite, Catalogue]:
        """The suite with these metrics; what is wrong with them is told of the options."""
        try:
            return replace(suite, overrides=(*suite.overrides, *self.overrides())).open(store)
        except HarnessError as error:
            where = self.option(error.where)
            if not self.names or where == error.where:
                raise
            raise HarnessError(error.message, where=where, fix=error.fix) from None

    def check(self) -> None:
        """Raise where it is not clear which metric is meant."""
        given = {
            "--metric-set": self.settings,
            "--pairs": self.pairs is not None,
            "--splits": self.splits,
        }
        for option, value in given.items():
            if value and len(self.names) != 1:
                raise HarnessError("is for one metric", where=option, fix="give one --metric")
        for setting in self.settings:
            if "=" not in setting:
                fix = "write --metric-set points=21"
                message = f"{setting!r} is no setting and value"
                raise HarnessError(message, where="--metric-set", fix=fix)

    def lines(self) -> list[str]:
        """The metrics as a suite has them under `metrics:`."""
        if not (self.settings or self.pairs or self.splits):
            return [f"- {name}" for name in self.names]
        settings = ", ".join(setting.replace("=", ": ", 1) for setting in self.settings)
        parts = [f"{self.names[0]}: {{{settings}}}"]
        parts += [f"pairs: {self.pairs}"] if self.pairs else []
        parts += [f"splits: [{', '.join(self.splits)}]"] if self.splits else []
        return [f"- {{{', '.join(parts)}}}"]


@click.command("measure")
@suite_options
@store_option
@click.option(
    "--metric",
    "names",
    multiple=True,
    metavar="NAME",
    help="Instead of the metrics of the suite. Repeatable.",
)
@click.option(
    "--metric-set",
    "settings",
    multiple=True,
    metavar="KEY=VALUE",
    help="A setting of the metric, as in `--metric-set points=21`. Repeatable.",
)
@click.option(
    "--pairs",
    metavar="all|within-pretrain-seed|N",
    help="Which pairs of runs, for metrics of pairs. Default: all.",
)
@click.option(
    "--splits",
    metavar="NAME,...",
    default="",
    help="Where it is read. Default: the suite's primary splits.",
)
@execution_options
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write all values, one per row: .csv, .parquet, .json or .tex.",
)
@click.option("--force", is_flag=True, help="Overwrite FILE if it exists.")
def command(suite: SuiteOptions, store: str, options: RunOptions, **given: Any) -> int:
    """Read metrics off the finished runs of SUITE, without training a run.

    Without --metric, those of the suite. A metric such as `instability` trains branches of the
    runs: a line says how many. Readings are kept in the store: to see them in reports and
    in `harness.load`, name the metric in the suite. What waits for a training is counted and left
    alone: `seedscape run` does that. Exit code 1 says that something failed or waits.
    """
    # `Any`: click hands over what the options above declare
    from harness.plan import expand
    from harness.run.remeasure import measure_plan
    from harness.store import Store

    splits = tuple(name for name in (part.strip() for part in given["splits"].split(",")) if name)
    chosen = Chosen(tuple(dict.fromkeys(given["names"])), given["settings"], given["pairs"], splits)
    chosen.check()
    form = _form(given["out"], force=given["force"])
    checked, catalogue = chosen.open(suite, store)
    if not checked.metrics:
        raise HarnessError(f"suite {checked.id} has no metrics", fix="name one with --metric")
    plan = expand(checked, catalogue, precision=options.precision)
    place = Store(store)
    done = measure_plan(plan, place, catalogue, options, _tell_branches)
    for line in done.outcome.hints:
        click.echo(line)
    click.echo(
        f"{count(done.planned, 'reading')}: {done.reused:,} stored before, "
        f"{done.measured:,} measured in {done.outcome.seconds:.1f} s"
    )
    if done.outcome.interrupted:
        click.echo("interrupted; what is finished is kept: run the same command again to go on")
        return INTERRUPTED
    readings = _readings(plan, place)
    _tell(readings, smoke=plan.smoke)
    if form is not None:
        from harness.report.export import write_frame

        write_frame(readings, given["out"], form, force=given["force"])
        click.echo(f"{len(readings):,} rows: {given['out']}")
    if chosen.names and done.reused + done.measured:
        click.echo("to have these in reports, add to `metrics:` of the suite:")
        click.echo("\n".join(f"  {line}" for line in chosen.lines()))
    _tell_rest(done, suite.name)
    return done.exit_code


def _tell_branches(branches: Sequence[Cell]) -> None:
    """How many trainings the metrics cost, before they begin."""
    steps = [cell.steps for cell in branches if cell.steps is not None]
    length = f", {sum(steps):,} steps in all" if len(steps) == len(branches) else ""
    trained = count(len(branches), "branch", "branches")
    click.echo(f"the metrics need {trained} of these runs, to be trained first{length}")


def _form(out: Path | None, *, force: bool) -> str | None:
    """The form of the file to write; raises before anything is measured in vain."""
    if out is None:
        return None
    from harness.report.export import form_of

    if out.exists() and not force:
        raise HarnessError(f"{out} exists", fix="add --force to overwrite it")
    return form_of(out)


def _readings(plan: Plan, store: Store) -> pd.DataFrame:
    """Readings of the plan, as `harness.load` gives them."""
    from harness.analyze.load import load_results
    from harness.api.cells import Stage

    cells = tuple(cell for cell in plan.cells if cell.stage != Stage.EVALUATE)
    return load_results(replace(plan, cells=cells), store).readings


def _tell(readings: pd.DataFrame, *, smoke: bool) -> None:
    """Each value's mean and sd over its subjects, and what a reading costs."""
    from harness.analyze.frames import grouped, records
    from harness.analyze.spread import moments

    found = records(readings[readings["state"] == "ok"])
    by = ("procedure", "metric", "name", "split", "pair_kind")
    rows = []
    for group in grouped((row for row in found if not row["detail"]), by):
        numbers = moments([row["value"] for row in group])
        words = [group[0][name] or "" for name in by]
        lost = numbers.not_finite
        mean = f"{lost} not finite" if lost else figures(numbers.mean)
        rows.append((*words, mean, figures(numbers.sd), f"{numbers.n}"))
    if rows:
        headers = ("procedure", "metric", "value", "split", "pairs", "mean", "sd", "readings")
        echo_results(headers, rows, smoke=smoke)
    for group in grouped(found, ["metric"]):
        each = [rows[0] for rows in grouped(group, ["key"])]
        forward, backward, seconds = (
            figures(sum(row[name] for row in each) / len(each))
            for name in ("forward", "backward", "seconds")
        )
        click.echo(
            f"{each[0]['metric']}: {forward} forward and {backward} backward passes over one "
            f"example, {seconds} s per reading"
        )


def _tell_rest(done: Measured, name: str) -> None:
    """What has no reading, on the error stream."""
    failed = [f"{key}: {failure.reason}" for key, failure in done.outcome.failed.items()]
    tell_failures(failed, ", see the folder `failed` of the store")
    if done.waiting:
        lacking = count(done.untrained, "training")
        line = f"{count(done.waiting, 'reading')} not measured for want of {lacking}"
        click.echo(f"{line}: `seedscape run {name}`", err=True)
