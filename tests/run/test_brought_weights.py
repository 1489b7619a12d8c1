"""Weights that a model brings: one checkpoint per pretraining seed, as the MultiBERTs have them."""

from pathlib import Path

import pytest
import torch
from click.testing import CliRunner
from tiny_checkpoints import changed, save_bert

from harness.api.errors import HarnessError
from harness.commands import check
from harness.plan import expand
from harness.run.execute import execute
from harness.run.fitting import misfits
from harness.run.options import RunOptions
from harness.store import Store
from harness.suite import open_suite

LINES = "\n".join(
    f"{text}\t{label}"
    for text, label in [
        ("the cat sat on the mat .", 1), ("cat the on sat .", 0), ("a dog ran .", 1),
        ("ran dog a the .", 0), ("the film was not bad .", 1), ("film bad the not was", 0),
    ] * 4
)  # fmt: skip

SUITE = """
id: berts
version: "1"
model:
  transformer: {checkpoint: "./multiberts-seed_{seed}", longest: 16}
data:
  dataset: {text: {path: ./train.tsv, text: sentence, label: label, test: 8}}
  batch: 8
inits: [pretrained]
methods: [{full: {steps: 3, lr: 1.0e-3}}]
seeds: {pretrain: 2, finetune: 2}
scores: [accuracy]
metrics: [barrier]
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "train.tsv").write_text(f"sentence\tlabel\n{LINES}\n")
    (tmp_path / "suite.yaml").write_text(SUITE)
    for seed in range(2):
        save_bert(tmp_path / f"multiberts-seed_{seed}", seed)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def planned(text=SUITE):
    Path("suite.yaml").write_text(text)
    return expand(*open_suite("./suite.yaml"))


def trainings(plan):
    return [cell for cell in plan.cells if cell.stage == "finetune"]


def test_every_pretraining_seed_starts_from_its_own_checkpoint(folder):
    cells = trainings(planned())
    starts = {cell.seeds[0].pretrain: Path(cell.work.checkpoint).name for cell in cells}
    assert starts == {0: "multiberts-seed_0", 1: "multiberts-seed_1"}
    assert len({cell.key for cell in cells}) == 4
    assert {cell.work.init for cell in cells} == {"brought"}


def test_one_checkpoint_for_all_pretraining_seeds_is_trained_once(folder):
    one = SUITE.replace("{seed}", "0")
    cells = trainings(planned(one))
    assert [cell.seeds[0].pretrain for cell in cells] == [0, 0]
    nested = one.replace("finetune: 2}", "finetune: 2, design: nested}")
    assert len(trainings(planned(nested))) == 4


def test_keys_hang_on_the_bytes_of_the_weights_and_not_on_where_they_lie(folder):
    before = [cell.key for cell in trainings(planned())]
    for seed in range(2):
        (folder / f"multiberts-seed_{seed}").rename(folder / f"moved-{seed}")
    moved = SUITE.replace("multiberts-seed_", "moved-")
    assert [cell.key for cell in trainings(planned(moved))] == before
    save_bert(folder / "moved-1", 7)
    after = [cell.key for cell in trainings(planned(moved))]
    assert [old == new for old, new in zip(before, after, strict=True)] == [
        True,
        True,
        False,
        False,
    ]


def test_random_starts_hang_on_the_configuration_alone(folder):
    random = SUITE.replace("[pretrained]", "[random]")
    before = [cell.key for cell in trainings(planned(random))]
    for seed in range(2):
        save_bert(folder / f"multiberts-seed_{seed}", 9)
    assert [cell.key for cell in trainings(planned(random))] == before
    for seed in range(2):
        save_bert(folder / f"multiberts-seed_{seed}", hidden_dropout_prob=0.3)
    assert not {cell.key for cell in trainings(planned(random))} & set(before)


def test_a_list_names_one_checkpoint_per_seed(folder):
    named = "[./multiberts-seed_1, ./multiberts-seed_0]"
    plan = planned(SUITE.replace('"./multiberts-seed_{seed}"', named))
    starts = {c.seeds[0].pretrain: Path(c.work.checkpoint).name for c in trainings(plan)}
    assert starts == {0: "multiberts-seed_1", 1: "multiberts-seed_0"}
    with pytest.raises(HarnessError, match="seed 2 has no checkpoint: the list has 2"):
        planned(
            SUITE.replace('"./multiberts-seed_{seed}"', named).replace("pretrain: 2", "pretrain: 3")
        )


def test_intermediate_checkpoints_are_an_axis(folder):
    for seed in range(2):
        for step in (20, 40):
            save_bert(folder / f"multiberts-seed_{seed}-step_{step}k", 10 * seed + step)
    swept = 'multiberts-seed_{seed}-step_{step}k", step: {sweep: [20, 40]}'
    text = SUITE.replace('multiberts-seed_{seed}"', swept).replace("metrics: [barrier]", "")
    plan = planned(text)
    labels = [procedure.model.label for procedure in plan.procedures]
    assert labels == ["transformer[step=20]", "transformer[step=40]"]
    assert len({cell.work.checkpoint_digest for cell in trainings(plan)}) == 4


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (("multiberts", "nowhere"), "5:3: there is no folder .*nowhere-seed_0"),
        (("pretrain: 2", "pretrain: 4"), "5:3: there is no folder .*multiberts-seed_2"),
        (("seed_{seed}", "seed_{step}"), "wants a step; set `step`"),
        (("longest: 16", "step: 3"), "`step` is set, but .* has no {step}"),
        (("inits: [pretrained]", "inits: [random]\npretrain: null"), ""),
    ],
)  # fmt: skip
def test_what_is_missing_is_told_when_the_suite_is_checked(folder, change, complaint):
    if not complaint:
        assert planned(SUITE.replace(*change))
        return
    with pytest.raises(HarnessError, match=complaint):
        planned(SUITE.replace(*change))


def run(text=SUITE, between=lambda: None):
    """Run to the end in this process, with something happening after the plan was made."""
    Path("suite.yaml").write_text(text)
    suite, catalogue = open_suite("./suite.yaml")
    plan = expand(suite, catalogue)
    between()
    options = RunOptions(executor="serial", display="none", device="cpu")
    return plan, execute(plan, suite, Store(Path("runs")), catalogue, options)


NORM = "bert.encoder.layer.1.output.LayerNorm.bias"


def test_weights_that_do_not_fit_stop_a_run_before_anything_is_trained(folder):
    changed(folder / "multiberts-seed_1", lambda weights: weights.pop(NORM))
    with pytest.raises(HarnessError, match=rf"multiberts-seed_1: the checkpoint lacks {NORM};"):
        run()
    assert not list(Path("runs").rglob("record.json"))
    changed(folder / "multiberts-seed_0", lambda weights: weights.pop(NORM))
    with pytest.raises(HarnessError, match=rf"seed_0: the checkpoint lacks {NORM} .and so 1 more"):
        run()
    plan = planned(SUITE.replace("[pretrained]", "[random]"))
    assert misfits(plan.cells, open_suite("./suite.yaml")[1], Path("cache")) == []


def test_check_has_a_line_for_each_checkpoint_that_does_not_fit(folder):
    for seed in range(2):
        changed(folder / f"multiberts-seed_{seed}", lambda weights: weights.pop(NORM))
    ended = CliRunner().invoke(check.command, ["./suite.yaml"], standalone_mode=False)
    assert ended.return_value == 2
    assert [line.partition(f"lacks {NORM}")[1] for line in ended.stderr.splitlines()] == [
        f"lacks {NORM}"
    ] * 2


def test_check_says_once_what_is_wrong_with_the_model_of_all_checkpoints(folder):
    asked = ["./suite.yaml", "--set", "model.transformer.longest=64"]
    ended = CliRunner().invoke(check.command, asked, standalone_mode=False)
    assert ended.return_value == 2
    assert [line.count("positions for 40 tokens") for line in ended.stderr.splitlines()] == [1]


@pytest.mark.slow
def test_two_by_two_seeds_are_trained_scored_and_measured(folder):
    plan, outcome = run()
    assert outcome.computed == len(plan.cells) and outcome.exit_code == 0
    records = [Store(Path("runs")).read(cell.key) for cell in trainings(plan)]
    started = [Path(record.start).name for record in records]
    assert started == ["multiberts-seed_0"] * 2 + ["multiberts-seed_1"] * 2
    assert run()[1].idle


@pytest.mark.slow
def test_a_run_from_brought_weights_can_be_looked_into_again(folder):
    text = SUITE.replace("[barrier]", "[rms-spikes, rewind]").replace(
        "pretrain: 2", "pretrain: [1]"
    )
    plan, outcome = run(text)
    assert outcome.computed == len(plan.cells) and outcome.exit_code == 0


@pytest.mark.slow
def test_weights_that_are_no_numbers_start_no_run(folder):
    changed(folder / "multiberts-seed_1", lambda weights: weights[NORM][:2].fill_(torch.nan))
    _, outcome = run()
    reasons = {failure.reason for failure in outcome.failed.values()}
    assert len(outcome.failed) == 2 and len(reasons) == 1
    assert f"multiberts-seed_1: weights are NaN or infinite: net.{NORM}" in reasons.pop()


@pytest.mark.slow
def test_weights_and_files_that_change_after_the_plan_are_refused(folder):
    _, outcome = run(between=lambda: save_bert(folder / "multiberts-seed_1", 8))
    reasons = {failure.reason for failure in outcome.failed.values()}
    assert len(outcome.failed) == 2 and len(reasons) == 1
    assert "the weights have changed since the plan was made" in reasons.pop()
    _, outcome = run(
        between=lambda: save_bert(folder / "multiberts-seed_0", hidden_dropout_prob=0.3)
    )
    reasons = {failure.reason for failure in outcome.failed.values()}
    assert any("the files of model 'transformer' were changed" in reason for reason in reasons)
