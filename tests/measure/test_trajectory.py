"""What a probe says of how a run was trained, and what it costs to ask."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from harness.api.cells import MeasureWork, Use
from harness.api.errors import HarnessError
from harness.api.recipes import Optimizer
from harness.api.trajectories import Trace, TrainedPhase, TrainingFacts
from harness.measure.access import AccessControl
from harness.measure.probe import SceneProbe
from harness.run.board import group_of
from harness.testing.scenes import Known, World

FACTS = TrainingFacts(
    (
        TrainedPhase(Optimizer("sgd"), 8, (0.1, 0.2)),
        TrainedPhase(Optimizer("adamw"), 4, (0.01,)),
    ),
    examples=30,
)


class Counting(Known):
    """Counts how often a run is trained again."""

    times = 0

    def replay(self, key):
        type(self).times += 1
        return super().replay(key)


def trace(steps=3):
    each = torch.ones(steps, dtype=torch.float64)
    columns = {"w": each}
    return Trace(each, each, each, columns, columns, columns, examples_seen=20)


def world(trainings):
    data = {"train": (torch.zeros(4, 2), torch.zeros(4, dtype=torch.int64))}
    runs = {key: nn.Linear(2, 2).state_dict() for key in "ab"}
    return World(nn.Linear(2, 2), data, runs, trainings=trainings)


def test_facts_name_the_step_that_is_taken_next():
    probe = world(Known({"a": FACTS})).probe("a")
    facts = probe.training()
    assert (facts.steps, facts.rates) == (3, (0.1, 0.2, 0.01))
    told = [facts.from_step(step) for step in range(5)]
    assert [rate for _, rate in told] == [0.1, 0.2, 0.01, 0.01, 0.01]
    assert [phase.batch for phase, _ in told] == [8, 8, 4, 4, 4]
    assert probe.ledger.cost().forward == 0
    with pytest.raises(ValueError, match="no steps"):
        TrainingFacts((), 30).from_step(0)


def test_a_run_is_trained_again_once_for_all_who_ask_and_the_first_pays():
    known = Counting({}, {"a": trace(), "b": trace()})
    place = world(known)
    shared = place.shared()
    first, second = (place.probe("a", "b", shared=shared) for _ in range(2))
    assert torch.equal(first.replay().loss, second.replay().loss)
    assert Counting.times == 1
    assert (first.ledger.cost().forward, first.ledger.cost().backward) == (20, 20)
    assert second.ledger.cost().forward == 0
    second.replay(1)
    assert Counting.times == 2
    assert second.ledger.cost().forward == 20


def test_a_replay_looks_at_training_data():
    place = world(Known({}, {"a": trace()}))
    access = AccessControl("test", "train")
    probe = SceneProbe(place.probe("a").subject, (), access, place.shared())
    probe.replay()
    assert access.by_split == {"train": "train"}


def test_where_nothing_is_known_of_trainings_the_message_says_so():
    probe = world(None).probe("a")
    for asked in (probe.training, probe.replay):
        with pytest.raises(HarnessError, match="how the runs were trained"):
            asked()


def test_readings_of_a_run_and_of_its_way_go_into_one_job():
    from training_scene import a_cell

    run = a_cell(1)
    work = run.work
    point = MeasureWork(Use("metric", "m", "m", {}, ""), "point", work.model, work.train, ())
    cell = replace(run, work=point, parents=("r1",), stage="measure")
    way = replace(cell, work=replace(point, of="trajectory"))
    assert group_of(cell) == group_of(way)
    assert group_of(cell) != group_of(replace(way, parents=("r2",)))


def test_what_a_metric_does_to_a_trace_is_nothing_to_the_next_one():
    here = world(Known({"a": FACTS}, {"a": trace()}))
    shared = here.shared()
    first = here.probe("a", shared=shared).replay()
    for tensor in (first.loss, first.rms["w"]):
        tensor.zero_()
    second = here.probe("a", shared=shared).replay()
    assert second.loss.tolist() == second.rms["w"].tolist() == [1.0, 1.0, 1.0]
