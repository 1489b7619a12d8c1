"""Branches of runs in results: told of where something is wrong, and never counted as runs."""

from dataclasses import replace

import made_up

from harness.analyze.load import load_results
from harness.api.cells import Branch, Stage


def with_a_branch(outcome):
    """A plan whose first reading of a point needs a branch of its run, and all its records."""
    plan = made_up.plan(pretrain=1, finetune=2, procedures=("random",), splits=("test",))
    run = next(cell for cell in plan.cells if cell.stage == Stage.FINETUNE)
    reading = next(c for c in plan.cells if c.stage == Stage.MEASURE and c.parents == (run.key,))
    branch = replace(
        run,
        key="branch-0",
        stage=Stage.BRANCH,
        work=replace(run.work, branch=Branch(20)),
    )
    records = made_up.records(plan)
    record = records[run.key].model_copy(update={"key": branch.key, "stage": "branch"})
    needing = replace(reading, parents=(run.key, branch.key))
    cells = [needing if cell is reading else cell for cell in plan.cells]
    cells.insert(cells.index(run) + 1, branch)
    records[branch.key] = record.model_copy(update={"outcome": outcome})
    return replace(plan, cells=tuple(cells)), records, needing


def test_a_branch_is_no_run_and_has_no_score():
    plan, records, _ = with_a_branch("ok")
    results = load_results(plan, made_up.MemoryStore(records))
    assert list(results.runs["stage"]) == ["pretrain", "finetune", "finetune"]
    assert list(results.cells["stage"]).count("branch") == 1
    assert results.problems == ()
    findings = made_up.findings(plan, records)
    assert [note.planned for note in findings.procedures] == [2]


def test_a_branch_that_diverged_is_told_of_as_one_and_marks_its_readings():
    plan, records, needing = with_a_branch("diverged")
    results = load_results(plan, made_up.MemoryStore(records))
    (problem,) = results.problems
    assert (problem.stage, problem.state) == ("branch", "diverged")
    assert problem.seeds == "0/0, branch 1 from step 20"
    marked = results.readings.query("diverged")["key"].unique()
    assert list(marked) == [needing.key]
    warnings = made_up.findings(plan, records).warnings
    assert "1 branch of runs diverged; readings that compare them hold NaN." in warnings
    assert not [line for line in warnings if "training diverged" in line]
