"""Text is read once, kept packed, put together by length, and trained, scored and measured."""

from dataclasses import replace
from functools import partial

import pytest
import text_scene
import torch
from training_scene import Shelf, a_cell, distance, same, use

from harness.api.cells import Cell, EvaluateWork, Limit, MeasureWork, Seeds, SplitUse, Stage
from harness.api.errors import HarnessError
from harness.api.looks import Look
from harness.compute.embedding import gather_gradients
from harness.compute.packed import MASK, by_length, even_batches
from harness.compute.streams import RunStreams
from harness.compute.workbench import Workbench
from harness.evaluate.predict import predict
from harness.evaluate.predictions import read_predictions, write_predictions
from harness.evaluate.scoring import score
from harness.measure.data import Sample
from harness.measure.looks import batch_of
from harness.measure.pack import measure_pack
from harness.plug.discovery import discover
from harness.train.batches import Batches
from harness.train.course import course_of
from harness.train.order import bucketed
from harness.train.pack import train_pack

TRAIN = SplitUse("train", use("dataset", "toy-sentences"), "", "train")
FAR = SplitUse("far", TRAIN.dataset, "", "far", shift="length", parent="test")
READER = use("model", "toy-reader")
SGD = use("method", "full", steps=12, lr=0.1, optimizer="sgd", momentum=0.9, clip=1.0)


@pytest.fixture
def bench(tmp_path):
    catalogue = discover(extra=["text_scene"])
    return Workbench(catalogue, Shelf(tmp_path), torch.device("cpu"), tmp_path / "cache", True)


def a_run(seed=0, method=SGD):
    return a_cell(seed, model=READER, method=method, train=TRAIN, batch=16)


def words_of(split, place):
    texts = text_scene.texts(split).columns
    first, second = (texts[field][place].as_py().split() for field in text_scene.FIELDS)
    return [1, *(text_scene.WORDS.index(word) for word in (*first, *second))]


def test_a_batch_is_filled_up_to_its_longest_and_says_what_is_padding(bench):
    split = bench.split(TRAIN, None, READER)
    where = torch.tensor([3, 70, 11])
    given = split.model_inputs(where)
    wanted = [words_of("train", place) for place in where.tolist()]
    longest = max(map(len, wanted))
    assert given["input_ids"].tolist() == [row + [0] * (longest - len(row)) for row in wanted]
    assert given[MASK].sum(1).tolist() == [len(row) for row in wanted]
    assert given[MASK].tolist() == [[1] * len(row) + [0] * (longest - len(row)) for row in wanted]


def test_a_slice_and_a_stack_of_batches_are_padded_as_their_places_are(bench):
    split = bench.split(TRAIN, None, READER)
    stack = torch.tensor([[3, 4], [5, 6]])
    whole, part = split.model_inputs(stack), split.model_inputs(slice(3, 7))
    assert torch.equal(whole["input_ids"].flatten(0, 1), part["input_ids"])


def test_a_limited_split_holds_the_chosen_texts(bench):
    some = bench.split(TRAIN, Limit(examples=7), READER)
    assert len(some) == 7
    given = some.model_inputs(slice(None))
    for row, mask, place in zip(given["input_ids"], given[MASK], some.examples, strict=True):
        assert row[mask.bool()].tolist() == words_of("train", int(place))


def test_gradients_of_tables_that_stay_train_the_same(bench, monkeypatch):
    (plain,) = train_pack([a_run()], bench, print)
    monkeypatch.setattr("harness.train.alone.gather_gradients", partial(gather_gradients, least=1))
    (kept,) = train_pack([a_run()], bench, print)
    assert kept.trained.losses == pytest.approx(plain.trained.losses, rel=1e-5)
    assert distance(kept.weights, plain.weights) < 1e-6


def test_texts_are_read_once_whoever_asks_again(bench, monkeypatch):
    before = bench.split(TRAIN, None, READER).model_inputs(slice(None))
    monkeypatch.setattr(text_scene.Words, "read", lambda *_: pytest.fail("read again"))
    other = Workbench(bench.catalogue, bench.store, bench.device, bench.room.cache, True)
    after = other.split(TRAIN, None, READER).model_inputs(slice(None))
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_a_damaged_cache_is_read_anew(bench):
    before = bench.split(TRAIN, None, READER).model_inputs(slice(None))
    (file,) = bench.room.cache.rglob("*.safetensors")
    file.write_bytes(file.read_bytes()[:100])
    other = Workbench(bench.catalogue, bench.store, bench.device, bench.room.cache, True)
    after = other.split(TRAIN, None, READER).model_inputs(slice(None))
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_a_model_that_reads_nothing_is_refused_for_text(bench):
    with pytest.raises(HarnessError, match="takes no text"):
        bench.split(TRAIN, None, use("model", "mlp"))


def test_batches_hold_examples_of_like_length_and_an_epoch_still_holds_all():
    lengths = torch.randint(1, 60, (4000,), generator=torch.Generator().manual_seed(0))
    chance = torch.Generator().manual_seed(1)
    places = bucketed(torch.randperm(4000, generator=chance), lengths, 16, chance)
    assert sorted(places.tolist()) == list(range(4000))
    batches = lengths[places].view(-1, 16)
    assert batches.max(1).values.sum() * 16 < 1.1 * lengths.sum()
    tops = batches.max(1).values.float()  # long and short batches come in no order
    assert abs(float(torch.corrcoef(torch.stack([tops, torch.arange(250.0)]))[0, 1])) < 0.2


def test_even_batches_cover_everything_within_their_tokens():
    lengths = torch.randint(1, 60, (300,)).sort(descending=True).values
    stretches = list(even_batches(lengths, 128))
    assert [s.start for s in stretches[1:]] == [s.stop for s in stretches[:-1]]
    assert (stretches[0].start, stretches[-1].stop) == (0, 300)
    assert all((s.stop - s.start) * int(lengths[s.start]) <= 128 for s in stretches)


def test_dropout_is_the_same_alone_and_in_a_stack_that_pads_further(bench):
    cells = [a_run(seed) for seed in range(3)]
    alone = [train_pack([cell], bench, print)[0] for cell in cells]
    assert distance(alone[0].weights, alone[1].weights) > 0.01
    for single, packed in zip(alone, train_pack(cells, bench, print), strict=True):
        assert packed.trained.pack == 3
        assert distance(single.weights, packed.weights) < 2e-4


def test_runs_of_a_stack_do_not_have_batches_of_one_length(bench):
    course = course_of(a_run(), bench)
    runs = [RunStreams.of(Seeds(0, seed)) for seed in range(3)]
    batches = Batches(course, runs, stacked=True)
    batches.order.begin(16)
    inputs = batches.next(1).inputs
    assert len(set(inputs[MASK].sum(-1).amax(-1).tolist())) > 1  # or the test above shows nothing


def test_the_same_run_twice_is_bit_equal(bench):
    first, second = (train_pack([a_run(4)], bench, print)[0] for _ in range(2))
    assert same(first.weights, second.weights)


def stored(bench, seed=0):
    cell = a_run(seed)
    bench.store.put(cell.key, train_pack([cell], bench, print)[0].weights)
    return cell


@pytest.mark.parametrize("split", [replace(TRAIN, name="test", source="test"), FAR])
def test_predictions_are_those_of_each_text_alone_in_the_order_of_the_split(bench, split):
    run = stored(bench)
    work = EvaluateWork(READER, TRAIN, split, ())
    found = predict(Cell("e", Stage.EVALUATE, "p", (), (run.key,), work), bench)
    module = text_scene.Small().eval()
    module.load_state_dict(bench.weights(run.key))
    texts = bench.split(split, None, READER)
    for place in range(len(texts)):
        with torch.no_grad():
            (alone,) = module(**texts.model_inputs(slice(place, place + 1)))
        assert torch.allclose(torch.from_numpy(found.logits[place]), alone, atol=1e-5)
    assert found.targets.tolist() == text_scene.split_of(split.source).targets.tolist()


@pytest.mark.parametrize("metric", ["barrier", "hessian-top", "sharpness", "agreement", "cka"])
def test_metrics_are_read_off_text(bench, metric):
    runs = [stored(bench, seed) for seed in range(2)]
    of = bench.catalogue.find("metric", metric).offer.of
    parents = tuple(run.key for run in runs[: 1 if of == "point" else 2])
    work = MeasureWork(use("metric", metric), of, READER, TRAIN, (FAR,))
    cell = Cell("m", Stage.MEASURE, "p", (Seeds(0, 0), Seeds(0, 1)), parents, work)
    ((_, reading),) = measure_pack([cell], bench)
    if isinstance(reading, Exception):
        raise reading
    assert all(torch.isfinite(torch.tensor(value.value)) for value in reading.values)


def test_a_batch_of_texts_has_its_own_lengths(bench):
    split = bench.split(TRAIN, None, READER)
    places = by_length(split.lengths)[:30]
    sample = Sample("train[30]", split, 30, torch.float32, places, lengths=split.lengths[places])
    part = batch_of(sample, Look(batch=(3, 8)))
    assert part.size == 6
    assert part.lengths.tolist() == split.lengths[part.indices].tolist()
    sizes = [batch.size for batch in part.batches(1)]
    assert sum(sizes) == 6
    assert min(sizes) > 0


def test_the_loss_of_a_metric_is_the_mean_over_texts_however_they_are_batched(bench):
    run = stored(bench)
    work = MeasureWork(
        use("metric", "id-score"),
        "point",
        READER,
        TRAIN,
        (replace(TRAIN, name="test", source="test"),),
    )
    cell = Cell("m", Stage.MEASURE, "p", (Seeds(0, 0),), (run.key,), work)
    ((_, reading),) = measure_pack([cell], bench)
    module = text_scene.Small().eval()
    module.load_state_dict(bench.weights(run.key))
    split = bench.split(work.splits[0], None, READER)
    with torch.no_grad():
        logits = module(**split.model_inputs(slice(None)))
    exact = torch.nn.functional.cross_entropy(logits.double(), split.targets)
    (loss,) = [value.value for value in reading.values if value.name == "loss"]
    assert loss == pytest.approx(float(exact), abs=1e-6)


def test_texts_that_were_cut_off_are_counted_up_to_the_record(bench, tmp_path, monkeypatch):
    read = text_scene.Words.read
    monkeypatch.setattr(
        text_scene.Words, "read", lambda self, texts: replace(read(self, texts), cut=3)
    )
    (done,) = train_pack([a_run()], bench, print)
    assert (done.trained.truncated, done.trained.examples) == (
        3,
        bench.split(TRAIN, None, READER).targets.numel(),
    )
    bench.store.put("finetune-0", done.weights)
    work = EvaluateWork(READER, TRAIN, FAR, ())
    found = predict(Cell("e", Stage.EVALUATE, "p", (), ("finetune-0",), work), bench)
    write_predictions(tmp_path / "p.parquet", found)
    again = read_predictions(tmp_path / "p.parquet")
    assert (found.truncated, again.truncated) == (3, 3)
    assert score(again, (), bench.catalogue, FAR).truncated == 3
