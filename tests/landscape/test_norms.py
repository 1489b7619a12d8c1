import itertools
import math

import pytest
import torch
from torch import nn
from torch.nn import functional

from harness.testing.scenes import World
from harness_landscape.norms import NORMS


class Mlp(nn.Module):
    def __init__(self, bias=True):
        super().__init__()
        self.one = nn.Linear(3, 5, bias=bias)
        self.two = nn.Linear(5, 4, bias=bias)
        self.three = nn.Linear(4, 2, bias=bias)

    def forward(self, x):
        return self.three(torch.relu(self.two(torch.relu(self.one(x)))))


class Convolutional(nn.Module):
    """A convolution, batch norm, pooling and a linear layer."""

    def __init__(self, folded=False):
        super().__init__()
        self.conv = nn.Conv2d(2, 4, 3, bias=folded)
        self.norm = nn.Identity() if folded else nn.BatchNorm2d(4)
        self.head = nn.Linear(16, 3)

    def forward(self, x):
        hidden = torch.relu(self.norm(self.conv(x)))
        return self.head(functional.max_pool2d(hidden, 2).flatten(1))


def drawn(net, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return {
        name: torch.rand(tensor.shape, generator=generator) + 0.5
        if name.endswith("running_var")
        else torch.randn(tensor.shape, generator=generator)
        if tensor.is_floating_point()
        else tensor.clone()
        for name, tensor in net.state_dict().items()
    }


def world(net, runs, shape=(3,)):
    data = torch.randn(6, *shape, generator=torch.Generator().manual_seed(9)), torch.arange(6) % 2
    return World(net.eval(), {"train": data, "test": data}, runs)


def read(scene):
    reading = scene.read(NORMS, ["a"])
    assert reading.protocol["access"] == "train"
    return {value.name: value.value for value in reading.values}


def test_lengths_and_distances_are_those_of_all_parameters_together_and_module_by_module():
    net = Mlp()
    run, start = drawn(net, 0), drawn(net, 1)
    found = read(world(net, {"a/init": start, "a": run}))
    whole, began = (torch.cat([t.reshape(-1) for t in each.values()]) for each in (run, start))
    assert found["l2"] == pytest.approx(float(whole.norm()))
    assert found["distance"] == pytest.approx(float((whole - began).norm()))
    assert found["relative-distance"] == pytest.approx(float((whole - began).norm() / began.norm()))
    layers = ("one", "two", "three")
    for kind in ("l2", "distance"):
        total = sum(found[f"{kind}-{layer}"] ** 2 for layer in layers)
        assert math.sqrt(total) == pytest.approx(found[kind])


def test_spectral_norms_are_largest_singular_values_and_products_are_sums_of_logarithms():
    net = Mlp()
    run = drawn(net)
    found = read(world(net, {"a": run}))
    sizes = {layer: torch.linalg.svdvals(run[f"{layer}.weight"]) for layer in ("one", "two")}
    for layer, values in sizes.items():
        assert found[f"spectral-{layer}"] == pytest.approx(float(values[0]), rel=1e-5)
    matrices = [run[f"{layer}.weight"] for layer in ("one", "two", "three")]
    spectral = sum(math.log(torch.linalg.svdvals(matrix)[0]) for matrix in matrices)
    assert found["log-spectral-product"] == pytest.approx(spectral, rel=1e-5)
    frobenius = sum(math.log(matrix.norm()) for matrix in matrices)
    assert found["log-frobenius-product"] == pytest.approx(frobenius, rel=1e-5)


def test_a_diagonal_has_its_largest_entry_and_a_rank_one_matrix_both_norms_alike():
    diagonal = torch.diag(torch.tensor([2.0, -7.0, 0.5]))
    vectors = torch.tensor([[1.0, 2.0, 2.0]]), torch.tensor([[0.0, 3.0, 4.0]])
    found = read(world(Single(), {"a": {"layer.weight": diagonal}}))
    assert found["spectral-layer"] == pytest.approx(7)
    found = read(world(Single(), {"a": {"layer.weight": vectors[0].T @ vectors[1]}}))
    assert found["spectral-layer"] == pytest.approx(15)
    assert found["log-spectral-product"] == pytest.approx(found["log-frobenius-product"])


class Single(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(3, 3, bias=False)

    def forward(self, x):
        return self.layer(x)


def test_the_path_norm_sums_over_every_path():
    net = Mlp(bias=False)
    run = drawn(net)
    one, two, three = (run[f"{layer}.weight"].double() for layer in ("one", "two", "three"))
    paths = itertools.product(range(3), range(5), range(4), range(2))
    total = sum(float((one[j, i] * two[k, j] * three[m, k]) ** 2) for i, j, k, m in paths)
    assert read(world(net, {"a": run}))["path"] == pytest.approx(math.sqrt(total))


def test_a_bias_is_a_path_that_begins_at_a_one():
    net = Mlp()
    run = drawn(net)
    squared = {name: tensor.double().square() for name, tensor in run.items()}
    hidden = torch.ones(3).double()
    for layer in ("one", "two", "three"):
        hidden = squared[f"{layer}.weight"] @ hidden + squared[f"{layer}.bias"]
    assert read(world(net, {"a": run}))["path"] == pytest.approx(math.sqrt(float(hidden.sum())))


def test_rescaled_units_have_the_same_path_norm_and_another_length():
    net = Mlp()
    run = drawn(net)
    factors = torch.tensor([0.1, 2.0, 30.0, 1.0, 5.0])
    other = dict(run)
    other["one.weight"] = run["one.weight"] * factors[:, None]
    other["one.bias"] = run["one.bias"] * factors
    other["two.weight"] = run["two.weight"] / factors
    before, after = (read(world(net, {"a": each})) for each in (run, other))
    assert after["path"] == pytest.approx(before["path"], rel=1e-5)
    assert abs(after["l2"] / before["l2"] - 1) > 0.5


def test_batch_norm_counts_as_if_folded_into_the_convolution_before_it():
    net = Convolutional()
    run = drawn(net)
    scale = run["norm.weight"] / (run["norm.running_var"] + 1e-5).sqrt()
    folded = {
        "conv.weight": run["conv.weight"] * scale[:, None, None, None],
        "conv.bias": run["norm.bias"] - run["norm.running_mean"] * scale,
        "head.weight": run["head.weight"],
        "head.bias": run["head.bias"],
    }
    before = read(world(net, {"a": run}, (2, 6, 6)))
    after = read(world(Convolutional(folded=True), {"a": folded}, (2, 6, 6)))
    assert before["path"] == pytest.approx(after["path"], rel=1e-5)
    assert before["spectral-conv"] == pytest.approx(
        float(torch.linalg.svdvals(run["conv.weight"].reshape(4, 18))[0]), rel=1e-5
    )


class Normalised(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(3, 4)
        self.norm = nn.LayerNorm(4)

    def forward(self, x):
        return self.norm(self.layer(x))


def test_where_paths_make_no_sense_there_is_no_path_norm():
    scene = world(Normalised(), {"a": drawn(Normalised())})
    assert "path" not in read(scene)
    assert scene.read(NORMS, ["a"]).protocol["path_norm"] == "not defined here"


class Tokens(nn.Module):
    def __init__(self):
        super().__init__()
        self.table = nn.Embedding(7, 2)

    def forward(self, x):
        return self.table(x)


def test_tokens_have_no_path_norm_either():
    data = torch.arange(6), torch.arange(6) % 2
    scene = World(Tokens(), {"train": data, "test": data}, {"a": drawn(Tokens())})
    found = read(scene)
    assert "path" not in found
    assert found["spectral-table"] > 0


def test_a_run_whose_start_is_unknown_has_no_distance_and_one_that_diverged_no_numbers():
    net = Mlp()
    run = drawn(net)
    assert not any(
        name.startswith(("distance", "relative")) for name in read(world(net, {"a": run}))
    )
    run["two.weight"][0, 0] = float("nan")
    found = read(world(net, {"a": run, "a/init": drawn(net, 1)}))
    for name in ("l2", "distance", "log-spectral-product", "path", "spectral-two"):
        assert math.isnan(found[name]), name
    assert not math.isnan(found["spectral-one"])


def test_nothing_moves_and_no_more_than_one_example_is_passed_through():
    net = Mlp()
    scene = world(net, {"a": drawn(net), "a/pretrained": drawn(net, 1)})
    before = {name: tensor.clone() for name, tensor in scene.runs["a"].items()}
    reading = scene.read(NORMS, ["a"])
    assert reading.cost.forward == 1
    assert reading.protocol["start"] == "pretrained"
    assert all(torch.equal(before[name], scene.runs["a"][name]) for name in before)
