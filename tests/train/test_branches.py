"""A branch goes its run's way, to the last bit, and then one of its own."""

from dataclasses import replace

import pytest
import torch
from training_scene import a_cell, distance, same, use

from harness.api.cells import Branch, Limit, Seeds, Stage
from harness.api.errors import HarnessError
from harness.train.pack import train_pack

METHOD = use("method", "full", steps=12, lr=0.01)
MODEL = use("model", "mlp", hidden=[16], dropout=0.3, norm="batch")
NOISE = (use("shift", "noise", sd=0.2),)
BARE = use("model", "mlp", hidden=[16])


def run_of(seed=0, **other):
    return a_cell(seed, **{"model": MODEL, "method": METHOD, "augment": NOISE} | other)


def branch_of(run, step, copy=1):
    work = replace(run.work, branch=Branch(step, copy))
    return replace(run, key=f"{run.key}-{step}-{copy}", stage=Stage.BRANCH, work=work)


def trained(cell, bench):
    return train_pack([cell], bench, print)[0]


def test_a_branch_at_the_last_step_is_the_run_itself_to_the_bit(bench):
    run = run_of()
    end = trained(run, bench)
    branch = trained(branch_of(run, 12), bench)
    assert same(branch.weights, end.weights)
    assert branch.trained.losses == end.trained.losses


def test_the_losses_of_a_branch_are_the_runs_until_it_leaves_and_others_at_once(bench):
    run = run_of()
    losses = trained(run, bench).trained.losses
    for step in (0, 5, 11):
        other = trained(branch_of(run, step), bench).trained.losses
        assert other[:step] == losses[:step]
        assert all(a != b for a, b in zip(other[step:], losses[step:], strict=True))


@pytest.mark.parametrize(
    "drawn",
    [{"model": BARE, "augment": ()}, {"model": MODEL, "augment": ()}, {"model": BARE}],
    ids=["order", "dropout", "augmentation"],
)
def test_each_stream_is_left_after_the_step(bench, drawn):
    """Batches of all examples leave nothing to the order but how sums are rounded."""
    run = run_of(batch=32 if drawn == {"model": BARE, "augment": ()} else 4096, **drawn)
    losses, other = (trained(c, bench).trained.losses for c in (run, branch_of(run, 6)))
    assert other[:6] == losses[:6]
    assert all(abs(a - b) > 1e-4 for a, b in zip(other[6:], losses[6:], strict=True))


def test_copies_and_seeds_draw_their_own_and_a_branch_is_the_same_every_time(bench):
    run, second = run_of(0), run_of(1)
    cells = [branch_of(run, 4), branch_of(run, 4, copy=2), branch_of(second, 4)]
    first, copy, other = (trained(cell, bench).weights for cell in cells)
    assert same(first, trained(cells[0], bench).weights)
    assert not same(first, copy)
    assert not same(first, other)


def test_an_optimizer_goes_on_with_what_it_remembers(bench):
    """At the step before the last, one batch is left: Adam's averages decide how it is used."""
    run = run_of(batch=4096, model=BARE, augment=())
    end = trained(run, bench).weights
    assert distance(end, trained(branch_of(run, 11), bench).weights) < 1e-6


def test_branches_of_several_runs_and_copies_agree_stacked_and_alone(bench):
    method = use("method", "full", steps=12, lr=0.05, optimizer="sgd", momentum=0.9)
    runs = [run_of(seed, method=method) for seed in range(2)]
    cells = [branch_of(run, 5, copy) for run in runs for copy in (1, 2)]
    alone = [trained(cell, bench) for cell in cells]
    for single, packed in zip(alone, train_pack(cells, bench, print), strict=True):
        assert packed.trained.pack == 4
        assert distance(single.weights, packed.weights) < 2e-4
    assert distance(alone[0].weights, alone[1].weights) > 0.01


def test_branches_of_different_steps_are_no_pack(bench):
    run = run_of()
    with pytest.raises(ValueError, match="differ in seeds and parents only"):
        train_pack([branch_of(run, 3), branch_of(run, 4)], bench, print)


def test_a_branch_keeps_no_checkpoints(bench):
    run = run_of(method=use("method", "full", steps=12, lr=0.01, checkpoints=[0, 6]))
    assert list(trained(run, bench).checkpoints) == [0, 6]
    assert trained(branch_of(run, 3), bench).checkpoints == {}


def test_nested_and_split_seeds_branch_too(bench):
    for seeds in (Seeds(1, 0, nested=True), Seeds(0, 0, 7)):
        run = run_of(seeds=seeds)
        assert same(trained(run, bench).weights, trained(branch_of(run, 12), bench).weights)


def test_a_step_beyond_the_end_is_refused_and_means_the_end_in_a_trial(bench):
    run = run_of()
    with pytest.raises(HarnessError, match=r"a branch after 13 steps, of a training of 12"):
        train_pack([branch_of(run, 13)], bench, print)
    short = replace(run, limit=Limit(steps=5))
    assert same(trained(short, bench).weights, trained(branch_of(short, 13), bench).weights)


@pytest.mark.gpu
def test_a_branch_on_an_accelerator_leaves_at_its_step(tmp_path):
    from training_scene import open_bench

    bench = open_bench(tmp_path, "cuda")
    run = run_of(model=BARE)
    losses, other = (trained(c, bench).trained.losses for c in (run, branch_of(run, 6)))
    torch.testing.assert_close(other[:6], losses[:6], rtol=1e-4, atol=0)
    assert all(abs(a - b) > 1e-4 for a, b in zip(other[6:], losses[6:], strict=True))
