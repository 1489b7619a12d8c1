"""Open a suite: find, read, override, discover, check."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from harness.api.cells import Limit
from harness.api.errors import HarnessError
from harness.api.suites import Suite
from harness.plug import Catalogue, discover
from harness.plug.candidates import is_path
from harness.store.paths import cache as cache_of
from harness.suite.finding import find_suite
from harness.suite.nodes import Listing, Node, Scalar, Table
from harness.suite.overrides import override
from harness.suite.parsing import parse_file
from harness.suite.problems import Problems, SuiteError
from harness.suite.reach import Reach
from harness.suite.reading import home, is_file, items, path_from, text
from harness.suite.resolving import Asked, resolve
from harness.suite.scalars import fill_variables
from harness.suite.uses import Context
from harness.suite.writing import write

CACHE = cache_of(Path("runs"))
"""The cache of the store that is meant where none is named."""


def open_suite(
    name: str,
    *,
    overrides: Sequence[str] = (),
    extra: Sequence[str] = (),
    without: Sequence[str] = (),
    limit: Limit | None = None,
    smoke: bool = False,
    cache: Path = CACHE,
) -> tuple[Suite, Catalogue]:
    """The checked suite, and the catalogue that it was checked against.

    Args:
        name: a built-in suite's name, or a path.
        overrides: `data.batch=64`, as after `--set`.
        extra: plugin files or modules besides those of the suite.
        without: plugins to leave out besides those of the suite.
        limit: at most so many examples per split and steps per training.
        smoke: a trial: the limit 64 examples and 10 steps, and at most two seeds of each kind,
            models and methods.
        cache: where plugins keep what they fetched, if not where the hub keeps it.

    Raises:
        HarnessError: one line; a `SuiteError` knows all problems that were found.
    """
    found = find_suite(name)
    problems, first = Problems(), Problems()
    root = override(parse_file(found.path, found.shown), overrides)
    filled = fill_variables(root, os.environ, problems)
    assert isinstance(filled, Table)  # a table stays one
    plugins = _plugins(filled, found.folder, first)
    left_out = [first.attempt(partial(text, i, "without")) for i in items(filled.get("without"))]
    first.stop()  # without its plugins nothing of a suite can be judged
    for each in extra:
        plugins.setdefault(_extra(each), f"--plugin {each}")
    more = Asked(
        limit=limit,
        smoke=smoke,
        plugins=tuple(plugins),
        without=tuple(
            dict.fromkeys([*filter(None, left_out), *(_left_out(each) for each in without)])
        ),
    )
    catalogue = discover(more.plugins, more.without)
    _refuse_broken(plugins, catalogue)
    reach = Reach(catalogue, cache)
    try:
        suite = resolve(filled, more, Context(catalogue, found.folder, problems, reach))
    except SuiteError as error:
        raise reach.all_told(error) from None
    return replace(suite, text=write(suite, dict(_variables(filled)))), catalogue


def _plugins(root: Table, folder: Path, problems: Problems) -> dict[str, str]:
    """Plugins that the suite names, files as absolute paths; each with where it stands."""
    plugins: dict[str, str] = {}
    for item in items(root.get("plugins")):
        try:
            name = text(item, "a plugin")
            if is_path(name):
                name = path_from(name, home(item.mark, folder))
                if not is_file(Path(name)):
                    raise HarnessError(f"there is no plugin file {name}", where=str(item.mark))
            plugins[name] = str(item.mark)
        except HarnessError as error:
            problems.add(error)
    return plugins


def _extra(name: str) -> str:
    return path_from(name, Path.cwd()) if is_path(name) else name


def _left_out(name: str) -> str:
    """A plugin to leave out; `mine.py` is a plugin's name wherever its file lies."""
    return _extra(name) if {"/", "\\"} & set(name) else name


def _refuse_broken(plugins: dict[str, str], catalogue: Catalogue) -> None:
    """A plugin that the suite or the command line names must work."""
    for aside in catalogue.set_aside:
        if aside.plugin in plugins:
            message = f"the plugin cannot be used: {aside.reason}"
            raise HarnessError(message, where=plugins[aside.plugin])


def _variables(node: Node) -> Iterator[tuple[str, str]]:
    """Values that were written with `${NAME}`, and how."""
    if isinstance(node, Scalar):
        if isinstance(node.value, str) and node.value != node.raw and "${" in node.raw:
            yield node.value, node.raw
    elif isinstance(node, Listing):
        for item in node.items:
            yield from _variables(item)
    else:
        for entry in node.entries:
            yield from _variables(entry.value)
