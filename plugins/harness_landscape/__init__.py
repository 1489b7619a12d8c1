"""Built-in landscape metrics."""

from collections.abc import Iterable

from harness.api.hooks import hookimpl
from harness.api.offers import Metric
from harness_landscape.agreement import AGREEMENT
from harness_landscape.aligned_barrier import ALIGNED_BARRIER
from harness_landscape.attention_logits import ATTENTION_LOGITS
from harness_landscape.barrier import BARRIER
from harness_landscape.basin import BASIN
from harness_landscape.bezier import BEZIER
from harness_landscape.break_even import BREAK_EVEN
from harness_landscape.cg_clusters import CG_CLUSTERS
from harness_landscape.cka import CKA
from harness_landscape.confidence import CONFIDENCE
from harness_landscape.convexity_gap import CONVEXITY_GAP
from harness_landscape.criticality import CRITICALITY
from harness_landscape.distance import DISTANCE
from harness_landscape.edge_of_stability import EDGE_OF_STABILITY
from harness_landscape.fisher import FISHER
from harness_landscape.gradient_subspace import GRADIENT_SUBSPACE
from harness_landscape.hessian_density import HESSIAN_DENSITY
from harness_landscape.hessian_top import HESSIAN_TOP
from harness_landscape.hessian_trace import HESSIAN_TRACE
from harness_landscape.id_score import ID_SCORE
from harness_landscape.instability import INSTABILITY
from harness_landscape.layerwise_barrier import LAYERWISE_BARRIER
from harness_landscape.learning_curve import LEARNING_CURVE
from harness_landscape.lr_sensitivity import LR_SENSITIVITY
from harness_landscape.norms import NORMS
from harness_landscape.pac_bayes import PAC_BAYES
from harness_landscape.plane import PLANE
from harness_landscape.polychain import POLYCHAIN
from harness_landscape.rewind import REWIND
from harness_landscape.rms_spikes import RMS_SPIKES
from harness_landscape.shared_mistakes import SHARED_MISTAKES
from harness_landscape.sharpness import SHARPNESS
from harness_landscape.slice import SLICE
from harness_landscape.soup_gain import SOUP_GAIN
from harness_landscape.subspace_dimension import SUBSPACE_DIMENSION
from harness_landscape.wise_curve import WISE_CURVE


@hookimpl
def harness_metrics() -> Iterable[Metric]:
    """Metrics of points and of pairs."""
    return (
        AGREEMENT,
        ALIGNED_BARRIER,
        ATTENTION_LOGITS,
        BARRIER,
        BASIN,
        BEZIER,
        BREAK_EVEN,
        CG_CLUSTERS,
        CKA,
        CONFIDENCE,
        CONVEXITY_GAP,
        CRITICALITY,
        DISTANCE,
        EDGE_OF_STABILITY,
        FISHER,
        GRADIENT_SUBSPACE,
        HESSIAN_DENSITY,
        HESSIAN_TOP,
        HESSIAN_TRACE,
        ID_SCORE,
        INSTABILITY,
        LAYERWISE_BARRIER,
        LEARNING_CURVE,
        LR_SENSITIVITY,
        NORMS,
        PAC_BAYES,
        PLANE,
        POLYCHAIN,
        REWIND,
        RMS_SPIKES,
        SHARED_MISTAKES,
        SHARPNESS,
        SLICE,
        SOUP_GAIN,
        SUBSPACE_DIMENSION,
        WISE_CURVE,
    )
