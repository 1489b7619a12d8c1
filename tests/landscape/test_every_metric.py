"""What holds for every metric that is read on runs: chance, protocol, direction, honesty."""

import pytest
import torch
from torch import nn

from harness.testing.scenes import World
from harness_landscape import harness_metrics

OFFERS = {offer.name: offer for offer in harness_metrics()}
MORE = {
    "aligned-barrier": "symmetries of the model",
    "attention-logits": "a model that exposes attention",
    "break-even": "how runs were trained",
    "edge-of-stability": "how runs were trained",
    "instability": "branches",
    "learning-curve": "how runs were trained",
    "lr-sensitivity": "a sweep of learning rates",
    "rms-spikes": "how runs were trained",
    "subspace-dimension": "how runs were trained",
}
"""What a metric needs beyond weights and examples; others must read this world."""
RUNS = {"point": ["a"], "pair": ["a", "b"], "group": ["a", "b", "c", "d"], "trajectory": ["a"]}
CHEAP = {
    "bezier": {"steps": 5},
    "polychain": {"steps": 5},
    "fisher": {"products": 3},
    "hessian-density": {"runs": 2, "steps": 8},
    "plane": {"points": 3},
    "slice": {"steps": 2, "directions": 2, "side": 1},
    "basin": {"deltas": (0.5, 1.0), "samples": 2},
    "sharpness": {"variants": ("average", "worst-l2"), "draws": 2, "iterations": 2},
}


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.one, self.norm, self.two = nn.Linear(4, 4), nn.BatchNorm1d(4), nn.Linear(4, 3)

    def forward(self, x):
        return self.two(torch.relu(self.norm(self.one(x))))


def world(access):
    """Four runs from one start, on a network with batch norm; an OOD split where it is allowed."""
    generator = torch.Generator().manual_seed(0)

    def moved(state, size):
        return {
            name: tensor + size * torch.rand(tensor.shape, generator=generator)
            if tensor.is_floating_point()
            else tensor
            for name, tensor in state.items()
        }

    with torch.random.fork_rng(devices=[]):
        module = Net()
    nothing = {name: torch.zeros_like(tensor) for name, tensor in module.state_dict().items()}
    start = moved(nothing, 0.5)
    runs = {}
    for run in "abcd":
        runs |= {f"{run}/init": start, f"{run}/checkpoint-5": moved(start, 0.3)}
        runs |= {f"{run}/fresh-1": moved(nothing, 0.5)}
        runs[run] = moved(start, 1.0)
    data = torch.randn(12, 4, generator=generator), torch.arange(12) % 3
    splits = {"train": data, "test": data}
    if access in ("ood-inputs", "ood-labels"):
        splits["ood-far"] = (3 * data[0], data[1])
    return World(module, splits, runs, head=("two.",), features=("one",))


def read(name):
    offer = OFFERS[name]
    settings = offer.settings(**CHEAP.get(name, {}))
    if name in MORE:
        pytest.skip(f"needs {MORE[name]}: see its own tests")
    return world(offer.access).read(offer, RUNS[offer.of], settings)


@pytest.mark.parametrize("name", OFFERS)
def test_a_reading_owes_nothing_to_the_global_generators(name):
    readings = []
    for seed in (0, 1):
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(seed)
            before = torch.get_rng_state()
            readings.append(read(name))
            assert torch.equal(before, torch.get_rng_state())
    first, second = (reading.model_dump_json(exclude={"cost"}) for reading in readings)
    assert first == second
    assert "restored" not in readings[0].protocol


@pytest.mark.parametrize("name", OFFERS)
def test_a_protocol_says_what_was_read_and_how(name):
    reading = read(name)
    protocol = reading.protocol
    assert protocol["access"] in ("train", "id", "ood-inputs", "ood-labels")
    if reading.cost.forward > 1:  # `norms` passes one input of ones
        assert protocol["dtype"] in ("float32", "float64")
        assert protocol["examples"]
        assert protocol["mode"] == "eval"
        assert "statistics" in protocol["batch_norm"], "and not 'none': the network has some"


@pytest.mark.parametrize("name", OFFERS)
def test_values_come_once_per_split_with_errors_that_are_no_less_than_zero(name):
    reading = read(name)
    names = [(value.name, value.split) for value in reading.values]
    assert len(set(names)) == len(names)
    stated = [v.standard_error for v in reading.values if v.standard_error is not None]
    assert all(error >= 0 or error != error for error in stated)


@pytest.mark.parametrize("name", OFFERS)
def test_no_metric_says_how_it_goes_with_ood_scores(name):
    assert "depend" in OFFERS[name].direction
