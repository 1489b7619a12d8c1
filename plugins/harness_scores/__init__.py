"""Built-in scores: modules of `evaluate` that work offline, and any module of the hub by name."""

from collections.abc import Iterable

from harness.api.hooks import hookimpl
from harness.api.offers import Score
from harness_scores.accuracy import ACCURACY
from harness_scores.balanced_accuracy import BALANCED_ACCURACY
from harness_scores.brier import BRIER
from harness_scores.ece import ECE
from harness_scores.glue import GLUE
from harness_scores.glue_stsb import GLUE_STSB
from harness_scores.hub import HUB, HUB_ERROR
from harness_scores.macro_f1 import MACRO_F1
from harness_scores.mcc import MCC
from harness_scores.mse import MSE
from harness_scores.nll import NLL
from harness_scores.pearson import PEARSON
from harness_scores.spearman import SPEARMAN
from harness_scores.worst_group import WORST_GROUP


@hookimpl
def harness_scores() -> Iterable[Score]:
    """Scores of classification, and of regression."""
    return (
        ACCURACY,
        BALANCED_ACCURACY,
        BRIER,
        ECE,
        GLUE,
        GLUE_STSB,
        HUB,
        HUB_ERROR,
        MACRO_F1,
        MCC,
        MSE,
        NLL,
        PEARSON,
        SPEARMAN,
        WORST_GROUP,
    )
