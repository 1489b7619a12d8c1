"""Which seed carries the variance: components per procedure x split x score, or why not."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from harness.statistics.components import Components, crossed, nested
from harness.analyze.frames import Record, grouped, records
from harness.api.findings import Spread, VarianceShare


def variance_shares(
    scores: pd.DataFrame, found: Sequence[Spread], design: str
) -> tuple[VarianceShare, ...]:
    """One per spread, in its order. Shares need a full table of finite values, 2 x 2 at least."""
    groups = grouped(records(scores), ["procedure", "split", "score"])
    return tuple(_share(rows, spread, design) for rows, spread in zip(groups, found, strict=True))


def _share(rows: Sequence[Record], spread: Spread, design: str) -> VarianceShare:
    pretrain = list(dict.fromkeys(row["pretrain_seed"] for row in rows))
    finetune = list(dict.fromkeys(row["finetune_seed"] for row in rows))
    a, b = len(pretrain), len(finetune)
    numbers: Mapping[str, object] = {}
    note = _why_not(rows, spread, (a, b))
    if not note:
        table = np.full((a, b), np.nan)
        for row in rows:
            place = pretrain.index(row["pretrain_seed"]), finetune.index(row["finetune_seed"])
            table[place] = row["value"]
        parts = nested(table) if design == "nested" else crossed(table)
        numbers = _numbers(parts)
        note = _remark(parts, design)
    return VarianceShare.model_validate(
        {
            "procedure": spread.procedure,
            "split": spread.split,
            "split_kind": spread.split_kind,
            "score": spread.score,
            "design": design,
            "pretrain_seeds": a,
            "finetune_seeds": b,
            "total_sd": spread.sd,
            "sampling_sd": spread.sampling_sd,
            "pretrain": None,
            "finetune": None,
            "interaction": None,
            **numbers,
            "note": note,
        }
    )


def _why_not(rows: Sequence[Record], spread: Spread, seeds: tuple[int, int]) -> str:
    """Why the shares cannot be told apart, or nothing."""
    if seeds[0] < 2 or seeds[1] < 2:
        which = "pretraining" if seeds[0] < 2 else "fine-tuning"
        return f"only one {which} seed: shares need two of each"
    if spread.planned != seeds[0] * seeds[1]:
        if any(row["order_seed"] != row["finetune_seed"] for row in rows):
            return "three kinds of seeds: shares of pretraining, head and order come later"
        return "not every pretraining seed is planned with every fine-tuning seed"
    if spread.runs < spread.planned:
        missing = spread.planned - spread.runs
        return f"{missing} of {spread.planned} runs missing: shares need a full table as yet"
    if spread.not_finite:
        return f"{spread.not_finite} of {spread.runs} values are not finite"
    if spread.worst == spread.best:
        return "all runs score the same"
    return ""


def _numbers(parts: Components) -> dict[str, object]:
    total = parts.total
    rest = parts.interaction
    return {
        "pretrain": parts.pretrain / total,
        "finetune": parts.finetune / total,
        "interaction": None if rest is None else rest / total,
        "pretrain_sd": parts.pretrain**0.5,
        "finetune_sd": parts.finetune**0.5,
        "interaction_sd": None if rest is None else rest**0.5,
        "truncated": parts.truncated,
    }


def _remark(parts: Components, design: str) -> str:
    names = {"pretrain": "pretraining", "finetune": "fine-tuning"}
    remarks = [f"{names[name]}: negative estimate shown as 0" for name in parts.truncated]
    if design == "nested":
        remarks.append("nested: the fine-tuning share holds everything within a pretraining seed")
    return "; ".join(remarks)
