"""`seedscape compare`: is one procedure better than another, or is it luck of the seeds?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from harness.api.errors import HarnessError
from harness.api.numbers import TRIAL
from harness.commands.operands import contenders_of
from harness.commands.options import SuiteOptions, store_option, suites_options
from harness.commands.planning import precision_option
from harness.commands.tables import echo_table

if TYPE_CHECKING:
    from harness.api.comparisons import Comparison

FORMS = (".json", ".csv", ".parquet", ".md", ".tex")


@click.command("compare")
@click.argument("operands", nargs=-1, required=True, metavar="OPERAND...")
@click.option("--score", metavar="NAME", help="Default: the primary score of the first suite.")
@click.option(
    "--splits",
    default="",
    metavar="NAME[,NAME]",
    help="Or `all`. Default: the primary splits of the first suite, in-domain and OOD.",
)
@click.option(
    "--levels",
    default="all",
    show_default=True,
    metavar="LEVELS",
    help="What is drawn anew: all, multiberts (fine-tuning seeds averaged), or some of "
    "pretrain,finetune,examples.",
)
@click.option(
    "--common-seeds", is_flag=True, help="Leave out runs that not every procedure has, and say so."
)
@click.option(
    "--unpaired", is_flag=True, help="Take procedures with the same seeds as independent."
)
@click.option("--replicates", type=click.IntRange(min=100), default=10_000, show_default=True)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True)
@store_option
@precision_option
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write it all, by the suffix: .json, .csv, .parquet, .md or .tex.",
)
@click.option("--force", is_flag=True, help="Overwrite FILE if it exists.")
@suites_options
def command(operands: tuple[str, ...], asked: SuiteOptions, store: str, **given: Any) -> int:
    """Compare procedures whose runs are stored: is one better, or is it luck of the seeds?

    An OPERAND is a suite (all of its procedures) or `SUITE:PROCEDURE`, in another store
    `STORE//SUITE:PROCEDURE`. Says the difference of means with an interval over seeds and
    examples, a p-value from exchanging whole pretraining seeds, how often a random run of one
    beats one of the other, and how bad runs compare. Refuses what is not comparable, and says why.
    """
    # `Any`: click hands over what the options above declare
    from harness.analyze.comparable import NotComparable
    from harness.analyze.comparing import compare_procedures
    from harness.analyze.comparison_design import Asked, wanted

    out: Path | None = given["out"]
    _check(out, force=given["force"])
    wanted(given["levels"])
    contenders = contenders_of(operands, store, asked, given["precision"])
    how = Asked(
        score=given["score"],
        splits=tuple(name.strip() for name in given["splits"].split(",") if name.strip()),
        levels=given["levels"],
        replicates=given["replicates"],
        seed=given["seed"],
        common_seeds=given["common_seeds"],
        unpaired=given["unpaired"],
    )
    try:
        found = compare_procedures(contenders, how)
    except NotComparable as error:
        for reason in error.reasons:
            click.echo(f"not comparable: {reason}", err=True)
        if error.fix:
            click.echo(f"to mend it: {error.fix}", err=True)
        return 2
    _tell(found)
    if out is not None:
        _write(found, out, force=given["force"])
        click.echo(f"comparison: {out}")
    return 0


def _check(out: Path | None, *, force: bool) -> None:
    """Complain of the file before anything is computed."""
    if out is None:
        return
    if out.suffix.lower() not in FORMS:
        raise HarnessError(
            f"the name of {out} does not say which format", fix=f"end it with {', '.join(FORMS)}"
        )
    if out.exists() and not force:
        raise HarnessError(f"{out} exists", fix="add --force to overwrite it")


def _tell(found: Comparison) -> None:
    from harness.report.comparison import head, means_table, pairs_table

    if found.smoke:
        click.secho(TRIAL, fg="white", bg="red", bold=True)
    for warning in found.warnings:
        click.echo(f"warning: {warning}")
    for split in found.splits:
        click.echo(split.text)
    for title, (headers, rows) in (
        ("Procedures", means_table(found)),
        ("Differences", pairs_table(found)),
    ):
        click.echo(f"\n{title}")
        echo_table(headers, rows)
    click.echo(f"\n{head(found)}")
    for note in found.notes:
        click.echo(f"note: {note}")


def _write(found: Comparison, out: Path, *, force: bool) -> None:
    from harness.report.comparison import markdown
    from harness.report.comparison_frames import pairs_frame, text_frame
    from harness.report.export import form_of, write_frame
    from harness.store.disk import write_text

    match out.suffix.lower():
        case ".json":
            write_text(out, found.model_dump_json(indent=1) + "\n")
        case ".md":
            write_text(out, markdown(found))
        case ".tex":
            write_frame(text_frame(found), out, "latex", force=force)
        case _:
            write_frame(pairs_frame(found), out, form_of(out), force=force)
