"""Branches in the schedule: packed with their like, timed with their runs, in nobody's way."""

from dataclasses import replace

import pytest
from toy_cells import evaluation, training

from harness.api.cells import Branch, Cell, MeasureWork, Seeds, Stage
from harness.run.board import Board
from harness.run.packs import Calibration, Packing
from harness.run.tally import describe


def branching(key: str, step: int, copy: int = 1, *, seed: int = 0) -> Cell:
    cell = training(key, seed=seed)
    return replace(cell, stage=Stage.BRANCH, work=replace(cell.work, branch=Branch(step, copy)))


def reading(key: str, metric: str, *parents: str) -> Cell:
    model, train = training("").work.model, training("").work.train
    use = replace(model, noun="metric", name=metric, label=metric)
    work = MeasureWork(use, "point", model, train, ())
    return Cell(key, Stage.MEASURE, "toy", (Seeds(0, 0),), parents, work)


def jobs(cells, packing, fail=()):
    """The keys of the jobs as one worker would run them, and the board in the end."""
    board = Board(cells, set())
    found = []
    while (group := board.next_group()) is not None:
        taken = board.take(group, packing.size(group, board))
        found.append([cell.key for cell in taken])
        for cell in taken:
            board.fail(cell.key) if cell.key in fail else board.finish(cell.key)
    return found, board


@pytest.fixture
def packing(tmp_path):
    return Packing(8, True, 1, "cpu", tmp_path)


@pytest.fixture
def cells() -> list[Cell]:
    """A run with two readings, of which one needs two branches."""
    return [
        training("finetune-a"),
        branching("branch-0", 0),
        branching("branch-5", 5),
        evaluation("evaluate-a", "finetune-a"),
        reading("measure-parted", "parted", "finetune-a", "branch-0", "branch-5"),
        reading("measure-flat", "flat", "finetune-a"),
    ]


def test_a_branch_that_fails_blocks_the_readings_that_need_it_and_nothing_else(cells, packing):
    _, board = jobs(cells, packing, fail=("branch-5",))
    assert board.failed == {"branch-5"}
    assert board.blocked == {"measure-parted": "branch-5"}
    assert set(board.missing) == {"branch-5", "measure-parted"}


def test_runs_come_before_branches_and_branches_before_what_is_read(cells, packing):
    found, _ = jobs(cells, packing)
    assert found == [
        ["finetune-a"],
        ["branch-0"],
        ["branch-5"],
        ["evaluate-a"],
        ["measure-flat", "measure-parted"],
    ]


def test_branches_of_one_step_go_into_packs_and_those_of_others_apart(packing):
    cells = [
        branching(f"{step} {copy} {seed}", step, copy, seed=seed)
        for step in (0, 5)
        for copy in (1, 2)
        for seed in range(3)
    ]
    cells += [training(f"run {seed}", seed=seed) for seed in range(3)]
    found, _ = jobs(cells, packing)
    assert [(len(job), {key.split()[0] for key in job}) for job in found] == [
        (3, {"run"}),
        (6, {"0"}),
        (6, {"5"}),
    ]


def test_a_timing_of_runs_serves_their_branches(tmp_path):
    runs = [training(f"finetune-{seed}", seed=seed) for seed in range(8)]
    branches = [branching(f"branch-{seed}", 5, seed=seed) for seed in range(8)]
    packing = Packing(None, True, 1, "cpu", tmp_path)
    timed, later = Board(runs, set()), Board(branches, set())
    packing.learn(timed.next_group(), runs[0], Calibration({"1": 1.0, "4": 0.1}, "cuda"))
    assert not packing.wants_calibration(later.next_group(), later)
    assert packing.size(later.next_group(), later) == 4


def test_a_branch_is_told_from_its_run():
    assert describe(branching("branch-a", 5)) == "branch toy seeds 0/0 from step 5"
