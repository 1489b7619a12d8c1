from dataclasses import replace

import numpy as np
import pytest

from harness.analyze.predicting import Question, ladder, predictor_tests
from harness.statistics.layout import Layout

A, B = 10, 4
WHERE = Layout(tuple(np.repeat(range(A), B).tolist()), tuple(np.tile(range(B), A).tolist()))


def noise(seed, scale=1.0):
    generator = np.random.default_rng(seed)
    return scale * (np.repeat(generator.normal(size=A), B) + 0.5 * generator.normal(size=A * B))


def ask(y, predictors, steps=None, **more):
    return Question("accuracy on ood", y, predictors, steps or {}, WHERE, **more)


def outcomes(question):
    found = predictor_tests(question, np.random.default_rng(0), permutations=499, replicates=40)
    return {test.predictor: test for test in found}


def test_what_drives_the_score_stands_out_and_noise_does_not():
    cause = noise(1)
    found = outcomes(ask(cause + noise(2, 0.3), {"cause": cause, "noise": noise(3)}))
    assert found["cause"].p_family < 0.01
    assert found["cause"].gain > 0.5
    assert found["cause"].gain_low > 0
    assert found["noise"].p > 0.05
    assert found["cause"].tried == 2
    assert (found["cause"].runs, found["cause"].clusters) == (40, 10)


def test_what_only_repeats_a_known_quantity_adds_nothing():
    known = noise(1)
    steps = {"in-domain score": {"accuracy on test": known}}
    found = outcomes(ask(known + noise(2, 0.3), {"echo": known + noise(3, 0.2)}, steps))["echo"]
    assert found.p < 0.01
    assert found.partial_p > 0.05
    assert found.gain < 0.05
    assert found.controls == ("accuracy on test",)


def test_the_double_of_a_known_quantity_counts_for_nothing_and_says_so():
    known = noise(1)
    steps = {"in-domain score": {"accuracy on test": known}}
    found = outcomes(ask(known + noise(2, 0.3), {"error": 1 - known, "noise": noise(3)}, steps))
    assert found["error"].p_family < 0.01
    assert found["error"].partial is None
    assert found["error"].verdict == 1.0
    assert found["error"].note == "the same as what is known: it has nothing to add"
    assert found["noise"].note == ""


def test_more_known_quantities_than_runs_allow_leave_no_verdict():
    runs = Layout((0, 0, 1, 1, 2, 2), (0, 1) * 3)
    known = {f"baseline {n}": noise(n)[:6] for n in range(2)}
    y = noise(9)[:6]
    question = Question("ood", y, {"cause": y + noise(8, 0.01)[:6]}, {"known": known}, runs)
    (found,) = predictor_tests(question, np.random.default_rng(0), permutations=99, replicates=40)
    assert found.verdict == 1.0
    assert found.note == "6 runs are too few to test what it adds to 2 known quantities"


def test_predictors_that_saw_ood_data_are_a_family_of_their_own():
    cause = noise(1)
    question = ask(cause, {"cheat": cause, "fair": noise(3)}, uses_ood=frozenset({"cheat"}))
    found = outcomes(question)
    assert found["cheat"].uses_ood
    assert found["cheat"].tried == found["fair"].tried == 1
    assert found["fair"].p_family == pytest.approx(found["fair"].p, abs=0.02)


def test_a_predictor_with_holes_or_without_spread_is_told_of_and_not_tested():
    holes = noise(1)
    holes[3] = np.nan
    found = outcomes(ask(noise(2), {"holes": holes, "flat": np.ones(40), "fair": noise(3)}))
    assert found["holes"].note == "1 of 40 runs have no finite value"
    assert found["flat"].note == "the same for all runs"
    assert found["holes"].tau is None
    assert found["fair"].tried == 1


def test_each_step_of_the_ladder_includes_those_below():
    cause, other = noise(1), noise(2)
    steps = {"hyper-parameters": {"lr": other}, "in-domain score": {"accuracy": cause}}
    generator = np.random.default_rng(0)
    nothing, first, second = ladder(ask(cause + noise(3, 0.2), {}, steps), generator)
    assert (nothing.step, nothing.r2) == ("nothing", pytest.approx(0))
    assert first.features == ("lr",)
    assert second.features == ("lr", "accuracy")
    assert second.r2 > 0.8 > first.r2
    assert nothing.r2_low is None
    assert second.r2_low < second.r2 < second.r2_high < 1


def test_two_seeds_have_no_ladder():
    where = Layout((0, 0, 1, 1), (0, 1, 0, 1))
    question = Question("y", np.arange(4.0), {"x": np.arange(4.0)}, {}, where)
    (nothing,) = ladder(question, np.random.default_rng(0))
    assert nothing.r2 is None
    assert "2 seeds" in nothing.note
    (found,) = predictor_tests(question, np.random.default_rng(0), permutations=99)
    assert found.gain is None


def by_chance(runs, known):
    """A predictor and known quantities, none of which has to do with the score."""
    generator = np.random.default_rng(0)
    steps = {f"step {n}": {f"known {n}": generator.normal(size=runs)} for n in range(known)}
    y, x = generator.normal(size=(2, runs))
    return Question("accuracy on ood", y, {"x": x}, steps, Layout.independent(runs))


@pytest.mark.parametrize(("runs", "known"), [(8, 4), (8, 5), (10, 6)])
def test_nothing_is_said_of_gains_where_next_to_every_run_that_is_left_can_be_fitted(runs, known):
    found = outcomes(by_chance(runs, known))["x"]
    assert found.gain is None
    left = f"{runs - 1} runs beside those left out"
    assert found.note == f"{left} are too few to fit it and {known} known quantities"


def test_a_gain_has_no_interval_where_seeds_drawn_anew_leave_too_few_runs():
    found = outcomes(by_chance(8, 3))["x"]  # of 8 runs 5 are drawn on average, one is left out
    assert found.gain is not None
    assert found.gain_low is found.gain_high is None
    assert found.note == "seeds drawn anew leave too few runs for an interval of out-of-fold R²"
    assert outcomes(by_chance(16, 3))["x"].gain_low > -10


def test_a_repeated_known_quantity_asks_for_no_further_runs():
    once = by_chance(12, 3)
    known = next(iter(once.known().values()))
    twice = replace(once, steps={**once.steps, "again": {f"copy {n}": known for n in range(9)}})
    assert outcomes(twice)["x"].gain == pytest.approx(outcomes(once)["x"].gain)


def test_a_step_of_the_ladder_that_nearly_fits_every_run_has_no_number():
    steps = ladder(by_chance(8, 6), np.random.default_rng(0))
    assert [step.r2 is None for step in steps] == [False] * 5 + [True] * 2
    assert steps[5].note == "7 runs beside those left out are too few to fit 5 known quantities"
    assert steps[4].r2_low is None
    assert "too few runs for an interval" in steps[4].note
    assert steps[1].r2_low < steps[1].r2 < steps[1].r2_high
