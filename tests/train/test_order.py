"""Which examples a step sees."""

import torch

from harness.train.order import Order

CPU = torch.device("cpu")


def test_an_epoch_is_a_permutation_without_its_odd_end():
    order = Order([5], 10, CPU, stacked=False)
    order.begin(4)
    seen = torch.cat([order.batch(), order.batch()])
    assert len(seen.unique()) == 8
    second = torch.cat([order.batch(), order.batch()])
    assert len(second.unique()) == 8
    assert not torch.equal(seen, second)


def test_a_batch_larger_than_the_data_is_all_of_them():
    order = Order([5], 10, CPU, stacked=False)
    order.begin(64)
    assert sorted(order.batch().tolist()) == list(range(10))


def test_stacked_orders_are_those_of_the_runs_alone():
    stacked = Order([5, 6], 10, CPU, stacked=True)
    runs = [Order([seed], 10, CPU, stacked=False) for seed in (5, 6)]
    for order in (stacked, *runs):
        order.begin(4)
    for _ in range(5):
        assert torch.equal(stacked.batch(), torch.stack([run.batch() for run in runs]))
