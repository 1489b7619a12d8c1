"""What a cell is, by content: the identity that its key is the hash of.

In an identity stand: stage, the engine's number, offers with settings and source hash, the bytes of
the data, parents' keys, seeds as far as they draw something, precision and limits. Left out are
defaults, hidden settings, labels and titles, names of splits that a result does not carry, and
everything that only later stages look at. So adding a seed, a split, a score or a metric to a
suite changes no key that was there before.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from harness.api.cells import (
    Cell,
    EvaluateWork,
    Limit,
    MeasureWork,
    PartWork,
    Seeds,
    SplitUse,
    Stage,
    TrainWork,
    Use,
    Work,
)
from harness.api.settings import Json

ENGINE = MappingProxyType(
    {
        Stage.PRETRAIN: 1,
        Stage.FINETUNE: 1,
        Stage.MERGE: 1,
        Stage.BRANCH: 1,
        Stage.EVALUATE: 1,
        Stage.PART: 1,
        Stage.MEASURE: 1,
    }
)
"""Raise a stage's number when its numerics change: all its cells, and their children, are new.

A branch trains as a fine-tuning does and has no run for a parent: raise these two together.
"""

SCORING = 1
"""The same for the step from stored predictions to scores: raising it predicts nothing again."""


def identity_of(cell: Cell) -> dict[str, Json]:
    """What the key of a cell is the hash of, as JSON; `key_of` turns it into the key."""
    shared = shared_identity(cell.stage, cell.work, cell.precision, cell.limit)
    return shared | own_identity(cell.work, cell.seeds, cell.parents)


def key_of(identity: Mapping[str, Json]) -> str:
    """The key: the stage and 32 hexadecimal digits.

    The digits of an evaluate cell are 24 for its predictions and 8 for its scores, with a dash
    between, so that cells whose predictions are the same share the longer part.
    """
    return assemble({name: canonical(value) for name, value in identity.items()})


def canonical(value: Json) -> str:
    """The one way of writing a JSON value: sorted keys, no spaces, shortest floats."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def assemble(parts: Mapping[str, str]) -> str:
    """The key of an identity whose top-level values are written already (see `canonical`)."""
    stage = parts["stage"].strip('"')
    if stage != Stage.EVALUATE:
        return f"{stage}-{_digest(parts, 32)}"
    predictions = {name: text for name, text in parts.items() if name != "scoring"}
    return f"{stage}-{_digest(predictions, 24)}-{_digest({'scoring': parts['scoring']}, 8)}"


def predictions_prefix(key: str) -> str:
    """The part of an evaluate cell's key that stands for its predictions.

    >>> predictions_prefix("evaluate-0123456789abcdef01234567-89abcdef")
    'evaluate-0123456789abcdef01234567'
    """
    return key.rpartition("-")[0]


def shared_identity(
    stage: Stage, work: Work, precision: str, limit: Limit | None
) -> dict[str, Json]:
    """The part of the identity that all cells of one piece of work have in common."""
    parts: dict[str, Json] = {
        "stage": stage.value,
        "engine": ENGINE[stage],
        "precision": precision,
        **_limits(limit, steps=isinstance(work, TrainWork)),
    }
    match work:
        case TrainWork():
            return parts | _training(work)
        case EvaluateWork():
            scores = sorted((_score(use) for use in work.scores), key=canonical)
            scoring: Json = {"engine": SCORING, "scores": [*scores]}
            return parts | {"split": _split(work.split), "scoring": scoring}
        case MeasureWork():
            splits: list[Json] = [{"name": s.name, **_split(s)} for s in work.splits]
            parts |= {"metric": _use(work.metric), "of": work.of}
            if work.scores:
                parts["scores"] = [_score(use) for use in work.scores]
            return parts | ({"splits": splits} if splits else {})
        case PartWork(whole=whole, part=part):
            measured = shared_identity(Stage.MEASURE, whole, precision, limit)
            return {**measured, **parts, "part": [part, whole.parts]}


def own_identity(work: Work, seeds: Sequence[Seeds], parents: Sequence[str]) -> dict[str, Json]:
    """The part of the identity that belongs to one cell: its parents and the seeds that it uses.

    What a parent was drawn with is in the parent's key already. Parts of a measurement are left
    out: into how many it was split changes no number.
    """
    if isinstance(work, MeasureWork) and work.parts:
        parents = parents[: -work.parts]
    own: dict[str, Json] = {"parents": list(parents)} if parents else {}
    if isinstance(work, TrainWork):
        own["seeds"] = _drawing(seeds[0], work.init)
    return own


def _digest(parts: Mapping[str, str], digits: int) -> str:
    text = ",".join(f'"{name}":{parts[name]}' for name in sorted(parts))
    return hashlib.sha256(f"{{{text}}}".encode()).hexdigest()[:digits]


def _training(work: TrainWork) -> dict[str, Json]:
    parts: dict[str, Json] = {
        "model": _use(work.model),
        "method": _use(work.method),
        "train": _split(work.train),
        "batch": work.batch,
        "init": work.init,
    }
    if work.augment:
        parts["augment"] = [_use(use) for use in work.augment]
    if work.checkpoint_digest is not None:
        parts["checkpoint"] = work.checkpoint_digest
    if work.branch is not None:
        parts["branch"] = {"step": work.branch.step, "copy": work.branch.copy}
    return parts


def _drawing(seeds: Seeds, init: str) -> dict[str, Json]:
    """Only the seeds that draw something: the rest is in the parent, or in nothing."""
    if seeds.finetune is None:
        return {"pretrain": seeds.pretrain}
    drawing: dict[str, Json] = {"finetune": seeds.finetune}
    if seeds.order is not None and seeds.order != seeds.finetune:
        drawing["order"] = seeds.order
    if seeds.nested:
        drawing["nested"] = True
    if seeds.nested or init == "random":
        drawing["pretrain"] = seeds.pretrain
    return drawing


def _use(use: Use) -> dict[str, Json]:
    settings = {name: value for name, value in use.settings.items() if name not in use.hidden}
    parts: dict[str, Json] = {"name": use.name, "digest": use.digest}
    if use.fingerprint:
        parts["fingerprint"] = use.fingerprint
    return parts | ({"settings": settings} if settings else {})


def _score(use: Use) -> dict[str, Json]:
    # A record holds scores by label: under another label the stored numbers could not be found.
    return _use(use) | ({"label": use.label} if use.label != use.name else {})


def _split(split: SplitUse) -> dict[str, Json]:
    parts: dict[str, Json] = {
        "dataset": _use(split.dataset),
        "fingerprint": split.fingerprint,
        "source": split.source,
    }
    if split.merged:
        parts["merged"] = [list(each.members) for each in split.merged]
    return parts | ({"by": [_use(use) for use in split.by]} if split.by else {})


def _limits(limit: Limit | None, *, steps: bool) -> dict[str, Json]:
    limits: dict[str, Json] = {}
    if limit is not None and limit.examples is not None:
        limits["examples"] = limit.examples
    if limit is not None and steps and limit.steps is not None:
        limits["steps"] = limit.steps
    return {"limit": limits} if limits else {}
