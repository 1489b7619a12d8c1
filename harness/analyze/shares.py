"""Which seed carries the variance: components per procedure x split x score, or why not."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from harness.analyze.frames import Record, grouped, records
from harness.api.findings import Spread
from harness.api.numbers import count
from harness.api.variance import VarianceShare
from harness.statistics.chance import named
from harness.statistics.components import Components, crossed, nested
from harness.statistics.generalized import Design, Range, component_ranges
from harness.statistics.reml import REST, fit
from harness.statistics.unbalanced import decompose, factor_ranges, intraclass_range

COLUMNS = {"pretrain": "pretrain_seed", "finetune": "finetune_seed", "order": "order_seed"}
Told = Mapping[str, object]
Apart = Callable[["Seeded"], Told]
"""Tells seeds and testing apart, from the scores of single examples; nothing without them."""


@dataclass(frozen=True)
class Seeded:
    """The runs of one procedure, scored on one split, with a finite value each."""

    rows: Sequence[Record]
    design: str

    @cached_property
    def levels(self) -> dict[str, list[int]]:
        """Seeds by kind; the order's only where it has seeds of its own."""
        found = {name: list(dict.fromkeys(row[c] for row in self.rows))
                 for name, c in COLUMNS.items()}  # fmt: skip
        own = any(row["order_seed"] != row["finetune_seed"] for row in self.rows)
        if not own or len(found["order"]) < 2:
            del found["order"]
        return found

    @property
    def values(self) -> list[float]:
        """The scores."""
        return [row["value"] for row in self.rows]

    @property
    def full(self) -> bool:
        """Whether this is a whole table of two kinds of seeds."""
        sizes = [len(seeds) for seeds in self.levels.values()]
        return "order" not in self.levels and len(self.rows) == sizes[0] * sizes[1]

    def table(self) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
        """Places of the runs of a full table, [pretraining seeds, fine-tuning seeds]."""
        pretrain, finetune = self.levels["pretrain"], self.levels["finetune"]
        found = np.zeros((len(pretrain), len(finetune)), dtype=np.int64)
        for place, row in enumerate(self.rows):
            at = pretrain.index(row["pretrain_seed"]), finetune.index(row["finetune_seed"])
            found[at] = place
        return found

    def factors(self) -> dict[str, list[object]]:
        """Every run's level by kind of seed; nested, seeds differ under each pretraining seed."""
        found: dict[str, list[object]] = {}
        for name, seeds in self.levels.items():
            if len(seeds) < 2:
                continue
            own = [row[COLUMNS[name]] for row in self.rows]
            if self.design == "nested" and name != "pretrain":
                if "order" not in self.levels:
                    continue  # every run has a draw of its own: the rest
                own = [(row["pretrain_seed"], seed)
                       for row, seed in zip(self.rows, own, strict=True)]  # fmt: skip
            found[name] = own
        return found


def variance_shares(
    scores: pd.DataFrame, found: Sequence[Spread], design: str, apart: Apart = lambda _: {}
) -> tuple[VarianceShare, ...]:
    """One per spread, in its order; its intervals come from streams named after what they are of.

    Shares need two seeds of two kinds, and enough runs to tell them from the rest.
    """
    groups = grouped(records(scores), ["procedure", "split", "score"])
    return tuple(
        _share(rows, spread, design, apart) for rows, spread in zip(groups, found, strict=True)
    )


def _share(rows: Sequence[Record], spread: Spread, design: str, apart: Apart) -> VarianceShare:
    planned = Seeded(rows, design)
    runs = Seeded([row for row in rows if row["state"] == "ok"], design)
    numbers: Told = {}
    note = _why_not(runs, spread)
    if not note:
        try:
            numbers, note = _full(runs, spread) if runs.full else _any(runs, spread)
        except ValueError as error:
            note = f"shares cannot be told: {error}"
        else:
            numbers = {**numbers, **apart(runs)}
    if spread.runs < spread.planned:
        missing = f"{spread.planned - spread.runs} of {spread.planned} runs missing"
        note = f"{missing}; {note}" if note else missing
    return VarianceShare.model_validate(
        {
            "procedure": spread.procedure,
            "split": spread.split,
            "split_kind": spread.split_kind,
            "score": spread.score,
            "design": design,
            "pretrain_seeds": len(planned.levels["pretrain"]),
            "finetune_seeds": len(planned.levels["finetune"]),
            "order_seeds": len(planned.levels.get("order", ())),
            "runs": spread.runs,
            "total_sd": spread.sd,
            "sampling_sd": spread.sampling_sd,
            "pretrain": None,
            "finetune": None,
            "interaction": None,
            **numbers,
            "note": note,
        }
    )


def _why_not(runs: Seeded, spread: Spread) -> str:
    """Why the shares cannot be told apart, or nothing."""
    several = [name for name, seeds in runs.levels.items() if len(seeds) > 1]
    if not runs.rows:
        return "no run has a value"
    if "pretrain" not in several or len(several) < 2:
        which = "pretraining" if "pretrain" not in several else "fine-tuning"
        return f"only one {which} seed: shares need two of each"
    if spread.not_finite:
        return f"{spread.not_finite} of {spread.runs} values are not finite"
    if spread.worst == spread.best:
        return "all runs score the same"
    return ""


def _full(runs: Seeded, spread: Spread) -> tuple[Told, str]:
    """Balanced analysis of variance of a full table."""
    table = np.array(runs.values)[runs.table()]
    design: Design = "nested" if runs.design == "nested" else "crossed"
    parts = nested(table) if design == "nested" else crossed(table)
    ranges = component_ranges(table, design, _stream(spread))
    variances = {"pretrain": parts.pretrain, "finetune": parts.finetune}
    if parts.interaction is not None:
        variances["interaction"] = parts.interaction
    told = _numbers(variances, ranges) | {"method": "anova", "truncated": parts.truncated}
    if design == "nested":
        told |= _intraclass(runs)
    return told, _remark(parts, design)


def _any(runs: Seeded, spread: Spread) -> tuple[Told, str]:
    """Restricted maximum likelihood where a run is missing or there are three kinds of seeds."""
    factors = runs.factors()
    ranges = factor_ranges(runs.values, decompose(factors), _stream(spread))
    found = fit(runs.values, factors)
    alone = runs.design == "nested" and "order" not in runs.levels
    rest = "finetune" if alone else "interaction"
    variances = {rest if name == REST else name: v for name, v in found.variances.items()}
    named_ranges = {rest if name == REST else name: r for name, r in ranges.items()}
    told = _numbers(variances, named_ranges) | {"method": "reml"}
    if alone:
        told |= _intraclass(runs)
    remarks = [f"by REML from {count(len(runs.rows), 'run')}"]
    if "order" in factors:
        remarks.append("fine-tuning: head, dropout and augmentation; the data order apart")
    return told, "; ".join(remarks)


def _intraclass(runs: Seeded) -> dict[str, object]:
    """In a nested design the pretraining share is the intraclass correlation: exact interval."""
    low, high = intraclass_range(runs.values, [row["pretrain_seed"] for row in runs.rows])
    return {"pretrain_range": (low, high), "finetune_range": (1 - high, 1 - low)}


def _stream(spread: Spread) -> np.random.Generator:
    return named("shares", spread.procedure, spread.split, spread.score)


def _numbers(variances: Mapping[str, float], ranges: Mapping[str, Range]) -> dict[str, object]:
    total = sum(variances.values())
    told: dict[str, object] = {}
    for name, variance in variances.items():
        told[name] = variance / total
        told[f"{name}_sd"] = variance**0.5
        told[f"{name}_range"] = ranges[name].share
        told[f"{name}_sd_range"] = ranges[name].sd
    return told


def _remark(parts: Components, design: str) -> str:
    names = {"pretrain": "pretraining", "finetune": "fine-tuning"}
    remarks = [f"{names[name]}: negative estimate shown as 0" for name in parts.truncated]
    if design == "nested":
        remarks.append("nested: the fine-tuning share holds everything within a pretraining seed")
    return "; ".join(remarks)
