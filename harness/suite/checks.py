"""Combinations that cannot work, found before anything starts."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.api.cells import Primary
from harness.api.data import Outline
from harness.api.errors import HarnessError
from harness.api.numbers import words
from harness.api.recipes import Recipe
from harness.api.suites import DataUse, Init, MetricUse, Pretrain, SeedDesign
from harness.plug import offer_from
from harness.plug.needs import Need
from harness.suite.answering import answering
from harness.suite.asking import asked, input_shapes
from harness.suite.nodes import Table
from harness.suite.reading import is_file
from harness.suite.sections import checkpoint_file
from harness.suite.uses import Context, Placed


@dataclass(frozen=True)
class Starts:
    """What runs of a suite start from, whatever the data are."""

    pretrain: Pretrain | None
    inits: tuple[Init, ...]
    seeds: SeedDesign
    models: Sequence[Placed]


def check_inits(starts: Starts, root: Table, context: Context) -> None:
    """Note a missing or unused pretraining, and checkpoints that are not there."""
    kinds = [init.kind for init in starts.inits]
    entry = root.entry("inits")
    where = str(root.mark if entry is None else entry.mark)
    if "pretrained" in kinds and starts.pretrain is None and root.get("pretrain") is None:
        _check_brought(starts, where, context)
    section = root.entry("pretrain")
    if section is not None and "pretrained" not in kinds:
        message = "`pretrain` is never used"
        fix = "add `pretrained` to `inits`, or set `pretrain: null`"
        context.problems.add(HarnessError(message, where=str(section.mark), fix=fix))
    for init in starts.inits:
        if init.checkpoint is None:
            continue
        seeds = starts.seeds.pretrain
        files = dict.fromkeys(checkpoint_file(init.checkpoint, seed) for seed in seeds)
        missing = [path for path in files if not is_file(path)]
        if missing:
            more = f" (and {len(missing) - 1} more)" if len(missing) > 1 else ""
            message = f"there is no checkpoint {missing[0]}{more}"
            context.problems.add(HarnessError(message, where=where))
        for path in files:
            if path not in missing and not _holds_weights(path):
                error = HarnessError(f"{path} holds no weights as safetensors do", where=where)
                context.problems.add(error)


def _check_brought(starts: Starts, where: str, context: Context) -> None:
    """Note models that bring no weights, and pretraining seeds for which they have none."""
    for placed in starts.models:
        offer, settings = offer_from(placed.use, context.catalogue)
        if offer.pretrained is None:
            message = "the init 'pretrained' needs the section `pretrain`"
            fix = (
                f"add `pretrain: {{data: ..., method: ...}}`: {placed.use.name!r} brings no weights"
            )
            context.problems.add(HarnessError(message, where=where, fix=fix))
            return
        need = Need(placed.use, starts.seeds.pretrain, placed.mark)
        context.reach.needs.append(need)
        if context.problems.cut_off and context.reach.lacks(need):
            continue
        for seed in starts.seeds.pretrain:
            try:
                with answering(f"model {placed.use.name!r}", placed.mark):
                    offer.pretrained.source(settings, seed)
            except HarnessError as error:
                context.problems.add(error)
                break


def _holds_weights(path: Path) -> bool:
    """Whether a file starts as a safetensors file does: the length of a JSON table, and it."""
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            rest = path.stat().st_size - 8
            return length <= rest and isinstance(json.loads(file.read(length)), dict)
    except (OSError, ValueError):
        return False


def check_pretrain_data(pretrain: Pretrain, data: DataUse, where: str) -> None:
    """Raise where the pretrained network could not take the suite's inputs."""
    theirs, ours = input_shapes(pretrain.data.outline), input_shapes(data.outline)
    if theirs != ours:
        message = f"the inputs of the pretraining data are {theirs}, those of `data` are {ours}"
        raise HarnessError(message, where=where, fix="choose datasets of one shape")


def check_method(placed: Placed, outline: Outline, context: Context) -> None:
    """Raise where a method cannot be trained, or its recipe contradicts itself."""
    name = placed.use.name
    if context.catalogue.find("method", name).offer.kind != "train":
        message = f"the method {name!r} merges trained points, which is not supported yet"
        raise HarnessError(message, where=placed.mark)
    recipe = asked(placed, "recipe", context, outline)
    fault = _fault(recipe, outline)
    if fault:
        message = f"the recipe of method {placed.use.label!r} {fault}"
        raise HarnessError(message, where=placed.mark)


def _fault(recipe: object, outline: Outline) -> str:
    if not isinstance(recipe, Recipe):
        return "is not a Recipe"
    if not recipe.phases:
        return "has no phases"
    for number, phase in enumerate(recipe.phases, start=1):
        if (phase.steps is None) == (phase.epochs is None):
            return f"needs steps or epochs, not both, in phase {number}"
        if (phase.steps is not None and phase.steps < 1) or (
            phase.epochs is not None and phase.epochs <= 0
        ):
            return f"takes no step in phase {number}"
        if phase.label_smoothing and outline.task.kind == "regression":
            return "smooths labels, which regression has not: set `label_smoothing: 0`"
    return ""


def check_models(
    models: Sequence[Placed], data: DataUse, pretrain: Pretrain | None, context: Context
) -> None:
    """Note models that cannot take the data, or learn what they or those of `pretrain` ask."""
    kinds = {spec.kind for spec in data.outline.inputs.values()}
    wanted = {"data": data.outline.task.kind}
    if pretrain is not None:
        wanted["pretraining data"] = pretrain.data.outline.task.kind
    for placed in models:
        offer = context.catalogue.find("model", placed.use.name).offer
        if "text" in kinds and offer.reader is None:
            message = f"the model {placed.use.name!r} takes no text"
            fix = f"dataset {data.train.dataset.name!r} is text; choose a model that reads"
            context.problems.add(HarnessError(message, where=placed.mark, fix=fix))
        strange = kinds - {*offer.inputs, "text"}
        if strange:
            message = f"the model {placed.use.name!r} takes {' and '.join(offer.inputs)} inputs"
            fix = f"dataset {data.train.dataset.name!r} has {' and '.join(sorted(strange))} inputs"
            context.problems.add(HarnessError(message, where=placed.mark, fix=fix))
        for which, kind in wanted.items():
            if kind not in offer.tasks:
                message = f"the model {placed.use.name!r} is for {' and '.join(offer.tasks)}"
                fix = f"the {which} are for {_in_words(kind)}"
                context.problems.add(HarnessError(message, where=placed.mark, fix=fix))


def _in_words(kind: str) -> str:
    return "language (text without labels)" if kind == "language" else kind


def check_scores(scores: Sequence[Placed], data: DataUse, context: Context) -> None:
    """Note scores over groups where no split has groups, and scores of other tasks."""
    kind = data.outline.task.kind
    for placed in scores:
        offer = context.catalogue.find("score", placed.use.name).offer
        if (offer.needs == "values") != (kind == "regression"):
            message = f"the score {placed.use.name!r} is not for {kind}"
            fix = "`seedscape list score` names the others"
            context.problems.add(HarnessError(message, where=placed.mark, fix=fix))
        if offer.groups and not any(split.grouped for split in data.splits):
            message = f"the score {placed.use.name!r} needs groups"
            used = dict.fromkeys(split.dataset.name for split in data.splits)
            fix = f"dataset {words([repr(name) for name in used])} has none"
            context.problems.add(HarnessError(message, where=placed.mark, fix=fix))


def over_groups(scores: Sequence[Placed], context: Context) -> list[Placed]:
    """Those of the scores that need groups."""
    return [each for each in scores if context.catalogue.find("score", each.use.name).offer.groups]


def check_primary(primary: Primary, grouped: Sequence[Placed], data: DataUse) -> None:
    """Raise where the answer would be read off a score over groups on a split without groups."""
    placed = next((each for each in grouped if each.use.label == primary.score), None)
    if placed is None:
        return
    wanted = (primary.id, *primary.ood)
    without = [each.name for each in data.splits if each.name in wanted and not each.grouped]
    if without:
        verb = "has" if len(without) == 1 else "have"
        message = f"the score {primary.score!r} needs groups; {words(without)} {verb} none"
        fix = "let the answer be read off another score or other splits (`primary`)"
        raise HarnessError(message, where=placed.mark, fix=fix)


def check_task(metrics: Sequence[Placed], outline: Outline, context: Context) -> None:
    """Note metrics that cannot be read on the data's kind of task."""
    for placed in metrics:
        tasks = context.catalogue.find("metric", placed.use.name).offer.tasks
        if outline.task.kind not in tasks:
            message = f"the metric {placed.use.name!r} is for {' and '.join(tasks)}"
            fix = f"the data are for {outline.task.kind}"
            context.problems.add(HarnessError(message, where=placed.mark, fix=fix))


def check_metric(metric: MetricUse, seeds: SeedDesign, where: str) -> None:
    """Raise where a pair metric finds no pair of runs."""
    if metric.of != "pair":
        return
    within = len(seeds.finetune) * len(seeds.order or (0,))
    runs = within * len(seeds.pretrain)
    name = metric.use.name
    if runs < 2:
        fix = "add seeds, or remove the metric"
        raise HarnessError(f"{name!r} pairs runs, and there is only one", where=where, fix=fix)
    if metric.pairs == "within-pretrain-seed" and within < 2:
        message = f"{name!r} pairs runs of one pretrain seed, and there is only one of each"
        raise HarnessError(message, where=where, fix="add fine-tune seeds")
