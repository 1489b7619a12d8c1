"""Attention logits are those that a model's softmax is given."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from harness.api.attention import Attention
from harness.api.errors import HarnessError
from harness.measure.scene import Budget, TensorExamples
from harness.measure.shared import Shared
from harness.testing.scenes import World


class Looking(nn.Module):
    """One block of attention on rows of numbers; `seen` is what its softmax was given last."""

    def __init__(self, size=6, keys=6, heads=2):
        super().__init__()
        self.query = nn.Linear(4, size)
        self.key = nn.Linear(4, keys)
        self.head = nn.Linear(4, 3)
        self.heads, self.seen = heads, None

    def forward(self, x, attention_mask=None):
        size = self.query.out_features // self.heads
        query = self.query(x).unflatten(-1, (-1, size)).transpose(1, 2)
        key = self.key(x).unflatten(-1, (-1, size)).transpose(1, 2)
        key = key.repeat_interleave(self.heads // key.shape[1], 1)
        logits = query @ key.transpose(-1, -2) / size**0.5
        if attention_mask is not None:
            hidden = attention_mask[:, None, None, :] == 0
            logits = logits.masked_fill(hidden, -torch.inf)
        self.seen = logits.detach()
        return self.head((logits.softmax(-1).mean(1) @ x).mean(1))


BLOCK = Attention("block", query="query", key="key", heads=2)


def close(found, expected):
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)


def looking(block=BLOCK, count=7, budget=None, **sizes):
    generator = torch.Generator().manual_seed(0)
    module = Looking(**sizes)
    state = {
        name: 2 * torch.randn(tensor.shape, generator=generator)
        for name, tensor in module.state_dict().items()
    }
    x = torch.randn(count, 5, 4, generator=generator)
    splits = {"train": (x, torch.arange(count) % 3)}
    return World(
        module,
        splits,
        {"a": state},
        attention=() if block is None else (block,),
        budget=budget or Budget(),
    )


def seen(world, mask=None):
    module = Looking(
        world.module.query.out_features, world.module.key.out_features, world.module.heads
    )
    module.load_state_dict(world.runs["a"])
    module(world.splits["train"][0], mask)
    return module.seen


def read(world, mask=None, **options):
    shared = world.shared()
    if mask is not None:
        x, targets = world.splits["train"]
        inputs = TensorExamples({"x": x, "attention_mask": mask}, targets)
        shared = Shared(replace(shared.scene, examples=lambda split: inputs))
    probe = world.probe("a", shared=shared)
    return probe.attention_logits(probe.weights(), "train", **options), probe


@pytest.mark.parametrize("budget", [Budget(), Budget(batch=4000), Budget(batch=1)])
@pytest.mark.parametrize("sizes", [{}, {"size": 12, "keys": 6, "heads": 4}])
def test_logits_are_those_of_the_softmax(budget, sizes):
    world = looking(replace(BLOCK, heads=sizes.get("heads", 2)), budget=budget, **sizes)
    found, probe = read(world)
    exact = seen(world).double()
    close(found["block"].largest, exact.amax((1, 2, 3)))
    close(found["block"].mean, exact.mean((1, 2, 3)))
    assert probe.ledger.cost().forward == 7
    assert not world.module.query._forward_hooks


def test_padding_neither_looks_nor_is_looked_at():
    world = looking()
    mask = torch.ones(7, 5, dtype=torch.int64)
    mask[0, 3:] = 0
    mask[1, 1:] = 0
    found, _ = read(world, mask)
    exact = seen(world).double()
    assert found["block"].largest[0].item() == pytest.approx(
        exact[0, :, :3, :3].max().item(), rel=1e-5
    )
    assert found["block"].mean[0].item() == pytest.approx(
        exact[0, :, :3, :3].mean().item(), rel=1e-4
    )
    assert found["block"].largest[1].item() == pytest.approx(
        exact[1, :, 0, 0].max().item(), rel=1e-5
    )
    close(found["block"].largest[2:], exact[2:].amax((1, 2, 3)))


def test_a_boolean_mask_of_pairs_is_taken_as_it_is():
    world = looking()
    world.module.forward = lambda x, attention_mask: Looking.forward(world.module, x)
    pairs = torch.rand(7, 1, 5, 5, generator=torch.Generator().manual_seed(1)) < 0.5
    found, _ = read(world, pairs)
    exact = seen(world).double().masked_fill(~pairs, -torch.inf)
    close(found["block"].largest, exact.amax((1, 2, 3)))


def test_an_example_that_is_all_padding_has_no_logits():
    mask = torch.ones(7, 5, dtype=torch.int64)
    mask[4] = 0
    found, _ = read(looking(), mask)
    assert torch.isnan(found["block"].largest).tolist() == [n == 4 for n in range(7)]


def test_a_mask_of_added_numbers_is_refused():
    world = looking()
    world.module.forward = lambda x, attention_mask: Looking.forward(world.module, x)
    with pytest.raises(HarnessError, match="nor boolean"):
        read(world, torch.zeros(7, 1, 5, 5))


def test_a_causal_block_looks_back_only():
    world = looking(replace(BLOCK, causal=True))
    exact = seen(world).double()
    found, _ = read(world)
    back = torch.ones(5, 5, dtype=torch.bool).tril()
    expected = exact.masked_fill(~back, -torch.inf).amax((1, 2, 3))
    close(found["block"].largest, expected)


def test_the_scale_can_be_the_models_own():
    world = looking(replace(BLOCK, scale=1.0))
    close(read(world)[0]["block"].largest, seen(world).double().amax((1, 2, 3)) * 3**0.5)


@pytest.mark.parametrize(
    ("block", "said"),
    [
        (None, "exposes no attention"),
        (replace(BLOCK, query="nowhere"), "'nowhere', which it has not"),
        (replace(BLOCK, heads=5), "5 heads do not fit"),
        (replace(BLOCK, query="head", key="head"), "'head' gives no"),
    ],
)
def test_what_cannot_be_looked_into_is_said_in_one_line(block, said):
    with pytest.raises(HarnessError, match=said) as caught:
        read(looking(block))
    assert "\n" not in str(caught.value)


def test_a_diverged_run_has_no_numbers():
    world = looking()
    world.runs["a"]["query.weight"].fill_(torch.nan)
    assert torch.isnan(read(world)[0]["block"].largest).all()


@pytest.mark.slow
def test_a_hugging_face_encoder_is_looked_into():
    from transformers import BertConfig, BertForSequenceClassification

    config = BertConfig(
        vocab_size=20,
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=32,
        attn_implementation="eager",
    )
    generator = torch.Generator().manual_seed(0)
    bert = BertForSequenceClassification(config).eval()
    with torch.no_grad():
        for parameter in bert.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator) / 4)

    class Encoder(nn.Module):
        def __init__(self):
            super().__init__()
            self.bert = bert

        def forward(self, x, attention_mask):
            return self.bert(input_ids=x, attention_mask=attention_mask).logits

    tokens = torch.randint(0, 20, (6, 9), generator=torch.Generator().manual_seed(2))
    mask = (torch.arange(9) < torch.tensor([9, 4, 9, 2, 7, 1])[:, None]).long()
    where = "bert.bert.encoder.layer.{}.attention.self"
    blocks = tuple(
        Attention(f"layer {n}", where.format(n) + ".query", where.format(n) + ".key", 4)
        for n in range(2)
    )
    module = Encoder()
    data = (tokens, torch.zeros(6, dtype=torch.int64))
    world = World(module, {"train": data}, {"a": module.state_dict()}, attention=blocks)
    found, _ = read(world, mask)
    with torch.no_grad():
        out = bert(
            input_ids=tokens,
            attention_mask=mask,
            output_hidden_states=True,
            output_attentions=True,
        )
    for n in range(2):
        own = bert.bert.encoder.layer[n].attention.self
        given = out.hidden_states[n]
        query, key = (
            part(given).unflatten(-1, (4, 4)).transpose(1, 2) for part in (own.query, own.key)
        )
        logits = query @ key.transpose(-1, -2) / 2
        for example, length in enumerate(mask.sum(1).tolist()):
            part = logits[example, :, :length, :length]
            chances = out.attentions[n][example, :, :length, :length]
            torch.testing.assert_close(part.softmax(-1), chances, rtol=1e-4, atol=1e-6)
            assert found[f"layer {n}"].largest[example].item() == pytest.approx(
                part.max().item(), rel=1e-4
            )
