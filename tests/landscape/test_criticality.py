import math

import pytest
import torch
from torch import nn

from harness.api.errors import HarnessError
from harness.testing.scenes import LOSS_ITSELF, World
from harness_landscape.criticality import CRITICALITY, CriticalitySettings

HESSIANS = {"u": (2.0, 6.0), "v": (1.0, 4.0)}


class Part(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.w = nn.Parameter(torch.zeros(size, dtype=torch.float64))


class Bowls(nn.Module):
    """A sum of two bowls, one per module, with a known Hessian each."""

    def __init__(self):
        super().__init__()
        self.u, self.v = Part(2), Part(2)

    def forward(self, x):
        bowls = [
            (torch.tensor(HESSIANS[name]).double() * part.w.square()).sum() / 2
            for name, part in (("u", self.u), ("v", self.v))
        ]
        return sum(bowls)


def bowls(final=None, start=None):
    data = torch.zeros(3, 1).double(), torch.zeros(3).double()
    final = final or {"u.w": [0.1, 0.0], "v.w": [0.0, 0.0]}
    start = start or {"u.w": [2.0, 1.0], "v.w": [0.0, 1.0]}
    states = [{n: torch.tensor(t).double() for n, t in state.items()} for state in (final, start)]
    return World(
        Bowls(), {"train": data, "test": data}, {"a": states[0], "a/init": states[1]}, LOSS_ITSELF
    )


def values(reading):
    return {value.name: value.value for value in reading.values}


def closed_form(module, settings, world, noise):
    """The least alpha^2 d^2 / sigma^2 on the grid: the loss is a quadratic + sigma^2 z'Hz / 2."""
    hessian = torch.tensor(HESSIANS[module]).double()
    final, start = (world.runs[key][f"{module}.w"] for key in ("a", "a/init"))
    rest = {"u": "v", "v": "u"}[module]
    other = world.runs["a"][f"{rest}.w"]
    other = (torch.tensor(HESSIANS[rest]).double() * other.square()).sum() / 2
    found = []
    for i in range(settings.steps + 1):
        alpha = i / settings.steps
        where = (1 - alpha) * start + alpha * final
        for j in range(settings.scales):
            sigma = settings.least ** (1 - j / (settings.scales - 1))
            loss = (hessian * (where.square() + sigma**2 * noise)).sum() / 2 + other
            if loss <= settings.epsilon:
                found.append(alpha**2 * (final - start).square().sum() / sigma**2)
    return float(min(found))


@pytest.mark.parametrize("epsilon", [0.3, 1.0, 2.9])
def test_modules_of_a_quadratic_are_as_critical_as_its_closed_form_says(epsilon):
    world = bowls()
    settings = CriticalitySettings(
        quantity="loss", epsilon=epsilon, steps=8, scales=5, least=0.05, draws=3
    )
    probe = world.probe("a")
    found = values(CRITICALITY.measure(settings, probe))
    total = 0.0
    for module in "uv":
        generator = probe.generator(module)
        drawn = torch.stack(
            [torch.randn(2, generator=generator, dtype=torch.float64) for _ in range(3)]
        )
        expected = closed_form(module, settings, world, drawn.square().mean(0))
        assert found[f"criticality[{module}]"] == pytest.approx(expected)
        total += expected
    assert found["criticality"] == pytest.approx(total)
    assert total > 0


def test_a_module_that_never_moved_is_not_critical_at_all():
    start = {"u.w": [0.1, 0.0], "v.w": [0.0, 1.0]}
    settings = CriticalitySettings(quantity="loss", epsilon=0.3)
    found = values(bowls(start=start).read(CRITICALITY, ["a"], settings))
    assert found["criticality[u]"] == 0.0
    assert found["criticality[v]"] > 0.0
    assert found["criticality"] == found["criticality[v]"]


def test_a_module_that_can_go_all_the_way_back_is_not_critical():
    settings = CriticalitySettings(quantity="loss", epsilon=20.0)
    found = values(bowls().read(CRITICALITY, ["a"], settings))
    assert [found[f"criticality[{module}]"] for module in "uv"] == [0.0, 0.0]
    assert found["alpha[u]"] == 0.0
    assert found["sigma[u]"] == 1.0


def test_the_relative_values_allow_epsilon_beyond_the_runs_own_loss():
    final = {"u.w": [1.0, 1.0], "v.w": [0.0, 0.0]}  # a loss of 4
    world = bowls(final, {"u.w": [1.0, 1.2], "v.w": [0.0, 3.0]})
    settings = CriticalitySettings(quantity="loss", epsilon=0.5)
    reading = world.read(CRITICALITY, ["a"], settings)
    found = values(reading)
    assert found["own"] == pytest.approx(4.0)
    assert math.isinf(found["criticality"])  # nothing comes below 0.5
    assert not reading.converged
    assert math.isfinite(found["criticality-relative"])
    more = CriticalitySettings(quantity="loss", epsilon=4.5)
    absolute = values(world.read(CRITICALITY, ["a"], more))
    for module in "uv":
        assert absolute[f"criticality[{module}]"] == found[f"criticality-relative[{module}]"]


def test_a_cell_is_an_unbiased_mean_over_noise_and_draws_come_with_their_mirror_image():
    settings = CriticalitySettings(quantity="loss", epsilon=1.0, steps=2, scales=2, least=0.5)
    cells = []
    for run in range(40):
        world = bowls()
        runs = {f"{run}": world.runs["a"], f"{run}/init": world.runs["a/init"]}
        world = World(world.module, world.splits, runs, LOSS_ITSELF)
        cells.append(world.read(CRITICALITY, [f"{run}"], settings).grids[0].z["loss[u]"][1])
    cells = torch.tensor(cells, dtype=torch.float64)
    hessian = torch.tensor(HESSIANS["u"]).double()
    noise = []
    for column, alpha in enumerate((0.0, 0.5, 1.0)):
        start, final = (world.runs[key]["u.w"] for key in (f"{run}/init", f"{run}"))
        where = (1 - alpha) * start + alpha * final
        expected = ((where.square() + 1) * hessian).sum() / 2
        noise.append(cells[:, column] - expected)
        assert abs(noise[-1].mean()) < 4 * noise[-1].std() / 40**0.5
    # no linear part is left: the slope at the start is steep, and yet all cells err alike
    torch.testing.assert_close(noise[0], noise[2])


class Sign(nn.Module):
    def __init__(self):
        super().__init__()
        self.w = nn.Parameter(torch.zeros(1, dtype=torch.float64))

    def forward(self, x):
        return torch.cat([torch.zeros_like(x), self.w * x], dim=1)


def test_the_error_of_a_threshold_is_a_normal_tail():
    data = torch.ones(2, 1).double(), torch.ones(2).long()
    runs = {"a": {"w": torch.tensor([1.0]).double()}, "a/init": {"w": torch.tensor([0.0]).double()}}
    world = World(Sign(), {"train": data, "test": data}, runs)
    settings = CriticalitySettings(epsilon=0.2, steps=2, scales=3, least=0.25, draws=200)
    reading = world.read(CRITICALITY, ["a"], settings)
    rows = reading.grids[0].z["error[]"]
    for sigma, row in zip((0.25, 0.5, 1.0), rows, strict=True):
        for alpha, error in zip((0.0, 0.5, 1.0), row, strict=True):
            tail = 0.5 * math.erfc(alpha / sigma / 2**0.5)
            assert error == pytest.approx(tail, abs=4 * 0.5 / 400**0.5)
    found = values(reading)
    # tails: .5 at the start; .16 at alpha = sigma, the ratio that they depend on
    assert found["criticality"] == pytest.approx(1.0)
    assert (found["alpha[]"], found["sigma[]"]) == (1.0, 1.0)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(5, 4), nn.BatchNorm1d(4))
        self.two = nn.Linear(4, 3)

    def forward(self, x):
        return self.two(torch.relu(self.body(x)))


def network():
    generator = torch.Generator().manual_seed(0)
    runs = {
        key: {
            n: torch.rand(t.shape, generator=generator) if t.is_floating_point() else t.clone()
            for n, t in Net().state_dict().items()
        }
        for key in ("a", "a/init")
    }
    data = torch.randn(60, 5, generator=generator), torch.arange(60) % 3
    return World(Net().eval(), {"train": data, "test": data, "ood-far": data}, runs)


def test_the_grid_is_what_direct_evaluation_with_the_same_noise_gives():
    world = network()
    settings = CriticalitySettings(
        quantity="loss", epsilon=2.0, steps=3, scales=3, least=0.01, draws=2, modules=("two",)
    )
    probe = world.probe("a")
    reading = CRITICALITY.measure(settings, probe)
    generator = probe.generator("two")
    shapes = {n: t.shape for n, t in world.runs["a"].items() if n.startswith("two.")}
    noise = [
        {n: torch.randn(shape, generator=generator) for n, shape in shapes.items()}
        for _ in range(2)
    ]
    final, start = world.runs["a"], world.runs["a/init"]
    for sigma, row in zip((0.01, 0.1, 1.0), reading.grids[0].z["loss[two]"], strict=True):
        for alpha, loss in zip((0, 1 / 3, 2 / 3, 1), row, strict=True):
            points = [
                final
                | {
                    n: (1 - alpha) * start[n] + alpha * final[n] + sign * sigma * drawn[n]
                    for n in shapes
                }
                for drawn in noise
                for sign in (1, -1)
            ]
            assert loss == pytest.approx(float(probe.evaluate(points, "train").loss.mean()), 1e-5)


def test_a_reading_costs_what_the_card_says_and_sees_no_more_than_train():
    settings = CriticalitySettings(steps=2, scales=3, draws=2, examples=40)
    reading = network().read(CRITICALITY, ["a"], settings)
    assert reading.cost.forward == pytest.approx((3 * 4 * 3 * 3 + 1) * 40)  # 3 modules
    assert reading.protocol["access"] == "train"
    assert reading.protocol["modules"] == ["body.0", "body.1", "two"]


def test_a_module_alone_is_read_as_it_is_among_others():
    among = values(network().read(CRITICALITY, ["a"], CriticalitySettings(quantity="loss")))
    settings = CriticalitySettings(quantity="loss", modules=("two",))
    alone = values(network().read(CRITICALITY, ["a"], settings))
    assert alone["criticality-relative[two]"] == among["criticality-relative[two]"]
    assert set(alone) < set(among)


def test_a_run_without_a_known_start_is_refused():
    world = network()
    del world.runs["a/init"]
    with pytest.raises(HarnessError, match="initial weights"):
        world.read(CRITICALITY, ["a"])


def test_a_diverged_run_gives_no_number_and_no_exception():
    world = network()
    world.runs["a"]["two.weight"].fill_(math.nan)
    reading = world.read(CRITICALITY, ["a"])
    assert math.isnan(values(reading)["criticality"])
    assert not reading.converged
