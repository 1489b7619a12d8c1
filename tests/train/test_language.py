"""Text without labels: what is predicted, with which loss, and what a fine-tuning makes of it."""

from dataclasses import replace

import language_scene
import pytest
import torch
import torch.nn.functional as F
from training_scene import Shelf, a_cell, distance, same, use

import harness
from harness.api.cells import Seeds, SplitUse, Stage
from harness.api.errors import HarnessError
from harness.api.networks import Language
from harness.compute.draws import HashDraws
from harness.compute.packed import MASK
from harness.compute.streams import RunStreams
from harness.compute.workbench import Workbench
from harness.plug.discovery import discover
from harness.suite import open_suite
from harness.train.batches import Batches
from harness.train.calibrate import calibrate
from harness.train.course import course_of
from harness.train.language import IGNORED, PLACES, at_places, masked_tokens, next_tokens
from harness.train.objective import Objective
from harness.train.pack import train_pack

PROSE = SplitUse("train", use("dataset", "toy-prose"), "", "train")
SENTENCES = SplitUse("train", use("dataset", "toy-sentences"), "", "train")
WRITER = use("model", "toy-writer")
DECODER = use("model", "toy-writer", objective="next-token")
SPARING = use("model", "toy-writer", at_places=True)
SGD = use("method", "full", steps=10, lr=0.1, optimizer="sgd")


@pytest.fixture
def bench(tmp_path):
    catalogue = discover(extra=["language_scene"])
    return Workbench(catalogue, Shelf(tmp_path), torch.device("cpu"), tmp_path / "cache", True)


def a_pretraining(seed=0, model=WRITER, method=SGD, **other):
    cell = a_cell(0, model=model, method=method, train=PROSE, batch=16, stage=Stage.PRETRAIN)
    return replace(cell, key=f"pretrain-{seed}", seeds=(Seeds(seed),), **other)


def padded(*rows):
    length = max(map(len, rows))
    ids = torch.tensor([[*row, *[0] * (length - len(row))] for row in rows])
    mask = torch.tensor([[1] * len(row) + [0] * (length - len(row)) for row in rows])
    return {"input_ids": ids, MASK: mask}


def test_the_next_token_is_the_target_and_padding_is_none():
    targets = next_tokens(padded([5, 6, 7], [8, 9]))
    assert targets.tolist() == [[6, 7, IGNORED], [9, IGNORED, IGNORED]]


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_the_loss_is_the_mean_over_the_predicted_tokens_of_each_run(smoothing):
    logits = torch.randn(2, 2, 3, 5, generator=torch.Generator().manual_seed(0))
    targets = torch.tensor([[[1, 2, -100], [4, -100, -100]], [[0, -100, -100], [-100] * 3]])
    exact = [
        sum(
            F.cross_entropy(logits[run, i, t], targets[run, i, t], label_smoothing=smoothing)
            for i, t in places
        )
        / len(places)
        for run, places in enumerate([[(0, 0), (0, 1), (1, 0)], [(0, 0)]])
    ]
    stack = Objective("language", stacked=True)(logits, targets, smoothing)
    assert torch.allclose(stack, torch.stack(exact))
    alone = Objective("language", stacked=False)
    assert torch.allclose(alone(logits[0], targets[0], smoothing), exact[0])
    assert alone(logits[0], torch.full((2, 3), IGNORED), smoothing) == 0.0


def test_hidden_tokens_are_those_of_the_example_and_the_step_however_long_the_batch():
    language = Language("masked-language", 10, mask=3, share=0.5)
    inputs = padded([5, 6, 7, 8], [8, 9])
    longer = padded([5, 6, 7, 8], [8, 9], [4] * 30)

    def hidden(given, step):
        draws = HashDraws(torch.tensor(step), torch.tensor([10, 20, 30][: len(given[MASK])]))
        return masked_tokens(language, given, draws)

    for step in range(20):
        (short, targets), (long, others) = hidden(inputs, step), hidden(longer, step)
        assert torch.equal(short["input_ids"], long["input_ids"][:2, :4])
        assert torch.equal(targets, others[:2, :4])
    assert not torch.equal(hidden(inputs, 0)[1], hidden(inputs, 1)[1])


def test_a_share_is_hidden_eight_of_ten_by_the_mask_and_special_tokens_never():
    language = Language("masked-language", 1000, mask=3, special=(1,))
    ids = torch.full((400, 500), 7)
    ids[:, 0] = 1
    mask = torch.ones_like(ids)
    mask[:, 400:] = 0
    given = {"input_ids": ids, MASK: mask}
    changed, targets = masked_tokens(language, given, HashDraws(0, torch.arange(400)))
    chosen = targets != IGNORED
    assert not chosen[:, 0].any()
    assert not chosen[:, 400:].any()
    assert targets[chosen].unique().tolist() == [7]
    assert float(chosen[:, 1:400].float().mean()) == pytest.approx(0.15, abs=0.003)
    found = changed["input_ids"][chosen]
    assert float((found == 3).float().mean()) == pytest.approx(0.8, abs=0.01)
    assert float((found == 7).float().mean()) == pytest.approx(0.1, abs=0.01)
    assert len(found.unique()) > 900  # any token
    assert torch.equal(changed["input_ids"][~chosen], ids[~chosen])


def test_places_are_those_that_are_predicted_in_order_filled_up_to_the_most_of_any_example():
    targets = torch.tensor([[-100, 5, -100, 7], [-100] * 4, [-100, -100, 2, -100]])
    given, wanted = at_places({"input_ids": targets}, targets)
    assert given["input_ids"] is targets
    assert given[PLACES].shape == (3, 2)
    assert wanted.tolist() == [[5, 7], [IGNORED, IGNORED], [2, IGNORED]]
    assert torch.equal(targets.gather(-1, given[PLACES]), wanted)
    nothing = torch.full((2, 4), IGNORED)
    assert at_places({}, nothing)[1].tolist() == [[IGNORED], [IGNORED]]


@pytest.mark.parametrize("accumulate", [1, 3])
def test_what_is_predicted_only_where_it_is_asked_for_is_learned_the_same(bench, accumulate):
    method = use("method", "full", steps=10, lr=0.1, optimizer="sgd", accumulate=accumulate)
    whole, sparing = (
        train_pack([a_pretraining(0, model, method)], bench, print)[0]
        for model in (WRITER, SPARING)
    )
    assert sparing.trained.losses == pytest.approx(whole.trained.losses, rel=1e-5)
    assert 0 < distance(whole.weights, sparing.weights) < 1e-5


def test_a_run_hides_the_same_alone_and_in_a_stack_that_pads_further(bench):
    course = course_of(a_pretraining(), bench)
    runs = [RunStreams.of(Seeds(seed)) for seed in range(3)]
    packed = Batches(course, runs, stacked=True)
    single = Batches(course, runs[1:2], stacked=False)
    packed.order.begin(16)
    single.order.begin(16)
    for step in (1, 2):
        stack, alone = packed.next(step), single.next(step)
        length = alone.targets.shape[1]
        assert torch.equal(stack.targets[1, :, :length], alone.targets)
        assert (stack.targets[1, :, length:] == IGNORED).all()
        ids = stack.inputs["input_ids"][1, :, :length]
        assert torch.equal(ids, alone.inputs["input_ids"])
        assert (ids[alone.targets != IGNORED] == language_scene.MASK_WORD).any()


@pytest.mark.parametrize("model", [WRITER, DECODER, SPARING])
def test_a_pretraining_is_the_same_alone_and_in_a_stack(bench, model):
    cells = [a_pretraining(seed, model) for seed in range(3)]
    alone = [train_pack([cell], bench, print)[0] for cell in cells]
    assert distance(alone[0].weights, alone[1].weights) > 0.01
    for single, packed in zip(alone, train_pack(cells, bench, print), strict=True):
        assert packed.trained.pack == 3
        assert distance(single.weights, packed.weights) < 2e-4
    assert same(alone[0].weights, train_pack(cells[:1], bench, print)[0].weights)


def test_language_is_learned(bench):
    method = use("method", "full", steps=300, lr=0.01)
    losses = train_pack([a_pretraining(0, DECODER, method)], bench, print)[0].trained.losses
    assert losses[-1] < 0.95 * losses[0]


def test_a_pretraining_on_language_can_be_calibrated(bench):
    timings = calibrate([a_pretraining(seed) for seed in range(2)], bench, workers=1)
    assert set(timings) == {"1", "2"}


def test_a_model_that_learns_no_language_is_refused(bench):
    cell = a_pretraining(model=use("model", "toy-reader"))
    with pytest.raises(HarnessError, match="'toy-reader' does not say how it learns language"):
        course_of(cell, bench)


@pytest.mark.parametrize("head", ["auto", "fresh"])
def test_a_fine_tuning_keeps_the_body_and_draws_the_head_afresh(bench, head):
    parent = a_pretraining()
    bench.store.put(parent.key, train_pack([parent], bench, print)[0].weights)
    method = use("method", "full", steps=1, checkpoints=[0], head=head)
    cells = [
        a_cell(seed, model=WRITER, method=method, train=SENTENCES, batch=16) for seed in range(2)
    ]
    cells = [
        replace(cell, parents=(parent.key,), work=replace(cell.work, init="pretrained"))
        for cell in cells
    ]
    starts = [training.checkpoints[0] for training in train_pack(cells, bench, print)]
    body = [name for name in starts[0] if not name.startswith("head.")]
    stored = bench.weights(parent.key)
    assert all(torch.equal(start[name], stored[name]) for start in starts for name in body)
    assert starts[0]["head.weight"].shape == (2, 16)
    assert not torch.equal(starts[0]["head.weight"], starts[1]["head.weight"])


def test_a_head_of_language_is_not_kept(bench):
    parent = a_pretraining()
    bench.store.put(parent.key, train_pack([parent], bench, print)[0].weights)
    method = use("method", "full", steps=1, head="keep")
    cell = a_cell(0, model=WRITER, method=method, train=SENTENCES, batch=16)
    cell = replace(cell, parents=(parent.key,), work=replace(cell.work, init="pretrained"))
    with pytest.raises(HarnessError, match=r"surplus \['head.0"):
        train_pack([cell], bench, print)


ODD = """
from dataclasses import replace
from harness.api.data import InputSpec, Outline, Task
from harness.api.hooks import hookimpl
from harness.api.offers import Dataset

PROSE = InputSpec((), "text", fields=("first",))
GOOD = Outline(task=Task("language", ()), inputs={"text": PROSE}, train=5, id={})
BAD = replace(GOOD, **CHANGES)


@hookimpl
def harness_datasets():
    yield Dataset(
        name="odd-prose", about="o", outline=lambda s: BAD, fingerprint=lambda s: "o", load=print
    )
"""

SUITE = """
id: prose
version: "1"
plugins: [language_scene]
model: toy-writer
pretrain:
  data: {dataset: toy-prose, batch: 16}
  method: {full: {steps: 6}}
data: {dataset: toy-sentences, batch: 16}
inits: [pretrained, random]
methods: [{full: {steps: 6}}]
seeds: {pretrain: 2, finetune: 2}
scores: [accuracy]
metrics: [barrier, distance, rms-spikes, wise-curve]
"""


def test_a_suite_pretrains_on_language_and_fine_tunes_on_labels(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "prose.yaml").write_text(SUITE)
    options = harness.RunOptions(executor="serial", device="cpu", display="none")
    results = harness.run("./prose.yaml", store=tmp_path / "runs", options=options)
    assert not results.problems
    assert set(results.cells["state"]) == {"ok"}
    assert len(results.scores) == 8 * 2  # runs by splits


def test_language_has_its_place_in_the_pretraining(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = SUITE.replace("dataset: toy-sentences", "dataset: toy-prose")
    (tmp_path / "prose.yaml").write_text(text)
    with pytest.raises(HarnessError, match="text without labels, which cannot be scored") as caught:
        open_suite("./prose.yaml")
    assert "name it in `pretrain:`" in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ('{"task": Task("language", ("a", "b"))}', "a language task has no classes"),
        ('{"inputs": {"x": InputSpec((3,), "float")}}', "a language task is one of text"),
    ],
)
def test_a_language_task_that_is_none_is_its_authors_mistake(
    tmp_path, monkeypatch, changes, complaint
):
    (tmp_path / "odd.py").write_text(ODD.replace("CHANGES", changes))
    monkeypatch.chdir(tmp_path)
    text = SUITE.replace("[language_scene]", "[language_scene, ./odd.py]")
    (tmp_path / "prose.yaml").write_text(text.replace("toy-prose", "odd-prose"))
    with pytest.raises(HarnessError, match=complaint):
        open_suite("./prose.yaml")
