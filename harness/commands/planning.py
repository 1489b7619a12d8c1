"""From the command line to a plan: what `plan`, `explain` and `status` begin with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import click

from harness.api.cells import PRECISIONS
from harness.commands.options import SuiteOptions

if TYPE_CHECKING:
    from harness.api.cells import Plan
    from harness.api.suites import Suite
    from harness.plug.catalogue import Catalogue
    from harness.store import Store, Survey

R = TypeVar("R")


@dataclass(frozen=True)
class Planned:
    """A suite, its plan, and what of it a store holds."""

    suite: Suite
    catalogue: Catalogue
    plan: Plan
    store: Store
    survey: Survey


def planned(options: SuiteOptions, store: str, precision: str) -> Planned:
    """Open the suite, expand it, and look into the store; raises `HarnessError`."""
    from harness.plan import expand
    from harness.plan.parts import without_idle
    from harness.store import Store

    suite, catalogue = options.open(store)
    plan = expand(suite, catalogue, precision=precision)
    opened = Store(store)
    survey = opened.survey(plan.cells)
    return Planned(suite, catalogue, without_idle(plan, survey.done), opened, survey)


def precision_option(function: Callable[..., R]) -> Callable[..., R]:
    """Add `--precision`; the function is handed `precision: str`."""
    return click.option(
        "--precision",
        type=click.Choice(PRECISIONS),
        default="float32",
        show_default=True,
        help="Of forward passes; results of another precision are other cells.",
    )(function)
