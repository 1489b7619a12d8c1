"""A checked suite as YAML: nothing left open, and read back as the very same suite."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import yaml

from harness.api.cells import Limit, SplitUse, Use
from harness.api.settings import Json
from harness.api.suites import DataUse, Init, MetricUse, SeedDesign, Suite
from harness.suite.scalars import is_text


def write(suite: Suite, variables: Mapping[str, str]) -> str:
    """The suite as YAML: overrides, sweeps, limits and the language's defaults are spelled out.

    `variables` maps values to how they were written with `${NAME}`, and so they are written again.
    """
    return dump(_suite(suite), variables)


def dump(value: Json, variables: Mapping[str, str]) -> str:
    """Bare values as YAML that reads back as the same values."""
    return yaml.dump(
        _as_written(value, variables),
        Dumper=_Dumper,
        sort_keys=False,
        allow_unicode=True,
        default_flow_style=None,
        width=100,
    )


def _suite(suite: Suite) -> dict[str, Json]:
    parts: dict[str, Json | None] = {
        "id": suite.id,
        "version": suite.version,
        "title": suite.title or None,
        "sources": list(suite.sources) or None,
        "plugins": list(suite.plugins) or None,
        "without": list(suite.without) or None,
        "models": _uses(suite.models),
        "pretrain": None,
        "data": _data(suite.data, main=True),
        "inits": [_init(init) for init in suite.inits],
        "methods": _uses(suite.methods),
        "seeds": _seeds(suite.seeds),
        "scores": _uses(suite.scores),
        "metrics": [_metric(metric) for metric in suite.metrics] or None,
        "primary": {
            "score": suite.primary.score,
            "id": suite.primary.id,
            "ood": list(suite.primary.ood),
        },
        "limit": None if suite.limit is None else _limit(suite.limit),
    }
    if suite.pretrain is not None:
        parts["pretrain"] = {
            "data": _data(suite.pretrain.data, main=False),
            "method": _use(suite.pretrain.method),
        }
    return {key: value for key, value in parts.items() if value is not None}


def _use(use: Use) -> Json:
    if not use.settings and use.label == use.name:
        return use.name
    written: dict[str, Json] = {use.name: dict(use.settings)}
    if use.label != use.name:
        written["as"] = use.label
    return written


def _uses(uses: Iterable[Use]) -> list[Json]:
    return [_use(use) for use in uses]


def _data(data: DataUse, *, main: bool) -> Json:
    written: dict[str, Json] = {"dataset": _use(data.train.dataset)}
    if data.train.by:
        written["train"] = {"by": _uses(data.train.by)}
    written["batch"] = data.batch
    if data.augment:
        written["augment"] = _uses(data.augment)
    made = [split for split in data.splits if split.kind == "ood" and not _own(split, data)]
    if main and made:
        written["ood"] = {split.name: _ood(split, data) for split in made}
    return written


def _own(split: SplitUse, data: DataUse) -> bool:
    """Whether the dataset brings the split along."""
    return split.name in data.outline.ood


def _ood(split: SplitUse, data: DataUse) -> Json:
    written: dict[str, Json] = {}
    shifts = split.by
    parent = next(each for each in data.splits if each.name == split.parent)
    if (split.dataset, split.source) == (parent.dataset, parent.source):
        shifts = shifts[len(parent.by) :]
    else:
        written |= {"dataset": _use(split.dataset), "split": split.source}
    if shifts:
        written["by"] = _uses(shifts)
    if split.merged:
        written["classes"] = _merged(split, data)
    return written | {"of": split.parent, "shift": split.shift}


def _merged(split: SplitUse, data: DataUse) -> Json:
    own = data.outline.task.classes
    return {each.name: [own[place] for place in each.members] for each in split.merged}


def _init(init: Init) -> Json:
    if init.kind == "checkpoint":
        return {"checkpoint": init.checkpoint, "as": init.label}
    return init.kind if init.label == init.kind else {init.kind: {}, "as": init.label}


def _seeds(seeds: SeedDesign) -> Json:
    written: dict[str, Json] = {
        "pretrain": list(seeds.pretrain),
        "finetune": list(seeds.finetune),
    }
    if seeds.order is not None:
        written["order"] = list(seeds.order)
    return written | {"design": seeds.design}


def _metric(metric: MetricUse) -> Json:
    written: dict[str, Json] = {metric.use.name: dict(metric.use.settings)}
    if metric.use.label != metric.use.name:
        written["as"] = metric.use.label
    written["splits"] = list(metric.splits)
    if metric.of == "pair":
        written["pairs"] = metric.pairs
    return written


def _limit(limit: Limit) -> Json:
    parts = {"examples": limit.examples, "steps": limit.steps}
    return {key: value for key, value in parts.items() if value is not None}


def _as_written(value: Json, variables: Mapping[str, str]) -> Json:
    """The values with variables put back, and other `${` protected."""
    if isinstance(value, str):
        return variables.get(value, value.replace("${", "$${"))
    if isinstance(value, list):
        return [_as_written(item, variables) for item in value]
    if isinstance(value, dict):
        return {key: _as_written(item, variables) for key, item in value.items()}
    return value


class _Dumper(yaml.SafeDumper):
    """Writes words that would not be read as text (`1e-3`) in quotes; no anchors."""

    def ignore_aliases(self, data: object) -> bool:
        """Every value is written out."""
        return True


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.Node:
    style = None if is_text(value) and value != "<<" else '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


_Dumper.add_representer(str, _text)
