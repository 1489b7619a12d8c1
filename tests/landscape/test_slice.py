import math

import pytest
import torch
from torch import nn
from torch.nn import functional

from harness.api.readings import Reading
from harness.measure.access import AccessControl
from harness.measure.probe import SceneProbe
from harness.testing.scenes import LOSS_ITSELF, World
from harness_landscape.slice import SLICE, SliceSettings
from harness_landscape.slice_shape import filter_direction, shape


class Quadratic(nn.Module):
    """g'w + w'Hw / 2 of a weight matrix [3, 4]: three filters; and a bias that plays no part."""

    def __init__(self, matrix, slope):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(3, 4, dtype=torch.float64))
        self.bias = nn.Parameter(torch.zeros(2, dtype=torch.float64))
        self.matrix, self.slope = matrix, slope

    def forward(self, x):
        flat = self.weight.reshape(-1)
        return self.slope @ flat + flat @ self.matrix @ flat / 2 + 1000 * self.bias.sum()


def quadratic(matrix, runs=1):
    generator = torch.Generator().manual_seed(0)
    slope, start = torch.randn(2, 12, generator=generator, dtype=torch.float64)
    data = torch.zeros(2, 1).double(), torch.zeros(2).double()
    weights = {"weight": start.reshape(3, 4), "bias": torch.zeros(2).double()}
    named = {f"r{number}": weights for number in range(runs)}
    return World(Quadratic(matrix, slope), {"train": data, "test": data}, named, LOSS_ITSELF)


def indefinite():
    noise = torch.randn(12, 12, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    return (noise + noise.T) / 2


def values(reading, split="test"):
    return {value.name: value.value for value in reading.values if value.split == split}


def test_every_curve_through_a_quadratic_is_a_parabola_with_the_slope_and_bend_along_it():
    world = quadratic(indefinite())
    reading = world.read(SLICE, ["r0"])
    assert [curve.name for curve in reading.curves] == [f"direction-{n}" for n in range(1, 6)]
    for curve in reading.curves:
        heights = torch.tensor(curve.y["loss"], dtype=torch.float64)
        bends = heights[2:] - 2 * heights[1:-1] + heights[:-2]
        assert float(bends.std()) < 1e-10 * float(heights.abs().max())
        alphas = torch.tensor(curve.x, dtype=torch.float64)
        middle = len(alphas) // 2
        slope = (heights[middle + 1] - heights[middle - 1]) / 0.08
        bend = bends[0] / 0.04**2
        expected = heights[middle] + slope * alphas + bend * alphas**2 / 2
        torch.testing.assert_close(heights, expected)


def test_where_curvature_is_the_same_everywhere_every_direction_finds_it():
    world = quadratic(3 * torch.eye(12).double())
    reading = world.read(SLICE, ["r0"])
    square = float(world.runs["r0"]["weight"].square().sum())
    (curvature,) = (value for value in reading.values if value.name == "curvature")
    assert curvature.value == pytest.approx(3 * square)
    assert curvature.standard_error == pytest.approx(0, abs=1e-9)
    assert values(reading)["convexity"] == 1


def test_mean_curvature_is_the_trace_filter_by_filter_and_its_standard_error_is_honest():
    matrix = indefinite()
    world = quadratic(matrix, runs=80)
    norms = world.runs["r0"]["weight"].square().sum(1)
    traces = matrix.diagonal().reshape(3, 4).sum(1)
    exact = float((norms * traces / 4).sum())
    settings = SliceSettings(steps=1, directions=8)
    found = [world.read(SLICE, [key], settings).values[1] for key in world.runs]
    assert {value.name for value in found} == {"curvature"}
    means = torch.tensor([value.value for value in found])
    stated = torch.tensor([value.standard_error for value in found])
    assert abs(float(means.mean()) - exact) < 4 * float(means.std()) / len(means) ** 0.5
    assert float(stated.square().mean().sqrt()) == pytest.approx(float(means.std()), rel=0.3)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.one = nn.Linear(4, 16)
        self.norm = nn.BatchNorm1d(16)
        self.two = nn.Linear(16, 3)

    def forward(self, x):
        return self.two(torch.relu(self.norm(self.one(x))))


class Plain(nn.Module):
    def __init__(self):
        super().__init__()
        self.one = nn.Linear(4, 16)
        self.two = nn.Linear(16, 3)

    def forward(self, x):
        return self.two(torch.relu(self.one(x)))


def network(net, factor=1.0):
    generator = torch.Generator().manual_seed(0)
    state = {
        name: torch.rand(tensor.shape, generator=generator) + 0.5
        if "norm" in name and tensor.is_floating_point()
        else torch.randn(tensor.shape, generator=generator)
        if tensor.is_floating_point()
        else tensor
        for name, tensor in net.state_dict().items()
    }
    for name, size in (("one.weight", factor), ("one.bias", factor), ("two.weight", 1 / factor)):
        state[name] = state[name] * size
    data = torch.randn(80, 4, generator=generator), torch.arange(80) % 3
    far = 3 * data[0], data[1]
    splits = {"train": data, "test": data, "ood-far": far}
    return World(net, splits, {"a": state, "b": dict(state)})


def test_filters_have_the_norms_of_the_weights_and_biases_and_batch_norm_stay():
    world = network(Net())
    probe = world.probe("a")
    weights = probe.weights()
    direction = filter_direction(probe, weights, "no-bias-and-norm", probe.generator("d"))
    moved = probe.at(direction, weights)
    for name in ("one.weight", "two.weight"):
        torch.testing.assert_close(moved[name].norm(dim=1), weights[name].norm(dim=1))
    for name in ("one.bias", "two.bias", "norm.weight", "norm.bias"):
        assert not moved[name].any()


def test_two_directions_have_nothing_to_do_with_each_other():
    probe = network(Plain()).probe("a")
    weights = probe.weights()
    one, other = (
        filter_direction(probe, weights, "all", probe.generator(name)) for name in ("1", "2")
    )
    assert abs(float(functional.cosine_similarity(one, other, dim=0))) < 0.3
    assert abs(float(one.mean() / one.std())) < 0.3


def test_rescaled_layers_of_a_relu_network_have_the_same_slices():
    one, other = (network(Plain(), factor).read(SLICE, ["a"]) for factor in (1.0, 8.0))
    for before, after in zip(one.curves, other.curves, strict=True):
        assert after.y["loss"] == pytest.approx(before.y["loss"], rel=1e-3)
    for name, value in values(one).items():
        assert values(other)[name] == pytest.approx(value, rel=0.02), name


def test_the_run_itself_is_a_point_of_every_slice_and_stays_unmoved():
    world = network(Net().eval())
    before = {name: tensor.clone() for name, tensor in world.runs["a"].items()}
    reading = world.read(SLICE, ["a"], SliceSettings(side=2))
    probe = world.probe("a")
    for split in ("test", "ood-far"):
        itself = probe.evaluate([probe.weights()], split)
        for curve in reading.curves:
            if curve.split == split:
                middle = curve.x.index(0.0)
                assert curve.y["loss"][middle] == float(itself.loss[0])
                assert curve.y["error"][middle] == float(itself.error[0])
        (grid,) = (grid for grid in reading.grids if grid.split == split)
        assert grid.z["loss"][2][2] == float(itself.loss[0])
    assert all(torch.equal(before[name], world.runs["a"][name]) for name in before)
    assert "restored" not in reading.protocol


def test_every_row_of_a_plane_is_aligned_with_its_coordinates():
    matrix = indefinite()
    world = quadratic(matrix)
    (grid,) = world.read(SLICE, ["r0"], SliceSettings(side=3, directions=1, steps=1)).grids
    assert grid.x == grid.y == pytest.approx([-1, -2 / 3, -1 / 3, 0, 1 / 3, 2 / 3, 1])
    z = torch.tensor(grid.z["loss"], dtype=torch.float64)
    for bends in (z[2:] - 2 * z[1:-1] + z[:-2], z[:, 2:] - 2 * z[:, 1:-1] + z[:, :-2]):
        assert float(bends.std()) < 1e-10 * float(z.abs().max())
    mixed = z[1:, 1:] - z[1:, :-1] - z[:-1, 1:] + z[:-1, :-1]
    assert float(mixed.std()) < 1e-10 * float(z.abs().max())


def test_columns_of_a_plane_go_along_its_first_direction_and_rows_along_its_second():
    world = quadratic(indefinite())
    (grid,) = world.read(SLICE, ["r0"], SliceSettings(side=1, directions=1, steps=1)).grids
    subject = world.probe("r0").subject
    access = AccessControl("slice", "ood-labels")  # whose streams the metric draws from
    probe = SceneProbe(subject, ("test",), access, world.shared())
    weights = probe.weights()
    origin = probe.parameters(weights)
    across, up = (
        filter_direction(
            probe, weights, "no-bias-and-norm", probe.generator(f"direction:plane:{axis}")
        )
        for axis in "xy"
    )
    points = [probe.at(origin + across, weights), probe.at(origin + up, weights)]
    to_the_right, upwards = probe.evaluate(points, "test").loss.tolist()
    assert grid.z["loss"][1][2] == pytest.approx(to_the_right)
    assert grid.z["loss"][2][1] == pytest.approx(upwards)


def test_in_domain_and_ood_are_read_along_the_same_directions():
    reading = network(Plain()).read(SLICE, ["a"], SliceSettings(side=1, steps=4))
    assert {curve.split for curve in reading.curves} == {"test", "ood-far"}
    assert [grid.split for grid in reading.grids] == ["test", "ood-far"]
    assert values(reading, "test")["rise"] != values(reading, "ood-far")["rise"]
    assert reading.protocol["access_by_split"] == {"test": "id", "ood-far": "ood-labels"}
    again = network(Plain()).read(SLICE, ["a"], SliceSettings(side=1, steps=4))
    assert again.grids == reading.grids
    assert again.curves == reading.curves


def test_however_few_points_fit_in_memory_the_slices_are_the_same(monkeypatch):
    settings = SliceSettings(side=1, steps=4, directions=2)
    one = network(Plain()).read(SLICE, ["a"], settings)
    monkeypatch.setattr("harness_landscape.around.NUMBERS_AT_ONCE", 1)
    other = network(Plain()).read(SLICE, ["a"], settings)
    for before, after in zip(one.curves, other.curves, strict=True):
        assert after.y["loss"] == pytest.approx(before.y["loss"], rel=1e-12)
    for row, again in zip(one.grids[1].z["loss"], other.grids[1].z["loss"], strict=True):
        assert again == pytest.approx(row, rel=1e-12)


def test_where_the_loss_is_nan_the_slice_says_so():
    world = network(Plain())
    world.runs["a"]["one.weight"][0, 0] = float("nan")
    reading = world.read(SLICE, ["a"], SliceSettings(steps=2))
    assert all(math.isnan(value.value) for value in reading.values)
    assert all(value.standard_error is None for value in reading.values)
    assert all(math.isnan(height) for height in reading.curves[0].y["loss"])


def test_the_shape_of_a_double_well_bends_down_in_its_middle():
    alphas = [number / 20 for number in range(-40, 41)]
    places = torch.tensor(alphas, dtype=torch.float64)
    found = shape(alphas, (places**2 - 1) ** 2, 0.5)
    assert found["curvature"] == pytest.approx(-4, rel=0.15)
    assert found["rise"] == pytest.approx(8)
    bent = 1 / 3**0.5
    share = sum(abs(a) >= bent for a in alphas[1:-1]) / (len(alphas) - 2)
    assert found["convexity"] == pytest.approx(share, abs=0.03)
    assert found["width"] == pytest.approx(2 * (1 + 1.5**0.5) ** 0.5, abs=0.01)


def test_a_flat_loss_is_as_wide_as_the_slice():
    found = shape([-1.0, 0.0, 1.0], torch.full((3,), 2.0), 0.1)
    assert found == {"rise": 0.0, "curvature": 0.0, "convexity": 1.0, "width": 2.0}


def test_grids_survive_being_stored_and_old_readings_have_none():
    reading = network(Plain()).read(SLICE, ["a"], SliceSettings(side=1, steps=1))
    assert Reading.model_validate_json(reading.model_dump_json()) == reading
    assert Reading.model_validate({"values": []}).grids == ()


def test_the_work_is_what_the_card_says():
    settings = SliceSettings(steps=3, directions=2, side=1, examples=50)
    cost = network(Plain()).read(SLICE, ["a"], settings).cost
    assert cost.forward == 2 * 50 * (2 * 6 + 1 + 8)
