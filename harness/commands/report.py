"""`seedscape report`: say what was found, and write it in any form, running nothing."""

from __future__ import annotations

from pathlib import Path

import click

from harness.api.errors import HarnessError
from harness.commands.options import SuiteOptions, store_option, suite_options
from harness.commands.planning import precision_option


@click.command("report")
@suite_options
@store_option
@precision_option
@click.option(
    "--format",
    "formats",
    default="html",
    show_default=True,
    metavar="NAME[,NAME]",
    help="Forms to write; `seedscape list reporter` names them.",
)
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="FOLDER",
    help="Where to write. Default: the suite's folder in the store.",
)
def command(suite: SuiteOptions, store: str, precision: str, formats: str, out: Path | None) -> int:
    """Report what the store holds of SUITE, on the terminal and as files.

    Cells that have not run are reported as missing. Exit code 1 says that some cell failed or is
    damaged; the report is written all the same.
    """
    names = list(dict.fromkeys(name.strip() for name in formats.split(",") if name.strip()))
    checked, catalogue = suite.open()
    for name in names:
        catalogue.find("reporter", name)
    from rich.console import Console

    from harness.analyze.find import find
    from harness.analyze.load import load_results
    from harness.commands.conclusion import write_reports
    from harness.plan import expand
    from harness.report.terminal import terminal
    from harness.store import Store
    from harness.store.paths import suite_folder

    plan = expand(checked, catalogue, precision=precision)
    results = load_results(plan, Store(store))
    if results.cells["state"].eq("missing").all():
        raise HarnessError(
            f"the store {store} holds nothing of {plan.suite_id} {plan.version}",
            fix=f"run it first: seedscape run {suite.name}",
        )
    findings = find(results, plan, checked, catalogue)
    folder = out or suite_folder(Path(store), plan.suite_id, plan.version, smoke=plan.smoke)
    terminal(findings, Console())
    incomplete = any(problem.state in ("failed", "damaged") for problem in findings.problems)
    return write_reports(findings, catalogue, folder, names).tell() or int(incomplete)
