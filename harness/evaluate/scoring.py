"""From predictions to scores, through the offers that a suite names."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from harness.api.errors import HarnessError
from harness.api.offers import Score
from harness.api.results import Scored
from harness.evaluate.predictions import Array, Predictions, read_predictions
from harness.plug.uses import offer_from

if TYPE_CHECKING:
    from harness.api.cells import SplitUse, Use
    from harness.api.settings import Settings
    from harness.plug.catalogue import Catalogue
    from harness.store.store import Store


def score(
    predictions: Predictions, uses: Sequence[Use], catalogue: Catalogue, split: SplitUse
) -> Scored:
    """All scores of one point on one split, by label.

    An example whose logits are not all finite counts as a sure vote for a wrong class (the one
    after the true class) and is counted in `unscorable`. A score that fails, or is not finite, is
    named in `failed` with the reason; the others are not touched by it.
    """
    prepared = _Prepared(predictions)
    scores: dict[str, float] = {}
    failed: dict[str, str] = {}
    for use in uses:
        offer, settings = offer_from(use, catalogue)
        try:
            scores[use.label] = prepared.value(offer, settings)
        except Exception as error:  # a plugin's code may raise anything
            plain = isinstance(error, (HarnessError, ValueError))
            failed[use.label] = str(error) if plain else f"{type(error).__name__}: {error}"
    return Scored(
        split=split.name,
        examples=len(predictions.targets),
        unscorable=int((~predictions.scorable).sum()),
        truncated=predictions.truncated,
        scores=scores,
        failed=failed,
    )


def value_of(predictions: Predictions, offer: Score, settings: Settings) -> float:
    """One score; raises `ValueError` where it is not finite."""
    return _Prepared(predictions).value(offer, settings)


def rescore(
    key: str, uses: Sequence[Use], split: SplitUse, store: Store, catalogue: Catalogue
) -> Scored:
    """Scores from the stored predictions of a finished evaluate cell; nothing is predicted."""
    predictions = read_predictions(store.path(key, "predictions.parquet"))
    scored = score(predictions, uses, catalogue, split)
    return scored.model_copy(update={"predictions_from": key})


class _Prepared:
    """Predictions in the forms that scores ask for, each made once and only if asked for."""

    def __init__(self, predictions: Predictions) -> None:
        self._predictions = predictions
        self._forms: dict[str, Array] = {}

    def value(self, offer: Score, settings: Settings) -> float:
        given = self._predictions
        if not len(given.targets):
            raise ValueError("the split has no examples")
        if offer.groups and given.groups is None:
            raise ValueError("the split has no groups")
        groups = self._form("groups") if offer.groups else None
        targets = self._form("targets")
        if offer.compute is not None:
            value = float(offer.compute(settings, self._form(offer.needs), targets, groups))
        else:
            value = self._through_module(offer, settings, groups)
        if not math.isfinite(value):
            raise ValueError(f"the score is {value}")
        return value

    def _through_module(self, offer: Score, settings: Settings, groups: Array | None) -> float:
        extra = {} if groups is None else {"groups": groups}
        answer = offer.module(settings).compute(
            predictions=self._form(offer.needs), references=self._form("targets"), **extra
        )
        field = offer.field or offer.name
        if field not in answer:
            raise ValueError(f"the module gives no {field!r} but {', '.join(sorted(answer))}")
        return float(answer[field])

    def _form(self, needs: str) -> Array:
        if needs not in self._forms:
            form: Array = getattr(self._predictions, needs).view()
            form.flags.writeable = False  # a score that works in place would change the next one's
            self._forms[needs] = form
        return self._forms[needs]
