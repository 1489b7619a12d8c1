"""`seedscape plan`: what a suite asks for, counted and costed before anything starts."""

import json
import os

import click

from harness.api.numbers import count
from harness.commands.options import SuiteOptions, store_option, suite_options
from harness.commands.planning import Planned, planned, precision_option
from harness.commands.tables import echo_table
from harness.commands.units import in_bytes, in_time


@click.command("plan")
@suite_options
@store_option
@precision_option
@click.option("--cost", is_flag=True, help="Add parameters, bytes and a time estimate.")
@click.option("--json", "as_json", is_flag=True, help="Print every cell as JSON.")
def command(suite: SuiteOptions, store: str, precision: str, cost: bool, as_json: bool) -> None:
    """Show what SUITE would do: its cells by kind, seeds and steps. Runs nothing.

    Says how many cells the store has already. SUITE is a built-in suite's name or a path.
    """
    found = planned(suite, store, precision)
    if as_json:
        _print_json(found, cost=cost)
        return
    _print_head(found)
    _print_cells(found)
    if cost:
        _print_cost(found)


def _print_head(found: Planned) -> None:
    plan, seeds = found.plan, found.suite.seeds
    trial = " (a trial: every result will be marked)" if plan.smoke else ""
    click.echo(f"suite {plan.suite_id} {plan.version}: {plan.title}{trial}")
    axes = [
        count(len(seeds.pretrain), "pretrain seed"),
        count(len(seeds.finetune), "fine-tune seed"),
    ]
    if seeds.order is not None:
        axes.append(count(len(seeds.order), "order seed"))
    splits = {kind: sum(split.kind == kind for split in plan.splits) for kind in ("id", "ood")}
    click.echo(
        f"{count(len(plan.procedures), 'procedure')}, {' x '.join(axes)} ({seeds.design}), "
        f"scored on {splits['id']} ID and {splits['ood']} OOD splits"
    )
    click.echo(f"plan {plan.digest}\n")


def _print_cells(found: Planned) -> None:
    from harness.plan.counts import tallies, total

    counted = tallies(found.plan, found.survey)
    cells, done, steps = total(counted)
    rows = [
        (
            part.stage.value,
            part.procedure or "(shared)",
            part.metric or "-",
            f"{part.cells:,}",
            "-" if part.steps is None else f"{part.steps:,}",
            f"{part.done:,}",
        )
        for part in counted
    ]
    rows.append(("all", "", "", f"{cells:,}", f"{steps:,}", f"{done:,}"))
    echo_table(("stage", "procedure", "metric", "cells", "steps", "done"), rows)
    click.echo(
        f"\n{done:,} of {cells:,} cells are done in {found.store.root}; {cells - done:,} to do"
    )


def _print_cost(found: Planned) -> None:
    from harness.plan.cost import cost

    told = cost(found.plan, found.catalogue, found.store, found.survey)
    click.echo()
    sizes = [
        (label, f"{size.parameters:,}", in_bytes(size.bytes), size.built_on)
        for label, size in told.models
    ]
    echo_table(("model", "parameters", "weights", "built on"), sizes)
    click.echo()
    rows = [
        (
            share.stage.value,
            share.procedure or "(shared)",
            share.metric or "-",
            "?" if share.bytes is None else in_bytes(share.bytes),
            "?" if share.seconds is None else in_time(share.seconds),
            share.basis,
        )
        for share in told.shares
    ]
    echo_table(("stage", "procedure", "metric", "on disk", "one worker", "known from"), rows)
    unknown = f", and {count(told.unknown, 'cell')} of unknown time" if told.unknown else ""
    workers = os.cpu_count() or 1
    click.echo(f"\nabout {in_bytes(told.bytes)} on disk when done")
    click.echo(
        f"about {in_time(told.seconds)} to go for one worker{unknown}; on {count(workers, 'core')} "
        f"here with a worker each about {in_time(told.seconds / workers)}"
    )


def _print_json(found: Planned, *, cost: bool) -> None:
    from harness.plan.counts import as_json

    fields = as_json(found.plan, found.survey)
    if cost:
        from dataclasses import asdict

        from harness.plan.cost import cost as cost_of

        told = cost_of(found.plan, found.catalogue, found.store, found.survey)
        fields["cost"] = {
            "models": {label: asdict(size) for label, size in told.models},
            "shares": [asdict(share) for share in told.shares],
            "bytes": told.bytes,
            "seconds": told.seconds,
            "cells_of_unknown_time": told.unknown,
        }
    click.echo(json.dumps(fields, indent=1, ensure_ascii=False))
