import math

import pytest
import torch
from torch import nn

import harness
from harness.api.errors import HarnessError
from harness.run.options import RunOptions
from harness.testing.scenes import LOSS_ITSELF, World
from harness_landscape.lr_sensitivity import LR_SENSITIVITY, LrSensitivitySettings, weights_of

CURVATURE = 2.0


class Bowl(nn.Module):
    """c w^2 / 2, the loss itself, for as many examples as there are."""

    def __init__(self):
        super().__init__()
        self.w = nn.Parameter(torch.zeros((), dtype=torch.float64))

    def forward(self, x):
        return CURVATURE * self.w**2 / 2 + 0 * x


def descended(rate, steps, start=3.0):
    """Where gradient descent on the bowl ends, step by step."""
    w = torch.tensor(start, dtype=torch.float64)
    for _ in range(steps):
        w = w - rate * CURVATURE * w
    return {"w": w}


def read_off(rates, runs, settings=None):
    """A reading across runs that were trained at these rates from one start."""
    data = (torch.zeros(4).double(), torch.zeros(4).double())
    named = {f"run-{place}": run for place, run in enumerate(runs)}
    world = World(
        Bowl(),
        {"train": data, "test": data},
        {"run-0/init": {"w": torch.tensor(3.0).double()}} | named,
        LOSS_ITSELF,
        varied=dict(zip(named, rates, strict=True)),
    )
    return world.read(LR_SENSITIVITY, list(named), settings)


def values(reading):
    return {value.name: value.value for value in reading.values}


def test_gradient_descent_on_a_quadratic_gives_the_closed_form():
    rates, steps = [0.03, 0.1, 0.5, 0.8, 2.0, 5.0], 7  # it diverges beyond 2 / c = 1
    reading = read_off(rates, [descended(rate, steps) for rate in rates])
    at_start = CURVATURE * 9 / 2
    each = [at_start * min(1.0, (1 - rate * CURVATURE) ** (2 * steps)) for rate in rates]
    logs = [math.log(rate) for rate in rates]
    area = sum((logs[i + 1] - logs[i]) * (each[i] + each[i + 1]) / 2 for i in range(len(rates) - 1))
    found = values(reading)
    assert found["sensitivity"] == pytest.approx(area / (logs[-1] - logs[0]) - min(each))
    assert found["best-lr"] == 0.5  # 1 / c: there in one step
    assert found["best-loss"] == pytest.approx(0)
    assert found["start-loss"] == pytest.approx(at_start)
    assert found["no-better-than-start"] == pytest.approx(2 / 6)
    (curve,) = reading.curves
    assert curve.x == rates
    assert curve.y["counted"] == pytest.approx(each)
    assert curve.y["loss"][-1] > at_start


def test_a_run_that_diverged_counts_as_the_loss_at_the_start():
    rates = [0.1, 0.3, 1.0]
    nan = {"w": torch.tensor(math.nan).double()}
    exploded = {"w": torch.tensor(1e9).double()}
    runs = [descended(rate, 3) for rate in rates[:2]]
    of_nan, of_large = (values(read_off(rates, [*runs, last])) for last in (nan, exploded))
    assert math.isfinite(of_nan["sensitivity"])
    assert of_nan == of_large


def test_no_sensitivity_where_every_rate_ends_alike():
    reading = read_off([0.1, 0.2, 0.7], [{"w": torch.tensor(0.5).double()}] * 3)
    assert values(reading)["sensitivity"] == pytest.approx(0, abs=1e-15)


def test_the_unit_of_the_rate_and_points_on_the_line_between_others_change_nothing():
    runs = [{"w": torch.tensor(w).double()} for w in (0.0, 1.0, 2.0)]
    plain = values(read_off([0.01, 0.1, 1.0], runs))["sensitivity"]
    scaled = values(read_off([1.0, 10.0, 100.0], runs))["sensitivity"]
    middle = {"w": torch.tensor(math.sqrt(0.5)).double()}  # its loss is the mean of its neighbours'
    more = values(read_off([0.01, math.sqrt(1e-3), 0.1, 1.0], [runs[0], middle, *runs[1:]]))
    assert scaled == pytest.approx(plain)
    assert more["sensitivity"] == pytest.approx(plain)


def test_only_rates_in_the_range_count_for_the_mean_and_for_the_best():
    rates = [0.1, 0.3, 0.5, 0.8]
    runs = [descended(rate, 3) for rate in rates]
    limited = read_off(rates, runs, LrSensitivitySettings(high=0.3))
    assert values(limited) == values(read_off(rates[:2], runs[:2]))
    assert limited.protocol["range"] == [0.1, 0.3]


def test_a_range_without_two_rates_is_an_error():
    runs = [descended(rate, 3) for rate in (0.1, 0.3)]
    with pytest.raises(HarnessError, match=r"1 of the learning rates .* lie in the range"):
        read_off([0.1, 0.3], runs, LrSensitivitySettings(low=0.2))


def test_weights_of_rates_are_those_of_a_mean_over_the_logarithm():
    rates = [0.001, 0.003, 0.01, 0.1]
    logs = [math.log(rate) for rate in rates]
    weights = weights_of(rates)
    assert sum(weights) == pytest.approx(1)
    assert sum(w * x for w, x in zip(weights, logs, strict=True)) == pytest.approx(
        (logs[0] + logs[-1]) / 2
    )


def test_the_standard_error_is_the_spread_over_examples():
    class Each(nn.Module):
        def __init__(self):
            super().__init__()
            self.w = nn.Parameter(torch.zeros((), dtype=torch.float64))

        def forward(self, x):
            return (self.w - x) ** 2

    x = torch.randn(50, generator=torch.Generator().manual_seed(0)).double()
    runs = {
        f"run-{place}": {"w": torch.tensor(w).double()} for place, w in enumerate([0.1, 0.6, 9.0])
    }
    world = World(
        Each(),
        {"train": (x, x), "test": (x, x)},
        {"run-0/init": {"w": torch.tensor(2.0).double()}} | runs,
        LOSS_ITSELF,
        varied=dict(zip(runs, [0.01, 0.1, 1.0], strict=True)),
    )
    (main, *_) = world.read(LR_SENSITIVITY, list(runs)).values
    mixed = 0.25 * (0.1 - x) ** 2 + 0.5 * (0.6 - x) ** 2 + 0.25 * (2.0 - x) ** 2 - (0.1 - x) ** 2
    assert main.value == pytest.approx(float(mixed.mean()))
    assert main.standard_error == pytest.approx(float(mixed.std() / 50**0.5))


SUITE = """
id: rates
version: "1"
title: Rates
model: {mlp: {hidden: [8]}}
data: {dataset: digits, batch: 64}
inits: [random]
methods: [{full: {steps: 12, optimizer: sgd, lr: {sweep: [0.01, 0.1, 10000.0]}}}]
seeds: {pretrain: 2, finetune: 2}
scores: [accuracy]
metrics: [lr-sensitivity]
"""


def test_a_sweep_in_a_suite_gives_one_reading_for_each_seeds(tmp_path):
    (tmp_path / "rates.yaml").write_text(SUITE)
    results = harness.run(
        tmp_path / "rates.yaml",
        store=tmp_path / "runs",
        report=False,
        options=RunOptions(executor="serial"),
        limit=150,
    )
    readings = results.readings
    assert set(readings["procedure"]) == {"random · full[lr=*]"}
    assert set(readings["subject"]) == {"0/0", "0/1", "1/0", "1/1"}
    main = readings[readings["name"] == "sensitivity"]
    assert set(main["split"]) == {"test"}
    assert main["value"].map(math.isfinite).all()
    assert (main["value"] > 0).all()
    gone = readings[readings["name"] == "no-better-than-start"]["value"]
    assert (gone >= 1 / 3).all()
