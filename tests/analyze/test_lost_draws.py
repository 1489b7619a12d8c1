"""Draws of examples on which a score cannot be computed are no evidence for anybody."""

import numpy as np
import pytest
from comparison_scene import FAST, SLOW, SUITE, compare, fill, write_suite

from harness.analyze.arena import Arena
from harness.analyze.comparison_design import Asked, Design
from harness.analyze.contest import Contest, better
from harness.statistics.multibootstrap import Arm, multi_bootstrap
from harness.statistics.resampling import Grid, Levels

RARE = """
from harness.api.hooks import hookimpl
from harness.api.offers import Score

def compute(settings, predictions, references, groups=None):
    rare = references == 0
    if rare.sum() < LEAST:
        raise ValueError("too few of class 0")
    return float((predictions[rare] == 0).mean())

@hookimpl
def harness_scores():
    offer = dict(module=lambda settings: None, compute=compute, higher_is_better=True)
    return [Score(name="rare", about="accuracy on class 0", **offer)]
"""


@pytest.fixture
def compared(tmp_path):
    def found(least):
        (tmp_path / "rare.py").write_text(RARE.replace("LEAST", str(least)), encoding="utf-8")
        scores = "scores: [accuracy, rare]\nprimary: {score: rare}\nplugins: [./rare.py]"
        text = SUITE.replace("scores: [accuracy, nll, macro-f1]", scores)
        suite = write_suite(tmp_path, text)
        fill(suite, tmp_path / "runs")
        asked = {"splits": ("test",), "levels": "pretrain,finetune,examples"}
        return compare(suite, store=tmp_path / "runs", **asked)

    return found


def test_with_many_draws_lost_there_is_no_interval_and_no_verdict(compared):
    found = compared(4)  # of 6 in 60: one draw in seven has fewer
    split = found.splits[0]
    pair = split.pairs[0]
    assert pair.p < 0.05
    assert (pair.low, pair.high, pair.verdict) == (None, None, "cannot tell")
    assert pair.p_bootstrap > 0.1
    assert "(no interval, p = 0.031)" in split.text
    assert "There is no interval, and the verdict needs one." in split.text
    assert [arm.low for arm in split.arms] == [None, None]
    assert any(w.startswith(f"{SLOW} on test: rare cannot be computed in") for w in found.warnings)
    assert "nan" not in found.model_dump_json().lower()


def test_a_few_lost_draws_are_left_out_and_counted(compared):
    found = compared(2)
    pair = found.splits[0].pairs[0]
    assert pair.low < pair.effect < pair.high
    lost = {arm.label: arm.lost_draws for arm in found.splits[0].arms}
    assert 0 < lost[FAST] == lost[SLOW] < 20
    told = f"rare cannot be computed in {lost[FAST]} of 400 draws of examples: its interval leaves "
    assert f"{FAST} on test: {told}them out." in found.warnings


def test_a_report_says_whose_intervals_leave_draws_out(compared):
    held, notes = Contest(compared(2)), [None, None]  # of two procedures; nothing is asked of them
    (answer,) = better(held, notes, (), None)
    assert (
        "rare cannot be computed in some draws of examples, which intervals leave out "
        f"({SLOW} on test and {FAST} on test); too many leave no interval." in answer.text
    )


def test_a_run_that_is_not_drawn_takes_no_score_away():
    """The score of the second run can never be computed."""
    scores = np.array([0.5, 0.7, 0.6])
    again = lambda counts: np.repeat([[0.5], [np.nan], [0.6]], len(counts), axis=1)  # noqa: E731
    arm = Arm(Grid((0, 0, 0), (0, 1, 2)), np.repeat(scores[:, None], 9, 1), again=again)
    found = multi_bootstrap([arm], 500, np.random.default_rng(0), levels=Levels(pretrain=False))
    assert 0.2 < found.known().size / 500 < 0.4  # (2 / 3) ** 3 draw the others alone
    assert found.p_not_above() == pytest.approx(1 - found.known().size / 500)


def test_a_share_of_lost_draws_takes_the_interval_away():
    def losing(share):
        def again(counts):
            lost = np.arange(len(counts)) < share * len(counts)
            return np.where(lost, np.nan, np.linspace(0.5, 0.7, 6)[:, None])

        values = np.repeat(np.linspace(0.5, 0.7, 6)[:, None], 4, axis=1)
        arm = Arm(Grid(tuple(range(6)), (0,) * 6), values, again=again)
        design = Design(Levels(finetune=False), (), "pretrain", "bca")
        return Arena("test", [arm], {}, 1, design, Asked(replicates=128)).mean(0)[1]

    assert losing(0.04).low < 0.6 < losing(0.04).high
    assert losing(0.06) is None
