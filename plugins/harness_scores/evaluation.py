"""The one class behind the built-in scores. Importing this file imports `evaluate` (seconds)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import datasets
import evaluate
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.api.settings import Settings

    Array = np.ndarray[Any, np.dtype[Any]]

USAGE = """
Args:
    predictions: labels [n], or probabilities [n, classes] where the score needs them; values [n]
        for scores of regression.
    references: true labels or values [n].
    groups: index of each example's group [n], for scores over groups only.
Returns:
    a mapping with one entry, the score under its own name.
"""


class ArrayMetric(evaluate.Metric):  # type: ignore[misc]  # the library carries no types
    """A score as an `evaluate.Metric`, computed by a function of arrays.

    Numpy arrays are scored where they are. Anything else (lists, `add`, `add_batch`) goes the
    library's way, in memory: no cache file and no lock. Nothing is downloaded and nothing drawn.
    """

    def __init__(
        self,
        name: str,
        function: Callable[[Any, Array, Array, Array | None], float],
        settings: Settings,
        *,
        about: str,
        needs: Literal["labels", "probabilities", "values", "labels and groups"] = "labels",
    ) -> None:
        self._score_name, self._function, self._settings = name, function, settings
        self._about, self._needs = about, needs
        super().__init__(keep_in_memory=True, seed=0)
        self.info.module_name = name

    def _build_data_dir(self) -> str:
        return ""  # the library would make a folder in the user's cache

    def _info(self) -> evaluate.MetricInfo:
        one = datasets.Value("float64" if self._needs == "values" else "int64")
        several = datasets.Sequence(datasets.Value("float64"))
        features = {
            "predictions": several if self._needs == "probabilities" else one,
            "references": one,
        }
        if self._needs == "labels and groups":
            features["groups"] = one
        return evaluate.MetricInfo(
            description=self._about,
            citation="",
            inputs_description=USAGE,
            features=datasets.Features(features),
        )

    def compute(
        self, *, predictions: Any = None, references: Any = None, **extra: Any
    ) -> dict[str, float] | None:
        """The score under its own name; arrays are taken as they are, without a copy."""
        given = {"predictions": predictions, "references": references, **extra}
        wanted = set(self._feature_names())
        if set(given) == wanted and all(isinstance(v, np.ndarray) for v in given.values()):
            return self._compute(**given)
        answer: dict[str, float] | None = super().compute(**given)
        return answer

    def _compute(
        self, predictions: Array, references: Array, groups: Array | None = None
    ) -> dict[str, float]:
        value = self._function(self._settings, predictions, references, groups)
        return {self._score_name: value}
