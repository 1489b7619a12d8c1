"""`seedscape gc`: what a store holds, and what of it nobody asks for any more."""

from collections import defaultdict
from collections.abc import Iterable

import click

from harness.api.errors import HarnessError
from harness.api.numbers import count
from harness.commands.options import store_option
from harness.commands.tables import echo_table
from harness.commands.units import in_bytes
from harness.store import Store
from harness.store.garbage import Held, Inventory, discard, take_inventory


@click.command("gc")
@store_option
@click.option("--dry-run", is_flag=True, help="Only show it.")
@click.option("-y", "--yes", is_flag=True, help="Delete without asking.")
def command(store: str, dry_run: bool, yes: bool) -> None:
    """Show what a store holds, and delete what no suite in it refers to, after asking.

    A suite that was run here keeps the cells of its latest plan; delete its folder under `suites`
    to let go of them. Leftovers of killed runs go too; datasets in the cache stay.
    """
    opened = Store(store)
    inventory = take_inventory(opened)
    _print(opened, inventory)
    size = sum(cell.bytes for cell in inventory.unreferenced)
    size += sum(leftover.bytes for leftover in inventory.leftovers)
    if not inventory.unreferenced and not inventory.leftovers:
        click.echo("nothing to delete")
        return
    what = f"{count(len(inventory.unreferenced), 'cell')} and "
    what += f"{count(len(inventory.leftovers), 'leftover')}, {in_bytes(size)}"
    if dry_run:
        click.echo(f"would delete {what}")
    elif yes or _confirmed(what):
        click.echo(f"freed {in_bytes(discard(opened, inventory))}")
    else:
        click.echo("deleted nothing")


def _confirmed(what: str) -> bool:
    try:
        return click.confirm(f"delete {what}?")
    except click.Abort:  # nobody is there to answer
        click.echo(err=True)
        raise HarnessError(
            f"{what} not deleted: nobody answered", fix="say --yes, or --dry-run to look"
        ) from None


def _print(store: Store, inventory: Inventory) -> None:
    suites = store.suites()
    click.echo(f"store {store.root} with {count(len(suites), 'suite')}")
    for suite in suites:
        click.echo(f"  {suite.name}: {count(len(suite.keys), 'cell')} planned on {suite.saved}")
    if inventory.cells:
        held, free = _by_stage(inventory.cells), _by_stage(inventory.unreferenced)
        rows = [
            (stage, f"{number:,}", in_bytes(size), f"{free[stage][0]:,}", in_bytes(free[stage][1]))
            for stage, (number, size) in held.items()
        ]
        click.echo()
        echo_table(("stage", "cells", "bytes", "of no suite", "their bytes"), rows)
    for leftover in inventory.leftovers:
        click.echo(f"leftover: {leftover.path} ({leftover.why}, {in_bytes(leftover.bytes)})")
    if inventory.cache_bytes:
        click.echo(f"cache of datasets: {in_bytes(inventory.cache_bytes)} (stays)")


def _by_stage(cells: Iterable[Held]) -> defaultdict[str, tuple[int, int]]:
    found: defaultdict[str, tuple[int, int]] = defaultdict(lambda: (0, 0))
    for cell in cells:
        number, size = found[cell.stage]
        found[cell.stage] = (number + 1, size + cell.bytes)
    return found
