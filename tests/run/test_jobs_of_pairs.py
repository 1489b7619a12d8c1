"""Readings of several runs share jobs, in an order in which they share most."""

from dataclasses import replace

import pytest
from toy_cells import training

from harness.api.cells import Cell, MeasureWork, Seeds, Stage
from harness.run.board import Board
from harness.run.packs import Packing


def jobs(cells, done, workers, tmp_path):
    """The cells of the jobs as a run would start them, one after the other."""
    board = Board(cells, {cell.key for cell in done})
    packing = Packing(1, True, workers, "cpu", tmp_path)
    found = []
    while (group := board.next_group()) is not None:
        found.append(board.take(group, packing.size(group, board)))
        for cell in found[-1]:
            board.finish(cell.key)
    return found


def pairs_of(runs, metrics):
    """Readings of all pairs by each metric, and of all runs by a metric called "all"."""
    cells = []
    for place, first in enumerate(runs):
        for second in runs[place + 1 :]:
            cells += [reading(metric, first, second) for metric in metrics]
    return [*cells, reading("all", *runs)]


def reading(metric, *runs):
    use = replace(runs[0].work.model, noun="metric", name=metric, label=metric)
    of = "pair" if len(runs) == 2 else "group"
    work = MeasureWork(use, of, runs[0].work.model, runs[0].work.train, ())
    parents = tuple(run.key for run in runs)
    seeds = tuple(Seeds(0, number) for number in range(len(runs)))
    return Cell(f"measure-{metric}-{parents}", Stage.MEASURE, "toy", seeds, parents, work)


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_pairs_share_jobs_whatever_their_metrics_in_equal_parts(tmp_path, workers):
    runs = [training(f"finetune-{name}", seed=n) for n, name in enumerate("abcde")]
    cells = [*runs, *pairs_of(runs, ("one", "two"))]
    found = jobs(cells, runs, workers, tmp_path)
    assert sum(len(job) for job in found) == 21
    assert found[0][0].key.startswith("measure-all")  # the pairs beside it are then free
    of_pairs = [[cell.parents for cell in job if len(cell.parents) == 2] for job in found]
    assert all(parents.count(pair) == 2 for parents in of_pairs for pair in parents)
    assert [parents == sorted(parents) for parents in of_pairs] == [True] * len(of_pairs)
    if workers == 1:
        assert len(found) == 1
    else:
        assert len(found) >= workers
        assert max(len(job) for job in found) <= -(-21 // (2 * workers)) + 1


def test_readings_of_a_single_pair_are_cut_so_that_all_workers_are_busy(tmp_path):
    runs = [training(f"finetune-{name}", seed=n) for n, name in enumerate("ab")]
    cells = [*runs, *(reading(metric, *runs) for metric in ("one", "two", "three", "four"))]
    found = jobs(cells, runs, 2, tmp_path)
    assert [len(job) for job in found] == [1, 1, 1, 1]
