"""The section `data`: a dataset, how it is shifted, and the splits that come of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

from harness.api.cells import SplitUse, Use
from harness.api.data import Outline
from harness.api.errors import HarnessError
from harness.api.suites import DataUse
from harness.suite.asking import input_shapes, outline_of
from harness.suite.language import DATA_KEYS, OOD_KEYS, TRAIN_KEYS
from harness.suite.merging import merged_of, unlike
from harness.suite.nodes import Node, Table
from harness.suite.problems import unknown
from harness.suite.reading import checked_name, items, needed, table, text, whole
from harness.suite.uses import Context, Placed, one_use, single_uses

OTHER_DATASET = "natural"
"""The kind of shift to another dataset, unless the suite names it."""


@dataclass(frozen=True)
class Base:
    """The dataset of a section with its in-domain splits, on which OOD splits are made."""

    placed: Placed
    outline: Outline
    train: SplitUse
    id: tuple[SplitUse, ...]

    @property
    def main(self) -> str:
        """The in-domain split that is meant where none is named: "test", else the last."""
        return main_split(self.outline)


def main_split(outline: Outline) -> str:
    """The in-domain split that is meant where none is named: "test", else the last."""
    return "test" if "test" in outline.id else list(outline.id)[-1]


def data_of(node: Node, context: Context, *, batch: int | None = None) -> DataUse:
    """The data of a training. `batch` is the size where the section has none.

    Shifts of the training split are those of the in-domain splits too: they stay in-domain.

    Raises:
        HarnessError: something is missing; other problems are noted in the context.
    """
    what = "data"
    keys = [key for key in DATA_KEYS if batch is None or key != "ood"]
    section = table(node, what, keys, context.problems)
    placed = one_use(needed(section, "dataset", what), "dataset", context)
    outline, fingerprint = outline_of(placed, context)
    if outline.train == 0:
        message = f"dataset {placed.use.name!r} has no training examples"
        raise HarnessError(message, where=placed.mark, fix="name it as the `dataset` of a split")
    if outline.task.kind == "language" and batch is None:
        message = f"dataset {placed.use.name!r} has text without labels, which cannot be scored"
        fix = "name it in `pretrain:`, and labelled data here"
        raise HarnessError(message, where=placed.mark, fix=fix)
    by = _train_shifts(section.get("train"), outline, context)
    grouped = bool(outline.groups)
    train = SplitUse("train", placed.use, fingerprint, "train", by, grouped=grouped)
    base = Base(
        placed=placed,
        outline=outline,
        train=train,
        id=tuple(replace(train, name=name, source=name) for name in outline.id),
    )
    augment = single_uses(section.get("augment"), "shift", context)
    _applicable(augment, outline, context)
    written = section.get("batch")
    if written is None and batch is None:
        needed(section, "batch", what)
    size = batch or 1
    if written is not None:
        size = whole(written, "batch", least=1, most=2**24)
    return DataUse(
        outline=outline,
        train=train,
        splits=(*base.id, *_own_ood(base), *_made_ood(section.get("ood"), base, context)),
        augment=tuple(each.use for each in augment),
        batch=size,
    )


def _train_shifts(node: Node | None, outline: Outline, context: Context) -> tuple[Use, ...]:
    if node is None:
        return ()
    section = table(node, "train", TRAIN_KEYS, context.problems)
    shifts = single_uses(section.get("by"), "shift", context)
    _applicable(shifts, outline, context)
    return tuple(each.use for each in shifts)


def _own_ood(base: Base) -> list[SplitUse]:
    """The OOD splits that the dataset brings along."""
    return [
        SplitUse(
            name=name,
            dataset=base.train.dataset,
            fingerprint=base.train.fingerprint,
            source=name,
            shift=split.shift,
            parent=split.parent,
            grouped=base.train.grouped,
        )
        for name, split in base.outline.ood.items()
    ]


def _made_ood(node: Node | None, base: Base, context: Context) -> list[SplitUse]:
    """The OOD splits that the suite makes."""
    if node is None:
        return []
    if not isinstance(node, Table):
        table(node, "ood", ("NAME",), context.problems)  # raises: not a table
        return []
    found: dict[str, SplitUse] = {}
    contents: dict[str, str] = {}
    for entry in node.entries:
        read = partial(_ood_split, entry.key, entry.value, base, context)
        split = context.problems.attempt(read)
        if split is None:
            continue
        content = repr(replace(split, name="", shift=None, parent=None))
        if content in contents:
            message = f"the OOD split {entry.key!r} is the same as {contents[content]!r}"
            context.problems.add(HarnessError(message, where=str(entry.mark)))
        contents.setdefault(content, entry.key)
        found[entry.key] = split
    return list(found.values())


def _ood_split(name: str, node: Node, base: Base, context: Context) -> SplitUse:
    what = f"the OOD split {name!r}"
    where = str(node.mark)
    checked_name(name, "the name of an OOD split", where)
    if name == "train" or name in base.outline.id or name in base.outline.ood:
        raise HarnessError(f"the dataset has a split {name!r} already", where=where)
    section = table(node, what, OOD_KEYS, context.problems)
    parent = _parent(section, base)
    shifts = [one_use(item, "shift", context) for item in items(section.get("by"))]
    own = tuple(each.use for each in shifts)
    other = section.get("dataset")
    if other is None:
        if section.get("classes") is not None:
            raise HarnessError("`classes` goes with another `dataset`", where=where)
        if section.get("split") is not None:
            fix = "write `of: SPLIT`, or name the `dataset` that it comes from"
            raise HarnessError(f"{what} takes its examples from its parent", where=where, fix=fix)
        if not own:
            fix = "write `by: [{rotation: {degrees: 30}}]`, or name another `dataset`"
            raise HarnessError(f"{what} differs in nothing from {parent!r}", where=where, fix=fix)
        _applicable(shifts, base.outline, context)
        source = next(split for split in base.id if split.name == parent)
        made = replace(source, name=name, by=(*source.by, *own))
    else:
        made = _from_other(other, section, base, context)
        _applicable(shifts, base.outline, context)
        made = replace(made, name=name, by=own)
    kind = section.get("shift")
    if kind is not None:
        shift = text(kind, "shift")
    elif own:
        shift = context.catalogue.find("shift", own[0].name).offer.kind
    else:
        shift = OTHER_DATASET
    return replace(made, shift=shift, parent=parent)


def _parent(section: Table, base: Base) -> str:
    node = section.get("of")
    if node is None:
        return base.main
    parent = text(node, "of")
    if parent not in base.outline.id:
        raise unknown("in-domain split", parent, base.outline.id, node.mark)
    return parent


def _from_other(node: Node, section: Table, base: Base, context: Context) -> SplitUse:
    placed = one_use(node, "dataset", context)
    outline, fingerprint = outline_of(placed, context)
    classes = section.get("classes")
    merged = () if classes is None else merged_of(classes, outline, base.outline)
    fault, fix = _other_inputs(outline, base.outline), None
    if not fault and not merged:
        fault, fix = unlike(outline.task, base.outline.task)
    if fault:
        name, home = placed.use.name, base.placed.use.name
        message = f"dataset {name!r} does not fit the suite's {home!r}: {fault}"
        raise HarnessError(message, where=placed.mark, fix=fix)
    chosen = section.get("split")
    source = main_split(outline) if chosen is None else text(chosen, "split")
    known = ("train", *outline.id, *outline.ood)
    if source not in known:
        where = placed.mark if chosen is None else chosen.mark
        raise unknown(f"split of dataset {placed.use.name!r}:", source, known, where)
    in_domain = placed.use == base.placed.use and source in ("train", *base.outline.id)
    if in_domain and not section.get("by"):
        message = f"{source!r} is an in-domain split of the suite's own dataset"
        raise HarnessError(message, where=placed.mark, fix="shift it `by:`")
    grouped = bool(outline.groups)
    return SplitUse("", placed.use, fingerprint, source, merged=merged, grouped=grouped)


def _other_inputs(other: Outline, own: Outline) -> str:
    """Why a model of one dataset cannot take the inputs of another, or ""."""
    if input_shapes(other) != input_shapes(own):
        return f"its inputs are {input_shapes(other)}, not {input_shapes(own)}"
    for name, spec in own.inputs.items():
        fields = other.inputs[name].fields
        if len(fields) != len(spec.fields):
            return f"its texts are {', '.join(fields)}, not {', '.join(spec.fields)}"
    return ""


def _applicable(shifts: list[Placed], outline: Outline, context: Context) -> None:
    """Note shifts that are for another kind of input than the dataset has."""
    kinds = {spec.kind for spec in outline.inputs.values()}
    for each in shifts:
        wanted = context.catalogue.find("shift", each.use.name).offer.inputs
        if wanted not in kinds:
            message = f"the shift {each.use.name!r} needs {wanted} inputs"
            fix = f"the dataset has {', '.join(sorted(kinds))} inputs"
            context.problems.add(HarnessError(message, where=each.mark, fix=fix))
