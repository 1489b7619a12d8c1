"""What a worker works with."""

from dataclasses import replace

import pytest
import torch
from training_scene import open_bench, split_use, use

from harness.api.cells import Limit
from harness.api.data import InputSpec, Outline, Split, Splits, Task
from harness.api.errors import HarnessError
from harness.compute import splits as splits_module
from harness.compute.agreement import check_dataset
from harness.compute.workbench import Recent

ROTATED = replace(
    split_use(),
    name="rotated",
    source="test",
    by=(use("shift", "rotation", degrees=[20, 70]), use("shift", "noise", sd=0.2)),
    shift="rotation",
    parent="test",
)


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    return open_bench(tmp_path_factory.mktemp("bench"))


def test_images_stay_bytes_and_the_model_gets_normalised_floats(bench):
    split = bench.split(split_use())
    assert split.inputs["image"].dtype == torch.uint8
    where = torch.tensor([[3, 1], [2, 0]])
    given = split.model_inputs(where)["image"]
    assert given.shape == (2, 2, 1, 8, 8)
    exact = (split.inputs["image"][where].double() / 255 - 0.305) / 0.376
    torch.testing.assert_close(given.double(), exact, rtol=1e-6, atol=1e-6)


def test_a_split_too_large_to_keep_as_floats_gives_the_same_floats(bench, monkeypatch):
    kept = bench.split(split_use()).model_inputs(slice(0, 10))["image"]
    monkeypatch.setattr(splits_module, "FLOATS_KEPT", 0)
    split = replace(bench.split(split_use()), _ready={})
    assert torch.equal(split.model_inputs(slice(0, 10))["image"], kept)


def test_a_limited_shifted_split_holds_the_same_examples_as_its_parent_and_the_same_draws(bench):
    whole, some = bench.split(ROTATED), bench.split(ROTATED, Limit(examples=30))
    parent = bench.split(replace(ROTATED, by=(), name="test"), Limit(examples=30))
    assert len(some) == 30
    assert torch.equal(some.examples, parent.examples)
    assert torch.equal(some.targets, whole.targets[some.examples])
    assert torch.equal(some.inputs["image"], whole.inputs["image"][some.examples])
    assert not torch.equal(some.inputs["image"], parent.inputs["image"])


def test_a_shifted_split_is_the_same_on_another_workbench(bench, tmp_path):
    other = open_bench(tmp_path).split(replace(ROTATED, name="called otherwise"))
    assert other.name == "called otherwise"
    assert torch.equal(other.inputs["image"], bench.split(ROTATED).inputs["image"])


def test_a_split_is_loaded_once(bench):
    assert bench.split(ROTATED) is bench.split(ROTATED)
    assert bench.split(replace(ROTATED, name="b")).inputs is bench.split(ROTATED).inputs


def test_a_source_that_does_not_exist_is_named(bench):
    with pytest.raises(HarnessError, match="dataset 'digits': the dataset has no split 'dev'"):
        bench.split(replace(ROTATED, source="dev"))


def test_data_that_changed_after_planning_are_noticed(tmp_path):
    with pytest.raises(HarnessError, match="not those that the plan was made for"):
        open_bench(tmp_path).split(replace(split_use(), fingerprint="0123"))


def test_a_network_is_a_function_of_seed_and_stream_and_leaves_the_generator_alone(bench):
    before = torch.get_rng_state()

    def weights(seed, stream):
        return bench.network(use("model", "mlp"), split_use(), seed, stream).module.head.weight

    assert torch.equal(weights(0, "init"), weights(0, "init"))
    assert not torch.equal(weights(0, "init"), weights(1, "init"))
    assert not torch.equal(weights(0, "init"), weights(0, "head"))
    assert torch.equal(before, torch.get_rng_state())


def test_weights_come_back_from_the_store_by_point(bench):
    stored = {"a": torch.arange(3.0), "count": torch.tensor(4)}
    bench.store.put("finetune-1", stored)
    assert torch.equal(bench.weights("finetune-1")["a"], stored["a"])
    assert int(bench.weights("finetune-1")["count"]) == 4
    with pytest.raises(HarnessError, match="no point 'best'"):
        bench.weights("finetune-1", "best")


def test_what_was_used_last_is_kept_within_the_budget():
    recent = Recent(10)
    for name, size in (("a", 4), ("b", 4)):
        recent.put(name, name, size)
    assert recent.get("a") == "a"
    recent.put("c", "c", 4)
    assert [recent.get(name) for name in "abc"] == ["a", None, "c"]
    recent.put("huge", "huge", 99)
    assert [recent.get(name) for name in ("a", "c", "huge")] == [None, None, "huge"]


def made_up(**changes):
    good = Split({"image": torch.zeros(4, 1, 2, 2, dtype=torch.uint8)}, torch.tensor([0, 1, 0, 1]))
    outline = Outline(
        Task("classification", ("a", "b")), {"image": InputSpec((1, 2, 2))}, train=4, id={"test": 4}
    )
    return outline, Splits(train=good, id={"test": replace(good, **changes)})


def test_a_dataset_that_keeps_its_word_passes():
    check_dataset("made-up", *made_up(groups=None))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"targets": torch.tensor([0, 1, 2, 1])}, r"targets must lie in 0\.\.1, not 0\.\.2"),
        ({"targets": torch.tensor([0, 1])}, "promises 4 examples, its load gives 2"),
        ({"targets": torch.tensor([0.0, 1.0, 0.0, 1.0])}, "int64"),
        ({"inputs": {"image": torch.zeros(4, 1, 2, 2)}}, "must be uint8"),
        ({"inputs": {"image": torch.zeros(4, 2, 2, dtype=torch.uint8)}}, "must be .4, 1, 2, 2."),
        ({"inputs": {}}, "promises the inputs"),
        ({"groups": torch.tensor([0, 0, 0, 0])}, "groups must lie"),
    ],
)
def test_a_dataset_that_breaks_its_word_is_named(changes, message):
    with pytest.raises(HarnessError, match=message) as caught:
        check_dataset("made-up", *made_up(**changes))
    assert "dataset 'made-up'" in str(caught.value)
