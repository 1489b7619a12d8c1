"""How procedures stand over several splits: numbers, intervals, and what is left out."""

import math

import made_up
import numpy as np
import pytest

from harness.api.cells import Primary

SPLITS = ("test", "rotation-30", "rotation-60", "noise")


def standings(plan, records=None):
    return made_up.findings(plan, records).standings


def of(found, procedure):
    return next(one for one in found.procedures if one.procedure == procedure)


def test_numbers_are_those_of_the_runs_over_all_ood_splits_where_one_alone_is_primary():
    plan = made_up.plan(4, 3, splits=SPLITS)
    findings = made_up.findings(plan)
    found = findings.standings
    table = {}
    for run in findings.runs:
        if (run.procedure, run.score) == ("random", "accuracy") and run.split != "test":
            table.setdefault((run.pretrain_seed, run.finetune_seed), {})[run.split] = run.value
    scores = np.array([[row[split] for split in SPLITS[1:]] for row in table.values()])

    one = of(found, "random")

    assert (found.splits, found.primary) == (SPLITS[1:], False)
    assert one.mean.value == pytest.approx(scores.mean())
    assert one.worst_split.value == pytest.approx(scores.mean(0).min())
    assert one.worst_split_name == SPLITS[1:][int(scores.mean(0).argmin())]
    assert one.worst_run == pytest.approx(scores.mean(1).min())
    assert one.mean.low < one.mean.value < one.mean.high
    shares = [point.value for point in one.profile]
    assert shares == sorted(shares, reverse=True)


def test_primary_splits_alone_count_where_there_are_two():
    from dataclasses import replace

    plan = made_up.plan(3, 2, splits=SPLITS)
    two = ("rotation-30", "noise")
    plan = replace(plan, primary=Primary("accuracy", "test", two))
    found = standings(plan)
    assert (found.splits, found.primary) == (two, True)


def test_intervals_are_wide_where_seeds_differ_and_absent_for_one_seed():
    alone = standings(made_up.plan(1, 1, splits=SPLITS))
    assert of(alone, "random").mean.low is None
    assert of(alone, "random").mean.value > 0


def test_the_chance_of_the_better_procedure_is_high_and_without_ends_where_it_always_wins():
    found = standings(made_up.plan(4, 3, splits=SPLITS))
    (one,) = found.improvements
    assert (one.first, one.second) == ("pretrained", "random")
    assert one.chance.value > 0.9
    if one.chance.value == 1:
        assert one.chance.low is None


def test_where_low_is_good_the_worst_is_the_highest():
    from dataclasses import replace

    plan = made_up.plan(3, 2, splits=SPLITS)
    plan = replace(plan, primary=Primary("nll", "test", ("rotation-30", "noise")))
    findings = made_up.findings(plan)
    one = of(findings.standings, "random")
    means = {
        s.split: s.mean
        for s in findings.spreads
        if (s.procedure, s.score) == ("random", "nll") and s.split in ("rotation-30", "noise")
    }
    assert one.worst_split.value == pytest.approx(max(means.values()))
    assert one.mean.low <= one.mean.value <= one.mean.high
    assert one.quartile.value >= one.mean.value


def test_runs_without_a_value_on_every_split_are_counted():
    plan = made_up.plan(3, 2, splits=SPLITS)
    records = made_up.records(plan)
    cell = next(c for c in plan.cells if c.stage == "evaluate" and c.work.split.name == "noise")
    del records[cell.key]
    one = of(standings(plan, records), cell.procedure)
    assert (one.runs, one.planned) == (5, 6)
    assert one.note == "1 of 6 runs lack a value on some split"


def test_a_value_that_is_not_finite_leaves_no_standing_and_says_why():
    plan = made_up.plan(3, 2, splits=SPLITS)
    records = made_up.records(plan)
    cell = next(c for c in plan.cells if c.stage == "evaluate" and c.work.split.name == "noise")
    result = records[cell.key].result.model_copy(
        update={"scores": {"accuracy": math.nan, "nll": 1.0}}
    )
    records[cell.key] = records[cell.key].model_copy(update={"result": result})
    one = of(standings(plan, records), cell.procedure)
    assert one.mean is None
    assert one.note == "1 values are NaN or infinite"


@pytest.mark.parametrize("splits", [("test",), ("test", "rotation-60")])
def test_over_fewer_than_two_ood_splits_there_are_no_standings(splits):
    assert standings(made_up.plan(2, 2, splits=splits)) is None


def test_many_procedures_stand_without_chances_of_every_two():
    found = standings(made_up.plan(2, 2, [f"w{n}" for n in range(7)], splits=SPLITS))
    assert len(found.procedures) == 7
    assert found.improvements == ()
