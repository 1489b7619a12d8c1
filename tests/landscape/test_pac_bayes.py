import math
from statistics import NormalDist

import pytest
import torch
from torch import nn

from harness.api.errors import HarnessError
from harness.testing.scenes import LOSS_ITSELF, World
from harness_landscape.pac_bayes import PAC_BAYES, PacBayesSettings


class Quadratic(nn.Module):
    def __init__(self, matrix):
        super().__init__()
        self.w = nn.Parameter(torch.zeros(len(matrix), dtype=torch.float64))
        self.matrix = matrix

    def forward(self, x):
        return 10 * self.w.sum() + self.w @ self.matrix @ self.w / 2


def quadratic(runs=1, size=40):
    """An indefinite quadratic with positive trace, far from any minimum."""
    generator = torch.Generator().manual_seed(0)
    noise = torch.randn(size, size, generator=generator, dtype=torch.float64)
    matrix = (noise + noise.T) / 4 + 2 * torch.eye(size).double()
    start = torch.randn(size, generator=generator, dtype=torch.float64)
    data = torch.zeros(2, 1).double(), torch.zeros(2).double()
    named = {f"r{number}": {"w": start} for number in range(runs)}
    return World(Quadratic(matrix), {"train": data, "test": data}, named, LOSS_ITSELF)


def values(reading):
    return {value.name: value.value for value in reading.values}


def errors(reading):
    return {value.name: value.standard_error for value in reading.values}


@pytest.mark.parametrize("noise", ["plain", "magnitude"])
def test_a_quadratic_bears_the_noise_that_its_trace_says_and_the_standard_error_is_honest(noise):
    world = quadratic(runs=30)
    matrix, start = world.module.matrix, world.runs["r0"]["w"]
    weight = torch.ones_like(start) if noise == "plain" else start.square()
    exact = math.sqrt(2 * 0.1 / float((weight * matrix.diagonal()).sum()))
    settings = PacBayesSettings(quantities=["loss"], noises=[noise], floor=0)
    name = "sigma-loss" if noise == "plain" else "sigma-loss-magnitude"
    readings = [world.read(PAC_BAYES, [key], settings) for key in world.runs]
    found = torch.tensor([values(reading)[name] for reading in readings])
    stated = torch.tensor([errors(reading)[name] for reading in readings])
    assert abs(float(found.mean()) - exact) < 4 * float(found.std()) / len(found) ** 0.5
    assert float(stated.square().mean().sqrt()) == pytest.approx(float(found.std()), rel=0.35)
    assert all(reading.converged for reading in readings)


class Thresholds(nn.Module):
    """Example i is right as long as weight i is positive."""

    def __init__(self, size):
        super().__init__()
        self.w = nn.Parameter(torch.zeros(size, dtype=torch.float64))

    def forward(self, x):
        own = self.w[x[:, 0].long()]
        return torch.stack([own, torch.zeros_like(own)], 1)


def thresholds(*margins):
    size = len(margins)
    data = torch.arange(size).double()[:, None], torch.zeros(size).long()
    weights = {"w": torch.tensor(margins).double()}
    return World(Thresholds(size), {"train": data, "test": data}, {"a": weights})


def test_the_error_of_thresholds_moves_by_the_share_of_signs_that_noise_flips():
    margin = 0.3
    world = thresholds(*[margin] * 3000)
    settings = PacBayesSettings(examples=None, noises=["plain"], tolerance=1e-4)
    exact = -margin / NormalDist().inv_cdf(0.1)  # Phi(-margin / sigma) = 0.1
    reading = world.read(PAC_BAYES, ["a"], settings)
    assert values(reading)["sigma-error"] == pytest.approx(exact, rel=0.02)
    error = errors(reading)["sigma-error"]
    assert 0 < error < 0.02 * exact
    assert abs(values(reading)["sigma-error"] - exact) < 4 * error
    shares = [(sigma, NormalDist().cdf(-margin / sigma)) for sigma in reading.curves[0].x]
    assert reading.curves[0].y["displacement"] == pytest.approx(
        [share for _, share in shares], abs=0.01
    )


def test_sigma_is_a_standard_deviation_and_no_variance():
    world = thresholds(*[0.03] * 3000)  # a deviation well below 1: its square is far off
    settings = PacBayesSettings(examples=None, noises=["plain"])
    found = values(world.read(PAC_BAYES, ["a"], settings))["sigma-error"]
    assert found == pytest.approx(-0.03 / NormalDist().inv_cdf(0.1), rel=0.05)


def test_displacement_counts_in_either_direction():
    world = thresholds(*[0.3] * 1000, *[-0.3] * 1000)  # as many flips mend as break
    reading = world.read(PAC_BAYES, ["a"], PacBayesSettings(examples=None, noises=["plain"]))
    assert values(reading)["sigma-error"] == 2.0
    assert not reading.converged
    lopsided = world.runs["a"]["w"]
    lopsided[:1700] = -0.3  # noise mends more than it breaks
    reading = world.read(PAC_BAYES, ["a"], PacBayesSettings(examples=None, noises=["plain"]))
    assert 0.1 < values(reading)["sigma-error"] < 1
    assert reading.converged


def test_noise_by_magnitude_spares_small_weights_and_never_quite():
    world = thresholds(*[0.001] * 500, *[1.0] * 500)
    both = PacBayesSettings(examples=None, floor=0.0)
    found = values(world.read(PAC_BAYES, ["a"], both))
    assert found["sigma-error-magnitude"] == pytest.approx(-1 / NormalDist().inv_cdf(0.1), rel=0.1)
    assert found["sigma-error"] < 0.01
    floored = PacBayesSettings(examples=None, noises=["magnitude"], floor=0.01)
    reading = world.read(PAC_BAYES, ["a"], floored)
    assert values(reading)["sigma-error-magnitude"] == 0.0  # the floor alone is too much
    assert values(reading)["flatness-error-magnitude"] == math.inf
    assert not reading.converged


def test_bounds_are_those_of_the_papers_each_with_its_own_centre():
    world = thresholds(0.5, -1.0, 2.0, 1.5)
    world.runs["a/init"] = {"w": torch.tensor([0.5, 1.0, 1.0, 0.0]).double()}
    settings = PacBayesSettings(examples=None, draws=30, floor=0.1)
    reading = world.read(PAC_BAYES, ["a"], settings)
    found = values(reading)
    final, start = world.runs["a"]["w"], world.runs["a/init"]["w"]
    for place, away in (("origin", final), ("start", final - start)):
        sigma = found["sigma-error"]
        assert found["flatness-error"] == pytest.approx(1 / sigma**2)
        rest = math.log(4 / sigma) + 10
        expected = float(away.square().sum()) / (4 * sigma**2) + rest
        assert found[f"bound-{place}-error"] == pytest.approx(expected)
        sigma = found["sigma-error-magnitude"]
        above = 0.01 + (sigma**2 + 1) * away.square().mean()
        below = 0.01 + sigma**2 * away.square()
        expected = float((above / below).log().sum()) / 4 + math.log(4 / sigma) + 10
        assert found[f"bound-{place}-error-magnitude"] == pytest.approx(expected)
    assert errors(reading)["flatness-error"] == pytest.approx(
        2 * errors(reading)["sigma-error"] / found["sigma-error"] ** 3, rel=1e-3
    )
    assert reading.protocol["start"] == "init"


def test_rescaled_units_bear_the_same_noise_by_magnitude():
    class Product(nn.Module):
        def __init__(self):
            super().__init__()
            self.u = nn.Parameter(torch.zeros(6, dtype=torch.float64))
            self.v = nn.Parameter(torch.zeros(6, dtype=torch.float64))

        def forward(self, x):
            return ((x * self.u * self.v).sum(1) - 1) ** 2

    generator = torch.Generator().manual_seed(1)
    x, u, v = (torch.randn(n, 6, generator=generator).double() for n in (50, 1, 1))
    data = x, torch.zeros(50).double()
    found = []
    for factor in (1.0, 9.0):
        run = {"u": u[0] * factor, "v": v[0] / factor}
        world = World(Product(), {"train": data}, {"a": run}, LOSS_ITSELF)
        settings = PacBayesSettings(quantities=["loss"], floor=0)
        found.append(values(world.read(PAC_BAYES, ["a"], settings)))
    before, after = found
    assert after["sigma-loss-magnitude"] == pytest.approx(before["sigma-loss-magnitude"])
    assert abs(after["sigma-loss"] / before["sigma-loss"] - 1) > 0.1


def test_a_loss_that_explodes_counts_as_too_much_noise():
    class Cliff(nn.Module):
        def __init__(self):
            super().__init__()
            self.w = nn.Parameter(torch.zeros(20, dtype=torch.float64))

        def forward(self, x):
            return torch.where(self.w.norm() < 2, (self.w**2).sum() / 2, self.w.norm() / 0 * 0)

    data = torch.zeros(2, 1).double(), torch.zeros(2).double()
    world = World(Cliff(), {"train": data}, {"a": {"w": torch.zeros(20).double()}}, LOSS_ITSELF)
    settings = PacBayesSettings(quantities=["loss"], noises=["plain"])
    reading = world.read(PAC_BAYES, ["a"], settings)
    assert values(reading)["sigma-loss"] == pytest.approx(math.sqrt(0.2 / 20), rel=0.2)


def test_a_diverged_run_bears_no_noise_instead_of_any():
    world = thresholds(0.5, 1.0)
    world.runs["a"]["w"][0] = float("nan")
    reading = world.read(PAC_BAYES, ["a"], PacBayesSettings(quantities=["error", "loss"]))
    assert all(math.isnan(value) for value in values(reading).values())
    assert not reading.converged


def test_it_reads_training_data_leaves_all_as_it_was_and_refuses_ood():
    world = thresholds(0.5, 1.0, 0.2)
    before = world.runs["a"]["w"].clone()
    one, other = (world.read(PAC_BAYES, ["a"]) for _ in range(2))
    assert one.values == other.values
    assert one.protocol["access"] == "train"
    assert "restored" not in one.protocol
    assert torch.equal(before, world.runs["a"]["w"])
    data = world.splits["train"]
    beyond = World(world.module, {"train": data, "ood-far": data}, world.runs)
    with pytest.raises(HarnessError, match="ood-far"):
        beyond.read(PAC_BAYES, ["a"], PacBayesSettings(split="ood-far"))


def test_only_the_group_that_is_asked_for_gets_noise():
    class Part(nn.Module):
        def __init__(self):
            super().__init__()
            self.w = nn.Parameter(torch.zeros(50, dtype=torch.float64))

    class Two(nn.Module):
        def __init__(self):
            super().__init__()
            self.steep, self.flat = Part(), Part()

        def forward(self, x):
            return 8 * self.steep.w.square().sum() + self.flat.w.square().sum() / 2

    data = torch.zeros(2, 1).double(), torch.zeros(2).double()
    run = {name: torch.zeros(50).double() for name in ("steep.w", "flat.w")}
    world = World(Two(), {"train": data}, {"a": run}, LOSS_ITSELF)
    for group, trace in (("flat", 50), ("steep", 800), ("all", 850)):
        settings = PacBayesSettings(quantities=["loss"], noises=["plain"], parameters=group)
        found = values(world.read(PAC_BAYES, ["a"], settings))["sigma-loss"]
        assert found == pytest.approx(math.sqrt(0.2 / trace), rel=0.1), group


def test_bounds_of_a_group_are_of_what_gets_noise_alone():
    class Part(nn.Module):
        def __init__(self):
            super().__init__()
            self.w = nn.Parameter(torch.zeros(3, dtype=torch.float64))

    class Two(nn.Module):
        def __init__(self):
            super().__init__()
            self.one, self.two = Part(), Part()

        def forward(self, x):
            return self.one.w.square().sum() + self.two.w.square().sum()

    data = torch.zeros(2, 1).double(), torch.zeros(2).double()
    own = torch.tensor([1.0, 2.0, 0.5]).double()
    run = {"one.w": own, "two.w": torch.tensor([9.0, 0.0, 4.0]).double()}
    world = World(Two(), {"train": data}, {"a": run}, LOSS_ITSELF)
    settings = PacBayesSettings(quantities=["loss"], parameters="one")
    found = values(world.read(PAC_BAYES, ["a"], settings))
    sigma, squares = found["sigma-loss-magnitude"], own**2
    mean = 1e-6 + (sigma**2 + 1) * squares.mean()
    size = float((mean / (1e-6 + sigma**2 * squares)).log().sum()) / 4
    bound = size + math.log(2 / sigma) + 10
    assert found["bound-origin-loss-magnitude"] == pytest.approx(bound)
