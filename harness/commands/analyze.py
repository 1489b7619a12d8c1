"""`seedscape analyze TABLE`: the statistics on results that were made elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from harness.api.errors import HarnessError
from harness.api.numbers import NOTHING, count, figures, fixed, percent
from harness.commands.tables import echo_table

if TYPE_CHECKING:
    from harness.api.predictors import PredictorTest
    from harness.api.tables import TableFindings


R = TypeVar("R")


def _columns(_: click.Context, __: click.Parameter, given: tuple[str, ...]) -> tuple[str, ...]:
    """Names between commas; a value is repeatable, so names with commas can be given apart."""
    names: list[str] = []
    for value in given:
        names += [part.strip() for part in value.split(",")] if len(given) == 1 else [value.strip()]
    return tuple(name for name in names if name)


def _pairs(sign: str) -> Any:  # Any: click's own type of a callback
    def parse(
        _: click.Context, parameter: click.Parameter, given: tuple[str, ...]
    ) -> dict[str, str]:
        found = {}
        for text in given:
            name, equals, value = text.partition(sign)
            if not equals or not name.strip() or not value:
                raise HarnessError(f"{parameter.opts[0]} {text!r} is not COLUMN{sign}VALUE")
            found[name.strip()] = value
        return found

    return parse


def _column_option(
    name: str, text: str, *, required: bool = False
) -> Callable[[Callable[..., R]], Callable[..., R]]:
    return click.option(
        name, multiple=True, required=required, callback=_columns, metavar="COLUMNS", help=text
    )


@click.command("analyze")
@click.argument("table", type=click.Path(dir_okay=False, path_type=Path))
@_column_option("--runs", "Columns that name a run.", required=True)
@click.option("--id", "in_domain", required=True, metavar="COLUMN", help="In-domain score.")
@_column_option("--ood", "OOD scores. Repeat the option for names with commas.", required=True)
@_column_option("--predictors", "What may predict the OOD scores.")
@_column_option(
    "--groups", "Seeds: PRETRAIN (fine-tunings nested in it), or PRETRAIN,FINETUNE (crossed)."
)
@_column_option("--controls", "What is known anyway, such as hyper-parameters.")
@click.option(
    "--keep",
    multiple=True,
    callback=_pairs("="),
    metavar="COLUMN=REGEX",
    help="Only rows whose COLUMN matches. Repeatable.",
)
@click.option(
    "--examples",
    multiple=True,
    callback=_pairs("="),
    metavar="COLUMN=N",
    help="How many examples a score was tested on: separates seeds from testing. Repeatable.",
)
@click.option("--percent", is_flag=True, help="Scores are percentages.")
@click.option("--drop-missing", is_flag=True, help="Leave out rows with a hole, and say so.")
@click.option(
    "--scale",
    type=click.Choice(["probit", "logit", "linear"]),
    default="probit",
    show_default=True,
    help="On which the OOD scores are a line in the in-domain score.",
)
@click.option(
    "--permutations", type=click.IntRange(min=99), default=9_999, show_default=True, metavar="N"
)
@click.option("--seed", type=int, default=0, show_default=True, help="Of all random draws.")
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE.json",
    help="Write all findings.",
)  # fmt: skip
@click.option("--force", is_flag=True, help="Overwrite FILE if it exists.")
def command(table: Path, **given: Any) -> int:
    """Ask of a TABLE (.csv, .tsv, .parquet, .jsonl; one row per run) what is asked of a suite.

    How much do runs differ in-domain and OOD, which seed carries it, do OOD scores lie on a line in
    the in-domain score, and which columns predict them beyond what is known?
    """
    # `Any`: click hands over what the options above declare
    from harness.analyze.table import Columns, read_table
    from harness.analyze.table_answers import Asked, analyze_table

    out: Path | None = given["out"]
    if out is not None and out.exists() and not given["force"]:
        raise HarnessError(f"{out} exists", fix="add --force to overwrite it")
    if len(given["groups"]) > 2:
        raise HarnessError("--groups takes one or two columns", fix="PRETRAIN or PRETRAIN,FINETUNE")
    columns = Columns(
        runs=given["runs"],
        id=given["in_domain"],
        ood=given["ood"],
        predictors=given["predictors"],
        groups=given["groups"],
        controls=given["controls"],
        keep=given["keep"],
        percent=given["percent"],
        drop_missing=given["drop_missing"],
    )
    asked = Asked(
        examples=_examples(given["examples"], columns.id, columns.ood),
        scale=given["scale"],
        permutations=given["permutations"],
        seed=given["seed"],
    )
    findings = analyze_table(read_table(table, columns), asked)
    _tell(findings)
    if out is not None:
        from harness.store.disk import write_text

        write_text(out, findings.model_dump_json(indent=1) + "\n")
        click.echo(f"findings: {out}")
    return 0


def _examples(given: dict[str, str], in_domain: str, ood: tuple[str, ...]) -> dict[str, int]:
    found = {}
    for name, text in given.items():
        if name not in (in_domain, *ood):
            raise HarnessError(f"--examples: '{name}' is no score that is asked for")
        if not text.isdigit() or int(text) < 1:
            raise HarnessError(f"--examples {name}: {text!r} is no number of examples")
        found[name] = int(text)
    return found


def _tell(found: TableFindings) -> None:
    head = count(found.runs, "run")
    if found.design != "independent":
        head += f", {count(found.clusters, 'group')}, {found.design}"
    click.echo(f"{found.table}: {head}")
    for note in found.notes:
        click.echo(f"note: {note}")
    headers = ("score", "kind", "mean", "sd", "noise of testing", "worst", "best", "worst run")
    rows = [
        (
            s.column,
            "in-domain" if s.kind == "id" else "OOD",
            figures(s.mean),
            figures(s.sd),
            figures(s.sampling_sd),
            figures(s.minimum),
            figures(s.maximum),
            s.worst_run,
        )
        for s in found.spreads
    ]
    _table("How much do runs differ?", headers, rows)
    _table(
        "Which seed carries the variance?",
        ("score", "factor", "levels", "sd", "share", "95 %"),
        [
            (c.column, c.factor, str(c.levels), figures(c.sd), percent(c.share), _shares(c))
            for c in found.components
        ],
    )
    _table(
        "Is OOD accuracy on a line in in-domain accuracy?",
        ("OOD score", "scale", "slope", "R2", "runs", "reliability of in-domain spread"),
        [
            (x.target, x.scale, figures(x.slope), fixed(x.r2, 2), str(x.models),
             percent(x.reliability))
            for x in found.lines
        ],
    )  # fmt: skip
    for line in found.lines:
        if line.warning:
            click.echo(f"warning: {line.target}: {line.warning}")
    _table(
        "What do the baselines predict? (out of fold)",
        ("OOD score", "known", "R2", ""),
        [(s.target, s.step, fixed(s.r2, 2), s.note) for s in found.ladder],
    )
    columns = (
        "OOD score", "predictor", "tau", "p", "p of the best of all", "partial", "p", "gain in R2",
        "95 %", "note",
    )  # fmt: skip
    _table("Which columns predict it beyond that?", columns, [_row(t) for t in found.predictors])


def _table(title: str, headers: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    if rows:
        click.echo(f"\n{title}")
        echo_table(headers, rows)


def _shares(component: Any) -> str:  # Any: a record of a module that is imported late
    if component.share_low is None:
        return NOTHING
    return f"{percent(component.share_low)} to {percent(component.share_high)}"


def _row(test: PredictorTest) -> tuple[str, ...]:
    ends = (
        f"{fixed(test.gain_low, 2)} to {fixed(test.gain_high, 2)}"
        if test.gain_low is not None
        else NOTHING
    )
    return (
        test.target,
        test.predictor,
        fixed(test.tau, 2),
        figures(test.p, 2),
        figures(test.p_family, 2),
        fixed(test.partial, 2),
        figures(test.partial_p, 2),
        fixed(test.gain, 2),
        ends,
        test.note,
    )
