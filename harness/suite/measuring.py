"""The section `metrics`: where each metric is read, and which runs it pairs."""

from __future__ import annotations

from typing import Literal

from harness.api.cells import Primary, SplitUse
from harness.api.errors import HarnessError
from harness.api.settings import split_names as split_names_in
from harness.api.suites import MetricUse
from harness.plug import offer_from
from harness.suite.language import PAIR_KEYS
from harness.suite.nodes import Node, Scalar, Table
from harness.suite.problems import unknown
from harness.suite.reading import table, whole, wrong
from harness.suite.sections import split_names
from harness.suite.uses import Context, Placed

TRAIN = "train"


def metric_of(
    placed: Placed, data: tuple[SplitUse, ...], primary: Primary, context: Context
) -> MetricUse:
    """A metric with its splits: those of `primary` that it may see, unless it names its own.

    It may name "train" too.
    """
    offer = context.catalogue.find("metric", placed.use.name).offer
    kinds = {split.name: split.kind for split in data} | {TRAIN: TRAIN}
    seen = {"train": (TRAIN,), "id": (TRAIN, "id")}.get(offer.access, (TRAIN, "id", "ood"))
    node = placed.beside.get("splits")
    if node is None:
        splits = tuple(name for name in (primary.id, *primary.ood) if kinds[name] in seen)
    else:
        splits = split_names(node, tuple(kinds), "split")
    shown = {name: placed.mark if node is None else str(node.mark) for name in splits}
    settings = offer_from(placed.use, context.catalogue)[1]
    named = {name: placed.mark for name in split_names_in(settings).values() if name in kinds}
    for name, mark in (shown | named).items():
        if kinds[name] not in seen:
            message = f"the metric {placed.use.name!r} may see {offer.access} data only"
            raise HarnessError(f"{message}, not {name!r}", where=mark)
    _check_named(placed, splits, tuple(kinds), context)
    pairs = placed.beside.get("pairs")
    if pairs is not None and offer.of != "pair":
        message = f"the metric {placed.use.name!r} is of a {offer.of}, so it has no pairs"
        raise HarnessError(message, where=str(pairs.mark), fix="remove `pairs`")
    return MetricUse(
        placed.use, offer.of, splits, "all" if pairs is None else _pairs(pairs, context)
    )


def _check_named(
    placed: Placed, splits: tuple[str, ...], known: tuple[str, ...], context: Context
) -> None:
    """Raise where a setting names a split that the metric is not given."""
    settings = offer_from(placed.use, context.catalogue)[1]
    for setting, split in split_names_in(settings).items():
        if split not in known:
            raise unknown(f"split in the setting {setting!r}:", split, known, placed.mark)
        if split not in (TRAIN, *splits):
            message = f"the setting {setting!r} of {placed.use.name!r} names the split {split!r}"
            fix = f"add it to the metric's splits: `splits: [{', '.join((*splits, split))}]`"
            raise HarnessError(message, where=placed.mark, fix=fix)


def _pairs(node: Node, context: Context) -> Literal["all", "within-pretrain-seed"] | int:
    if isinstance(node, Table):
        section = table(node, "pairs", PAIR_KEYS, context.problems)
        sample = section.get("sample")
        if sample is None:
            fix = "write {sample: 60}"
            raise HarnessError("pairs need a number to sample", where=str(node.mark), fix=fix)
        return whole(sample, "the number of pairs", least=1)
    word = node.value if isinstance(node, Scalar) else None
    if isinstance(word, int) and not isinstance(word, bool):
        return whole(node, "the number of pairs", least=1)
    if word == "all":
        return "all"
    if word == "within-pretrain-seed":
        return "within-pretrain-seed"
    raise wrong(node, "all, within-pretrain-seed or a number of pairs to sample", "pairs")
