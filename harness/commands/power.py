"""`seedscape power`: how many seeds are enough, from the components of a pilot."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from harness.api.errors import HarnessError
from harness.api.numbers import NOTHING, TIMES, figures, percent
from harness.commands.options import SuiteOptions, store_option, suites_options
from harness.commands.planning import precision_option
from harness.commands.tables import echo_table

if TYPE_CHECKING:
    from harness.api.seedplans import Cases, DesignPower, PilotNote, SeedPlan


def _numbers(_: click.Context, parameter: click.Parameter, text: str) -> tuple[int, ...]:
    try:
        found = tuple(sorted({int(part) for part in text.split(",")}))
    except ValueError:
        found = ()
    least = 2 if parameter.name == "pretrain" else 1
    if not found or found[0] < least:
        raise HarnessError(f"{parameter.opts[0]} {text!r} is no list of numbers from {least} on")
    return found


def _sds(_: click.Context, __: click.Parameter, text: str | None) -> tuple[float, ...] | None:
    if text is None:
        return None
    try:
        found = tuple(float(part) for part in text.split(","))
    except ValueError:
        found = ()
    if len(found) not in (2, 3) or not all(0 <= sd < float("inf") for sd in found):
        raise HarnessError(
            f"--components {text!r} is not PRETRAIN,FINETUNE,REST",
            fix="give three standard deviations, or two for a nested design",
        )
    if not any(found):
        raise HarnessError("--components: nothing varies")
    return found


@click.command("power")
@click.argument("suite", required=False)
@click.option(
    "--components",
    callback=_sds,
    metavar="SD,SD[,SD]",
    help="Instead of a SUITE: the standard deviations (sd pretrain, sd fine-tune, sd rest of a "
    "report); two for a nested design.",
)
@click.option("--procedure", metavar="LABEL", help="The pilot. Default: the suite's first.")
@click.option(
    "--against", metavar="LABEL", help="Plan for the paired difference from this procedure."
)
@click.option("--split", metavar="NAME", help="Default: the first primary OOD split.")
@click.option("--score", metavar="NAME", help="Default: the primary score.")
@click.option(
    "--width",
    type=click.FloatRange(min=0, min_open=True),
    metavar="W",
    help="Wanted half-width of the 95 % interval of a mean.",
)
@click.option(
    "--difference",
    type=click.FloatRange(min=0, min_open=True),
    metavar="D",
    help="A true difference between two procedures that is to be found.",
)
@click.option(
    "--tau",
    type=click.FloatRange(min=0, max=1, min_open=True, max_open=True),
    metavar="TAU",
    help="A true Kendall tau between a metric and a score that is to be found.",
)
@click.option(
    "--paired",
    is_flag=True,
    help="With --components: they are those of differences of procedures that share their seeds.",
)
@click.option(
    "--power",
    type=click.FloatRange(min=0, max=1, min_open=True, max_open=True),
    default=0.8,
    show_default=True,
    help="Wanted chance to find what is there.",
)
@click.option(
    "--pretrain",
    default="3,5,6,8,10,15,20,30",
    show_default=True,
    callback=_numbers,
    metavar="N,N,...",
    help="Numbers of pretraining seeds.",
)
@click.option(
    "--finetune",
    default="1,2,4,8",
    show_default=True,
    callback=_numbers,
    metavar="N,N,...",
    help="Numbers of fine-tuning seeds.",
)
@store_option
@precision_option
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE.json",
    help="Write all of it.",
)
@click.option("--force", is_flag=True, help="Overwrite FILE if it exists.")
@suites_options  # fmt: skip
def command(suite: str | None, asked: SuiteOptions, **given: Any) -> int:
    """Say how many pretraining and fine-tuning seeds are enough.

    The results of SUITE (or --components) are the pilot. For each design of pretraining x
    fine-tuning seeds: the half-width of a mean's 95 % interval, the smallest difference that is
    found, and with --difference or --tau the chance to find it. A pilot of few seeds knows its
    components badly, so the best and the worst case that it allows stand beside the estimate.
    """
    # `Any`: click hands over what the options above declare
    sds: tuple[float, ...] | None = given["components"]
    if (suite is None) == (sds is None):
        raise HarnessError("give either a SUITE or --components")
    out: Path | None = given["out"]
    if out is not None and out.exists() and not given["force"]:
        raise HarnessError(f"{out} exists", fix="add --force to overwrite it")
    if suite is not None and given["paired"]:
        raise HarnessError(
            "--paired goes with --components", fix="name the other procedure: --against LABEL"
        )
    from harness.analyze.pilots import by_hand
    from harness.analyze.planning import Question, plan_seeds

    if suite is None:
        if any(given[name] for name in ("procedure", "against", "split", "score")):
            raise HarnessError("--components need no procedure, split or score")
        pilot = by_hand(sds or ())
    else:
        pilot = _pilot(replace(asked, name=suite), given)
    found = plan_seeds(
        pilot,
        Question(
            pretrain=given["pretrain"],
            finetune=given["finetune"],
            width=given["width"],
            difference=given["difference"],
            tau=given["tau"],
            paired=given["paired"] or given["against"] is not None,
            power=given["power"],
        ),
    )
    _tell(found)
    if out is not None:
        from harness.store.disk import write_text

        write_text(out, found.model_dump_json(indent=1) + "\n")
        click.echo(f"plan of seeds: {out}")
    return 0


def _pilot(asked: SuiteOptions, given: dict[str, Any]) -> PilotNote:
    from harness.analyze.load import load_results
    from harness.analyze.pilots import pilot_of
    from harness.plan import expand
    from harness.store import Store

    suite, catalogue = asked.open(given["store"])
    plan = expand(suite, catalogue, precision=given["precision"])
    results = load_results(plan, Store(given["store"]))
    if results.cells["state"].eq("missing").all():
        raise HarnessError(
            f"the store {given['store']} holds nothing of {plan.suite_id} {plan.version}",
            fix=f"run it first: seedscape run {asked.name}",
        )
    wanted = {name: given[name] for name in ("procedure", "against", "split", "score")}
    return pilot_of(results, plan, suite.seeds.design, wanted)


def _tell(found: SeedPlan) -> None:
    pilot = found.pilot
    click.echo(f"pilot: {pilot.source} ({pilot.design})")
    parts = [
        ("pretraining seeds", pilot.pretrain_sd, pilot.pretrain_sd_range),
        ("fine-tuning seeds", pilot.finetune_sd, pilot.finetune_sd_range),
        ("the rest", pilot.rest_sd, pilot.rest_sd_range),
    ]
    rows = [
        (name, figures(sd), NOTHING if ends is None else " to ".join(map(figures, ends)))
        for name, sd, ends in parts
        if sd is not None
    ]
    echo_table(("component", "sd", "95 %"), rows)
    for warning in found.warnings:
        click.echo(f"warning: {warning}")
    whose = "paired" if found.paired else "each procedure with seeds of its own"
    _grid(found, "Half-width of the 95 % interval of a mean", lambda d: _cases(d.half_width))
    if found.difference is None:
        title = (
            f"Smallest true difference that is found with a chance of {percent(found.wanted_power)}"
        )
        _grid(found, f"{title} ({whose})", lambda d: _cases(d.detectable, d.least_p))
    else:
        title = f"Chance to find a true difference of {figures(found.difference)}"
        _grid(found, f"{title} ({whose})", _power)
    if found.tau is not None:
        title = f"Chance to find a Kendall tau of {figures(found.tau)} (simulated, about ± 5 %)"
        _grid(found, title, lambda d: percent(d.tau_power))
    click.echo()
    for line in _enough(found):
        click.echo(line)


def _grid(found: SeedPlan, title: str, cell: Callable[[DesignPower], str]) -> None:
    columns = sorted({design.finetune_seeds for design in found.designs})
    rows = []
    for a in sorted({design.pretrain_seeds for design in found.designs}):
        here = {d.finetune_seeds: d for d in found.designs if d.pretrain_seeds == a}
        rows.append((str(a), *(cell(here[b]) for b in columns)))
    extra = ", in brackets best and worst case" if found.pilot.pretrain_sd_range else ""
    click.echo(f"\n{title}{extra}")
    echo_table((f"pretraining {TIMES} fine-tuning", *map(str, columns)), rows)


def _cases(found: Cases, least_p: float = 0.0) -> str:
    if least_p > 0.05 or found.estimate is None:
        return NOTHING
    if found.worst is None:
        return figures(found.estimate)
    return f"{figures(found.estimate)} ({figures(found.best, 2)}{NOTHING}{figures(found.worst, 2)})"


def _power(design: DesignPower) -> str:
    if design.power is None or design.least_p > 0.05 or design.half_width.estimate is None:
        return NOTHING
    worst, best = design.power.worst, design.power.best
    beside = "" if worst is None else f" ({percent(best)}{NOTHING}{percent(worst)})"
    return f"{percent(design.power.estimate)}{beside}"


def _enough(found: SeedPlan) -> list[str]:
    asked = {
        "width": f"a half-width of {figures(found.width)}",
        "difference": f"a difference of {figures(found.difference)}",
        "tau": f"a tau of {figures(found.tau)}",
    }
    lines = []
    for each in found.enough:
        case = "" if each.case == "estimate" else f" in the {each.case} case"
        if each.pretrain_seeds is None or each.finetune_seeds is None:
            told = "no design in the table is enough"
        else:
            a, b = each.pretrain_seeds, each.finetune_seeds
            told = f"{a} {TIMES} {b} seeds, {a * b} runs of each procedure"
        lines.append(f"for {asked[each.question]}{case}: {told}")
    return lines
