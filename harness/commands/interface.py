"""The Python API: `harness.run` and `harness.load`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict, Unpack

from harness.api.cells import Limit
from harness.api.errors import HarnessError
from harness.run.options import RunOptions

if TYPE_CHECKING:
    from harness.analyze.results import Results
    from harness.commands.conclusion import Subject


class Asked(TypedDict, total=False):
    """What a suite can be asked for besides what its file says, as on the command line.

    `overrides` are `{"data.batch": 64}` or `["data.batch=64"]`; `plugins` files or modules besides
    the suite's own; `without` plugins to leave out; `limit` cuts examples and steps; `smoke` makes
    it a trial.
    """

    overrides: Sequence[str] | Mapping[str, object]
    plugins: Sequence[str]
    without: Sequence[str]
    limit: int
    smoke: bool


def run(
    suite: str | Path,
    *,
    store: str | Path = "runs",
    report: bool = True,
    options: RunOptions | None = None,
    **asked: Unpack[Asked],
) -> Results:
    """Run what the store does not hold yet of a suite, and open its results.

    Args:
        suite: a built-in suite's name, or the path of a YAML file.
        store: the folder of results.
        report: print what was found and write the report beside the suite, as the command does.
        options: executor, workers, device, precision, pack and display.
        asked: see `Asked`.

    Raises:
        HarnessError: something in the user's hands; nothing was started then.
        KeyboardInterrupt: Ctrl-C; what is finished is kept.
    """
    from harness.analyze.load import load_results
    from harness.commands.conclusion import conclude
    from harness.commands.run import REPORTERS
    from harness.run.execute import execute

    options = options or RunOptions()
    subject = _open(suite, store, options.precision, asked)
    outcome = execute(subject.plan, subject.suite, subject.store, subject.catalogue, options)
    if outcome.interrupted:
        raise KeyboardInterrupt
    if report:
        from rich.console import Console

        from harness.report.terminal import terminal

        conclusion = conclude(subject, outcome, REPORTERS)
        terminal(conclusion.findings, Console())
        conclusion.written.tell()
    return load_results(subject.plan, subject.store)


def load(
    suite: str | Path,
    *,
    store: str | Path = "runs",
    precision: str = "float32",
    **asked: Unpack[Asked],
) -> Results:
    """Open the results of a suite that a store holds, running nothing.

    What is missing shows as rows without values, and as `problems`.
    """
    from harness.analyze.load import load_results

    subject = _open(suite, store, precision, asked)
    return load_results(subject.plan, subject.store)


def _open(suite: str | Path, store: str | Path, precision: str, asked: Asked) -> Subject:
    from harness.commands.conclusion import Subject
    from harness.plan import expand
    from harness.store import Store
    from harness.suite import open_suite

    for name in asked.keys() - Asked.__annotations__.keys():  # `Unpack` is for type checkers only
        raise TypeError(f"unexpected argument {name!r}; see {Asked.__module__}.Asked")
    overrides = asked.get("overrides", ())
    if isinstance(overrides, Mapping):
        overrides = [f"{key}={_written(value)}" for key, value in overrides.items()]
    limit = asked.get("limit")
    if limit is not None and limit < 1:
        raise HarnessError(f"the limit must be at least 1, not {limit}")
    checked, catalogue = open_suite(
        str(suite),
        overrides=overrides,
        extra=asked.get("plugins", ()),
        without=asked.get("without", ()),
        limit=None if limit is None else Limit(examples=limit, steps=limit),
        smoke=asked.get("smoke", False),
    )
    plan = expand(checked, catalogue, precision=precision)
    return Subject(checked, plan, catalogue, Store(store))


def _written(value: object) -> str:
    """A value as YAML on one line, which JSON is."""
    import json

    return json.dumps(value)
