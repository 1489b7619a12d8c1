"""One reading: the metric runs under guard, its cost is counted, its protocol completed."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from harness.api.contexts import Subject
from harness.api.errors import HarnessError
from harness.api.offers import Metric
from harness.api.probes import ProbeScore
from harness.api.readings import Reading
from harness.api.settings import Json, Settings
from harness.compute.device import autocast
from harness.measure.access import AccessControl
from harness.measure.guard import guarded
from harness.measure.probe import SceneProbe
from harness.measure.scene import Scene
from harness.measure.shared import Shared
from harness.measure.soundness import check


@dataclass(frozen=True)
class Order:
    """What to measure: a metric with its settings, on a subject, on some evaluation splits.

    `part` is the number of the part to measure, where the work is split; `scores` are those of the
    suite that the metric asked for.
    """

    metric: Metric
    settings: Settings
    subject: Subject
    splits: tuple[str, ...]
    part: int | None = None
    scores: Mapping[str, ProbeScore] = field(default_factory=dict)

    def measure(self, probe: SceneProbe) -> Reading:
        """What the metric makes of it."""
        if self.part is None:
            return self.metric.measure(self.settings, probe)
        if self.metric.parts is None:
            raise HarnessError(f"the metric {self.metric.name!r} has no parts")
        return self.metric.parts.measure(self.settings, probe, self.part)


def read(order: Order, shared: Shared) -> Reading:
    """Measure one subject.

    The protocol gains what the harness itself knows: `access` (the most that was looked at; "id"
    and below makes a legal predictor of OOD behaviour), `access_by_split`, `dtype`, `device`,
    `hessian_products`, and `restored` where the metric left something changed. Where a metric that
    looked at data does not say what became of batch norm, `batch_norm` says it: nothing.
    """
    access = AccessControl(order.metric.name, order.metric.access)
    scene = shared.scene
    probe = SceneProbe(order.subject, order.splits, access, shared, order.scores)
    with _evaluation_mode(scene):
        reading, restored = _guarded(order, probe, shared)
    if not isinstance(reading, Reading):  # a plugin's function may return anything
        raise HarnessError(
            f"the metric {order.metric.name!r} returned {type(reading).__name__}, no Reading",
            fix="let its measure() return a Reading",
        )
    check(order.metric.name, reading, {*scene.kinds, *order.splits})
    known: dict[str, Json] = {
        "access": access.used,
        "access_by_split": dict(access.by_split),
        "dtype": probe.view.dtype,
        "device": scene.device.type,
        "hessian_products": probe.ledger.products,
    }
    if restored:
        known["restored"] = list(restored)
    unsaid: dict[str, Json] = {}
    if access.by_split:
        unsaid["batch_norm"] = "the run's statistics, fixed" if probe.batch_norm else "none"
    return reading.model_copy(
        update={"protocol": {**unsaid, **reading.protocol, **known}, "cost": probe.ledger.cost()}
    )


def _guarded(order: Order, probe: SceneProbe, shared: Shared) -> tuple[Reading, tuple[str, ...]]:
    with guarded(shared.scene.network.module) as guard:
        probe.view.guard = guard
        try:
            return order.measure(probe), guard.restore()
        except Exception as problem:
            if guard.restore():
                problem.add_note(f"put back after the metric: {', '.join(guard.restored)}")
            raise
        finally:
            if guard.tampered:
                shared.forget()  # what was computed meanwhile may be of tampered weights


@contextmanager
def _evaluation_mode(scene: Scene) -> Iterator[None]:
    """The module in evaluation mode, float32 meaning float32."""
    module = scene.network.module
    modes = [(part, part.training) for part in module.modules()]
    try:
        module.eval()
        with autocast("float32", scene.device):
            yield
    finally:
        for part, mode in modes:
            part.training = mode
