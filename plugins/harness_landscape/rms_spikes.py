"""`rms-spikes`: whether a second moment that lags behind its gradient foretells loss spikes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.api.errors import HarnessError
from harness.api.offers import Metric
from harness.api.readings import Curve, Reading, Value
from harness.api.settings import Settings, setting
from harness_landscape.foretelling import Foretold, foretold, loss_spikes, rises

if TYPE_CHECKING:
    from torch import Tensor

    from harness.api.probes import Probe
    from harness.api.trajectories import Trace

DRIFT = 0.01  # of the way: a replay that ends farther off is another run
POINTS = 1000  # of a curve


class RmsSpikesSettings(Settings):
    """What counts as a spike of either kind, and how soon the one is to follow the other."""

    tensor: str | None = setting(
        None,
        "the parameter tensor that is watched; null: the first weight that trained (the embedding, "
        "or the first layer)",
        source="the patch embedding: Wortsman et al. 2023, arXiv 2304.13013",
    )
    threshold: float = setting(
        2.3,
        "RMS_t from which a step counts as an RMS spike",
        source="Wortsman et al. 2023, arXiv 2304.13013",
        gt=0,
    )
    deviations: float = setting(
        3.2,
        "standard deviations above the running mean from which a loss counts as a spike",
        source="Wortsman et al. 2023, arXiv 2304.13013",
        gt=0,
    )
    window: int = setting(
        100,
        "losses before a step that its mean and standard deviation are taken of (at least 10)",
        source="a choice: the source says running statistics",
        ge=10,
    )
    lag: int = setting(
        8,
        "steps after an RMS spike within which a loss spike counts as foretold",
        source="1 to 8 iterations: Wortsman et al. 2023, arXiv 2304.13013",
        ge=1,
    )
    merge: int = setting(
        10,
        "spikes of one kind that are at most so many steps apart count once, as the first",
        source="a choice: a spike lasts for some steps",
        ge=0,
    )
    skip: float = setting(
        0.05,
        "share of the run's steps, at its start, in which nothing counts",
        source="a choice: losses that still fall fast have no steady spread",
        ge=0,
        lt=1,
    )


def measure(settings: RmsSpikesSettings, probe: Probe) -> Reading:
    """Train the run again; compare RMS spikes of one tensor with the loss spikes after them."""
    trace = probe.replay()
    name = _watched(settings.tensor, trace, probe)
    first = int(settings.skip * trace.steps) + 1
    warnings = rises(trace.rms[name] >= settings.threshold, first, settings.merge)
    spikes = loss_spikes(trace.loss, settings.deviations, settings.window)
    steps = trace.steps
    if trace.diverged_at is not None:  # no number is beyond every deviation
        steps = max(steps, trace.diverged_at)
        spikes = _with(spikes, trace.diverged_at)
    found = rises(spikes, first, settings.merge)
    told = foretold(warnings, found, first, steps, settings.lag)
    close = trace.drift <= DRIFT
    return Reading(
        values=_values(told, trace, name),
        curves=(_curve("rms", trace.rms[name]), _curve("loss", trace.loss)),
        protocol={
            "tensor": name,
            "threshold": settings.threshold,
            "deviations": settings.deviations,
            "window": settings.window,
            "lag": [1, settings.lag],
            "merge": settings.merge,
            "first_step": first,
            "steps": trace.steps,
            "diverged_at": trace.diverged_at,
            "second_moment": _second_moment(probe),
            "quantity": "loss of each training batch, training mode",
            "replay": "the run itself"
            if trace.drift == 0
            else f"trained again, it ends {trace.drift:.2g} of its way from the stored weights"
            + ("" if close else ": this is another run"),
        },
        converged=close,
    )


def _values(told: Foretold, trace: Trace, name: str) -> tuple[Value, ...]:
    import torch

    watched = trace.rms[name]
    largest = watched[torch.isfinite(watched)]
    values = {
        "recall": told.recall,
        "precision": told.precision,
        "chance": told.chance,
        "max-rms": float(largest.max()) if len(largest) else float("nan"),
        "loss-spikes": float(told.events),
        "rms-spikes": float(told.warnings),
    }
    details = {"chance-precision": told.chance_precision, "replay-drift": trace.drift}
    return (
        *(Value(name=name, value=value) for name, value in values.items()),
        *(Value(name=name, value=value, detail=True) for name, value in details.items()),
    )


def _watched(wanted: str | None, trace: Trace, probe: Probe) -> str:
    """The tensor that is watched."""
    if wanted is not None:
        if wanted not in trace.rms:
            raise HarnessError(
                f"no parameter {wanted!r} trained", fix=f"there are: {', '.join(trace.rms)}"
            )
        return wanted
    weights = probe.weights()
    matrices = [name for name in trace.rms if weights[name].ndim > 1]
    names = matrices or list(trace.rms)
    if not names:
        raise HarnessError("the run took no step, so nothing can be watched")
    return names[0]


def _second_moment(probe: Probe) -> str:
    names = {phase.optimizer.name for phase in probe.training().phases}
    if "sgd" in names:
        return "an average of squares of its own (beta 0.999): sgd keeps none"
    return "the optimizer's, debiased"


def _with(spikes: Tensor, step: int) -> Tensor:
    """The same with a spike at that step (1 is the first), however few steps there were."""
    import torch

    longer = torch.zeros(max(len(spikes), step), dtype=torch.bool)
    longer[: len(spikes)] = spikes
    longer[step - 1] = True
    return longer


def _curve(name: str, numbers: Tensor) -> Curve:
    """At most so many points, each the largest of its stretch."""
    import torch

    width = max(1, -(-len(numbers) // POINTS))
    stretches = torch.split(numbers.nan_to_num(nan=-torch.inf, posinf=torch.inf), width)
    tops = [float(part.max()) if len(part) else float("nan") for part in stretches]
    return Curve(
        name=name,
        split=None,
        x=[float(1 + place * width) for place in range(len(tops))],
        y={name: [top if top > -torch.inf else float("nan") for top in tops]},
        axis="step",
    )


RMS_SPIKES = Metric(
    name="rms-spikes",
    about="Whether an optimizer's lagging second moment foretells spikes of the training loss.",
    source="Wortsman et al. 2023, arXiv 2304.13013 (for AdamW and the patch embedding of CLIP)",
    settings=RmsSpikesSettings,
    measure=measure,
    of="trajectory",
    access="train",
    direction="depends: max-rms is 1 for steady gradients",
    formula="RMS_t = sqrt(mean(g_t^2 / max(u_t, eps^2))) of one parameter tensor, u_t the debiased "
    "average of g_t^2 with the optimizer's beta2, g_t included (sgd: 0.999). RMS spike: RMS_t >= "
    "threshold. Loss spike: a batch's loss >= mean + deviations x sd of the losses in the window "
    "before it; a divergence is one. recall: share of loss spikes 1..lag steps after an RMS spike; "
    "chance: share of steps that lie so; precision: share of RMS spikes followed so by a loss "
    "spike; chance-precision: share of steps followed so. NaN where there are none.",
    invariances="scaling of the loss (but for eps).",
    cost="one training of the run, all over again, shared by the metrics that ask for it.",
    oracle="constant gradients (RMS 1) and a jump by c (c / sqrt(b + (1 - b) c^2)); spikes laid "
    "by hand with and without a lag; steps written down by a loop of one's own.",
    wants=lambda settings: ("start",),
)
