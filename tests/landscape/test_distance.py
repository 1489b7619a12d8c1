import math

import pytest
import torch
from torch import nn

from harness.testing.scenes import World
from harness_landscape.distance import DISTANCE, DistanceSettings


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.one, self.norm = nn.Linear(3, 4), nn.BatchNorm1d(4)
        self.head = nn.Linear(4, 2, bias=False)

    def forward(self, x):
        return self.head(torch.relu(self.norm(self.one(x))))


PARAMETERS = [name for name, _ in Net().named_parameters()]


def state(generator, size=1.0):
    found = Net().state_dict()
    return {
        name: size * torch.randn(tensor.shape, generator=generator)
        if name in PARAMETERS
        else tensor
        for name, tensor in found.items()
    }


def world(starts=True, **more):
    """Two runs from one start, and a third from another; buffers differ wildly."""
    generator = torch.Generator().manual_seed(0)
    runs = {name: state(generator) for name in ("a", "b", "c")}
    runs["b"]["norm.running_var"] = torch.full((4,), 99.0)
    if starts:
        runs["a/init"] = runs["b/init"] = state(generator)
        runs["c/init"] = state(generator)
    data = torch.zeros(2, 3), torch.zeros(2, dtype=torch.long)
    return World(Net(), {"train": data, "ood-far": data}, runs, head=("head.",), **more)


def vector(weights, names=PARAMETERS):
    return torch.cat([weights[name].reshape(-1).double() for name in names])


def values(reading):
    return {value.name: value.value for value in reading.values}


def test_distances_and_cosines_are_those_of_the_flat_vectors():
    scene = world()
    a, b, start = (vector(scene.runs[name]) for name in ("a", "b", "a/init"))
    found = values(scene.read(DISTANCE, ["a", "b"]))
    apart = (a - b).norm().item()
    assert found["l2"] == pytest.approx(apart)
    assert found["l2-relative"] == pytest.approx(apart / ((a @ a + b @ b) / 2).sqrt().item())
    travelled = (((a - start) @ (a - start) + (b - start) @ (b - start)) / 2).sqrt().item()
    assert found["travelled"] == pytest.approx(travelled)
    assert found["l2-travelled"] == pytest.approx(apart / travelled)
    exact = torch.cosine_similarity(a - start, b - start, dim=0).item()
    assert found["cosine"] == pytest.approx(exact)
    assert found["l2-start"] == 0.0


def test_each_run_goes_from_its_own_start():
    scene = world()
    a, c, start, other = (vector(scene.runs[name]) for name in ("a", "c", "a/init", "c/init"))
    found = values(scene.read(DISTANCE, ["a", "c"]))
    exact = torch.cosine_similarity(a - start, c - other, dim=0).item()
    assert found["cosine"] == pytest.approx(exact)
    assert found["l2-start"] == pytest.approx((start - other).norm().item())


@pytest.mark.parametrize("angle", [0.0, 1.0, math.pi / 2, math.pi])
def test_ways_of_equal_length_are_apart_by_their_angle_alone(angle):
    generator = torch.Generator().manual_seed(1)
    scene = world()
    x, y = torch.linalg.qr(torch.randn(40, 2, generator=generator).double())[0].T[:, :32]
    x = x / x.norm()
    y = y - (y @ x) * x
    y = y / y.norm()
    start = scene.runs["a/init"]
    for key, way in (("a", x), ("b", math.cos(angle) * x + math.sin(angle) * y)):
        parts = torch.split((3 * way).float(), [start[name].numel() for name in PARAMETERS])
        for name, part in zip(PARAMETERS, parts, strict=True):
            scene.runs[key][name] = start[name] + part.reshape(start[name].shape)
    found = values(scene.read(DISTANCE, ["a", "b"]))
    assert found["cosine"] == pytest.approx(math.cos(angle), abs=1e-6)
    assert found["l2-travelled"] == pytest.approx(2 * math.sin(angle / 2), abs=1e-5)
    assert found["travelled"] == pytest.approx(3.0, rel=1e-6)


def test_squares_over_the_modules_add_up_to_the_whole():
    reading = world().read(DISTANCE, ["a", "b"])
    assert reading.protocol["modules"] == ["one", "norm", "head"]
    found = values(reading)
    squares = sum(found[f"l2[{module}]"] ** 2 for module in ("one", "norm", "head"))
    assert squares == pytest.approx(found["l2"] ** 2)
    curve = reading.curves[0]
    assert curve.y["cosine"] == [found[f"cosine[{m}]"] for m in ("one", "norm", "head")]


def test_the_order_of_the_two_runs_does_not_matter():
    there, back = (values(world().read(DISTANCE, pair)) for pair in (["a", "c"], ["c", "a"]))
    assert there == pytest.approx(back)


def test_relative_values_do_not_depend_on_the_scale_of_all_weights():
    scene = world()
    before = values(scene.read(DISTANCE, ["a", "c"]))
    for key in ("a", "c", "a/init", "c/init"):
        scene.runs[key].update({name: 8 * scene.runs[key][name] for name in PARAMETERS})
    after = values(scene.read(DISTANCE, ["a", "c"]))
    for name in ("l2-relative", "l2-travelled", "cosine", "cosine[one]"):
        assert after[name] == before[name]
    assert after["l2"] == pytest.approx(8 * before["l2"])


def test_a_permuted_copy_is_the_same_function_and_lies_apart():
    scene = world()
    order = torch.tensor([3, 2, 1, 0])
    copy = {n: t[order] if len(t.shape) and len(t) == 4 else t for n, t in scene.runs["a"].items()}
    copy["head.weight"] = scene.runs["a"]["head.weight"][:, order]
    scene.runs["copy"] = copy
    probe = scene.probe("a", "copy")
    there, here = probe.logits([probe.weights(0), probe.weights(1)], "train")
    assert torch.allclose(there, here)
    assert values(scene.read(DISTANCE, ["a", "copy"]))["l2"] > 1


@pytest.mark.parametrize(
    ("parameters", "names"),
    [("no-head", PARAMETERS[:4]), ("no-bias-and-norm", ["one.weight", "head.weight"])],
)
def test_a_group_of_parameters_may_be_compared_alone(parameters, names):
    scene = world()
    settings = DistanceSettings(parameters=parameters)
    found = values(scene.read(DISTANCE, ["a", "b"], settings))
    a, b = (vector(scene.runs[name], names) for name in "ab")
    assert found["l2"] == pytest.approx((a - b).norm().item())


def test_it_looks_at_no_data():
    reading = world().read(DISTANCE, ["a", "b"])
    assert reading.protocol["access"] == "train"
    assert reading.protocol["access_by_split"] == {}
    assert reading.cost.forward == 0
    assert all(value.split is None for value in reading.values)


def test_runs_that_never_moved_have_no_direction():
    scene = world()
    scene.runs["a"] = scene.runs["a/init"]
    found = values(scene.read(DISTANCE, ["a", "b"]))
    assert math.isnan(found["cosine"])
    scene.runs["b"] = scene.runs["a"]
    found = values(scene.read(DISTANCE, ["a", "b"]))
    assert found["l2"] == found["l2-relative"] == 0.0
    assert math.isnan(found["l2-travelled"])


def test_runs_whose_start_is_not_known_still_have_distances():
    reading = world(starts=False).read(DISTANCE, ["a", "b"])
    assert {v.name for v in reading.values if not v.detail} == {"l2", "l2-relative"}
    assert reading.protocol["start"] == "not known"


def test_a_diverged_run_gives_no_number_and_no_exception():
    scene = world()
    scene.runs["b"]["one.weight"] = torch.full((4, 3), math.nan)
    found = values(scene.read(DISTANCE, ["a", "b"]))
    assert math.isnan(found["l2"])
    assert math.isnan(found["cosine"])
    assert found["l2[head]"] > 0
