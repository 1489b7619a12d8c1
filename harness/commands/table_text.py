"""What `seedscape analyze` prints: a table per question, no wider than it must be."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

import click

from harness.api.numbers import NOTHING, count, figures, fixed, percent, some, words
from harness.commands.tables import echo_table

if TYPE_CHECKING:
    from harness.api.tables import Ends, TableFindings

KINDS = {"id": "in-domain", "ood": "OOD", "upstream": "upstream"}
MOST_BEYOND = 5
"""Runs whose effective robustness is shown, at either end."""


def tell(found: TableFindings) -> None:
    """Print everything that was found."""
    head = count(found.runs, "run")
    if found.design != "independent":
        head += f", {count(found.clusters, 'group')}, {found.design}"
    click.echo(f"{found.table}: {head}")
    for note in found.notes:
        click.echo(f"note: {note}")
    _spreads(found)
    _components(found)
    _table(
        "How good are runs over all OOD scores?",
        ("summary", "value", "95 %"),
        [(each.name, fixed(each.value, 3), _ends(each.ends, 3)) for each in found.aggregates],
    )
    _lines(found)
    _beyond(found)
    _transfer(found)
    _predictors(found)
    _strict(found)


def _spreads(found: TableFindings) -> None:
    rows = [
        (
            each.column,
            KINDS[each.kind],
            fixed(each.mean, 3),
            figures(each.sd, 2),
            figures(each.seed_sd, 2),
            figures(each.sampling_sd, 2),
            fixed(each.minimum, 3),
            fixed(each.maximum, 3),
        )
        for each in found.spreads
    ]
    headers = (
        "score", "kind", "mean", "sd of runs", "sd of seeds", "noise of testing", "worst", "best",
    )  # fmt: skip
    _table("How much do runs differ?", headers, rows)
    worst: dict[str, list[str]] = {}
    for each in found.spreads:
        worst.setdefault(each.worst_run, []).append(each.column)
    told = [f"{run} ({some(columns)})" for run, columns in worst.items()]
    click.echo(f"worst run: {', '.join(told)}")
    named = ("score", "mean", "95 %, new runs and examples", "95 %, new runs", "examples")
    sure = [
        (
            each.column,
            fixed(each.group_mean, 3),
            _ends(each.mean_ends, 3),
            _ends(each.mean_ends_runs, 3),
            NOTHING if each.mean_ends is None else f"{each.examples or 0:,}",
        )
        for each in found.spreads
        if each.mean_ends_runs is not None
    ]
    _table("How sure are the means?", named, sure)


def _components(found: TableFindings) -> None:
    rows = []
    for each in found.components:
        around = None
        if each.share_low is not None and each.share_high is not None:
            around = f"{percent(each.share_low)} to {percent(each.share_high)}"
        tested = None
        if each.testing is not None and each.seeds is not None:
            whole = each.seeds + each.testing
            tested = percent(min(1.0, max(0.0, each.testing / whole))) if whole > 0 else None
        rows.append(
            (
                each.column,
                each.factor,
                str(each.levels),
                figures(each.sd, 2),
                percent(each.share),
                around or NOTHING,
                tested or NOTHING,
            )
        )
    headers = ("score", "factor", "levels", "sd", "share", "95 %", "of that testing")
    _table("Which seed carries the variance?", headers, rows)


def _lines(found: TableFindings) -> None:
    headers = ("OOD score", "scale", "slope", "95 %", "R2", "runs", "in-domain spread not noise")
    known = any(each.kind == "id" and each.seed_sd is not None for each in found.spreads)
    rows = [
        (
            each.target,
            each.scale,
            fixed(each.slope, 2),
            NOTHING
            if each.slope_low is None
            else f"{fixed(each.slope_low, 2)} to {fixed(each.slope_high, 2)}",
            fixed(each.r2, 3),
            str(each.models),
            percent(each.reliability)
            if known
            else f"at least {percent(each.reliability)}"
            if each.reliability is not None
            else NOTHING,
        )
        for each in found.lines
    ]
    _table("Does OOD accuracy follow in-domain accuracy on a line?", headers, rows)
    _notes(((line.target, line.warning) for line in found.lines), "warning")


def _beyond(found: TableFindings) -> None:
    rows, more = [], 0
    for _, group in groupby(found.robustness, key=lambda each: each.target):
        everyone = list(group)
        shown = everyone
        if len(everyone) > 2 * MOST_BEYOND + 1:
            shown = [*everyone[:MOST_BEYOND], *everyone[-MOST_BEYOND:]]
            more += len(everyone) - len(shown)
        rows += [
            (
                each.target,
                each.run,
                fixed(each.in_domain, 3),
                fixed(each.ood, 3),
                fixed(each.expected, 3),
                f"{each.effective:+.3f}",
                figures(each.noise, 2),
            )
            for each in shown
        ]
    headers = (
        "OOD score", "run", "in-domain", "OOD", "on the line", "effective", "noise of testing",
    )  # fmt: skip
    _by_target(
        "Who is better OOD than the baselines' line says? (effective robustness)", headers, rows
    )
    if more:
        click.echo(f"{count(more, 'run')} between these are not shown: --out writes all")


def _transfer(found: TableFindings) -> None:
    rows = [
        (
            each.target,
            figures(each.k, 2),
            fixed(each.alpha, 2),
            _ends(each.alpha_ends, 2),
            fixed(each.e_inf, 3),
            _ends(each.e_inf_ends, 3),
            f"{len(each.hull)} of {each.runs}" if each.hull else NOTHING,
        )
        for each in found.transfer
    ]
    upstream = found.transfer[0].upstream if found.transfer else ""
    headers = ("score", "k", "alpha", "95 %", "e_inf", "95 %", "runs on the hull")
    _table(f"Error = k x ({upstream} error)^alpha + e_inf", headers, rows)
    _notes((each.target, each.note) for each in found.transfer)
    for each in found.transfer:
        if each.hull:
            runs = [
                f"{p.run} ({fixed(p.upstream, 3)}, {fixed(p.downstream, 3)})" for p in each.hull
            ]
            click.echo(f"hull of {each.target}: {some(runs, 3)}")


def _predictors(found: TableFindings) -> None:
    _table(
        "What do the baselines predict? (R2 out of fold)",
        ("OOD score", "known", "R2", "95 %"),
        [
            (each.target, each.step, fixed(each.r2, 2), _around(each.r2_low, each.r2_high))
            for each in found.ladder
        ],
    )
    _notes((each.target, each.note) for each in found.ladder)
    known = found.predictors[0].controls if found.predictors else ()
    headers = (
        "OOD score", "predictor", "tau", "p", "family p", "given known", "family p ", "adds to R2",
        "95 %",
    )  # fmt: skip
    rows = [
        (
            each.target,
            each.predictor,
            fixed(each.tau, 2),
            figures(each.p, 2),
            figures(each.p_family, 2),
            fixed(each.partial, 2),
            figures(each.partial_p_family, 2),
            fixed(each.gain, 2),
            _around(each.gain_low, each.gain_high),
        )
        for each in found.predictors
    ]
    beyond = f" beyond {some(list(known), 4)}" if known else ""
    _by_target(f"Which columns predict it{beyond}?", headers, rows)
    _notes((f"{each.predictor} of {each.target}", each.note) for each in found.predictors)


def _strict(found: TableFindings) -> None:
    axes = found.strict[0].axes if found.strict else ()
    headers = (
        "OOD score", "predictor", "tau", "information", "sign error", "90 %", "worst",
        "environments",
    )  # fmt: skip
    rows = [
        (
            each.target,
            each.predictor,
            fixed(each.granulated, 2),
            fixed(each.information, 3),
            fixed(each.mean_error, 2),
            fixed(each.ninetieth, 2),
            fixed(each.worst_error, 2),
            str(each.environments),
        )
        for each in found.strict
    ]
    _by_target(f"Does it follow when only one of these changes: {words(axes)}?", headers, rows)


def _by_target(title: str, headers: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """One table where each target has one row; otherwise one for each, under its name."""
    targets = [row[0] for row in rows]
    if len(set(targets)) == len(targets):
        _table(title, headers, rows)
        return
    click.echo(f"\n{title}")
    for target, group in groupby(rows, key=lambda row: row[0]):
        _table(target, headers[1:], [row[1:] for row in group])


def _table(title: str, headers: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table without the columns that say nothing."""
    if not rows:
        return
    kept = [
        place
        for place in range(len(headers))
        if any(row[place] not in ("", NOTHING) for row in rows)
    ]
    click.echo(f"\n{title}")
    echo_table([headers[p].strip() for p in kept], [[row[p] for p in kept] for row in rows])


def _notes(told: Iterable[tuple[str, str]], kind: str = "note") -> None:
    """What is to be said of some names, once for all of which the same is said."""
    names: dict[str, list[str]] = {}
    for name, text in told:
        if text:
            names.setdefault(text, []).append(name)
    for text, of in names.items():
        click.echo(f"{kind}: {some(list(dict.fromkeys(of)))}: {text}")


def _around(low: float | None, high: float | None) -> str:
    return NOTHING if low is None else f"{fixed(low, 2)} to {fixed(high, 2)}"


def _ends(ends: Ends | None, decimals: int) -> str:
    return (
        NOTHING if ends is None else f"{fixed(ends.low, decimals)} to {fixed(ends.high, decimals)}"
    )
