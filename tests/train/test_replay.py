"""A run trained again is the same run, and what is written down of its steps is right."""

from dataclasses import dataclass, field, replace

import pytest
import torch
from training_scene import Shelf, a_cell, open_bench, same, split_use, use

from harness.api.cells import Branch, Cell, MeasureWork, Seeds, Stage
from harness.api.errors import HarnessError
from harness.plan.identity import identity_of
from harness.train.pack import train_pack
from harness.train.replay import Replays

MODEL = use("model", "mlp", hidden=[8])


@dataclass
class Record:
    key: str
    stage: str
    identity: dict
    parents: list
    result: object
    precision: str
    settings: dict = field(default_factory=dict)
    start: str = ""


class Store(Shelf):
    """A store of weight files, and of the records of trainings."""

    def __init__(self, root):
        super().__init__(root)
        self.records = {}

    def read(self, key):
        return self.records[key]


def trained(folder, cell: Cell, device="cpu"):
    """The cell trained and stored, and what looks into it."""
    bench = open_bench(folder, device)
    bench.store = store = Store(folder)
    if cell.parents:
        store.put(cell.parents[0], bench.network(MODEL, split_use(), 7).module.state_dict())
    (training,) = train_pack([cell], bench, lambda line: None)
    store.put(cell.key, training.weights)
    store.records[cell.key] = Record(
        cell.key,
        cell.stage.value,
        identity_of(cell),
        list(cell.parents),
        training.trained,
        cell.precision,
    )
    work = MeasureWork(use("metric", "x"), "trajectory", cell.work.model, cell.work.train, ())
    return training, Replays(bench, work)


def method(**settings):
    return use("method", "full", **{"steps": 12, "lr": 0.01, **settings})


CELLS = {
    "plain": a_cell(1, model=MODEL, method=method()),
    "sgd": a_cell(2, model=MODEL, method=method(optimizer="sgd", clip=0.5, weight_decay=0.1)),
    "dropout": a_cell(3, model=use("model", "mlp", hidden=[8], dropout=0.5), method=method()),
    "augmented": a_cell(
        4, model=MODEL, method=method(), augment=(use("shift", "translation", pixels=1),)
    ),
    "nested": a_cell(5, model=MODEL, method=method(), seeds=Seeds(1, 5, order=2, nested=True)),
    "pretrained": a_cell(
        6, model=MODEL, method=method(head="fresh"), init="pretrained", parents=("pretrain-0",)
    ),
    "batch-norm": a_cell(7, model=use("model", "cnn", width=2, norm="batch"), method=method()),
    "bfloat16": a_cell(8, model=MODEL, method=method(), precision="bfloat16"),
    "warm-up": a_cell(9, model=MODEL, method=method(warmup=4, schedule="linear", clip=0.1)),
    "branch": a_cell(
        10,
        model=use("model", "mlp", hidden=[8], dropout=0.5),
        method=method(),
        branch=Branch(5, 2),
        stage=Stage.BRANCH,
    ),
}


@pytest.mark.parametrize("name", CELLS)
def test_a_run_trained_again_ends_where_it_ended(tmp_path, name):
    cell = CELLS[name]
    training, replays = trained(tmp_path, cell)
    trace = replays.replay(cell.key)
    assert trace.drift == 0.0
    assert trace.diverged_at is None
    assert trace.steps == 12
    assert trace.examples_seen == 12 * 32
    losses = [trace.loss[step - 1].item() for step in training.trained.loss_steps]
    assert losses == training.trained.losses


def test_limits_of_a_trial_run_hold_for_its_replay(tmp_path):
    from harness.api.cells import Limit

    cell = replace(CELLS["plain"], limit=Limit(examples=50, steps=5))
    _, replays = trained(tmp_path, cell)
    assert replays.replay(cell.key).drift == 0.0
    assert replays.replay(cell.key).steps == replays.facts(cell.key).steps == 5
    assert replays.facts(cell.key).examples == 50


def test_the_facts_are_those_of_the_recipe(tmp_path):
    cell = CELLS["warm-up"]
    _, replays = trained(tmp_path, cell)
    facts = replays.facts(cell.key)
    (phase,) = facts.phases
    assert (phase.optimizer.name, phase.batch, phase.clip) == ("adamw", 32, 0.1)
    assert facts.rates[:5] == pytest.approx([0.0025, 0.005, 0.0075, 0.01, 0.01])
    assert facts.rates[-1] == pytest.approx(0.01 / 8)
    assert replays.replay(cell.key).rate.tolist() == list(facts.rates)


@pytest.mark.parametrize("optimizer", ["adamw", "sgd"])
def test_every_step_is_written_down_as_a_loop_by_hand_finds_it(tmp_path, optimizer):
    from harness.compute.streams import RunStreams
    from harness.train.batches import Batches
    from harness.train.course import course_of
    from harness.train.start import starting_weights

    cell = a_cell(1, model=MODEL, method=method(optimizer=optimizer, steps=6))
    _, replays = trained(tmp_path, cell)
    trace = replays.replay(cell.key)
    bench = replays.bench
    course = course_of(cell, bench)
    module = course.module()
    module.load_state_dict(starting_weights(cell, course, bench))
    batches = Batches(course, [RunStreams.of(cell.seeds[0])], stacked=False)
    batches.order.begin(32)
    name, parameter = next(iter(module.named_parameters()))
    if optimizer == "sgd":
        other = torch.optim.SGD(module.parameters(), lr=0.01, momentum=0.9)
    else:
        other = torch.optim.AdamW(module.parameters(), lr=0.01)
    decay = {id(p): 0.01 if p.ndim > 1 else 0.0 for p in module.parameters()}
    other.param_groups[:] = [
        {**other.param_groups[0], "params": [p], "weight_decay": decay[id(p)]}
        for p in module.parameters()
    ]
    average = torch.zeros_like(parameter)
    for step in range(1, 7):
        batch = batches.next(step)
        loss = torch.nn.functional.cross_entropy(module(**batch.inputs), batch.targets)
        other.zero_grad()
        loss.backward()
        gradients = [p.grad for p in module.parameters()]
        norm = torch.cat([g.flatten() for g in gradients]).norm()
        squares, before = parameter.grad.square().clone(), parameter.detach().clone()
        average = 0.999 * average + 0.001 * squares
        other.step()
        debiased = average / (1 - 0.999**step)
        if optimizer == "adamw":
            own = other.state[parameter]["exp_avg_sq"] / (1 - 0.999**step)
            torch.testing.assert_close(own, debiased, rtol=1e-4, atol=1e-12)
        expected = {
            "loss": loss.item(),
            "norm": norm.item(),
            "square": squares.mean().item(),
            "rms": (squares / debiased.clamp(min=1e-16)).mean().sqrt().item(),
            "update": (parameter.detach() - before).square().mean().sqrt().item(),
        }
        found = {
            "loss": trace.loss[step - 1].item(),
            "norm": trace.gradient_norm[step - 1].item(),
            "square": trace.squares[name][step - 1].item(),
            "rms": trace.rms[name][step - 1].item(),
            "update": trace.updates[name][step - 1].item(),
        }
        assert found == pytest.approx(expected, rel=1e-4)


def test_what_a_linear_probe_leaves_alone_has_no_numbers(tmp_path):
    cell = a_cell(1, model=MODEL, method=use("method", "linear-probe", steps=4))
    _, replays = trained(tmp_path, cell)
    trace = replays.replay(cell.key)
    assert set(trace.rms) == {"head.weight", "head.bias"}
    assert trace.drift == 0.0


def test_a_second_phase_begins_with_averages_of_its_own(tmp_path):
    from harness.api.recipes import Phase, Schedule
    from harness.compute.streams import RunStreams
    from harness.train.alone import Alone
    from harness.train.batches import Batches
    from harness.train.course import Stretch, course_of
    from harness.train.loop import train
    from harness.train.recorder import Recorder
    from harness.train.start import starting_weights

    cell = CELLS["plain"]
    bench = open_bench(tmp_path)
    head = Stretch(Phase(trains="head", schedule=Schedule("linear")), 3, 32)
    course = replace(course_of(cell, bench), stretches=(head, Stretch(Phase(clip=0.1), 2, 16)))
    run = RunStreams.of(cell.seeds[0])
    recorder = Recorder(Alone(course, starting_weights(cell, course, bench), run))
    train(course, recorder, Batches(course, [run], stacked=False), lambda line: None)
    body = next(name for row in recorder.book.tensors for name in row if "head" not in name)
    rms = recorder.book.column(body, 5)[:, 1]
    assert torch.isnan(rms[:3]).all()
    assert 0.5 < rms[3].item() < 1 + 1e-5  # a unit that is dead has no gradient
    assert recorder.book.column("head.bias", 5)[[0, 3], 1].tolist() == pytest.approx([1, 1])
    squares = sum(
        recorder.book.column(name, 5)[4, 0] * tensor.numel()
        for name, tensor in course.network.module.named_parameters()
    )
    assert squares.sqrt().item() == pytest.approx(0.1, rel=1e-3)  # what the optimizer is given
    assert recorder.book.norms[4].item() > 0.1


def test_a_run_that_diverged_has_a_trace_until_it_did(tmp_path):
    cell = a_cell(1, model=MODEL, method=method(optimizer="sgd", lr=1e25, steps=60))
    training, replays = trained(tmp_path, cell)
    assert training.outcome == "diverged"
    trace = replays.replay(cell.key)
    assert trace.diverged_at == training.trained.diverged_at
    assert trace.steps == trace.diverged_at - 1
    assert torch.isfinite(trace.loss).all()
    assert trace.drift == 0.0


def test_weights_that_are_not_those_of_the_run_are_noticed(tmp_path):
    cell = CELLS["plain"]
    training, replays = trained(tmp_path, cell)
    off = {name: tensor + 0.01 for name, tensor in training.weights.items()}
    replays.bench.weights = lambda key, point="final": off
    assert 0 < replays.replay(cell.key).drift < 1


def test_a_run_of_a_stack_comes_out_close_to_itself(tmp_path):
    cells = [a_cell(seed, model=MODEL, method=method()) for seed in (1, 2)]
    _, replays = trained(tmp_path, cells[0])
    stacked = train_pack(cells, replays.bench, lambda line: None)[0].weights
    replays.bench.weights = lambda key, point="final": stacked
    assert replays.replay(cells[0].key).drift < 1e-3


@pytest.mark.gpu
@pytest.mark.parametrize("name", ["plain", "dropout", "batch-norm"])
def test_a_gpu_trains_a_run_again_much_as_before(tmp_path, name):
    _, replays = trained(tmp_path, CELLS[name], "cuda")
    trace = replays.replay(CELLS[name].key)
    assert trace.drift < 0.01
    assert trace.loss.device.type == next(iter(trace.rms.values())).device.type == "cpu"


def test_a_start_from_a_file_that_was_not_kept_is_refused_in_one_line(tmp_path):
    cell = CELLS["plain"]
    _, replays = trained(tmp_path, cell)
    replays.bench.store.records[cell.key].identity["init"] = "checkpoint"
    with pytest.raises(HarnessError, match="did not keep its step 0"):
        replays.replay(cell.key)


def test_nothing_global_moves(tmp_path):
    cell = CELLS["dropout"]
    _, replays = trained(tmp_path, cell)
    before = torch.get_rng_state()
    with torch.no_grad():
        replays.replay(cell.key)
        assert not torch.is_grad_enabled()
    assert torch.equal(before, torch.get_rng_state())


def test_the_same_run_looked_into_twice_is_the_same(tmp_path):
    cell = CELLS["augmented"]
    _, replays = trained(tmp_path, cell)
    one, other = replays.replay(cell.key), replays.replay(cell.key)
    assert same(dict(one.rms), dict(other.rms))
