"""Metrics summed up: per kind of pair, per procedure, along paths."""

import math
import statistics

import made_up
import pytest


def test_pairs_are_summed_up_by_kind():
    plan = made_up.plan(pretrain=2, finetune=2, procedures=("pretrained",), splits=("test",))
    records = made_up.records(plan)
    heights = [
        value.value
        for cell in plan.cells
        if cell.stage == "measure" and cell.work.pair_kind == "same-pretrain-seed"
        for value in records[cell.key].result.values
        if value.name == "lerp-loss"
    ]

    pairs = made_up.findings(plan, records).pairs

    same = next(p for p in pairs if p.name == "lerp-loss" and p.pair_kind == "same-pretrain-seed")
    assert same.mean == pytest.approx(statistics.mean(heights))
    assert same.sd == pytest.approx(statistics.stdev(heights))
    assert (same.pairs, same.planned, same.runs) == (2, 2, 4)
    assert not any(p.name.endswith("-alpha") for p in pairs)


def test_a_missing_pair_is_counted_and_an_infinite_one_takes_the_mean_away():
    plan = made_up.plan(pretrain=1, finetune=3, procedures=("random",), splits=("test",))
    records = made_up.records(plan)
    first, second, _ = (cell.key for cell in plan.cells if "barrier" in repr(cell.work))
    del records[first]
    result = records[second].result
    values = tuple(v.model_copy(update={"value": math.inf}) for v in result.values)
    result = result.model_copy(update={"values": values, "converged": False})
    records[second] = records[second].model_copy(update={"result": result})

    pair = made_up.findings(plan, records).pairs[0]

    assert (pair.pairs, pair.planned, pair.not_finite, pair.not_converged) == (2, 3, 1, 1)
    assert (pair.mean, pair.sd, pair.maximum) == (None, None, math.inf)


def test_a_kind_of_which_nothing_was_measured_is_shown_as_missing():
    plan = made_up.plan(pretrain=2, finetune=2, splits=("test",))
    records = made_up.records(plan)
    for cell in plan.cells:
        of = (cell.stage, cell.procedure, getattr(cell.work, "pair_kind", None))
        if of in (("measure", "random", "same-pretrain-seed"), ("measure", "pretrained", None)):
            del records[cell.key]

    findings = made_up.findings(plan, records)

    (pair,) = (p for p in findings.pairs if p.name == "lerp-loss" and not p.pairs)
    assert (pair.procedure, pair.pair_kind) == ("random", "same-pretrain-seed")
    assert (pair.planned, pair.runs, pair.mean, pair.not_finite) == (2, 0, None, 0)
    point = findings.points[0]
    assert (point.procedure, point.runs, point.planned, point.mean) == ("pretrained", 0, 4, None)
    told = next(a.text for a in findings.answers if "between runs" in a.question)
    assert "not measured (same initial-weight seed, 0 of 2 planned pairs)" in told


def test_runs_that_diverged_are_counted_wherever_their_numbers_are_summed_up():
    plan = made_up.plan(pretrain=2, finetune=2, procedures=("random",), splits=("test",))
    records = made_up.records(plan)
    training = next(cell for cell in plan.cells if cell.stage == "finetune")
    diverged = records[training.key].model_copy(update={"outcome": "diverged"})

    findings = made_up.findings(plan, records | {training.key: diverged})

    first, second = (answer.text for answer in findings.answers[:3:2])
    assert "(2 initial-weight \u00d7 2 fine-tuning seeds), of which 1 diverged: " in first
    counts = {p.pair_kind: p.diverged for p in findings.pairs}
    assert counts == {"same-pretrain-seed": 1, "different-pretrain-seed": 2}
    assert "2 pairs, 1 with a diverged run)" in second
    assert "4 pairs, 2 with a diverged run)" in second
    assert findings.points[0].diverged == 1


def test_the_mean_curve_of_a_kind_is_the_mean_at_every_point():
    plan = made_up.plan(pretrain=1, finetune=3, procedures=("random",), splits=("test",))
    records = made_up.records(plan)
    lines = [
        records[cell.key].result.curves[0].y["loss"]
        for cell in plan.cells
        if "barrier" in repr(cell.work)
    ]

    curve = next(c for c in made_up.findings(plan, records).curves if c.quantity == "loss")

    assert curve.subjects == 3
    assert curve.mean[4] == pytest.approx(statistics.mean(line[4] for line in lines))
    assert curve.maximum[4] == max(line[4] for line in lines)
