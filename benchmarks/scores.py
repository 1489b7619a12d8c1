"""What scoring costs: six scores on 10,000 predictions of ten classes, and scikit-learn's time.

`python -m benchmarks.scores` prints it; `measure()` gives it.
"""

import statistics
import time
import warnings
from collections.abc import Callable

import numpy as np
from sklearn import metrics

from harness.api.cells import SplitUse, Use
from harness.evaluate.predictions import Predictions
from harness.evaluate.scoring import score
from harness.plug.discovery import discover

SIX = ("accuracy", "balanced-accuracy", "macro-f1", "mcc", "nll", "brier")


def predictions(n: int = 10_000, classes: int = 10) -> Predictions:
    """Random logits with some skill."""
    rng = np.random.default_rng(0)
    targets = rng.integers(0, classes, n)
    logits = rng.normal(size=(n, classes)).astype(np.float32)
    logits[np.arange(n), targets] += 1
    return Predictions(logits, targets)


def seconds(call: Callable[[], object], repeats: int = 15) -> float:
    """The median time of a call after a first one."""
    call()
    taken = []
    for _ in range(repeats):
        start = time.perf_counter()
        call()
        taken.append(time.perf_counter() - start)
    return statistics.median(taken)


def of_scikit_learn(given: Predictions) -> list[float]:
    """The same six numbers, from logits, as one would write it with scikit-learn."""
    powers = np.exp(given.logits - given.logits.max(axis=1, keepdims=True), dtype=np.float64)
    shares = powers / powers.sum(axis=1, keepdims=True)
    labels, true = given.logits.argmax(axis=1), given.targets
    one_hot = np.eye(shares.shape[1])[true]
    return [
        metrics.accuracy_score(true, labels),
        metrics.balanced_accuracy_score(true, labels),
        metrics.f1_score(true, labels, average="macro"),
        metrics.matthews_corrcoef(true, labels),
        metrics.log_loss(true, shares),
        ((shares - one_hot) ** 2).sum(axis=1).mean(),
    ]


def measure() -> dict[str, float]:
    """Milliseconds for six scores by each way, and ours over scikit-learn's."""
    catalogue, given = discover(), predictions()
    uses = [Use("score", name, name, {}, "") for name in SIX]
    split = SplitUse("test", Use("dataset", "random", "random", {}, ""), "", "test")
    scored = score(given, uses, catalogue, split)
    if not np.allclose(list(scored.scores.values()), of_scikit_learn(given)):
        raise AssertionError("the two ways disagree")
    ours = seconds(lambda: score(given, uses, catalogue, split))
    theirs = seconds(lambda: of_scikit_learn(given))
    modules = [
        (offer, offer.module(offer.settings()))
        for offer in (catalogue.find("score", name).offer for name in SIX)
    ]
    forms = {"labels": given.labels, "probabilities": given.probabilities}

    def through_modules() -> None:
        for offer, module in modules:
            module.compute(predictions=forms[offer.needs], references=given.targets)

    return {
        "six_scores_ms": 1000 * ours,
        "six_scores_through_evaluate_modules_ms": 1000 * seconds(through_modules),
        "scikit_learn_ms": 1000 * theirs,
        "ratio_to_scikit_learn": ours / theirs,
    }


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    for name, value in measure().items():
        print(f"{name:40} {value:8.2f}")
