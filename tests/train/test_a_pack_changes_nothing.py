"""A run's weights do not depend on the pack it was trained in.

Tolerance: a stack sums in another order than a run alone, so float32 weights may differ by rounding
that a few steps amplify: at most 2e-4 after 12 steps of SGD with momentum at a rate of 0.05. Adam
divides a gradient by its own size, so that a weight whose gradient is zero but for rounding takes
steps of either sign: there, single weights may differ by a few rates, and losses by 1 per mille.
"""

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from training_scene import a_cell, distance, same, use

from harness.train.pack import train_pack

TOLERANCE = 2e-4
SGD = use("method", "full", steps=12, lr=0.05, optimizer="sgd", momentum=0.9, clip=1.0)
MODELS = {
    "mlp": use("model", "mlp", hidden=[16], dropout=0.3, norm="layer"),
    "mlp-batch": use("model", "mlp", hidden=[16], dropout=0.3, norm="batch"),
    "cnn": use("model", "cnn", width=4, dropout=0.3),
    "cnn-batch": use("model", "cnn", width=4, norm="batch"),
    "transformer": use("model", "toy-transformer"),
    "tokens": use("model", "toy-tokens"),
}


@pytest.mark.parametrize("name", MODELS)
def test_alone_and_in_packs_of_2_3_and_8_agree_with_dropout_and_augmentation(bench, name):
    augment = (use("shift", "noise", sd=0.2), use("shift", "rotation", degrees=[-20, 20]))
    cells = [a_cell(seed, model=MODELS[name], method=SGD, augment=augment) for seed in range(8)]
    alone = [train_pack([cell], bench, print)[0] for cell in cells[:3]]
    assert distance(alone[0].weights, alone[1].weights) > 100 * TOLERANCE
    for size in (2, 3, 8):
        pack = train_pack(cells[:size], bench, print)
        for single, packed in zip(alone, pack, strict=False):
            assert distance(single.weights, packed.weights) < TOLERANCE
            assert packed.trained.pack == size
            torch.testing.assert_close(
                single.trained.losses, packed.trained.losses, rtol=1e-3, atol=1e-4
            )


@pytest.mark.parametrize("name", ["mlp", "cnn", "transformer"])
def test_under_adamw_a_pack_agrees_with_runs_alone(bench, name):
    method = use("method", "full", steps=12, lr=0.003, weight_decay=0.1, clip=1.0)
    cells = [a_cell(seed, model=MODELS[name], method=method) for seed in range(3)]
    for cell, packed in zip(cells, train_pack(cells, bench, print), strict=True):
        single = train_pack([cell], bench, print)[0]
        assert distance(single.weights, packed.weights) < 4 * 0.003
        torch.testing.assert_close(single.trained.losses, packed.trained.losses, rtol=1e-3, atol=0)


@pytest.mark.slow
def test_a_hugging_face_encoder_with_dropout_agrees_stacked_and_alone(bench):
    method = use("method", "full", steps=6, lr=0.01, optimizer="sgd")
    cells = [a_cell(s, model=use("model", "toy-bert"), method=method, batch=8) for s in range(2)]
    for cell, packed in zip(cells, train_pack(cells, bench, print), strict=True):
        single = train_pack([cell], bench, print)[0]
        assert distance(single.weights, packed.weights) < 1e-6


def test_a_run_does_not_depend_on_its_place_in_the_pack(bench):
    cells = [a_cell(seed, model=MODELS["mlp"], method=SGD) for seed in range(3)]
    forwards = train_pack(cells, bench, print)
    backwards = train_pack(cells[::-1], bench, print)
    for one, other in zip(forwards, backwards[::-1], strict=True):
        assert distance(one.weights, other.weights) < TOLERANCE


def test_serial_runs_are_bit_equal_again_and_in_another_order(bench):
    cells = [a_cell(seed, model=MODELS["cnn"], method=SGD) for seed in range(2)]
    first = [train_pack([cell], bench, print)[0].weights for cell in cells]
    again = [train_pack([cell], bench, print)[0].weights for cell in cells[::-1]][::-1]
    assert all(same(a, b) for a, b in zip(first, again, strict=True))


@pytest.mark.slow
def test_another_process_gets_the_same_bits(bench, tmp_path):
    cell = a_cell(1, model=MODELS["transformer"], method=SGD)
    here = train_pack([cell], bench, print)[0].weights
    code = f"""
import pathlib, sys, torch
sys.path.insert(0, {str(Path(__file__).parents[1])!r})
from training_scene import a_cell, open_bench, use
from harness.train.pack import train_pack
torch.set_num_threads(1)
torch.rand(1000)  # another history of the global generator
method = use("method", "full", **{dict(SGD.settings)!r})
cell = a_cell(1, model=use("model", "toy-transformer"), method=method)
(training,) = train_pack([cell], open_bench(pathlib.Path({str(tmp_path)!r})), print)
torch.save(training.weights, {str(tmp_path / "there.pt")!r})
"""
    subprocess.run([sys.executable, "-c", code], check=True)
    assert same(here, torch.load(tmp_path / "there.pt", weights_only=True))


def test_a_model_that_cannot_be_stacked_is_trained_one_by_one(bench):
    cells = [a_cell(seed, model=use("model", "toy-lonely")) for seed in range(2)]
    both = train_pack(cells, bench, print)
    assert [training.trained.pack for training in both] == [1, 1]
    assert same(both[1].weights, train_pack([cells[1]], bench, print)[0].weights)


def test_a_diverged_member_does_not_disturb_the_others(bench, monkeypatch):
    cells = [a_cell(seed, method=SGD) for seed in range(3)]
    undisturbed = train_pack(cells, bench, print)
    import harness.train.pack as pack

    start = pack.starting_weights

    def broken(cell, course, bench):
        weights = start(cell, course, bench)
        return {n: t * 1e30 if cell is cells[1] else t for n, t in weights.items()}

    monkeypatch.setattr(pack, "starting_weights", broken)
    disturbed = train_pack(cells, bench, print)
    assert [training.outcome for training in disturbed] == ["ok", "diverged", "ok"]
    assert distance(disturbed[0].weights, undisturbed[0].weights) < TOLERANCE
    assert distance(disturbed[2].weights, undisturbed[2].weights) < TOLERANCE
    assert disturbed[1].trained.diverged_at == 1
    alone = train_pack([cells[1]], bench, print)[0]
    assert alone.trained.diverged_at == 1
    assert all(t.isnan().all() for t in alone.weights.values())
    assert all(t.isnan().all() for t in disturbed[1].weights.values())


def test_cells_that_differ_in_more_than_seeds_are_no_pack(bench):
    with pytest.raises(ValueError, match="seeds and parents only"):
        train_pack([a_cell(0), a_cell(1, batch=16)], bench, print)
