"""`seedscape report`: say what was found, and write it in any form, running nothing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.api.errors import HarnessError
from harness.commands.beside import FOLDER, beside, find_beside, is_several
from harness.commands.options import SuiteOptions, store_option, suites_options
from harness.commands.planning import precision_option

if TYPE_CHECKING:
    from harness.api.findings import Findings
    from harness.plug.catalogue import Catalogue


@click.command("report")
@click.argument("operands", nargs=-1, required=True, metavar="SUITE...")
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
    help=f"Where to write. Default: the suite's folder in the store; of several, `{FOLDER}`.",
)
@click.option(
    "--common-seeds",
    is_flag=True,
    help="Of several: compare the runs that all of them have, and say which are left out.",
)
@suites_options
def command(
    operands: tuple[str, ...], asked: SuiteOptions, store: str, precision: str, **given: object
) -> int:
    """Report what the store holds of SUITE, on the terminal and as files.

    Several stand side by side, on the splits that all of them have, and are compared where they may
    be: suites, `SUITE:PROCEDURE`, `STORE//SUITE` of another store, or `STORE//` for all that was
    run on it. Cells that have not run are reported as missing. Exit code 1 says that some cell
    failed or is damaged; the report is written all the same.
    """
    names = _names(str(given["formats"]))
    out = given["out"] if isinstance(given["out"], Path) else None
    if is_several(operands):
        contenders, catalogue = beside(operands, store, asked, precision)
        _check(names, catalogue)
        findings = find_beside(contenders, common_seeds=bool(given["common_seeds"]))
        return _write(findings, catalogue, out or Path(FOLDER), names)
    suite = replace(asked, name=operands[0])
    checked, catalogue = suite.open(store)
    _check(names, catalogue)

    from harness.analyze.find import find
    from harness.analyze.load import load_results
    from harness.plan import expand
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
    return _write(findings, catalogue, folder, names)


def _names(formats: str) -> list[str]:
    names = [name.strip() for name in formats.split(",") if name.strip()]
    if not names:
        raise HarnessError("--format names no form", fix="`seedscape list reporter` names them")
    return list(dict.fromkeys(names))


def _check(names: list[str], catalogue: Catalogue) -> None:
    for name in names:
        catalogue.find("reporter", name)


def _write(findings: Findings, catalogue: Catalogue, folder: Path, names: list[str]) -> int:
    from rich.console import Console

    from harness.commands.conclusion import write_reports
    from harness.report.terminal import terminal

    terminal(findings, Console())
    incomplete = any(problem.state in ("failed", "damaged") for problem in findings.problems)
    written = write_reports(findings, catalogue, folder, names, option="--out")
    return written.tell() or int(incomplete)
