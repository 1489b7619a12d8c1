"""Dropout from a stream: the right rate, the same alone and stacked, nothing global."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.func import functional_call, vmap

from harness.api.errors import HarnessError
from harness.compute.dropout import StreamDropout, _by_flag, _by_number, step_keys

CPU = torch.device("cpu")


def dropped(call, seed=0, step=1):
    mode = StreamDropout()
    mode.begin(step_keys(seed, CPU)(step))
    with mode:
        return call()


def test_the_share_and_scale_are_right_and_calls_are_independent():
    ones = torch.ones(400_000)
    a, b = dropped(lambda: (F.dropout(ones, 0.3), F.dropout(ones, 0.3)))
    assert a.unique().tolist() == pytest.approx([0.0, 1 / 0.7])
    assert float((a == 0).float().mean()) == pytest.approx(0.3, abs=0.004)
    assert float(((a == 0) & (b == 0)).float().mean()) == pytest.approx(0.09, abs=0.003)
    neighbours = (a[1:] == 0) & (a[:-1] == 0)
    assert float(neighbours.float().mean()) == pytest.approx(0.09, abs=0.003)


def test_masks_depend_on_seed_and_step_and_on_nothing_else():
    x = torch.ones(1000)
    first = dropped(lambda: F.dropout(x, 0.5))
    assert torch.equal(first, dropped(lambda: F.dropout(x, 0.5)))
    assert torch.equal(first, dropped(lambda: nn.Dropout(0.5)(x)))
    assert torch.equal(first, dropped(lambda: torch.dropout(x, 0.5, True)))
    assert not torch.equal(first, dropped(lambda: F.dropout(x, 0.5), seed=1))
    assert not torch.equal(first, dropped(lambda: F.dropout(x, 0.5), step=2))


def test_evaluation_mode_and_rate_zero_drop_nothing_and_rate_one_everything():
    x = torch.ones(10)
    assert torch.equal(dropped(lambda: F.dropout(x, 0.5, training=False)), x)
    assert torch.equal(dropped(lambda: F.dropout(x, 0.0)), x)
    assert torch.equal(dropped(lambda: F.dropout(x, 1.0)), torch.zeros(10))


@pytest.mark.parametrize("p", [0.1, 0.3, 1 / 3, 0.5, 0.9999])
def test_flags_and_numbers_keep_the_same(p):
    bits = torch.randint(-(2**31), 2**31, (9999,), generator=torch.Generator().manual_seed(0))
    least = 2 * round(p * 2**31) - 2**31
    edges = torch.tensor([-(2**31), 2**31 - 1, least - 1, least, least + 1])
    bits = torch.cat([bits, edges]).int()
    values = torch.linspace(1, 2, len(bits))
    kept = _by_number(values, bits, least, p)
    assert torch.equal(kept, _by_flag(values, bits, least, p))
    assert torch.equal(kept, torch.where(bits >= least, values * (1 / (1 - p)), 0.0))


def test_channel_dropout_drops_whole_channels():
    out = dropped(lambda: F.dropout2d(torch.ones(50, 4, 3, 3), 0.5)).flatten(2)
    assert torch.equal(out.min(2).values, out.max(2).values)
    assert 0.3 < float((out == 0).float().mean()) < 0.7


def test_attention_without_dropout_is_torchs_own_and_with_it_is_right_on_average():
    g = torch.Generator().manual_seed(0)
    q, k, v = (torch.randn(2, 4, 6, 8, generator=g) for _ in range(3))
    exact = F.scaled_dot_product_attention(q, k, v, is_causal=True)
    attend = F.scaled_dot_product_attention
    tiny = dropped(lambda: attend(q, k, v, dropout_p=1e-9, is_causal=True))
    torch.testing.assert_close(tiny, exact)
    mask = torch.rand(6, 6, generator=g) < 0.7
    mask.fill_diagonal_(True)
    tiny = dropped(lambda: attend(q, k, v, attn_mask=mask, dropout_p=1e-9))
    torch.testing.assert_close(tiny, attend(q, k, v, attn_mask=mask))
    many = [dropped(lambda: attend(q, k, v, dropout_p=0.3, is_causal=True), s) for s in range(400)]
    assert float((torch.stack(many).mean(0) - exact).abs().mean()) < 0.05


def test_examples_and_places_in_one_axis_drop_as_in_two_however_far_they_are_filled_up():
    def kept(length, *, flat):
        mode = StreamDropout(padded=True)
        mode.begin(step_keys(0, torch.device("cpu"))(1), grid=(3, length))
        ones = torch.ones(3, length, 5)
        with mode:
            found = F.dropout(ones.flatten(0, 1) if flat else ones, 0.5)
        return found.reshape(ones.shape)[:, :4]

    assert torch.equal(kept(4, flat=True), kept(4, flat=False))
    assert torch.equal(kept(4, flat=True), kept(9, flat=True))


def test_an_encoder_layer_drops_the_same_stacked_and_alone():
    layer = nn.TransformerEncoderLayer(16, 2, 32, dropout=0.3, batch_first=True).train()
    weights = dict(layer.named_parameters())
    x = torch.randn(3, 4, 5, 16, generator=torch.Generator().manual_seed(0))
    mode = StreamDropout()

    def forward(key, x):
        mode.begin(key)
        return functional_call(layer, weights, (x,))

    with mode, torch.no_grad():
        stacked = vmap(forward)(step_keys([1, 2, 3], CPU)(7), x)
        alone = [forward(step_keys(s, CPU)(7), x[i]) for i, s in enumerate([1, 2, 3])]
    assert mode.calls == 4
    torch.testing.assert_close(stacked, torch.stack(alone), rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    "draw",
    [
        lambda x: x + torch.rand(3),
        lambda x: x + torch.randn_like(x),
        lambda x: torch.bernoulli(x),
        lambda x: F.alpha_dropout(x, 0.5, training=True),
        lambda x: nn.LSTM(3, 3, num_layers=2, dropout=0.5)(x[None]),
    ],
)
def test_a_draw_from_a_global_generator_is_refused(draw):
    before = torch.get_rng_state()
    with torch.random.fork_rng(devices=[]), pytest.raises(HarnessError, match="stream"):
        dropped(lambda: draw(torch.full((3,), 0.5)))
    assert torch.equal(before, torch.get_rng_state())


def test_a_generator_of_ones_own_is_not_refused():
    g = torch.Generator().manual_seed(0)
    assert dropped(lambda: torch.rand(3, generator=g)).shape == (3,)
