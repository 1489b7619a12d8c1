"""Spikes that are foretold are counted as such, and RMS_t is what it is called."""

import math
from dataclasses import replace

import pytest
import torch
from torch import nn

from harness.api.errors import HarnessError
from harness.api.recipes import Optimizer
from harness.api.trajectories import Trace, TrainedPhase, TrainingFacts
from harness.testing.scenes import Known, World
from harness.train.recorder import Phase, Second, _numbers
from harness_landscape.foretelling import loss_spikes
from harness_landscape.rms_spikes import RMS_SPIKES, RmsSpikesSettings


def wavy(steps=200):
    """Losses of a steady spread."""
    return 1 + 0.01 * torch.sin(torch.arange(steps, dtype=torch.float64) * 2.5)


def traced(loss, rms, **fields):
    rest = torch.ones(len(loss), dtype=torch.float64)
    columns = {"fc.weight": rms, "fc.bias": rest}
    return Trace(
        **{
            "loss": loss,
            "rate": rest,
            "gradient_norm": rest,
            "squares": columns,
            "rms": columns,
            "updates": columns,
            **fields,
        }
    )


def read(trace, optimizer="adamw", **settings):
    facts = TrainingFacts((TrainedPhase(Optimizer(optimizer), 8, (0.1,) * trace.steps),), 100)
    module = nn.Linear(2, 2)
    world = World(
        nn.Sequential(),
        {"train": (torch.zeros(3, 2), torch.zeros(3))},
        {"a": {f"fc.{name}": tensor for name, tensor in module.state_dict().items()}},
        trainings=Known({"a": facts}, {"a": trace}),
    )
    world.module.fc = module
    reading = world.read(RMS_SPIKES, ["a"], RmsSpikesSettings(**settings))
    return {value.name: value.value for value in reading.values}, reading


def spiked(warnings, events, steps=200):
    loss, rms = wavy(steps), torch.ones(steps, dtype=torch.float64)
    for step in warnings:
        rms[step - 1] = 3.0
    for step in events:
        loss[step - 1] = 2.0
    return traced(loss, rms)


def test_a_loss_spike_after_an_rms_spike_is_foretold():
    found, reading = read(spiked([50, 120], [53, 128]))
    assert (found["recall"], found["precision"]) == (1.0, 1.0)
    assert (found["loss-spikes"], found["rms-spikes"]) == (2, 2)
    assert found["max-rms"] == 3.0
    assert found["chance"] == pytest.approx(16 / 190)  # 10 of 200 steps are left out
    assert found["chance-precision"] == pytest.approx(16 / 190)
    assert reading.converged
    assert reading.protocol["replay"] == "the run itself"


def test_a_loss_spike_before_with_or_long_after_is_not():
    found, _ = read(spiked([50, 100, 150], [49, 100, 159]))
    assert (found["recall"], found["precision"]) == (0.0, 0.0)
    assert read(spiked([50, 100, 150], [49, 100, 159]), lag=9)[0]["recall"] == pytest.approx(1 / 3)


def test_steps_of_one_spike_count_once():
    found, _ = read(spiked([50, 51, 52, 60], [55, 56]))
    assert (found["loss-spikes"], found["rms-spikes"]) == (1, 1)
    found, _ = read(spiked([50, 52, 60], [55, 58]), merge=2)
    assert (found["loss-spikes"], found["rms-spikes"]) == (2, 2)


def test_without_spikes_there_are_shares_of_nothing_and_no_chance_of_a_hit():
    found, reading = read(spiked([], []))
    assert math.isnan(found["recall"])
    assert math.isnan(found["precision"])
    assert found["chance"] == found["loss-spikes"] == found["rms-spikes"] == 0
    assert reading.converged


def test_spikes_at_random_are_foretold_as_often_as_by_chance():
    generator = torch.Generator().manual_seed(0)
    steps, recalls, chances = 4000, [], []
    for _ in range(20):
        warnings = torch.randint(400, steps - 20, (60,), generator=generator).tolist()
        events = torch.randint(400, steps - 20, (40,), generator=generator).tolist()
        found, _ = read(spiked(warnings, events, steps), merge=0, window=1000)
        recalls.append(found["recall"])
        chances.append(found["chance"])
    recalled = torch.tensor(recalls)
    error = recalled.std() / 20**0.5
    assert abs(recalled.mean() - sum(chances) / 20) < 4 * error


def test_a_divergence_is_a_loss_spike():
    trace = replace(spiked([195], []), diverged_at=201)
    found, reading = read(trace)
    assert (found["loss-spikes"], found["recall"], found["precision"]) == (1, 1.0, 1.0)
    assert reading.protocol["diverged_at"] == 201


def test_a_run_of_few_steps_or_none_has_no_spikes():
    for steps in (0, 1, 5):
        found, _ = read(spiked([], [], steps))
        assert math.isnan(found["recall"])
        assert found["loss-spikes"] == 0


def test_a_falling_loss_has_no_spikes_and_a_constant_one_neither():
    falling = torch.linspace(3, 1, 100, dtype=torch.float64)
    assert not loss_spikes(falling, 3.2, 50).any()
    assert not loss_spikes(torch.ones(100), 3.2, 50).any()


def test_a_spike_is_judged_by_the_losses_before_it():
    loss = wavy()
    before = loss[50:150]
    edge = before.mean() + 3.2 * before.std()
    for loss_there, spikes in ((edge + 1e-6, True), (edge - 1e-6, False)):
        loss[150] = loss_there
        assert bool(loss_spikes(loss, 3.2, 100)[150]) is spikes


def test_the_watched_tensor_is_the_first_weight_or_the_one_named():
    trace = spiked([50], [53])
    assert read(trace)[1].protocol["tensor"] == "fc.weight"
    assert read(trace, tensor="fc.bias")[0]["rms-spikes"] == 0
    with pytest.raises(HarnessError, match=r"fc\.weight, fc\.bias"):
        read(trace, tensor="elsewhere")


def test_where_nothing_trained_there_are_no_numbers_to_trip_over():
    trace = spiked([50], [53])
    trace.rms["fc.weight"][:20] = torch.nan
    found, reading = read(trace)
    assert found["recall"] == 1.0
    assert math.isnan(reading.curves[0].y["rms"][0])
    trace.rms["fc.weight"][:] = torch.nan
    assert math.isnan(read(trace)[0]["max-rms"])


def test_a_replay_that_is_another_run_says_so():
    trace = spiked([50], [53])
    close, reading = read(replace(trace, drift=1e-6))
    assert reading.converged
    assert close["replay-drift"] == 1e-6
    _, reading = read(replace(trace, drift=0.3))
    assert not reading.converged
    assert "another run" in reading.protocol["replay"]


def test_sgd_is_said_to_keep_no_second_moment():
    assert "sgd keeps none" in read(spiked([], []), "sgd")[1].protocol["second_moment"]
    assert "optimizer's" in read(spiked([], []))[1].protocol["second_moment"]


def test_long_curves_keep_their_peaks():
    reading = read(spiked([2501], [], 5000))[1]
    assert len(reading.curves[0].x) == 1000
    assert max(reading.curves[0].y["rms"]) == 3.0


def rms(squares, beta=0.999):
    """RMS_t after a series of constant mean squares."""
    phase = Phase({"w": torch.zeros(4)}, beta, 1e-8, False, {"w": Second(torch.zeros(4))})
    return [
        _numbers(phase, "w", torch.zeros(4), torch.full((4,), square))[1].item()
        for square in squares
    ]


def test_steady_gradients_have_rms_1_from_the_first_step_on():
    assert rms([0.3] * 50) == pytest.approx([1.0] * 50, rel=1e-5)


@pytest.mark.parametrize("jump", [3.0, 10.0, 1000.0])
def test_a_jump_of_the_gradient_shows_as_theory_says(jump):
    beta = 0.9
    found = rms([1.0] * 300 + [jump**2], beta)[-1]
    assert found == pytest.approx(jump / math.sqrt(beta + (1 - beta) * jump**2), rel=1e-4)
    assert found < 1 / math.sqrt(1 - beta)


def test_vanishing_gradients_are_measured_against_eps():
    assert rms([1e-20])[0] == pytest.approx(1e-10 / 1e-8, rel=1e-4)
