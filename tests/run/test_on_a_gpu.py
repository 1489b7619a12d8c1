"""Runs on an accelerator: one worker per GPU, stacks where they are faster."""

import pytest

from harness.plan import expand
from harness.run.execute import execute
from harness.run.options import RunOptions
from harness.store import Store
from harness.suite import open_suite

SUITE = """
id: tiny
version: "1"
model: {cnn: {width: 8}}
data: {dataset: digits, batch: 64, ood: {noise: {by: {noise: {sd: 0.3}}}}}
inits: [random]
methods: [{full: {steps: 50}}]
seeds: {pretrain: 4, finetune: 8}
scores: [accuracy]
"""


@pytest.mark.gpu
@pytest.mark.parametrize("executor", ["processes", "serial"])
def test_a_suite_runs_on_the_gpu_and_agrees_with_the_cpu(suite_file, tmp_path, executor):
    import torch

    suite, catalogue = open_suite(str(suite_file(SUITE)))
    plan = expand(suite, catalogue)
    for device, where in (("cuda", executor), ("cpu", "processes")):
        options = RunOptions(executor=where, device=device, display="none")
        outcome = execute(plan, suite, Store(tmp_path / device), catalogue, options)
        assert outcome.exit_code == 0, outcome.failed
    trained = [cell.key for cell in plan.cells if cell.stage == "finetune"]
    records = [Store(tmp_path / "cuda").read(key) for key in trained]
    assert {record.machine.device for record in records} == {torch.cuda.get_device_name()}
    scored = [cell.key for cell in plan.cells if cell.stage == "evaluate"]
    for key in scored:
        on_gpu = Store(tmp_path / "cuda").read(key).result.scores["accuracy"]
        on_cpu = Store(tmp_path / "cpu").read(key).result.scores["accuracy"]
        assert on_gpu == pytest.approx(on_cpu, abs=0.1)


@pytest.mark.gpu
def test_packs_are_timed_on_the_gpu_and_the_timing_stands_in_the_records(suite_file, tmp_path):
    suite, catalogue = open_suite(str(suite_file(SUITE)))
    plan = expand(suite, catalogue)
    options = RunOptions(device="cuda", workers=1, display="none")
    assert execute(plan, suite, Store(tmp_path), catalogue, options).exit_code == 0
    trained = [cell.key for cell in plan.cells if cell.stage == "finetune"]
    results = [Store(tmp_path).read(key).result for key in trained]
    assert max(result.pack for result in results) > 1
    assert all("1" in result.calibration for result in results)
