"""Answers over many procedures."""

from dataclasses import replace

import made_up
import pytest

NAMES = tuple(f"width-{i}" for i in range(7))


def test_many_procedures_share_four_answers_with_their_extremes_and_counts():
    plan = made_up.plan(2, 2, NAMES, splits=("test", "rotation-60"))
    found = made_up.findings(plan)

    quality, better, shares, between = (answer.text for answer in found.answers)

    means = {
        s.procedure: s.mean for s in found.spreads if (s.split, s.score) == ("test", "accuracy")
    }
    for place in (min, max):
        name = place(means, key=lambda name: means[name])
        assert f"{means[name]:.3f} ({name})" in quality
    assert "7 means reach from lowest to highest" in better
    assert "7 procedures make 21 pairs" in better
    assert sum("noise" in warning for warning in found.warnings) == 1
    assert all(len(warning) < 400 for warning in found.warnings)
    assert "their 95 % intervals from" in shares
    assert "(same pretrain seed, 7 procedures)" in between


def test_what_is_missing_or_diverged_is_counted_among_many_procedures():
    plan = made_up.plan(2, 2, NAMES, splits=("test", "rotation-60"))
    records = made_up.records(plan)
    trained = next(cell for cell in plan.cells if cell.stage == "finetune")
    records[trained.key] = records[trained.key].model_copy(update={"outcome": "diverged"})
    for cell in plan.cells:
        if cell.stage in ("evaluate", "measure") and cell.procedure == "width-3":
            del records[cell.key]

    quality, _, shares, between = (a.text for a in made_up.findings(plan, records).answers)

    assert quality.count("1 of 7 procedures without a mean") == 2
    assert quality.count("1 of 7 procedures with runs missing") == 2
    assert quality.count("1 of 7 procedures with diverged runs") == 2
    assert "of 1 of 7 cannot be told" in shares
    assert "6 of 7 procedures" in between


@pytest.mark.parametrize(("number", "answers"), [(6, 14), (7, 4)])
def test_six_procedures_have_answers_of_their_own(number, answers):
    plan = made_up.plan(2, 2, NAMES[:number], splits=("test", "rotation-60"))

    assert len(made_up.findings(plan).answers) == answers


def test_many_procedures_of_an_empty_store_claim_nothing():
    found = made_up.findings(made_up.plan(2, 2, NAMES, splits=("test",)), {})

    assert "no procedure has a mean" in found.answers[0].text
    assert "cannot be told" in found.answers[1].text


def test_many_metrics_of_pairs_have_their_range_over_procedures_and_few_have_each():
    plan = made_up.plan(2, 2, NAMES[:2], splits=("test",))
    records = made_up.records(plan)
    cells, held = list(plan.cells), dict(records)
    for cell in plan.cells:
        if cell.stage == "measure" and len(cell.seeds) == 2:
            for number in range(6):
                other = made_up.use("metric", "barrier", f"barrier-{number}")
                key = made_up.key("measure", cell.key, number)
                cells.append(replace(cell, key=key, work=replace(cell.work, metric=other)))
                held[key] = records[cell.key].model_copy(update={"key": key})

    few = made_up.findings(plan).answers
    many = made_up.findings(replace(plan, cells=tuple(cells)), held).answers

    assert "width-0" in few[-1].text
    told = [answer.text for answer in many if "What lies between" in answer.question]
    assert len(told) == 7
    assert all(text.endswith("2 procedures).") and "width-0" not in text for text in told)
