"""Options that several commands share, each gathered into one frozen record.

`@plugin_options` hands the command `plugins: PluginOptions`, `@suite_options` hands it
`suite: SuiteOptions`, `@store_option` hands it `store: str`.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import click

from harness.api.cells import Limit

if TYPE_CHECKING:
    from harness.api.suites import Suite
    from harness.plug.catalogue import Catalogue

R = TypeVar("R")


def stay_offline(_context: click.Context, _parameter: click.Parameter, offline: bool) -> bool:
    """Of `--offline`: the hub's library asks its variable once, when it is imported."""
    if offline:
        os.environ["HF_HUB_OFFLINE"] = "1"
    return offline


def hub_is_offline() -> bool:
    """Whether the hub's library takes its variable for set."""
    return os.environ.get("HF_HUB_OFFLINE", "").upper() in ("1", "ON", "YES", "TRUE")


@dataclass(frozen=True)
class PluginOptions:
    """Which plugins count: `extra` files and modules besides the installed ones, less `without`."""

    extra: tuple[str, ...] = ()
    without: tuple[str, ...] = ()

    def discover(self) -> Catalogue:
        """The catalogue of what these plugins offer."""
        from harness.plug.discovery import discover

        return discover(extra=self.extra, without=self.without)


@dataclass(frozen=True)
class SuiteOptions:
    """A suite as the command line names it, with what it overrides."""

    name: str
    overrides: tuple[str, ...] = ()
    limit: Limit | None = None
    smoke: bool = False
    plugins: PluginOptions = PluginOptions()

    def open(self, store: str = "runs") -> tuple[Suite, Catalogue]:
        """The checked suite and the catalogue it was checked against; raises `HarnessError`.

        `store` is where its plugins keep what they fetch.
        """
        from harness.store import Store, paths
        from harness.suite import open_suite

        return open_suite(
            self.name,
            overrides=self.overrides,
            extra=self.plugins.extra,
            without=self.plugins.without,
            limit=self.limit,
            smoke=self.smoke,
            cache=paths.cache(Store(store).root),
        )


# The wrapped functions take any other options besides: `Any` is click's own view of a callback.


def plugin_options(function: Callable[..., R]) -> Callable[..., R]:
    """Add `-p/--plugin` and `--without`; the function is handed `plugins: PluginOptions`."""

    @_plugin_flags
    @functools.wraps(function)
    def gathered(*args: Any, extra: tuple[str, ...], without: tuple[str, ...], **rest: Any) -> R:
        return function(*args, plugins=PluginOptions(extra, without), **rest)

    return gathered


def suite_options(function: Callable[..., R]) -> Callable[..., R]:
    """Add `SUITE`, `--set`, `--limit`, `--smoke` and the plugin options.

    The function is handed `suite: SuiteOptions`. `--limit N` means at most N examples per split and
    N steps per training.
    """

    @click.argument("suite")
    @_suite_flags
    @functools.wraps(function)
    def gathered(*args: Any, suite: str, **given: Any) -> R:
        return function(*args, suite=_chosen(suite, given), **given)

    return gathered


def suites_options(function: Callable[..., R]) -> Callable[..., R]:
    """The same for commands of several suites, which name them in arguments of their own.

    The function is handed `asked: SuiteOptions`, without a name.
    """

    @_suite_flags
    @functools.wraps(function)
    def gathered(*args: Any, **given: Any) -> R:
        return function(*args, asked=_chosen("", given), **given)

    return gathered


def _chosen(suite: str, given: dict[str, Any]) -> SuiteOptions:
    """The options of a suite, taken out of what click gives."""
    limit: int | None = given.pop("limit")
    return SuiteOptions(
        name=suite,
        overrides=given.pop("overrides"),
        limit=None if limit is None else Limit(examples=limit, steps=limit),
        smoke=given.pop("smoke"),
        plugins=PluginOptions(given.pop("extra"), given.pop("without")),
    )


def _suite_flags(function: Callable[..., R]) -> Callable[..., R]:
    for option in (
        _plugin_flags,
        click.option(
            "--smoke",
            is_flag=True,
            help="Trial in a minute or two: few examples, steps and seeds; every result is marked.",
        ),
        click.option(
            "--limit",
            type=click.IntRange(min=1),
            metavar="N",
            help="Trial: at most N examples per split and N steps; every result is marked.",
        ),
        click.option(
            "--set",
            "overrides",
            multiple=True,
            metavar="KEY=VALUE",
            help="Override a key of the suite, as in `--set data.batch=64`. Repeatable.",
        ),
    ):
        function = option(function)
    return function


def store_option(function: Callable[..., R]) -> Callable[..., R]:
    """Add `--store`; the function is handed `store: str`."""
    return click.option(
        "--store",
        default="runs",
        show_default=True,
        metavar="FOLDER",
        help="Where results are kept.",
    )(function)


def _plugin_flags(function: Callable[..., R]) -> Callable[..., R]:
    plugin = click.option(
        "-p",
        "--plugin",
        "extra",
        multiple=True,
        metavar="FILE|MODULE",
        help="Load a plugin from a file or a module besides the installed ones. Repeatable.",
    )
    without = click.option(
        "--without",
        multiple=True,
        metavar="PLUGIN",
        help="Leave a plugin or a whole distribution out. Repeatable.",
    )
    return plugin(without(function))
