"""`seedscape analyze TABLE`: the statistics on results that were made elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from harness.api.errors import HarnessError

FILE = click.Path(dir_okay=False, path_type=Path)


def _columns(_: click.Context, __: click.Parameter, given: tuple[str, ...]) -> tuple[str, ...]:
    """Names between commas; a value is repeatable, so names with commas can be given apart."""
    names: list[str] = []
    for value in given:
        names += [part.strip() for part in value.split(",")] if len(given) == 1 else [value.strip()]
    return tuple(name for name in names if name)


def _pairs(_: click.Context, parameter: click.Parameter, given: tuple[str, ...]) -> dict[str, str]:
    found: dict[str, str] = {}
    for text in given:
        name, equals, value = text.partition("=")
        name = name.strip()
        if not equals or not name or not value:
            raise HarnessError(f"{parameter.opts[0]} {text!r} is not {parameter.metavar}")
        if name in found:
            raise HarnessError(f"{parameter.opts[0]} names column '{name}' twice")
        found[name] = value
    return found


Decorator = Callable[[Callable[..., int]], Callable[..., int]]


def _column_option(name: str, text: str, *, required: bool = False) -> Decorator:
    return click.option(
        name, multiple=True, required=required, callback=_columns, metavar="COLUMNS", help=text
    )


def _pair_option(name: str, metavar: str, text: str) -> Decorator:
    return click.option(
        name, multiple=True, callback=_pairs, metavar=metavar, help=f"{text} Repeatable."
    )


@click.command("analyze")
@click.argument("table", type=FILE)
@_column_option("--runs", "Columns that name a run.", required=True)
@click.option("--id", required=True, metavar="COLUMN", help="In-domain score.")
@_column_option("--ood", "OOD scores. Repeat the option for names with commas.", required=True)
@_column_option("--predictors", "What may predict the OOD scores. Default: the in-domain score.")
@_column_option(
    "--groups", "Seeds: PRETRAIN (fine-tunings nested in it), or PRETRAIN,FINETUNE (crossed). "
    "Default: runs are independent.",
)  # fmt: skip
@_column_option(
    "--controls", "What is known anyway, such as hyper-parameters: numbers, or up to 10 texts."
)
@_column_option("--log", "Predictors and controls whose logarithm is used.")
@click.option(
    "--join", type=FILE, metavar="FILE",
    help="More columns of the same runs: a table, or JSON of {run: {column: value}}.",
)  # fmt: skip
@click.option(
    "--predictions", type=FILE, metavar="FILE",
    help="Predicted labels: .npz with SPLIT [runs, examples], SPLIT_labels [examples] and models "
    "[runs], or a table with the columns of --runs, split, example, predicted and label. Makes "
    "the scores that TABLE lacks; TABLE may be such an .npz itself.",
)  # fmt: skip
@_pair_option("--keep", "COLUMN=REGEX", "Only rows whose COLUMN matches. Default: all.")
@_pair_option(
    "--baselines", "COLUMN=REGEX",
    "Fit lines to these runs only, and tell the effective robustness of the others. Default: all.",
)  # fmt: skip
@click.option(
    "--upstream", metavar="COLUMN",
    help="Score from which transfer is measured: error = k upstream error^alpha + e_inf.",
)  # fmt: skip
@_pair_option(
    "--examples", "COLUMN=N", "How many examples a score was tested on: tells the noise of testing."
)
@click.option("--percent", is_flag=True, help="Scores are percentages (0 to 100), not shares.")
@click.option("--drop-missing", is_flag=True, help="Leave out rows with a hole, and say so.")
@click.option(
    "--scale", type=click.Choice(["probit", "logit", "linear"]), default="probit",
    show_default=True, help="On which OOD scores are a line in the in-domain score.",
)  # fmt: skip
@click.option(
    "--permutations", type=click.IntRange(min=99), default=9_999, show_default=True, metavar="N",
    help="Rearrangements of the seeds, for p-values.",
)  # fmt: skip
@click.option(
    "--replicates", type=click.IntRange(min=100), default=2_000, show_default=True, metavar="N",
    help="Runs and examples drawn anew, for 95 % intervals.",
)  # fmt: skip
@click.option(
    "--seed", type=click.IntRange(min=0), default=0, show_default=True,
    help="Of all random draws.",
)  # fmt: skip
@click.option("--out", type=FILE, metavar="FILE.json", help="Write all findings.")
@click.option("--force", is_flag=True, help="Overwrite FILE.json if it exists.")
def command(table: Path, out: Path | None, force: bool, **given: Any) -> int:
    """Ask of a TABLE (.csv, .tsv, .parquet, .jsonl, .npz; one row per run) what a suite is asked.

    How much do runs differ in-domain and OOD, which seed carries it, do OOD scores lie on a line in
    the in-domain score, and which columns predict them beyond what is known?
    """
    # `Any`: click hands over what the options above declare
    from harness.commands.table_text import tell
    from harness.commands.tabled import analyze_table

    if out is not None and out.exists() and not force:
        raise HarnessError(f"{out} exists", fix="add --force to overwrite it")
    findings = analyze_table(table, **given)
    tell(findings)
    if out is not None:
        from harness.store.disk import write_text

        write_text(out, findings.model_dump_json(indent=1) + "\n")
        click.echo(f"\nfindings: {out}")
    return 0
