"""The pilot of a plan for seeds: components from a suite's results, or given by hand."""

import pandas as pd

from harness.analyze.results import Results
from harness.analyze.shares import variance_shares
from harness.analyze.spread import ScoreNature, spreads
from harness.api.cells import Plan
from harness.api.errors import HarnessError
from harness.api.numbers import some
from harness.api.seedplans import PilotNote
from harness.api.variance import VarianceShare

SEEDS = ["pretrain_seed", "finetune_seed", "order_seed"]


def pilot_of(results: Results, plan: Plan, design: str, wanted: dict[str, str | None]) -> PilotNote:
    """Components of a procedure's score on a split; with `against`, of the differences.

    `wanted` may name `procedure`, `against`, `split` and `score`; by default the first procedure,
    the first primary OOD split and the primary score are taken.

    Raises:
        HarnessError: there is no such thing, or its components cannot be told.
    """
    labels = [procedure.label for procedure in plan.procedures]
    primary = plan.primary
    procedure = _known("procedure", wanted["procedure"] or labels[0], labels)
    split = wanted["split"] or (*primary.ood, primary.id)[0]
    score = wanted["score"] or primary.score
    _known("split", split, [one.name for one in plan.splits])
    scores = results.scores
    _known("score", score, list(dict.fromkeys(scores["score"])))
    scores = scores[(scores["split"] == split) & (scores["score"] == score)]
    rows = scores[scores["procedure"] == procedure]
    source = f"{procedure}, {score} on {split}"
    if wanted["against"]:
        other = _known("procedure", wanted["against"], labels)
        rows = _differences(rows, scores[scores["procedure"] == other])
        source = f"{procedure} less {other}, {score} on {split}"
    if rows.empty:
        raise HarnessError(f"nothing is known of {source}", fix="the procedures share no seeds")
    (share,) = variance_shares(rows, spreads(rows, {score: ScoreNature(True, False)}), design)
    return _note(share, source)


def by_hand(sds: tuple[float, ...]) -> PilotNote:
    """A pilot with the standard deviations of pretraining, fine-tuning and (crossed) rest."""
    crossed = len(sds) == 3
    return PilotNote(
        source="given by hand",
        design="crossed" if crossed else "nested",
        pretrain_sd=sds[0],
        finetune_sd=sds[1],
        rest_sd=sds[2] if crossed else None,
    )


def _note(share: VarianceShare, source: str) -> PilotNote:
    if share.pretrain_sd is None or share.finetune_sd is None:
        raise HarnessError(
            f"the components of {source} cannot be told: {share.note}",
            fix="run more seeds, or give them: --components PRETRAIN,FINETUNE,REST",
        )
    if share.order is not None:
        raise HarnessError(
            f"{source} has three kinds of seeds: designs of two are planned",
            fix="give the standard deviations: --components PRETRAIN,FINETUNE,REST",
        )
    return PilotNote(
        source=source,
        design=share.design,
        pretrain_sd=share.pretrain_sd,
        finetune_sd=share.finetune_sd,
        rest_sd=share.interaction_sd,
        pretrain_sd_range=share.pretrain_sd_range,
        finetune_sd_range=share.finetune_sd_range,
        rest_sd_range=share.interaction_sd_range,
        seeds=share.pretrain_seeds,
    )


def _known(what: str, name: str, names: list[str]) -> str:
    if name not in names:
        raise HarnessError(f"there is no {what} '{name}'", fix=f"it has {some(names, 10)}")
    return name


def _differences(ours: pd.DataFrame, theirs: pd.DataFrame) -> pd.DataFrame:
    """Runs with the same seeds, ours less theirs; missing where either is."""
    both = ours.merge(theirs[[*SEEDS, "value", "state"]], on=SEEDS, suffixes=("", "_other"))
    both["value"] = both["value"] - both["value_other"]
    both["state"] = both["state"].where(both["state_other"] == "ok", both["state_other"])
    return both.drop(columns=["value_other", "state_other"])
