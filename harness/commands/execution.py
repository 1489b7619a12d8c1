"""Options of the commands that compute: where cells run, how many at a time, in what precision."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import click

from harness.api.cells import PRECISIONS
from harness.api.errors import HarnessError
from harness.commands.options import hub_is_offline, stay_offline

if TYPE_CHECKING:
    from harness.api.settings import Json

R = TypeVar("R")


def execution_options(function: Callable[..., R]) -> Callable[..., R]:
    """Add `--executor`, `--workers`, `--device`, `--precision`, and what else changes no suite.

    The function is handed `options: RunOptions`, and any other options besides.
    """

    @click.option(
        "--executor",
        default="processes",
        show_default=True,
        metavar="NAME",
        help="Where cells run; with settings as in `{processes: {start: spawn}}`.",
    )
    @click.option(
        "--workers",
        type=click.IntRange(min=0),
        default=0,
        metavar="N",
        help="Cells at a time. Default: one per core, or one per GPU.",
    )
    @click.option(
        "--device",
        default="auto",
        show_default=True,
        metavar="NAME",
        help="auto, cpu, cuda, cuda:N or mps.",
    )
    @click.option(
        "--precision",
        type=click.Choice(PRECISIONS),
        default="float32",
        show_default=True,
        help="Of forward passes; another precision makes other cells.",
    )
    @click.option(
        "--compile",
        "compiled",
        is_flag=True,
        help="Train through torch.compile, one run at a time: for large models.",
    )
    @click.option(
        "--offline",
        is_flag=True,
        is_eager=True,
        callback=stay_offline,
        help="Use no network: fail at once with the list of what is missing. HF_HUB_OFFLINE=1 says "
        "the same.",
    )
    @click.option(
        "--watch",
        multiple=True,
        envvar="SEEDSCAPE_WATCH",
        metavar="NAME",
        help="Tell a tracker of every run; `seedscape list watcher` names them. Repeatable; "
        "SEEDSCAPE_WATCH names them too.",
    )
    @functools.wraps(function)
    def gathered(*args: Any, **given: Any) -> R:  # `Any`: click's own view of a callback
        from harness.run.options import RunOptions

        executor, settings = _use(given.pop("executor"), "--executor")
        options = RunOptions(
            executor=executor,
            executor_settings=settings,
            workers=given.pop("workers"),
            device=given.pop("device"),
            precision=given.pop("precision"),
            offline=given.pop("offline") or hub_is_offline(),
            compiled=given.pop("compiled"),
            watch=dict(_use(text, "--watch") for text in given.pop("watch")),
        )
        return function(*args, options=options, **given)

    return gathered


def _use(text: str, option: str) -> tuple[str, dict[str, Json]]:
    """A name, or a mapping of a name to its settings, as in a suite."""
    if "{" not in text:
        return text, {}
    import yaml

    try:
        use = yaml.safe_load(text)
    except yaml.YAMLError:
        use = None
    if isinstance(use, dict) and len(use) == 1:
        ((name, settings),) = use.items()
        if isinstance(settings, dict):
            return str(name), settings
    raise HarnessError(
        f"cannot read {text!r}", where=option, fix="write NAME or {NAME: {SETTING: VALUE}}"
    )


def tell_failures(reasons: Sequence[str], more: str = "") -> None:
    """Say why cells have no result: the first five, on the error stream.

    `more` says where to find the others.
    """
    for reason in reasons[:5]:
        click.echo(f"failed: {' '.join(reason.split())}", err=True)
    if len(reasons) > 5 and more:
        click.echo(f"failed: {len(reasons) - 5} more{more}", err=True)
