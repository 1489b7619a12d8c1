"""The smaller sections: starting points, seeds, metrics, what is primary."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal, cast

from harness.api.cells import Limit, Primary, SplitUse, Use
from harness.api.errors import HarnessError
from harness.api.suites import Init, SeedDesign
from harness.suite.language import (
    DESIGNS,
    INITS,
    LIMIT_KEYS,
    PRIMARY_KEYS,
    SEED_KEYS,
    USE,
)
from harness.suite.nodes import Listing, Node, Scalar, Table
from harness.suite.problems import twice
from harness.suite.reading import (
    choice,
    filled,
    home,
    items,
    label,
    path_from,
    table,
    text,
    whole,
    wrong,
)
from harness.suite.uses import Context

MOST_SEEDS = 100_000


def inits_of(node: Node, context: Context) -> tuple[Init, ...]:
    """Starting points, in order; problems are noted."""
    found: list[tuple[Init, str]] = []
    for item in filled(node, "inits"):
        init = context.problems.attempt(partial(_init, item, context))
        if init is not None:
            found.append((init, str(item.mark)))
    for place, (init, where) in enumerate(found):
        for other, _ in found[:place]:
            if other.label == init.label:
                fix = "give one of them a name with `as:`"
                error = HarnessError(f"the init {init.label!r} stands twice", where=where, fix=fix)
                context.problems.add(error)
            elif (other.kind, other.checkpoint) == (init.kind, init.checkpoint):
                message = f"the init {init.label!r} is the same as {other.label!r}"
                error = HarnessError(message, where=where, fix="remove one of them")
                context.problems.add(error)
    return tuple(init for init, _ in found)


def _init(node: Node, context: Context) -> Init:
    if isinstance(node, Scalar):
        kind = choice(node, "init", INITS)
        if kind == "checkpoint":
            fix = "write {checkpoint: ./weights/{seed}.safetensors}"
            raise HarnessError("a checkpoint needs a path", where=str(node.mark), fix=fix)
        return Init(kind, cast(Literal["random", "pretrained"], kind))
    section = table(node, "an init", (*INITS, USE), context.problems)
    entries = [entry for entry in section.entries if entry.key in INITS]
    if len(entries) != 1:
        fix = f"write one of {', '.join(INITS)}"
        raise HarnessError("an init is one starting point", where=str(node.mark), fix=fix)
    entry = entries[0]
    kind = cast(Literal["random", "pretrained", "checkpoint"], entry.key)
    named = section.get(USE)
    called = kind if named is None else label(named)
    if kind != "checkpoint":
        if section.get(kind) not in (None, Table(entry.value.mark, ())):
            raise HarnessError(f"{kind} has nothing to set", where=str(entry.value.mark))
        return Init(called, kind)
    path = text(entry.value, "checkpoint")
    if not path.endswith(".safetensors"):
        fix = "weights are read from .safetensors files only"
        raise HarnessError("is no .safetensors file", where=str(entry.value.mark), fix=fix)
    return Init(called, kind, path_from(path, home(entry.value.mark, context.folder)))


def checkpoint_file(path: str, seed: int) -> Path:
    """The file that a checkpoint's path stands for at one pretraining seed."""
    return Path(path.replace("{seed}", str(seed)))


def seeds_of(node: Node, context: Context) -> SeedDesign:
    """The seed design; a number n stands for 0 ... n-1."""
    section = table(node, "seeds", SEED_KEYS, context.problems)
    values: dict[str, tuple[int, ...]] = {}
    for axis in ("pretrain", "finetune", "order"):
        written = section.get(axis)
        if written is None:
            if axis != "order":
                fix = "write a number of seeds, or a list of them"
                where = str(section.mark)
                context.problems.add(HarnessError(f"seeds need {axis!r}", where=where, fix=fix))
            continue
        seeds = context.problems.attempt(partial(_seed_list, written, axis))
        values[axis] = seeds or (0,)
    design = section.get("design")
    chosen = "crossed" if design is None else choice(design, "design", DESIGNS)
    found = SeedDesign(
        pretrain=values.get("pretrain", (0,)),
        finetune=values.get("finetune", (0,)),
        order=values.get("order"),
        design=cast(Literal["crossed", "nested"], chosen),
    )
    runs = len(found.pretrain) * len(found.finetune) * len(found.order or (0,))
    if runs > MOST_SEEDS:
        message = f"the seeds stand for {runs} runs of each procedure, at most {MOST_SEEDS} can be"
        raise HarnessError(message, where=str(section.mark))
    return found


def _seed_list(node: Node, axis: str) -> tuple[int, ...]:
    if isinstance(node, Scalar):
        return tuple(range(whole(node, f"the number of {axis} seeds", least=1, most=MOST_SEEDS)))
    if not isinstance(node, Listing):
        raise wrong(node, "a number or a list of seeds", f"seeds.{axis}")
    seeds = tuple(whole(item, "a seed", least=0) for item in filled(node, f"seeds.{axis}"))
    again = twice([str(seed) for seed in seeds])
    if again is not None:
        place = len(seeds) - 1 - seeds[::-1].index(int(again))
        where = str(node.items[place].mark)
        raise HarnessError(f"the {axis} seed {again} stands twice", where=where)
    return seeds


@dataclass(frozen=True)
class Answer:
    """What `primary` may name: the scores and splits of the suite."""

    scores: tuple[Use, ...]
    splits: tuple[SplitUse, ...]

    def of_kind(self, kind: str) -> tuple[str, ...]:
        """Names of the splits that are `id` or `ood`."""
        return tuple(split.name for split in self.splits if split.kind == kind)


def primary_of(node: Node | None, known: Answer, main: str, context: Context) -> Primary:
    """What the suite's answer is read off; `main` is the in-domain split by default."""
    default = Primary(known.scores[0].label, main, known.of_kind("ood"))
    if node is None:
        return default
    section = table(node, "primary", PRIMARY_KEYS, context.problems)
    score, split, ood = (section.get(key) for key in PRIMARY_KEYS)
    labels = [use.label for use in known.scores]
    return Primary(
        score=default.score if score is None else choice(score, "score", labels),
        id=main if split is None else choice(split, "in-domain split", known.of_kind("id")),
        ood=default.ood if ood is None else split_names(ood, known.of_kind("ood"), "OOD split"),
    )


def split_names(node: Node, known: tuple[str, ...], what: str) -> tuple[str, ...]:
    """Names of splits that are known, none twice."""
    names = tuple(choice(item, what, known) for item in items(node))
    again = twice(names)
    if again is not None:
        raise HarnessError(f"the {what} {again!r} stands twice", where=str(node.mark))
    return names


def limit_of(node: Node | None, context: Context) -> Limit | None:
    """The limit that a resolved trial suite carries."""
    if node is None:
        return None
    section = table(node, "limit", LIMIT_KEYS, context.problems)
    examples, steps = section.get("examples"), section.get("steps")
    if examples is None and steps is None:
        fix = "write {examples: 200, steps: 10}"
        raise HarnessError("a limit needs examples or steps", where=str(node.mark), fix=fix)
    return Limit(
        examples=None if examples is None else whole(examples, "limit.examples", least=1),
        steps=None if steps is None else whole(steps, "limit.steps", least=1),
    )
