"""The greedy soup: runs join the average one by one, as long as it gets no worse in-domain."""

from __future__ import annotations

from math import inf, isfinite
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.api.contexts import Probe, Weights

    Ready = Callable[[Weights], Weights]


def greedy_soup(probe: Probe, split: str, ready: Ready) -> tuple[Weights, int]:
    """The soup's weights and how many runs are in it.

    Recipe 1 of Wortsman et al. 2022 (arXiv 2203.05482): runs in the order of their accuracy on the
    in-domain `split` (equal ones by loss); each joins if the accuracy of the average does not fall.
    `ready` gives weights as they are evaluated (batch-norm statistics).
    """
    runs = range(len(probe.subject.keys))
    scores = [_score(ready(probe.weights(run)), split, probe) for run in runs]
    order = sorted(runs, key=lambda run: (scores[run], run))
    soup: Weights = probe.weights(order[0])
    error, size = scores[order[0]][0], 1
    for run in order[1:]:
        candidate = dict(probe.line(soup, probe.weights(run), [1 / (size + 1)])[0])
        tried = _score(ready(candidate), split, probe)[0]
        if tried <= error < inf:
            soup, error, size = candidate, tried, size + 1
    return ready(soup), size


def _score(point: Weights, split: str, probe: Probe) -> tuple[float, float]:
    """Error, then loss; what has no finite loss comes last, and joins nothing."""
    found = probe.evaluate([point], split)
    error, loss = float(found.error[0]), float(found.loss[0])
    return (error, loss) if isfinite(loss) else (inf, inf)
