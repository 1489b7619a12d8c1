"""Variance components of a score over pretraining seeds x fine-tuning seeds (balanced ANOVA)."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Table = NDArray[np.float64]


@dataclass(frozen=True)
class Components:
    """Estimated variances. `truncated` names those that came out negative and were set to 0.

    `interaction` is the residual of a table with one run per cell: interaction and everything
    else. It is None in a nested design, where the fine-tuning component holds all that.
    """

    pretrain: float
    finetune: float
    interaction: float | None
    truncated: tuple[str, ...] = ()

    @property
    def total(self) -> float:
        """The variance of one run with new seeds of both kinds."""
        return self.pretrain + self.finetune + (self.interaction or 0.0)


def crossed(table: Table) -> Components:
    """Components of y_ij = mu + A_i + B_j + e_ij, a pretraining x b fine-tuning seeds.

    The same b fine-tuning seeds are used with every pretraining seed, one run per cell:
    sigma2_A = (MS_A - MS_E) / b, sigma2_B = (MS_B - MS_E) / a, sigma2_E = MS_E with
    (a - 1)(b - 1) degrees of freedom (Searle, Casella, McCulloch, Variance Components, 1992, 4.4).
    Unbiased before truncation at 0. `table` is [a, b], finite, a and b at least 2.

    >>> crossed(np.array([[1.0, 2.0], [3.0, 4.0]]))
    Components(pretrain=2.0, finetune=0.5, interaction=0.0, truncated=())
    """
    a, b = _checked(table)
    rows, columns, mean = table.mean(axis=1), table.mean(axis=0), table.mean()
    residual = table - rows[:, None] - columns[None, :] + mean
    ms_rows = b * rows.var(ddof=1)
    ms_columns = a * columns.var(ddof=1)
    ms_error = float((residual**2).sum()) / ((a - 1) * (b - 1))
    return _components((ms_rows - ms_error) / b, (ms_columns - ms_error) / a, ms_error)


def nested(table: Table) -> Components:
    """Components of y_ij = mu + A_i + e_j(i), where fine-tuning seeds differ under each i.

    sigma2_A = (MS_A - MS_W) / b, sigma2_W = MS_W, the mean variance within a pretraining seed;
    sigma2_A / (sigma2_A + sigma2_W) is the intraclass correlation.

    >>> nested(np.array([[1.0, 3.0], [5.0, 7.0]]))
    Components(pretrain=7.0, finetune=2.0, interaction=None, truncated=())
    """
    _, b = _checked(table)
    ms_within = float(table.var(axis=1, ddof=1).mean())
    ms_rows = b * table.mean(axis=1).var(ddof=1)
    return _components((ms_rows - ms_within) / b, ms_within, None)


def sampling_sd(proportion: float, examples: int) -> float | None:
    """Standard error of a proportion measured on n examples: sqrt(p (1 - p) / n).

    What testing on n examples drawn anew would do to one run's score, whatever the seeds. None
    where p is no proportion or n is not positive.

    >>> round(sampling_sd(0.9, 900), 4)
    0.01
    """
    if examples < 1 or not 0 <= proportion <= 1:
        return None
    return math.sqrt(proportion * (1 - proportion) / examples)


def _checked(table: Table) -> tuple[int, int]:
    a, b = table.shape
    if a < 2 or b < 2:
        raise ValueError(f"two seeds of each kind are needed, not {a} x {b}")
    if not np.isfinite(table).all():
        raise ValueError("every run needs a finite value")
    return a, b


def _components(pretrain: float, finetune: float, interaction: float | None) -> Components:
    tiny = 1e-12 * (abs(pretrain) + abs(finetune) + abs(interaction or 0.0))
    truncated = tuple(
        name for name, value in (("pretrain", pretrain), ("finetune", finetune)) if value < -tiny
    )
    return Components(max(0.0, float(pretrain)), max(0.0, float(finetune)), interaction, truncated)
