"""The logits of a run's attention, block by block."""

import math

import pytest
import torch
from torch import nn

from harness.api.attention import Attention
from harness.api.errors import HarnessError
from harness.testing.scenes import World
from harness_landscape.attention_logits import ATTENTION_LOGITS, AttentionLogitsSettings


class Two(nn.Module):
    """Two blocks of attention, one after the other; `seen` is what their softmax was given."""

    def __init__(self):
        super().__init__()
        self.blocks = nn.ModuleList(
            nn.ModuleDict({"query": nn.Linear(4, 4), "key": nn.Linear(4, 4)}) for _ in range(2)
        )
        self.head = nn.Linear(4, 3)
        self.seen = []

    def forward(self, x):
        self.seen = []
        for block in self.blocks:
            query, key = (
                block[name](x).unflatten(-1, (2, 2)).transpose(1, 2) for name in ("query", "key")
            )
            logits = query @ key.transpose(-1, -2) / 2**0.5
            self.seen.append(logits.detach())
            x = x + logits.softmax(-1).mean(1) @ x
        return self.head(x.mean(1))


BLOCKS = tuple(
    Attention(f"block {n}", query=f"blocks.{n}.query", key=f"blocks.{n}.key", heads=2)
    for n in range(2)
)


def world(attention=BLOCKS, factor=1.0):
    generator = torch.Generator().manual_seed(0)
    state = {
        name: torch.randn(tensor.shape, dtype=torch.float64, generator=generator)
        for name, tensor in Two().state_dict().items()
    }
    state["blocks.1.query.weight"] *= factor
    state["blocks.1.query.bias"] *= factor
    x = torch.randn(9, 5, 4, dtype=torch.float64, generator=generator)
    data = (x, torch.arange(9) % 3)
    splits = {"train": data, "test": data, "ood-far": data}
    return World(Two().double(), splits, {"a": state}, attention=attention)


def read(place, **settings):
    reading = place.read(ATTENTION_LOGITS, ["a"], AttentionLogitsSettings(**settings))
    return {value.name: value for value in reading.values}, reading


def test_largest_and_mean_are_those_of_what_the_softmax_is_given():
    place = world()
    module = Two().double()
    module.load_state_dict(place.runs["a"])
    module(place.splits["train"][0])
    found, reading = read(place)
    for n, logits in enumerate(module.seen):
        assert found[f"max-logit[block {n}]"].value == pytest.approx(logits.max().item())
        mean = found[f"mean-logit[block {n}]"]
        each = logits.mean((1, 2, 3))
        assert mean.value == pytest.approx(logits.mean().item())
        assert mean.standard_error == pytest.approx(each.std().item() / 3)
    tops = [logits.max().item() for logits in module.seen]
    assert found["max-logit"].value == pytest.approx(max(tops))
    assert found["max-logit-first"].value == pytest.approx(tops[0])
    assert reading.curves[0].labels == ["block 0", "block 1"]
    assert reading.curves[0].y["max"] == pytest.approx(tops)
    assert reading.protocol["access"] == "train"
    assert reading.cost.forward == 9


def test_queries_that_grow_make_logits_grow_as_much():
    small, large = read(world())[0], read(world(factor=10.0))[0]
    name = "max-logit[block 1]"
    assert large[name].value == pytest.approx(10 * small[name].value)
    assert large["max-logit-first"].value == pytest.approx(small["max-logit-first"].value)


def test_the_order_of_heads_does_not_matter():
    place, other = world(), world()
    for name in ("query.weight", "query.bias", "key.weight", "key.bias"):
        tensor = other.runs["a"][f"blocks.0.{name}"]
        other.runs["a"][f"blocks.0.{name}"] = tensor[[2, 3, 0, 1]]
    name = "max-logit[block 0]"
    assert read(place)[0][name].value == pytest.approx(read(other)[0][name].value)


def test_a_model_that_names_no_attention_is_refused_in_one_line():
    with pytest.raises(HarnessError, match="exposes no attention") as caught:
        read(world(()))
    assert "\n" not in str(caught.value)


def test_ood_splits_are_out_of_bounds():
    assert read(world(), split="test")[1].protocol["access"] == "id"
    with pytest.raises(HarnessError, match="ood-far"):
        read(world(), split="ood-far")


def test_a_diverged_run_has_no_numbers():
    place = world()
    place.runs["a"]["blocks.1.key.weight"].fill_(math.nan)
    found, _ = read(place)
    assert math.isnan(found["max-logit"].value)
    assert math.isnan(found["max-logit[block 1]"].value)
    assert found["max-logit-first"].value > 0
    assert found["mean-logit[block 1]"].standard_error is None
