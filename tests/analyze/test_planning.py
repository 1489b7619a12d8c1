"""How many seeds: what a plan says of designs, and of a pilot that knows little."""

import made_up
import numpy as np
import pytest

from harness.analyze.load import load_results
from harness.analyze.pilots import by_hand, pilot_of
from harness.analyze.planning import Question, plan_seeds
from harness.api.errors import HarnessError
from harness.api.seedplans import PilotNote, SeedPlan
from harness.statistics.power import Pilot, precision

NOTHING = {"procedure": None, "against": None, "split": None, "score": None}


def pilot_from(**more):
    plan = made_up.plan(5, 4, splits=("test", "rotation-60"), metrics=False)
    results = load_results(plan, made_up.MemoryStore(made_up.records(plan)))
    return pilot_of(results, plan, "crossed", NOTHING | more), plan, results


def test_the_half_width_is_that_of_the_statistics_and_the_cheapest_design_is_named():
    asked = Question(pretrain=(5, 10, 20), finetune=(2, 4), width=0.5)

    found = plan_seeds(by_hand((0.5, 0.1, 0.3)), asked)

    pilot = Pilot(0.25, 0.01, 0.09)
    for design in found.designs:
        exact = precision(pilot, design.pretrain_seeds, design.finetune_seeds).half_width
        assert design.half_width.estimate == pytest.approx(exact)
    (enough,) = found.enough
    fits = [d for d in found.designs if d.half_width.estimate <= 0.5]
    assert enough.pretrain_seeds * enough.finetune_seeds == min(d.runs for d in fits)


def test_designs_that_can_never_reach_five_percent_are_warned_of_and_never_enough():
    asked = Question(pretrain=(3, 5), finetune=(2,), difference=100.0, tau=0.9, paired=True)

    found = plan_seeds(by_hand((0.1, 0.1, 0.1)), asked)

    assert all(enough.pretrain_seeds is None for enough in found.enough if enough.question != "tau")
    assert any("with 3 or 5 pretraining seeds no difference" in w for w in found.warnings)
    assert any("6 are the fewest" in w for w in found.warnings)


def test_the_chance_to_find_a_tau_is_zero_where_no_p_can_be_small_and_the_same_twice():
    asked = Question(pretrain=(2, 8), finetune=(2,), tau=0.6)

    first, again = (plan_seeds(by_hand((0.5, 0.1, 0.3)), asked) for _ in range(2))

    assert first == again
    assert first.designs[0].tau_power == 0.0
    assert 0.2 < first.designs[1].tau_power <= 1.0


def test_a_pilot_takes_its_components_from_the_primary_split_and_plans_for_both_ends():
    pilot, _, _ = pilot_from()

    found = plan_seeds(pilot, Question(pretrain=(6,), finetune=(4,), difference=0.05))

    assert pilot.source == "pretrained, accuracy on rotation-60"
    (design,) = found.designs
    width = design.half_width
    assert width.best < width.estimate < width.worst
    assert design.power.worst < design.power.estimate < design.power.best
    assert any("the pilot has 5 pretraining seeds" in warning for warning in found.warnings)
    assert SeedPlan.model_validate_json(found.model_dump_json()) == found


def test_a_pilot_of_differences_takes_runs_with_the_same_seeds_apart():
    pilot, _, results = pilot_from(against="random")

    scores = results.scores[
        (results.scores["split"] == "rotation-60") & (results.scores["score"] == "accuracy")
    ]
    tables = [
        scores[scores["procedure"] == name]["value"].to_numpy().reshape(5, 4)
        for name in ("pretrained", "random")
    ]
    from harness.statistics.components import crossed

    exact = crossed(tables[0] - tables[1])
    assert pilot.pretrain_sd == pytest.approx(np.sqrt(exact.pretrain))
    assert pilot.rest_sd == pytest.approx(np.sqrt(exact.interaction))
    assert "pretrained less random" in pilot.source


def test_a_pilot_that_is_not_there_is_refused_by_name():
    with pytest.raises(HarnessError, match="no split 'nowhere'"):
        pilot_from(split="nowhere")
    with pytest.raises(HarnessError, match="no procedure 'other'"):
        pilot_from(against="other")


def test_two_components_are_those_of_a_nested_design():
    pilot = by_hand((0.5, 0.2))

    assert isinstance(pilot, PilotNote)
    found = plan_seeds(pilot, Question(pretrain=(6,), finetune=(1,)))
    assert found.designs[0].half_width.estimate is not None
