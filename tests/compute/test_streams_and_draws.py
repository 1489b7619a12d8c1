"""Named streams, and random numbers that are a function of a counter."""

import math

import pytest
import torch

from harness.api.cells import Seeds, Use
from harness.compute.draws import HashDraws
from harness.compute.hashing import GOLDEN, key_of, keyed, mix64, wrap64
from harness.compute.loading import shift_draws
from harness.compute.streams import RunStreams, derive, stream

CPU = torch.device("cpu")


def test_streams_are_pinned_for_ever():
    assert derive(0, "init") == 2410301491197795094
    assert stream(0, "order").initial_seed() == derive(0, "order")
    assert derive(1, "2") != derive(1, 2)
    assert derive(1, "ab", "c") != derive(1, "a", "bc")


def test_the_pretraining_seed_draws_the_weights_and_the_fine_tuning_seed_the_rest():
    a, b = RunStreams.of(Seeds(1, 5)), RunStreams.of(Seeds(2, 5))
    assert a.init != b.init
    assert (a.head, a.order, a.dropout, a.augment) == (b.head, b.order, b.dropout, b.augment)


def test_an_order_seed_moves_the_order_alone():
    a, b = RunStreams.of(Seeds(1, 5)), RunStreams.of(Seeds(1, 5, order=6))
    assert a.order != b.order
    assert (a.init, a.head, a.dropout, a.augment) == (b.init, b.head, b.dropout, b.augment)
    assert RunStreams.of(Seeds(1, 5, order=5)) == a


def test_nested_fine_tuning_seeds_mean_other_draws_under_another_pretraining_seed():
    a, b = (RunStreams.of(Seeds(p, 5, nested=True)) for p in (1, 2))
    assert len({a.head, b.head, a.order, b.order, RunStreams.of(Seeds(1, 5)).head}) == 5


def test_pretraining_and_fine_tuning_of_one_seed_share_no_stream_but_the_initial_weights():
    a, b = RunStreams.of(Seeds(1)), RunStreams.of(Seeds(1, 1))
    assert a.init == b.init
    assert not {a.order, a.dropout, a.augment, a.head} & {b.order, b.dropout, b.augment, b.head}


def test_the_hash_is_splitmix64():
    """The first three outputs for seed 1234567, from the generator's published test vector."""
    seeds = torch.tensor([wrap64(1234567 + i * GOLDEN) for i in (1, 2, 3)])
    expected = [6457827717110365317, 3203168211198807973, 9817491932198370423]
    assert [value % 2**64 for value in mix64(seeds).tolist()] == expected


def test_an_example_draws_the_same_whatever_stands_beside_it():
    whole = HashDraws(7, torch.arange(100))
    some = HashDraws(7, torch.tensor([42, 3]))
    for draw in (lambda d: d.uniform(2), lambda d: d.normal(3, 2), lambda d: d.permutation(9)):
        assert torch.equal(draw(whole)[[42, 3]], draw(some))


def test_each_example_may_have_a_key_of_its_own():
    keys = key_of([7, 8], CPU)
    mixed = HashDraws(keys, torch.tensor([5, 5])).uniform()
    assert torch.equal(mixed[:1], HashDraws(7, torch.tensor([5])).uniform())
    assert torch.equal(mixed[1:], HashDraws(8, torch.tensor([5])).uniform())


def test_uniform_and_normal_draws_have_their_moments_and_calls_are_independent():
    n = 200_000
    draws = HashDraws(1, torch.arange(n))
    u, v, z = draws.uniform(), draws.uniform(), draws.normal()
    error = 5 / math.sqrt(n)  # five standard errors of a mean of unit variance
    assert float(u.min()) >= 0 and float(u.max()) < 1
    assert float(u.mean()) == pytest.approx(1 / 2, abs=error * 12**-0.5)
    assert float(u.var()) == pytest.approx(1 / 12, abs=error * 180**-0.5)
    assert abs(float(torch.corrcoef(torch.stack([u, v]))[0, 1])) < error
    assert abs(float(torch.corrcoef(torch.stack([u[1:], u[:-1]]))[0, 1])) < error
    assert float(z.mean()) == pytest.approx(0, abs=error)
    assert float(z.var()) == pytest.approx(1, abs=error * 2**0.5)
    assert float((z**4).mean()) == pytest.approx(3, abs=error * 96**0.5)


def test_permutations_are_permutations_and_all_of_them_come_about_equally_often():
    drawn = HashDraws(1, torch.arange(60_000)).permutation(3)
    assert torch.equal(drawn.sort(dim=1).values, torch.arange(3).expand(60_000, 3))
    codes = (drawn * torch.tensor([9, 3, 1])).sum(1)
    counts = codes.unique(return_counts=True)[1].double()
    assert len(counts) == 6
    assert float(((counts - 10_000) ** 2 / 10_000).sum()) < 25  # chi2(5) exceeds it in 1 of 7,000


def test_keys_for_tensors_and_for_integers_agree():
    base = key_of(3, CPU)
    assert int(keyed(base, 5)) == int(keyed(base, torch.tensor(5)))


def test_draws_of_a_shift_follow_the_settings_that_make_its_key_and_no_others():
    def drawn(**settings):
        use = Use("shift", "noise", "noise", settings, "0", hidden=("folder",))
        return shift_draws(0, use, torch.arange(4)).uniform(2).tolist()

    assert drawn(sd=0.3, folder="a") == drawn(sd=0.3, folder="b")
    assert drawn(sd=0.3) != drawn(sd=0.4)
