from types import SimpleNamespace

import pytest
import torch
from training_scene import Shelf, a_cell, open_bench, same, split_use, use

from harness.api.cells import MeasureWork, Seeds
from harness.api.errors import HarnessError
from harness.api.results import Trained
from harness.measure.points import RunPoints
from harness.plan.identity import identity_of
from harness.train.course import course_of
from harness.train.start import starting_weights

MODEL = use("model", "mlp", hidden=[16])


class Store(Shelf):
    """A store of weight files, and of the records of some training cells."""

    def __init__(self, root, cells, checkpoints=()):
        super().__init__(root)
        self.cells = {cell.key: cell for cell in cells}
        self.checkpoints = list(checkpoints)

    def read(self, key):
        cell = self.cells[key]
        result = Trained(
            steps=12, examples_seen=1, loss_steps=[], losses=[], checkpoints=self.checkpoints
        )
        parents = list(cell.parents)
        return SimpleNamespace(
            key=key, identity=identity_of(cell), parents=parents, result=result, start=""
        )


def opened(folder, cell, checkpoints=()):
    bench = open_bench(folder)
    bench.store = Store(folder, [cell], checkpoints)
    work = MeasureWork(use("metric", "x"), "point", MODEL, split_use(), ())
    return bench, RunPoints(bench, work)


def start(points, key, name="init"):
    return points.load(*points.origin(key, name))


@pytest.mark.parametrize("seeds", [Seeds(3, 1), Seeds(3, 1, nested=True), Seeds(2, 1, order=5)])
@pytest.mark.parametrize("head", ["auto", "fresh"])
def test_a_run_from_random_weights_starts_where_its_training_did(tmp_path, seeds, head):
    method = use("method", "full", steps=12, lr=0.01, head=head)
    cell = a_cell(1, model=MODEL, method=method, seeds=seeds)
    bench, points = opened(tmp_path, cell)
    assert points.named(cell.key) == ("init", "final")
    assert same(start(points, cell.key), starting_weights(cell, course_of(cell, bench), bench))


@pytest.mark.parametrize("head", ["auto", "fresh"])
def test_a_run_from_pretrained_weights_starts_where_its_training_did(tmp_path, head):
    method = use("method", "full", steps=12, lr=0.01, head=head)
    cell = a_cell(
        1, model=MODEL, method=method, init="pretrained", parents=("pretrain-0",), seeds=Seeds(0, 1)
    )
    bench, points = opened(tmp_path, cell)
    bench.store.put("pretrain-0", bench.network(MODEL, split_use(), 7).module.state_dict())
    assert points.named(cell.key) == ("init", "pretrained", "final")
    begun = starting_weights(cell, course_of(cell, bench), bench)
    assert same(start(points, cell.key), begun)
    assert same(start(points, cell.key, "pretrained"), begun)
    shared = head == "auto"  # then all runs of this parent have one start
    assert (points.origin(cell.key, "init") == ("pretrain-0", "final")) == shared


def test_checkpoints_are_points_and_step_0_is_the_start(tmp_path):
    cell = a_cell(1, model=MODEL)
    _, points = opened(tmp_path, cell, [0, 4])
    assert points.named(cell.key) == ("init", "checkpoint-0", "checkpoint-4", "final")
    assert points.origin(cell.key, "init") == (cell.key, "checkpoint-0")
    assert points.origin(cell.key, "checkpoint-4") == (cell.key, "checkpoint-4")


def test_a_start_from_nowhere_is_refused_with_what_there_is(tmp_path):
    cell = a_cell(1, model=MODEL)
    _, points = opened(tmp_path, cell)
    with pytest.raises(HarnessError, match="did not start from pretrained weights"):
        points.origin(cell.key, "pretrained")
    from_file = a_cell(2, model=MODEL, init="checkpoint")
    _, points = opened(tmp_path, from_file)
    assert points.named(from_file.key) == ("final",)
    with pytest.raises(HarnessError, match="did not keep its step 0"):
        points.origin(from_file.key, "init")


def test_drawing_a_start_moves_no_global_stream(tmp_path):
    cell = a_cell(1, model=MODEL)
    _, points = opened(tmp_path, cell)
    before = torch.get_rng_state()
    start(points, cell.key)
    assert torch.equal(torch.get_rng_state(), before)


def test_weights_drawn_afresh_are_of_no_run_and_differ_by_run_and_number(tmp_path):
    method = use("method", "full", steps=12, lr=0.01)
    cell = a_cell(1, model=MODEL, method=method, seeds=Seeds(3, 1))
    _, points = opened(tmp_path, cell)
    first = start(points, cell.key, "fresh-1")
    others = (cell.key, "init"), (cell.key, "fresh-2"), ("another", "fresh-1")
    assert same(first, start(points, cell.key, "fresh-1"))
    assert not any(same(first, start(points, *other)) for other in others)
    drawn, begun = (weights[next(iter(first))] for weights in (first, start(points, cell.key)))
    assert drawn.std() == pytest.approx(begun.std().item(), rel=0.2)
