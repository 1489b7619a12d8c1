"""The Python API: `harness.run`, `harness.load` and `harness.compare`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

from harness.api.cells import Limit
from harness.api.errors import HarnessError
from harness.commands.options import PluginOptions, SuiteOptions
from harness.run.options import RunOptions

if TYPE_CHECKING:
    from harness.analyze.results import Results
    from harness.api.comparisons import Comparison
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


class AskedToCompare(Asked, total=False):
    """What a comparison can be asked for besides, as on the command line of `compare`.

    `splits` are names, or ["all"]; `levels` "all", "multiberts" or "pretrain,examples" and the
    like.
    """

    score: str
    splits: Sequence[str]
    levels: str
    replicates: int
    seed: int
    common_seeds: bool
    unpaired: bool


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


def compare(
    *operands: str,
    store: str | Path = "runs",
    precision: str = "float32",
    **asked: Unpack[AskedToCompare],
) -> Comparison:
    """Compare procedures whose runs a store holds, running nothing.

    Args:
        operands: "SUITE", "SUITE:PROCEDURE" or "STORE//SUITE:PROCEDURE", as on the command line.
        store: the folder of results of operands that name none.
        precision: of the forward passes.
        asked: see `AskedToCompare`.

    Raises:
        HarnessError: they are not comparable, or there is nothing to compare.
    """
    from harness.analyze.comparing import compare_procedures
    from harness.analyze.comparison_design import Asked as How
    from harness.commands.operands import contenders_of

    own = AskedToCompare.__annotations__.keys() - Asked.__annotations__.keys()
    # Any: a TypedDict forgets what it holds when it is taken apart
    how: dict[str, Any] = {name: value for name, value in asked.items() if name in own}
    options = _options("", asked, AskedToCompare)
    if "splits" in how:
        how["splits"] = tuple(how["splits"])
    contenders = contenders_of(operands, str(store), options, precision)
    return compare_procedures(contenders, How(**how))


def _open(suite: str | Path, store: str | Path, precision: str, asked: Asked) -> Subject:
    from harness.commands.conclusion import Subject
    from harness.plan import expand
    from harness.store import Store

    checked, catalogue = _options(str(suite), asked).open(str(store))
    plan = expand(checked, catalogue, precision=precision)
    return Subject(checked, plan, catalogue, Store(store))


def _options(suite: str, asked: Asked, known: type = Asked) -> SuiteOptions:
    for name in asked.keys() - known.__annotations__.keys():  # `Unpack` is for type checkers only
        raise TypeError(f"unexpected argument {name!r}; see {known.__module__}.{known.__name__}")
    overrides = asked.get("overrides", ())
    if isinstance(overrides, Mapping):
        overrides = [f"{key}={_written(value)}" for key, value in overrides.items()]
    limit = asked.get("limit")
    if limit is not None and limit < 1:
        raise HarnessError(f"the limit must be at least 1, not {limit}")
    return SuiteOptions(
        name=suite,
        overrides=tuple(overrides),
        limit=None if limit is None else Limit(examples=limit, steps=limit),
        smoke=asked.get("smoke", False),
        plugins=PluginOptions(tuple(asked.get("plugins", ())), tuple(asked.get("without", ()))),
    )


def _written(value: object) -> str:
    """A value as YAML on one line, which JSON is."""
    import json

    return json.dumps(value)
