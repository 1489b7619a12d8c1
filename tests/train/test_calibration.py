"""Pack sizes are timed, and the best one depends on how many workers there are."""

import pytest
from training_scene import a_cell, use

from harness.train.calibrate import calibrate
from harness.train.choice import choose_pack


def test_sizes_are_timed_up_to_what_leaves_no_worker_idle(bench, monkeypatch):
    monkeypatch.setattr("harness.train.calibrate.SHARE", 0.01)
    monkeypatch.setattr("harness.train.calibrate.HOPELESS", 100.0)
    timings = calibrate([a_cell(seed) for seed in range(12)], bench, workers=2)
    assert list(timings) == ["1", "2", "4", "6"]
    assert all(0 < seconds < 1 for seconds in timings.values())


def test_a_model_that_cannot_be_stacked_is_timed_alone(bench, monkeypatch):
    monkeypatch.setattr("harness.train.calibrate.SHARE", 0.01)
    cells = [a_cell(seed, model=use("model", "toy-lonely")) for seed in range(4)]
    assert list(calibrate(cells, bench, workers=1)) == ["1"]


@pytest.mark.parametrize(
    ("timings", "seeds", "workers", "best"),
    [
        ({"1": 1.0, "2": 0.6}, 2, 2, 1),  # one run on each core beats a pack that is 1.7 x faster
        ({"1": 1.0, "2": 0.45}, 2, 2, 2),
        ({"1": 1.0, "2": 0.6, "4": 0.4}, 8, 2, 4),
        ({"1": 1.0, "2": 0.6, "4": 0.4, "8": 0.3}, 8, 2, 4),  # half the machine would be idle
        ({"1": 1.0, "2": 0.6, "4": 0.4, "8": 0.3}, 8, 1, 8),
        ({"1": 1.0, "2": 1.0}, 8, 1, 1),
        ({"1": 1.0}, 8, 4, 1),
        ({}, 8, 4, 1),
    ],
)
def test_the_pack_that_finishes_first_is_chosen(timings, seeds, workers, best):
    assert choose_pack(timings, seeds, workers) == best
