"""The table of all runs: every planned run has its row, with what is known of it."""

import json
import math

import made_up

from harness.api.pictures import Clusters
from harness_reporters.runs import run_table


def columns(findings) -> dict[str, list]:
    told = json.loads(run_table(findings).packed())
    return {column["heading"]: column["values"] for column in told["columns"]}


def test_every_run_has_one_row_with_its_scores_and_what_was_read_of_it_alone():
    findings = made_up.findings(made_up.plan(2, 3, splits=("test", "rotation-60")))

    found = columns(findings)

    assert found["procedure"] == ["pretrained"] * 6 + ["random"] * 6
    assert found["pretrain seed"] == [0, 0, 0, 1, 1, 1] * 2
    assert found["fine-tune seed"] == [0, 1, 2] * 4
    assert set(found["state"]) == {"ok"}
    run = next(r for r in findings.runs if (r.split, r.score) == ("rotation-60", "accuracy"))
    assert math.isclose(found["accuracy on rotation-60"][0], run.value, rel_tol=1e-6)
    read = [r for r in findings.readings if (r.metric, r.name) == ("hessian-top", "eigenvalue-1")]
    assert len(found["hessian-top eigenvalue-1 on train"]) == len(read) == 12
    assert not any("barrier" in name for name in found)  # a pair is no run


def test_runs_that_failed_or_are_missing_have_a_row_without_numbers():
    plan = made_up.plan(2, 2, splits=("test", "rotation-60"))
    gone = next(cell for cell in plan.cells if cell.stage == "finetune")
    records = made_up.records(plan)
    left = {
        cell.key: records[cell.key]
        for cell in plan.cells
        if cell.key != gone.key and gone.key not in cell.parents
    }
    findings = made_up.findings(plan, left, failed=[made_up.failure(gone)])

    found = columns(findings)

    assert found["state"] == ["failed", *["ok"] * 7]
    assert found["fine-tune seed"][0] == 0
    assert found["accuracy on test"][0] is None
    assert None not in found["accuracy on test"][1:]


def test_numbers_that_are_not_finite_stand_as_words_and_none_gets_lost_in_json():
    findings = made_up.findings(made_up.plan(1, 2, splits=("test",), metrics=False))
    runs = [run.model_copy(update={"value": math.inf}) for run in findings.runs[:1]]

    found = columns(findings.model_copy(update={"runs": (*runs, *findings.runs[1:])}))

    assert found["accuracy on test"][0] == "inf"


def test_the_cluster_of_a_run_is_a_column():
    findings = made_up.findings(made_up.plan(1, 2, ("random",), splits=("test",), metrics=False))
    clusters = Clusters(
        procedure="random", metric="cg-clusters", split="test", clusters={"0/0": 1, "0/1": 0}
    )

    found = columns(findings.model_copy(update={"clusters": (clusters,)}))

    assert found["cg-clusters cluster on test"] == [1, 0]


def test_without_any_planned_run_there_is_no_table():
    findings = made_up.findings(made_up.plan(1, 1, splits=("test",)))

    assert run_table(findings.model_copy(update={"runs": (), "problems": ()})) is None
