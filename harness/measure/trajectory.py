"""How the runs of a scene were trained, as one metric sees it."""

from dataclasses import replace

from harness.api.errors import HarnessError
from harness.api.trajectories import Trace, TrainingFacts
from harness.measure.scene import Trainings
from harness.measure.view import View


def facts(view: View, key: str) -> TrainingFacts:
    """What the run's recipe says."""
    return view.shared.samples.get(("facts", key), lambda: _of(view).facts(key), lambda _: 0)


def replay(view: View, key: str) -> Trace:
    """The run trained again, step by step; once for all metrics of a pack, the first pays."""
    view.enter("train", labels=True)
    trainings = _of(view)

    def make() -> Trace:
        trace = trainings.replay(key)
        view.ledger.gradient(trace.examples_seen)
        return trace

    trace = view.shared.evaluations.get(("trace", key), make, _bytes)
    view.dtype = view.dtype or "float32"  # what runs are trained in
    return _copied(trace)


def _copied(trace: Trace) -> Trace:
    """One's own: metrics share what was found, not the tensors that hold it."""
    return replace(
        trace,
        loss=trace.loss.clone(),
        rate=trace.rate.clone(),
        gradient_norm=trace.gradient_norm.clone(),
        squares={name: column.clone() for name, column in trace.squares.items()},
        rms={name: column.clone() for name, column in trace.rms.items()},
        updates={name: column.clone() for name, column in trace.updates.items()},
    )


def _of(view: View) -> Trainings:
    if view.scene.trainings is None:
        raise HarnessError("nothing is known here of how the runs were trained")
    return view.scene.trainings


def _bytes(trace: Trace) -> int:
    columns = 3 * len(trace.rms) + 3
    return columns * trace.loss.nbytes
