"""`seedscape status`: how far a suite has come."""

import json

import click

from harness.api.numbers import count
from harness.api.settings import Json
from harness.commands.options import SuiteOptions, store_option, suite_options
from harness.commands.planning import Planned, planned, precision_option
from harness.commands.tables import echo_table
from harness.plan.counts import seeds_in_words, tallies, waiting
from harness.store.paths import failure_log

SHOWN = 20


@click.command("status")
@suite_options
@store_option
@precision_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(suite: SuiteOptions, store: str, precision: str, as_json: bool) -> int:
    """Show which cells of SUITE are done, failed, damaged or missing.

    The exit code is 1 where a cell has failed. Damaged cells are computed again by the next run.
    """
    found = planned(suite, store, precision)
    if as_json:
        click.echo(json.dumps(_fields(found), indent=2, ensure_ascii=False))
    else:
        _print(found)
    return 1 if found.survey.failed else 0


def _print(found: Planned) -> None:
    plan, survey = found.plan, found.survey
    trial = " (a trial run)" if plan.smoke else ""
    click.echo(f"suite {plan.suite_id} {plan.version}{trial} in {found.store.root}\n")
    rows = [
        (
            part.stage.value,
            part.procedure or "(shared)",
            part.metric or "-",
            *(f"{n:,}" for n in (part.done, part.failed, part.damaged, part.missing)),
        )
        for part in tallies(plan, survey)
    ]
    headers = ("stage", "procedure", "metric", "done", "failed", "damaged", "missing")
    echo_table(headers, rows)
    click.echo(f"\n{len(survey.done):,} of {count(len(plan.cells), 'cell')} done")
    stuck = waiting(plan, survey)
    if stuck:
        click.echo(f"{count(len(stuck), 'missing cell')} cannot run because of failed ones")
    _print_failed(found)
    for reason in list(survey.damaged.values())[:SHOWN]:
        click.echo(f"damaged, to be computed again: {reason}")
    if len(survey.damaged) > SHOWN:
        click.echo(f"and {len(survey.damaged) - SHOWN:,} more damaged")


def _print_failed(found: Planned) -> None:
    cells = {cell.key: cell for cell in found.plan.cells}
    failed = list(found.survey.failed.values())
    for failure in failed[:SHOWN]:
        cell = cells[failure.key]
        whose = f"{cell.procedure or 'shared'}, seeds {seeds_in_words(cell.seeds)}"
        click.echo(f"failed: {failure.key} ({whose}): {' '.join(failure.reason.split())}")
        click.echo(f"  the end of its log: {failure_log(found.store.root, failure.key)}")
    if len(failed) > SHOWN:
        click.echo(f"and {len(failed) - SHOWN:,} more failed")


def _fields(found: Planned) -> dict[str, Json]:
    plan, survey = found.plan, found.survey
    counted: list[Json] = [
        {
            "stage": part.stage.value,
            "procedure": part.procedure,
            "metric": part.metric,
            "done": part.done,
            "failed": part.failed,
            "damaged": part.damaged,
            "missing": part.missing,
        }
        for part in tallies(plan, survey)
    ]
    failed: list[Json] = [
        {"key": key, "reason": failure.reason, "log": str(failure_log(found.store.root, key))}
        for key, failure in survey.failed.items()
    ]
    damaged: list[Json] = [{"key": key, "reason": why} for key, why in survey.damaged.items()]
    return {
        "suite": plan.suite_id,
        "version": plan.version,
        "smoke": plan.smoke,
        "plan": plan.digest,
        "store": str(found.store.root),
        "cells": len(plan.cells),
        "done": len(survey.done),
        "tallies": counted,
        "failed": failed,
        "damaged": damaged,
        "waiting_for_failed": len(waiting(plan, survey)),
    }
