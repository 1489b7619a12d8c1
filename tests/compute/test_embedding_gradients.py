"""Gradients of embeddings that are written where they stay: the same numbers as torch's."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from harness.compute.embedding import gather_gradients


class Reads(nn.Module):
    """Looks words up, and may use the same table to name them again."""

    def __init__(self, *, tied: bool) -> None:
        super().__init__()
        self.words = nn.Embedding(50, 8, padding_idx=0)
        self.places = nn.Embedding(6, 8)
        self.tied = tied

    def forward(self, ids):
        x = torch.tanh(self.words(ids) + self.places(torch.arange(ids.shape[1])))
        return F.linear(x, self.words.weight).sum(-1) if self.tied else x.sum(-1)


def read(*, tied, gathered, steps=3):
    torch.default_generator.manual_seed(0)
    module = Reads(tied=tied)
    tables = gather_gradients(module, least=1) if gathered else []
    draw = torch.Generator().manual_seed(1)
    found = []
    for _ in range(steps):
        ids = torch.randint(0, 50, (4, 6), generator=draw)
        ids[:, 3:] = ids[0, 0]  # words that come often
        ids[0, 4:] = 0
        (module(ids) ** 2).mean().backward()
        found.append([p.grad.clone() for p in module.parameters()])
        for parameter in module.parameters():
            if any(parameter is table for table in tables):
                parameter.grad.zero_()
            else:
                parameter.grad = None
    return found


@pytest.mark.parametrize("tied", [False, True])
def test_gradients_are_what_torch_gives(tied):
    with torch.random.fork_rng(devices=[]):
        for ours, theirs in zip(
            read(tied=tied, gathered=True), read(tied=tied, gathered=False), strict=True
        ):
            for one, other in zip(ours, theirs, strict=True):
                assert one.abs().sum() > 0
                torch.testing.assert_close(one, other, rtol=1e-6, atol=1e-7)


def test_a_padding_row_gets_no_gradient():
    with torch.random.fork_rng(devices=[]):
        for words, _ in read(tied=False, gathered=True):
            assert not words[0].any()


def test_what_does_not_train_is_left_alone():
    module = Reads(tied=False)
    assert len(gather_gradients(module)) == 0  # too small to be worth it
    module.words.weight.requires_grad_(False)
    assert [table.shape[0] for table in gather_gradients(module, least=1)] == [6]
    module.places.weight.requires_grad_(False)
    out = module(torch.ones(2, 6, dtype=torch.long))
    assert not out.requires_grad


def test_a_gradient_stays_where_it_is():
    module = Reads(tied=False)
    (words, _) = gather_gradients(module, least=1)
    module(torch.ones(2, 6, dtype=torch.long)).sum().backward()
    where = words.grad.data_ptr()
    words.grad.zero_()
    module(torch.ones(2, 6, dtype=torch.long)).sum().backward()
    assert words.grad.data_ptr() == where
