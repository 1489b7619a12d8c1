"""What trains and what does not, checkpoints, divergence, limits, and the world left as it was."""

import random
from dataclasses import replace

import numpy as np
import pytest
import torch
from training_scene import Shelf, a_cell, limit, same, use

from harness.api.cells import Seeds, Stage
from harness.api.errors import HarnessError
from harness.compute.weights import save_weights
from harness.train.losslog import LossLog
from harness.train.pack import train_pack

BATCH_NORM = use("model", "mlp", hidden=[16], norm="batch", dropout=0.5)


def untrained(**other):
    """The same run without a step: its starting weights."""
    return a_cell(method=use("method", "full", steps=0), **other)


@pytest.mark.parametrize("pack", [1, 2])
def test_a_linear_probe_changes_the_head_and_nothing_else_not_even_statistics(bench, pack):
    start = train_pack([untrained(model=BATCH_NORM)], bench, print)[0].weights
    method = use("method", "linear-probe", steps=5)
    cells = [a_cell(seed, model=BATCH_NORM, method=method) for seed in range(pack)]
    probed = train_pack(cells, bench, print)[0].weights
    body = [name for name in start if not name.startswith("head.")]
    assert any("running_mean" in name for name in body)
    assert all(torch.equal(start[name], probed[name]) for name in body)
    assert not torch.equal(start["head.weight"], probed["head.weight"])


@pytest.mark.parametrize("pack", [1, 2])
def test_full_training_updates_batch_statistics(bench, pack):
    cells = [a_cell(seed, model=BATCH_NORM) for seed in range(pack)]
    weights = train_pack(cells, bench, print)[0].weights
    assert int(weights["body.2.num_batches_tracked"]) == 12
    assert not torch.equal(weights["body.2.running_mean"], torch.zeros(16))


@pytest.mark.parametrize("pack", [1, 2])
def test_a_checkpoint_equals_a_shorter_run_under_a_constant_rate(bench, pack):
    long = use("method", "full", steps=12, checkpoints=[0, 5])
    short = use("method", "full", steps=5)
    kept = train_pack([a_cell(seed, method=long) for seed in range(pack)], bench, print)[0]
    ended = train_pack([a_cell(seed, method=short) for seed in range(pack)], bench, print)[0]
    assert kept.trained.checkpoints == [0, 5]
    assert same(kept.checkpoints[5], ended.weights)
    assert same(kept.checkpoints[0], train_pack([untrained()], bench, print)[0].weights)


def test_log_checkpoints_are_the_start_and_powers_of_two(bench):
    cell = a_cell(method=use("method", "full", steps=12, checkpoints="log"))
    assert train_pack([cell], bench, print)[0].trained.checkpoints == [0, 1, 2, 4, 8]


def test_a_checkpoint_after_the_end_is_an_error(bench):
    with pytest.raises(HarnessError, match="outside the 12 steps"):
        train_pack([a_cell(method=use("method", "full", steps=12, checkpoints=[13]))], bench, print)


def test_divergence_is_an_outcome_with_its_step(bench):
    method = use("method", "full", steps=200, lr=1e18, optimizer="sgd", checkpoints="log")
    training = train_pack([a_cell(method=method)], bench, print)[0]
    assert training.outcome == "diverged"
    assert 2 <= training.trained.diverged_at < 20
    assert training.trained.steps == training.trained.diverged_at
    assert np.isfinite(training.trained.losses).all()
    assert max(training.trained.checkpoints) < training.trained.diverged_at
    assert all(tensor.isnan().all() for tensor in training.weights.values())


def test_a_run_that_diverges_keeps_no_checkpoint_that_it_cannot_go_on_from(bench):
    method = use("method", "full", steps=9, lr=1e39, optimizer="sgd", checkpoints=[0, 1, 2])
    training = train_pack([a_cell(method=method)], bench, print)[0]
    assert training.trained.diverged_at == 2
    assert training.trained.checkpoints == [0]  # the first step went beyond float32


def test_the_first_loss_that_is_not_finite_is_found_whenever_one_looks():
    log = LossLog(2, [1, 3, 5])
    rows = [[1.0, 1.0], [2.0, 2.0], [3.0, float("nan")], [4.0, 4.0], [float("inf"), 5.0]]
    for step, row in enumerate(rows, start=1):
        log.add(torch.tensor(row))
        if step in (2, 4):
            assert log.look()
    assert not log.look()
    assert log.diverged == [5, 3]
    assert log.curves == [{1: 1.0, 3: 3.0}, {1: 1.0}]


def test_at_most_fifty_losses_are_kept_the_first_and_last_among_them(bench):
    cell = a_cell(method=use("method", "full", steps=130))
    trained = train_pack([cell], bench, print)[0].trained
    assert len(trained.losses) == len(trained.loss_steps) == 50
    assert (trained.loss_steps[0], trained.loss_steps[-1]) == (1, 130)
    assert trained.losses[-1] < trained.losses[0]


@pytest.mark.parametrize("pack", [1, 3])
def test_global_random_states_are_bit_identical_afterwards(bench, pack):
    before = torch.get_rng_state(), np.random.get_state(), random.getstate()  # noqa: NPY002
    model = use("model", "toy-transformer")
    noise = (use("shift", "noise", sd=0.2),)
    train_pack([a_cell(s, model=model, augment=noise) for s in range(pack)], bench, print)
    after = torch.get_rng_state(), np.random.get_state(), random.getstate()  # noqa: NPY002
    assert torch.equal(before[0], after[0])
    assert (before[1][1] == after[1][1]).all()
    assert before[2] == after[2]


def test_dropout_and_augmentation_come_from_the_fine_tuning_seed_not_from_the_order(bench):
    dropping = use("model", "mlp", hidden=[16], dropout=0.5)
    noise = (use("shift", "noise", sd=0.2),)
    for other in ({"model": dropping}, {"augment": noise}):
        runs = [
            train_pack([a_cell(seeds=Seeds(0, f, 7), **other)], bench, print)[0] for f in (1, 2, 1)
        ]
        assert not same(runs[0].weights, runs[1].weights)
        assert same(runs[0].weights, runs[2].weights)


def test_a_limit_shortens_the_run_and_the_data(bench):
    cell = a_cell(limit=limit(examples=20, steps=3), batch=64)
    trained = train_pack([cell], bench, print)[0].trained
    assert (trained.steps, trained.examples_seen) == (3, 60)


def test_epochs_are_counted_in_full_batches(bench):
    cell = a_cell(method=use("method", "full", epochs=2), limit=limit(examples=100), batch=32)
    trained = train_pack([cell], bench, print)[0].trained
    assert (trained.steps, trained.examples_seen) == (6, 192)


def test_a_child_starts_from_its_parent_and_keeps_or_redraws_its_head(bench, tmp_path):
    pretrained = train_pack([a_cell(stage=Stage.PRETRAIN, seeds=Seeds(0))], bench, print)[0].weights
    shelf = Shelf(bench.store.root)
    shelf.put("pretrain-0", pretrained)

    def child(head, seed=0):
        method = use("method", "full", steps=0, head=head)
        cell = a_cell(seed, method=method, init="pretrained", parents=("pretrain-0",))
        return train_pack([cell], bench, print)[0].weights

    assert same(child("keep"), pretrained)
    assert same(child("auto"), pretrained)
    fresh = [child("fresh", seed) for seed in (0, 1)]
    assert torch.equal(fresh[0]["body.1.weight"], pretrained["body.1.weight"])
    assert not torch.equal(fresh[0]["head.weight"], pretrained["head.weight"])
    assert not torch.equal(fresh[0]["head.weight"], fresh[1]["head.weight"])


def test_random_starts_of_one_pretraining_seed_are_one_start_unless_the_head_is_fresh(bench):
    def start(pretrain, finetune, head):
        method = use("method", "full", steps=0, head=head)
        cell = a_cell(method=method, seeds=Seeds(pretrain, finetune))
        return train_pack([cell], bench, print)[0].weights

    assert same(start(0, 0, "auto"), start(0, 1, "auto"))
    assert not same(start(0, 0, "auto"), start(1, 0, "auto"))
    fresh = [start(0, finetune, "fresh") for finetune in (0, 1)]
    assert torch.equal(fresh[0]["body.1.weight"], fresh[1]["body.1.weight"])
    assert not torch.equal(fresh[0]["head.weight"], fresh[1]["head.weight"])


def test_weights_of_another_architecture_are_refused_by_name(bench):
    wide = train_pack([a_cell(model=use("model", "mlp", hidden=[20]))], bench, print)[0].weights
    Shelf(bench.store.root).put("pretrain-wide", wide)
    with pytest.raises(HarnessError, match=r"pretrain-wide: 'body.1.weight' is \(20, 64\)"):
        train_pack([a_cell(init="pretrained", parents=("pretrain-wide",))], bench, print)


@pytest.mark.parametrize("pack", [1, 2])
def test_a_half_precision_checkpoint_is_trained_in_the_models_own_precision(bench, tmp_path, pack):
    weights = train_pack([untrained()], bench, print)[0].weights
    save_weights(tmp_path / "half.safetensors", {n: t.half() for n, t in weights.items()})
    cells = [a_cell(seed, init="checkpoint") for seed in range(pack)]
    path = str(tmp_path / "half.safetensors")
    cells = [replace(cell, work=replace(cell.work, checkpoint=path)) for cell in cells]
    trained = train_pack(cells, bench, print)[0]
    assert trained.trained.pack == pack
    assert all(tensor.dtype == torch.float32 for tensor in trained.weights.values())


def test_a_fresh_head_for_a_model_that_names_none_is_an_error(bench):
    method = use("method", "full", steps=1, head="fresh")
    with pytest.raises(HarnessError, match="'toy-tokens' names no head"):
        train_pack([a_cell(model=use("model", "toy-tokens"), method=method)], bench, print)
