"""`seedscape export`: tables of results for other programs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.api.errors import HarnessError
from harness.commands.options import SuiteOptions, store_option, suite_options
from harness.commands.planning import precision_option

if TYPE_CHECKING:
    import pandas as pd

    from harness.analyze.results import Results
    from harness.api.cells import Plan
    from harness.api.suites import Suite
    from harness.plug.catalogue import Catalogue


@click.command("export")
@suite_options
@store_option
@precision_option
@click.option(
    "--what",
    type=click.Choice(["scores", "readings", "curves", "grids", "losses", "spreads"]),
    default="scores",
    show_default=True,
    help="One row per run, split and score; per metric value; per point of a metric's curves, or "
    "of its grids; per training and step; or per procedure, split and score.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["csv", "parquet", "json", "latex"]),
    help="Default: by the suffix of --out; csv on the terminal.",
)
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Where to write. Default: the terminal.",
)
@click.option("--force", is_flag=True, help="Overwrite FILE if it exists.")
def command(
    suite: SuiteOptions, store: str, precision: str, what: str, form: str | None, **to: object
) -> None:
    """Write a table of what the store holds of SUITE.

    Planned runs without a result stay in the table; their value is empty and their state says why.
    """
    from harness.analyze.load import load_results
    from harness.plan import expand
    from harness.report.export import as_text, form_of, write_frame
    from harness.store import Store

    out = to["out"] if isinstance(to["out"], Path) else None
    form = form or ("csv" if out is None else form_of(out, ", or give --format"))
    if out is None and form == "parquet":
        raise HarnessError("parquet is no text", fix="name a file with --out")
    checked, catalogue = suite.open(store)
    plan = expand(checked, catalogue, precision=precision)
    results = load_results(plan, Store(store))
    frame = _frame(results, what, plan, checked, catalogue)
    if out is None:
        click.echo(as_text(frame, form), nl=False)
        return
    write_frame(frame, out, form, force=bool(to["force"]))
    click.echo(f"{len(frame):,} rows: {out}")


def _frame(
    results: Results, what: str, plan: Plan, suite: Suite, catalogue: Catalogue
) -> pd.DataFrame:
    frames = {
        "scores": lambda: results.scores,
        "readings": lambda: results.readings,
        "curves": lambda: results.curves,
        "losses": lambda: results.losses,
        "grids": lambda: results.grids,  # made when asked for
    }
    if what in frames:
        return frames[what]()
    from harness.analyze.find import find
    from harness.analyze.frames import spread_frame

    return spread_frame(find(results, plan, suite, catalogue))
