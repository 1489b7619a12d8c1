from types import SimpleNamespace

import pytest
import torch
from torch import nn

from harness.api.cells import Cell, Limit, MeasureWork, Seeds, SplitUse, Stage, Use
from harness.api.data import InputSpec, Task
from harness.api.networks import Network
from harness.api.offers import Metric
from harness.api.readings import Reading, Value
from harness.compute.splits import DeviceSplit
from harness.measure.pack import measure_pack
from harness.measure.shared import Shelf
from harness_landscape.barrier import BARRIER, BarrierSettings
from harness_landscape.hessian_top import HESSIAN_TOP, HessianTopSettings

DATASET = Use("dataset", "toy", "toy", {}, "")
MODEL = Use("model", "toy", "toy", {}, "")
TRAIN = SplitUse("train", DATASET, "", "train")
TEST = SplitUse("test", DATASET, "", "test")
FAR = SplitUse("far", DATASET, "", "test", shift="noise", parent="test")
SPEC = InputSpec(shape=(1, 2, 2), mean=(0.5,), std=(0.25,))


class Toy(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(4, 3)

    def forward(self, x):
        return self.fc(x.flatten(1))


def split_of(name, count=12):
    generator = torch.Generator().manual_seed(len(name))
    pictures = torch.randint(0, 256, (count, 1, 2, 2), dtype=torch.uint8, generator=generator)
    spec = SPEC if name != "elsewhere" else InputSpec(shape=(1, 2, 2), mean=(0.9,), std=(0.1,))
    targets = torch.arange(count) % 3
    return DeviceSplit(name, {"x": spec}, {"x": pictures}, targets, torch.arange(count))


class Bench:
    """Stands in for a workbench and writes down what it is asked for."""

    def __init__(self, **metrics):
        self.device = torch.device("cpu")
        self.metrics = metrics
        self.asked = []

    def offer(self, use):
        offer = self.metrics[use.name]
        return offer, offer.settings.model_validate(use.settings)

    def blank(self, model, train):
        return Network(module=Toy(), head=("fc.",))

    def outline(self, use):
        task = Task("classification", ("a", "b", "c"))
        return SimpleNamespace(inputs={"x": SPEC}, task=task)

    def split(self, use, limit, model=None):
        self.asked.append((use.name, limit))
        return split_of(use.name, 5 if limit else 12)

    def weights(self, key, point="final"):
        self.asked.append((key, point))
        generator = torch.Generator().manual_seed(ord(key[-1]))
        return {
            "fc.weight": torch.randn(3, 4, generator=generator),
            "fc.bias": torch.randn(3, generator=generator),
        }


def cell_of(name, *parents, settings=None, splits=(TEST, FAR), limit=None):
    metric = Use("metric", name, name, settings or {}, "")
    of = "pair" if len(parents) == 2 else "point"
    work = MeasureWork(metric, of, MODEL, TRAIN, splits, "same-pretrain-seed")
    seeds = tuple(Seeds(0, number) for number in range(len(parents)))
    return Cell(f"measure-{parents}", Stage.MEASURE, "p", seeds, parents, work, limit=limit)


def test_pairs_of_a_pack_load_and_evaluate_each_run_once():
    bench = Bench(barrier=BARRIER)
    cells = [cell_of("barrier", *pair) for pair in (("r1", "r2"), ("r1", "r3"), ("r2", "r3"))]
    readings = list(measure_pack(cells, bench))
    assert [cell for cell, _ in readings] == cells
    assert sorted(bench.asked) == [
        ("far", None),
        ("r1", "final"),
        ("r2", "final"),
        ("r3", "final"),
        ("test", None),
    ]
    forward = [reading.cost.forward for _, reading in readings]
    assert forward == [2 * 12 * 11, 2 * 12 * 10, 2 * 12 * 9]


def test_a_pack_changes_no_number():
    cells = [cell_of("barrier", *pair) for pair in (("r1", "r2"), ("r1", "r3"), ("r2", "r3"))]
    together = [reading for _, reading in measure_pack(cells, Bench(barrier=BARRIER))]
    for cell, reading in zip(cells, together, strict=True):
        alone = next(iter(measure_pack([cell], Bench(barrier=BARRIER))))[1]
        assert (alone.values, alone.curves) == (reading.values, reading.curves)


def test_several_metrics_of_one_point_share_a_pack():
    bench = Bench(top=HESSIAN_TOP)
    cells = [
        cell_of("top", "r1", settings={"k": 2}),
        cell_of("top", "r1", settings={"k": 2, "which": "value"}),
    ]
    readings = [reading for _, reading in measure_pack(cells, bench)]
    products = [reading.protocol["hessian_products"] for reading in readings]
    assert products[1] < products[0]
    assert bench.asked.count(("r1", "final")) == 1


def test_metrics_with_other_splits_share_points_and_evaluations():
    metrics = {"one": BARRIER, "two": BARRIER, "three": BARRIER}
    splits = {"one": (TEST,), "two": (FAR, TEST), "three": (TRAIN, FAR)}
    cells = [cell_of(name, "r1", "r2", splits=splits[name]) for name in metrics]
    bench = Bench(**metrics)
    together = [reading for _, reading in measure_pack(cells, bench)]
    assert [reading.cost.forward for reading in together] == [11 * 12, 11 * 12, 11 * 12]
    assert [split for split, _ in bench.asked].count("r1") == 1
    for cell, reading in zip(cells, together, strict=True):
        alone = next(iter(measure_pack([cell], Bench(**metrics))))[1]
        assert (alone.values, alone.curves, alone.protocol) == (
            reading.values,
            reading.curves,
            reading.protocol,
        )


def test_one_name_of_two_splits_is_two_splits():
    other = SplitUse("test", DATASET, "", "elsewhere")
    cells = [cell_of("barrier", "r1", "r2", splits=(use,)) for use in (TEST, other, TEST)]
    bench = Bench(barrier=BARRIER)
    forward = [reading.cost.forward for _, reading in measure_pack(cells, bench)]
    assert forward == [11 * 12, 11 * 12, 0]


def test_a_reading_sees_only_its_own_splits_in_a_pack():
    def measure(settings, probe):
        probe.evaluate([probe.weights()], "far")
        return Reading(values=())

    looks = Metric(
        name="looks", about="", source="", settings=BarrierSettings, measure=measure,
        of="point", access="ood-labels", direction="depends", formula="",
    )  # fmt: skip
    cells = [cell_of("looks", "r1"), cell_of("looks", "r1", splits=(TEST,))]
    first, second = (reading for _, reading in measure_pack(cells, Bench(looks=looks)))
    assert isinstance(first, Reading)
    assert "no split 'far' to measure on" in str(second)


def test_a_metric_that_fails_yields_its_exception_and_the_others_their_readings():
    def measure(settings, probe):
        if probe.subject.keys == ("r2",):
            raise RuntimeError("no luck")
        return Reading(values=(Value(name="x", value=1.0),))

    fickle = Metric(name="fickle", about="", measure=measure, of="point", access="train")
    cells = [cell_of("fickle", run) for run in ("r1", "r2", "r3")]
    results = [result for _, result in measure_pack(cells, Bench(fickle=fickle))]
    assert isinstance(results[0], Reading)
    assert isinstance(results[1], RuntimeError)
    assert isinstance(results[2], Reading)


def test_weights_that_cannot_be_read_fail_their_cells_only():
    bench = Bench(top=HESSIAN_TOP)
    whole = bench.weights
    bench.weights = lambda key, point="final": whole(key) if key != "r2" else 1 / 0
    results = [r for _, r in measure_pack([cell_of("top", r) for r in ("r1", "r2")], bench)]
    assert isinstance(results[0], Reading)
    assert isinstance(results[1], ZeroDivisionError)


def test_a_limited_cell_measures_limited_splits_and_shares_nothing_with_a_full_one():
    bench = Bench(barrier=BARRIER)
    cells = [
        cell_of("barrier", "r1", "r2"),
        cell_of("barrier", "r1", "r2", limit=Limit(examples=5)),
    ]
    sizes = [r.protocol["examples"] for _, r in measure_pack(cells, bench)]
    assert sizes == [{"test": 12, "far": 12}, {"test": 5, "far": 5}]


def test_the_subject_has_the_cells_runs_and_seeds():
    seen = []

    def measure(settings, probe):
        seen.append((probe.subject, tuple(probe.splits), [probe.kind(s) for s in probe.splits]))
        return Reading(values=())

    spy = Metric(name="spy", about="", measure=measure, of="pair", access="train")
    cell = cell_of("spy", "r1", "r2")
    list(measure_pack([cell], Bench(spy=spy)))
    subject, splits, kinds = seen[0]
    assert (subject.of, subject.keys, subject.seeds) == ("pair", ("r1", "r2"), cell.seeds)
    assert subject.pair_kind == "same-pretrain-seed"
    assert (splits, kinds) == (("test", "far"), ["id", "ood"])


def test_a_barrier_on_training_data_takes_no_more_than_training_data():
    cell = cell_of("barrier", "r1", "r2", splits=(TRAIN,))
    reading = next(iter(measure_pack([cell], Bench(barrier=BARRIER))))[1]
    assert reading.protocol["access"] == "train"
    assert {value.split for value in reading.values} == {"train"}


@pytest.mark.slow
def test_real_networks_on_real_digits_are_measured(catalogue, tmp_path):
    from harness.compute.workbench import Workbench

    dataset = Use("dataset", "digits", "digits", {}, "")
    model = Use("model", "cnn", "cnn", {"width": 4, "norm": "batch"}, "")
    train = SplitUse("train", dataset, "", "train")
    turn = Use("shift", "rotation", "rotation", {"degrees": 60}, "")
    test = SplitUse("test", dataset, "", "test")
    far = SplitUse("rotation-60", dataset, "", "test", (turn,), "rotation", "test")
    store = SimpleNamespace()
    bench = Workbench(catalogue, store, torch.device("cpu"), tmp_path, offline=True)
    states = {
        f"r{seed}": bench.network(model, train, seed).module.state_dict() for seed in range(3)
    }
    bench.weights = lambda key, point="final": states[key]

    def cell(metric, *parents):
        use = Use("metric", metric, metric, {}, "")
        work = MeasureWork(use, "pair", model, train, (test, far))
        seeds = tuple(Seeds(0, 0) for _ in parents)
        return Cell(f"m-{parents}", Stage.MEASURE, "p", seeds, parents, work)

    cells = [cell("barrier", "r0", "r1"), cell("barrier", "r1", "r2"), cell("hessian-top", "r0")]
    readings = [reading for _, reading in measure_pack(cells, bench)]
    for reading in readings:
        assert isinstance(reading, Reading), reading
        assert all(value.value == value.value for value in reading.values)
        assert "restored" not in reading.protocol
    assert readings[0].protocol["batch_norm"].startswith("statistics anew")
    assert readings[2].converged


def test_settings_of_a_use_reach_the_metric():
    assert BarrierSettings(points=5).points == 5
    cell = cell_of("barrier", "r1", "r2", settings={"points": 5})
    reading = next(iter(measure_pack([cell], Bench(barrier=BARRIER))))[1]
    assert len(reading.curves[0].x) == 5
    assert HessianTopSettings().k == 5


def test_a_split_of_another_data_set_is_scaled_as_the_training_data_are():
    seen = []

    def looks(settings, probe):
        seen.append(probe.evaluate([probe.weights()], "elsewhere").loss.item())
        return Reading(values=(Value(name="x", value=0.0),))

    metric = Metric(name="looks", about="", measure=looks, of="point", access="ood-labels")
    use = SplitUse("elsewhere", DATASET, "", "test", shift="natural", parent="test")
    bench = Bench(looks=metric)
    next(iter(measure_pack([cell_of("looks", "r1", splits=(use,))], bench)))
    network, split = Toy(), split_of("elsewhere")
    network.load_state_dict(bench.weights("r1"))
    scaled = (split.inputs["x"].float() / 255 - SPEC.mean[0]) / SPEC.std[0]
    expected = nn.functional.cross_entropy(network(scaled), split.targets).item()
    assert seen == [pytest.approx(expected, rel=1e-5)]


def test_krylov_spaces_that_have_grown_are_thrown_away_beyond_the_room():
    space = SimpleNamespace(bytes=0)
    shelf = Shelf(room=100, growing=True)
    shelf.get("first", lambda: space, lambda value: value.bytes)
    space.bytes = 90
    shelf.get("second", lambda: SimpleNamespace(bytes=20), lambda value: value.bytes)
    assert shelf.get("first", lambda: "made anew", lambda _: 10) == "made anew"
