"""Symmetries of transformer blocks, found by name: true ones, and recovered by matching."""

import pytest
import torch
from torch import nn

from harness.api.encoders import BERT_NAMES, TORCH_NAMES, EncoderNames, encoder_symmetries
from harness.api.errors import HarnessError
from harness.testing.scenes import World
from harness_landscape.aligned_barrier import ALIGNED_BARRIER
from harness_landscape.barrier import BARRIER
from harness_landscape.permutations import Units

STREAM = (("embed.weight", 0), ("embed.bias", 0), ("head.weight", 1))


class Encoder(nn.Module):
    """Two layers of torch's own over 5 places, a linear head on their mean."""

    def __init__(self):
        super().__init__()
        self.embed = nn.Linear(4, 12)
        self.layers = nn.Sequential(
            *[nn.TransformerEncoderLayer(12, 3, 16, 0.0, batch_first=True) for _ in range(2)]
        )
        self.head = nn.Linear(12, 4)

    def forward(self, x):
        return self.head(self.layers(self.embed(x)).mean(1))


def drawn(module, seed):
    generator = torch.Generator().manual_seed(seed)
    return {
        name: torch.randn(tensor.shape, generator=generator) / max(1, tensor[0].numel()) ** 0.5
        + (1 if "norm" in name.lower() and "weight" in name else 0)
        if tensor.is_floating_point()
        else tensor
        for name, tensor in module.state_dict().items()
    }


def scene(module, symmetries, inputs):
    """Run "a" and a copy "b" with every order drawn anew."""
    a, generator = drawn(module, 1), torch.Generator().manual_seed(5)
    with torch.no_grad():
        logits = torch.func.functional_call(module.eval(), a, (), {"x": inputs})
    last = list(a)[-1]
    a[last] = a[last] - logits.mean(0)
    y = (logits - logits.mean(0)).argmax(1)
    b = a
    for symmetry in symmetries:
        units = Units.of(symmetry, a)
        b = units.permuted(b, units.drawn(generator))
    data = inputs, y
    runs = {"a": a, "b": b}
    return World(module, {"train": data, "test": data}, runs, symmetries=symmetries)


def values(reading):
    return {value.name: value.value for value in reading.values}


def recovered(world):
    found, plain = (values(world.read(metric, "ab")) for metric in (ALIGNED_BARRIER, BARRIER))
    assert (found["l2-aligned"], found["lerp-error"]) == (0.0, 0.0)
    assert found["lerp-loss"] == pytest.approx(0, abs=1e-5)
    assert found["l2-unaligned"] > 1
    assert plain["lerp-error"] > 0.05


@pytest.mark.parametrize("stream", [(), STREAM], ids=["inside", "stream"])
def test_a_permuted_transformer_is_recovered(stream):
    module = Encoder()
    symmetries = encoder_symmetries(module.state_dict(), TORCH_NAMES, heads=3, stream=stream)
    inputs = torch.randn(60, 5, 4, generator=torch.Generator().manual_seed(2))
    recovered(scene(module, symmetries, inputs))


def test_heads_and_units_of_every_block_are_found():
    weights = Encoder().state_dict()
    symmetries = encoder_symmetries(weights, TORCH_NAMES, heads=3, stream=STREAM)
    counts = {s.name: Units.of(s, weights).count for s in symmetries}
    assert counts == {
        "layers.0.heads": 3, "layers.0.units": 16,
        "layers.1.heads": 3, "layers.1.units": 16, "stream": 12,
    }  # fmt: skip


def test_heads_of_another_size_than_the_networks_are_no_symmetry():
    module = Encoder()
    symmetries = encoder_symmetries(module.state_dict(), TORCH_NAMES, heads=6)
    inputs = torch.randn(60, 5, 4, generator=torch.Generator().manual_seed(2))
    with pytest.raises(HarnessError, match=r"symmetry 'layers\.0.*heads' is none"):
        scene(module, symmetries, inputs).read(ALIGNED_BARRIER, "ab")


def test_a_stream_that_leaves_an_axis_out_is_no_symmetry():
    module = Encoder()
    symmetries = encoder_symmetries(module.state_dict(), TORCH_NAMES, heads=3, stream=STREAM[:2])
    inputs = torch.randn(60, 5, 4, generator=torch.Generator().manual_seed(2))
    with pytest.raises(HarnessError, match="symmetry 'stream' is none"):
        scene(module, symmetries, inputs).read(ALIGNED_BARRIER, "ab")


def test_weights_that_are_stored_the_other_way_round_are_known():
    names = EncoderNames(
        fused="c_attn.{}", output="c_proj.{}", up="c_fc.{}", down="c_out.{}", transposed=True
    )
    shapes = {
        "h.0.c_attn.weight": (4, 12), "h.0.c_attn.bias": (12,), "h.0.c_proj.weight": (4, 4),
        "h.0.c_fc.weight": (4, 8), "h.0.c_out.weight": (8, 4),
    }  # fmt: skip
    weights = {name: torch.zeros(shape) for name, shape in shapes.items()}
    heads, units = encoder_symmetries(weights, names, heads=2)
    assert {(axis.name[4:], axis.dimension, axis.at) for axis in heads.axes} == {
        *((f"c_attn.{part}", at, (s, s + 2))
          for part, at in (("weight", 1), ("bias", 0)) for s in (0, 4, 8)),
        ("c_proj.weight", 0, ()),
    }  # fmt: skip
    assert [axis[:2] for axis in units.axes] == [
        ("h.0.c_fc.weight", 1), ("h.0.c_out.weight", 0),
    ]  # fmt: skip


def test_names_that_no_parameter_has_are_refused():
    weights = Encoder().state_dict()
    with pytest.raises(HarnessError, match="no parameter is named like"):
        encoder_symmetries(weights, BERT_NAMES, heads=3)
    wrong = EncoderNames(fused="self_attn.in_proj_{}", output="o.{}", up="u.{}", down="d.{}")
    with pytest.raises(HarnessError, match=r"no parameter 'layers\.0\.o\.weight'"):
        encoder_symmetries(weights, wrong, heads=3)
    with pytest.raises(HarnessError, match=r"12 entries of .* are no 5 heads"):
        encoder_symmetries(weights, TORCH_NAMES, heads=5)


BERT_STREAM = (
    ("bert.embeddings.word_embeddings.weight", 1),
    ("bert.embeddings.position_embeddings.weight", 1),
    ("bert.embeddings.token_type_embeddings.weight", 1),
    ("bert.embeddings.LayerNorm.weight", 0),
    ("bert.embeddings.LayerNorm.bias", 0),
    ("bert.pooler.dense.weight", 1),
)


@pytest.mark.slow
@pytest.mark.parametrize("stream", [(), BERT_STREAM], ids=["inside", "stream"])
def test_a_permuted_bert_is_recovered(stream):
    import transformers

    config = transformers.BertConfig(
        vocab_size=50, hidden_size=16, num_hidden_layers=2, num_attention_heads=4,
        intermediate_size=24, max_position_embeddings=12, num_labels=4,
    )  # fmt: skip

    class Tokens(nn.Module):
        def __init__(self):
            super().__init__()
            with torch.random.fork_rng(devices=[]):
                self.net = transformers.BertForSequenceClassification(config)

        def forward(self, x):
            return self.net(input_ids=x).logits

    module = Tokens().eval()
    named = [(f"net.{name}", dimension) for name, dimension in stream]
    symmetries = encoder_symmetries(module.state_dict(), BERT_NAMES, heads=4, stream=named)
    assert len(symmetries) == 4 + bool(stream)
    tokens = torch.randint(0, 50, (60, 9), generator=torch.Generator().manual_seed(2))
    recovered(scene(module, symmetries, tokens))
