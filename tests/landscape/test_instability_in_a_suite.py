"""`instability` from a suite on: the plan trains branches, and the metric reads them."""

import pytest

import harness
from harness.run.options import RunOptions

OPTIONS = RunOptions(executor="serial", display="none")
SUITE = """
id: parted
version: "1"
model: {model}
data: {{dataset: digits, batch: {batch}}}
inits: [random]
methods: [{{full: {{steps: {steps}, lr: {lr}, optimizer: sgd, schedule: linear}}}}]
seeds: {{pretrain: 1, finetune: 2}}
scores: [accuracy]
metrics:
  - instability: {{steps: {at}, points: 7}}
    splits: [train, test]
"""


def run(tmp_path, limit=200, **made):
    """Results and readings by seed, name and split."""
    path = tmp_path / "suite.yaml"
    path.write_text(SUITE.format(**made))
    results = harness.run(path, store=tmp_path / "runs", report=False, options=OPTIONS, limit=limit)
    readings = results.readings
    found = {
        (row.finetune_seed_a, row.name, row.split): row.value
        for row in readings[readings["state"] == "ok"].itertuples()
    }
    return results, found


def test_a_run_is_stable_at_its_end_to_the_bit_and_not_at_its_start(tmp_path):
    model = "{mlp: {hidden: [16], norm: batch, dropout: 0.2}}"
    results, found = run(tmp_path, model=model, batch=32, steps=12, lr=0.5, at=[0, 12])
    assert not results.problems
    assert len(found) > 0
    for seed in (0, 1):
        for split in ("train", "test"):
            for kind in ("frankle-error", "frankle-loss", "lerp-error", "lerp-loss"):
                assert found[seed, f"{kind}[12]", split] == 0.0
                assert found[seed, f"{kind}[0]", split] >= 0.0
            assert found[seed, "onset", split] in (0.0, 12.0)
        assert found[seed, "l2[12]", None] == 0.0
        assert found[seed, "l2-travelled[0]", None] > 0.1


def test_branches_are_no_runs_and_are_not_scored(tmp_path):
    results, _ = run(tmp_path, model="mlp", batch=32, steps=3, lr=0.1, at=[0, 1])
    stages = results.cells.groupby("stage").size().to_dict()
    assert stages == {"finetune": 2, "branch": 4, "evaluate": 4, "measure": 2}
    assert list(results.runs["stage"]) == ["finetune", "finetune"]
    assert set(results.readings["subject"]) == {"0/0", "0/1"}
    assert results.scores["key"].nunique() == 4


@pytest.mark.parametrize("batch", [20, 200])
def test_a_convex_loss_gives_zero_for_every_step(tmp_path, batch):
    """Softmax regression: no point of a line is above its chord, and all copies end alike."""
    model = "{mlp: {hidden: []}}"
    steps = [0, 5, 20]
    _, found = run(tmp_path, model=model, batch=batch, steps=300, lr=0.3, at=steps, limit=400)
    for seed in (0, 1):
        for step in steps:
            assert found[seed, f"lerp-loss[{step}]", "train"] < 1e-9
            assert found[seed, f"frankle-loss[{step}]", "train"] < 0.01
            assert found[seed, f"frankle-error[{step}]", "train"] < 0.02
        assert found[seed, "onset", "train"] == 0.0
