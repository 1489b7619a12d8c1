"""From a tree of nodes to a `Suite`: every name found, every setting valid, every split known."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar

from harness.api.cells import Limit, Primary
from harness.api.errors import HarnessError
from harness.api.suites import DataUse, MetricUse, Pretrain, SeedDesign, Suite
from harness.suite import checks
from harness.suite.data import data_of, main_split
from harness.suite.language import METRIC_KEYS, NEEDED_KEYS, PRETRAIN_KEYS, SUITE_KEYS
from harness.suite.measuring import metric_of
from harness.suite.nodes import Node, Table
from harness.suite.reading import filled, items, name, needed, table, text
from harness.suite.sections import Answer, inits_of, limit_of, primary_of, seeds_of
from harness.suite.uses import Context, Placed, distinct, one_use, single_uses, use_list
from harness.suite.wants import check_wants

T = TypeVar("T")

SMOKE = Limit(examples=64, steps=10)
_SMOKE_COUNT = 2


@dataclass(frozen=True)
class Asked:
    """What the command line adds to the file: a limit, a trial, plugins in and out."""

    limit: Limit | None = None
    smoke: bool = False
    plugins: tuple[str, ...] = ()
    without: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Header:
    """The short entries of a suite."""

    id: str
    version: str
    title: str
    sources: tuple[str, ...]
    limit: Limit | None


@dataclass(frozen=True)
class _Parts:
    """The sections that were read, each by itself."""

    data: DataUse
    pretrain: Pretrain | None
    starts: checks.Starts
    seeds: SeedDesign
    models: list[Placed]
    methods: list[Placed]
    scores: list[Placed]
    metrics: list[Placed]


def resolve(root: Table, more: Asked, context: Context) -> Suite:
    """The checked suite, without its `text`.

    Raises:
        SuiteError: with every problem that was found.
    """
    header = _header(root, context)
    parts = _parts(root, more, context)
    problems = context.problems
    checks.check_models(parts.models, parts.data, parts.pretrain, context)
    checks.check_scores(parts.scores, parts.data, context)
    checks.check_task(parts.metrics, parts.data.outline, context)
    for placed in parts.methods:
        problems.attempt(partial(checks.check_method, placed, parts.data.outline, context))
    problems.stop(unless_cut_off=True)
    check_wants(parts.metrics, parts.methods, parts.starts, parts.data.outline, context)
    answer = Answer(tuple(each.use for each in parts.scores), parts.data.splits)
    main = main_split(parts.data.outline)
    primary = problems.attempt(partial(primary_of, root.get("primary"), answer, main, context))
    primary = primary or Primary(answer.scores[0].label, main, ())
    grouped = checks.over_groups(parts.scores, context)
    problems.attempt(partial(checks.check_primary, primary, grouped, parts.data))
    metrics = tuple(_metrics(parts, primary, context))
    problems.stop()
    suite = Suite(
        id=header.id,
        version=header.version,
        title=header.title,
        sources=header.sources,
        plugins=more.plugins,
        without=more.without,
        models=tuple(each.use for each in parts.models),
        pretrain=parts.pretrain,
        data=parts.data,
        inits=parts.starts.inits,
        methods=tuple(each.use for each in parts.methods),
        seeds=parts.seeds,
        scores=answer.scores,
        metrics=metrics,
        primary=primary,
        limit=_limit(header.limit, more),
        text="",
        over_groups=tuple(each.use.label for each in grouped),
        notes=tuple(context.notes),
    )
    return _cut(suite) if more.smoke else suite


def _header(root: Table, context: Context) -> _Header:
    table(root, "a suite", SUITE_KEYS, context.problems)
    for key in NEEDED_KEYS:
        context.problems.attempt(partial(needed, root, key, "a suite"))
    model, models = root.entry("model"), root.entry("models")
    if model is None and models is None:
        where = str(root.mark)
        fix = "add `model: NAME`"
        context.problems.add(HarnessError("a suite needs a model", where=where, fix=fix))
    if model is not None and models is not None:
        error = HarnessError("`model` and `models` say one thing twice", where=str(model.mark))
        context.problems.add(error)
    sources = [partial(text, item, "a source") for item in items(root.get("sources"))]
    read = [context.problems.attempt(each) for each in sources]
    return _Header(
        id=_read(root, "id", partial(name, what="id"), context) or "",
        version=_read(root, "version", partial(name, what="version"), context) or "",
        title=_read(root, "title", partial(text, what="title"), context) or "",
        sources=tuple(source for source in read if source is not None),
        limit=_read(root, "limit", partial(limit_of, context=context), context),
    )


def _parts(root: Table, more: Asked, context: Context) -> _Parts:
    problems = context.problems
    data = _read(root, "data", partial(data_of, context=context), context)
    seeds = _read(root, "seeds", partial(seeds_of, context=context), context)
    inits = _read(root, "inits", partial(inits_of, context=context), context)
    pretrain = _read(root, "pretrain", partial(_pretrain, data=data, context=context), context)
    models = root.get("models") or root.get("model")
    parts = {
        "model": use_list(models, "model", context),
        "method": use_list(root.get("methods"), "method", context),
        "score": single_uses(root.get("scores"), "score", context),
        "metric": single_uses(root.get("metrics"), "metric", context, tuple(METRIC_KEYS)),
    }
    for noun, placed in parts.items():
        distinct(placed, context)
        written = models if noun == "model" else root.get(f"{noun}s")
        if written is not None and noun != "metric":
            problems.attempt(partial(filled, written, f"{noun}s"))
    starts = None
    if seeds is not None and inits is not None:
        wanted = _few(seeds) if more.smoke else seeds  # weights of others are not wanted
        starts = checks.Starts(pretrain, inits, wanted, parts["model"])
        checks.check_inits(starts, root, context)
    if data is None or starts is None or not parts["score"]:
        problems.stop()
    # without a problem nothing is missing
    assert data is not None and starts is not None and seeds is not None
    return _Parts(
        data=data,
        pretrain=pretrain,
        starts=starts,
        seeds=seeds,
        models=parts["model"],
        methods=parts["method"],
        scores=parts["score"],
        metrics=parts["metric"],
    )


def _read(root: Table, key: str, read: Callable[[Node], T], context: Context) -> T | None:
    """A section by its key: None where it is not written, or has a problem (which is noted)."""
    node = root.get(key)
    return None if node is None else context.problems.attempt(partial(read, node))


def _pretrain(node: Node, data: DataUse | None, context: Context) -> Pretrain:
    section = table(node, "pretrain", PRETRAIN_KEYS, context.problems)
    own = needed(section, "data", "pretrain")
    found = data_of(own, context, batch=1 if data is None else data.batch)
    placed = one_use(needed(section, "method", "pretrain"), "method", context)
    checks.check_method(placed, found.outline, context)
    pretrain = Pretrain(found, placed.use)
    if data is not None:
        checks.check_pretrain_data(pretrain, data, str(own.mark))
    return pretrain


def _metrics(parts: _Parts, primary: Primary, context: Context) -> Iterator[MetricUse]:
    for placed in parts.metrics:
        read = partial(metric_of, placed, parts.data.splits, primary, context)
        metric = context.problems.attempt(read)
        if metric is not None:
            check = partial(checks.check_metric, metric, parts.seeds, placed.mark)
            context.problems.attempt(check)
            yield metric


def _limit(written: Limit | None, more: Asked) -> Limit | None:
    """The tightest of what the file, `--limit` and `--smoke` say."""
    limits = [limit for limit in (written, more.limit, SMOKE if more.smoke else None) if limit]
    if not limits:
        return None
    examples = [limit.examples for limit in limits if limit.examples is not None]
    steps = [limit.steps for limit in limits if limit.steps is not None]
    return Limit(min(examples, default=None), min(steps, default=None))


def _cut(suite: Suite) -> Suite:
    """A trial of the suite: at most two of everything that multiplies runs."""
    most = _SMOKE_COUNT
    return replace(
        suite,
        models=suite.models[:most],
        methods=suite.methods[:most],
        seeds=_few(suite.seeds),
    )


def _few(seeds: SeedDesign) -> SeedDesign:
    most = _SMOKE_COUNT
    order = None if seeds.order is None else seeds.order[:most]
    return replace(
        seeds, pretrain=seeds.pretrain[:most], finetune=seeds.finetune[:most], order=order
    )
