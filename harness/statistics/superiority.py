"""Not the mean but the next run: which procedure does better with a random seed, and with bad luck.

Both take weights of runs, [replicates, runs] (see `resampling.drawn_weights`), so that whole seeds
are drawn anew; `Grid.average` are the weights of the estimate itself. Larger scores are better:
negate those that should be small.
"""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

ROUNDING = 1e-9


def win_rates(ours: Array, theirs: Array, weights: tuple[Array, Array]) -> Array:
    """Chance [replicates] that a random run of ours beats a random one of theirs; ties are half.

    The Mann-Whitney statistic P(X > Y) + P(X = Y) / 2 with X and Y drawn independently, by seed
    (Agarwal et al. 2021, arXiv 2108.13264, call it the probability of improvement).

    >>> even = np.full((1, 2), 0.5)
    >>> win_rates(np.array([3.0, 1.0]), np.array([2.0, 1.0]), (even, even)).tolist()
    [0.625]
    """
    wins = (ours[:, None] > theirs[None]) + 0.5 * (ours[:, None] == theirs[None])
    rates: Array = np.einsum("br,rs,bs->b", weights[0], wins, weights[1], optimize=True)
    return rates


def lower_quantiles(scores: Array, weights: Array, share: float = 0.25) -> Array:
    """The score [replicates] at or below which `share` of the runs' weight lies.

    >>> lower_quantiles(np.array([4.0, 1.0, 3.0, 2.0]), np.full((1, 4), 0.25)).tolist()
    [1.0]
    """
    order = np.argsort(scores)
    reached = weights[:, order].cumsum(axis=1) >= share - ROUNDING
    found: Array = scores[order][reached.argmax(axis=1)]
    return found
