"""What stands in the frames, and what becomes of cells without a result."""

import time

import made_up
import pytest

from harness.analyze.load import load_results


def test_every_planned_run_has_its_row_per_split_and_score():
    plan = made_up.plan(pretrain=2, finetune=3, splits=("test", "noise"))

    results = load_results(plan, made_up.MemoryStore(made_up.records(plan)))

    assert len(results.scores) == 2 * 2 * 3 * 2 * 2  # procedures x seeds x splits x scores
    row = results.scores.query("split == 'noise' and score == 'accuracy'").iloc[0]
    assert (row["suite"], row["procedure"], row["init"]) == ("made-up", "pretrained", "pretrained")
    assert (row["model"], row["method"]) == ("cnn", "full")
    assert (row["pretrain_seed"], row["finetune_seed"], row["order_seed"]) == (0, 0, 0)
    assert (row["split_kind"], row["shift"], row["parent"]) == ("ood", "noise", "test")
    assert (row["n"], row["state"], row["diverged"], row["smoke"]) == (360, "ok", False, False)
    assert 0 < row["value"] < 1


def test_a_value_in_the_frame_is_the_value_in_the_record():
    plan = made_up.plan(pretrain=2, finetune=2, splits=("test",))
    records = made_up.records(plan)

    results = load_results(plan, made_up.MemoryStore(records))

    for row in results.scores.to_dict("records"):
        assert records[row["key"]].result.scores[row["score"]] == row["value"]
    for row in results.readings.to_dict("records"):
        values = {(v.name, v.split): v.value for v in records[row["key"]].result.values}
        assert values[row["name"], row["split"]] == row["value"]


def test_a_pair_reading_names_both_runs_and_a_point_reading_one():
    plan = made_up.plan(pretrain=2, finetune=2, splits=("test",))

    readings = load_results(plan, made_up.MemoryStore(made_up.records(plan))).readings

    pair = readings[readings["of"] == "pair"].iloc[0]
    seeds = ["pretrain_seed_a", "finetune_seed_a", "pretrain_seed_b", "finetune_seed_b"]
    assert list(pair[seeds]) == [0, 0, 0, 1]
    assert pair["pair_kind"] == "same-pretrain-seed"
    assert pair["subject"] == "0/0 0/1"
    point = readings[readings["of"] == "point"].iloc[0]
    assert point[seeds].isna().tolist() == [False, False, True, True]
    assert readings["detail"].sum() > 0


def test_failed_missing_damaged_and_diverged_cells_are_problems_and_keep_their_rows():
    plan = made_up.plan(pretrain=1, finetune=4, procedures=("random",), splits=("test",))
    trainings = [cell for cell in plan.cells if cell.stage == "finetune"]
    records = made_up.records(plan)
    evaluations = [cell for cell in plan.cells if cell.stage == "evaluate"]
    del records[evaluations[1].key]
    diverged = records[trainings[3].key]
    records[trainings[3].key] = diverged.model_copy(update={"outcome": "diverged"})
    store = made_up.MemoryStore(
        records,
        failed=[made_up.failure(evaluations[0], "RuntimeError: boom")],
        damaged={evaluations[2].key: "record.json: checksum differs"},
    )

    results = load_results(plan, store)

    told = {(p.state, p.stage, p.seeds): p.reason for p in results.problems}
    assert told["failed", "evaluate", "0/0, test"] == "RuntimeError: boom"
    assert told["missing", "evaluate", "0/1, test"] == "has not run"
    assert told["damaged", "evaluate", "0/2, test"] == "record.json: checksum differs"
    assert "loss was not finite" in told["diverged", "finetune", "0/3"]
    accuracy = results.scores.query("score == 'accuracy'")
    assert list(accuracy["state"]) == ["failed", "missing", "damaged", "ok"]
    assert list(accuracy["diverged"]) == [False, False, False, True]
    assert accuracy["value"].isna().tolist() == [True, True, True, False]


def test_a_measurement_without_a_result_keeps_a_row_that_says_why():
    plan = made_up.plan(pretrain=1, finetune=3, procedures=("random",), splits=("test",))
    records = made_up.records(plan)
    first, second, third = (cell for cell in plan.cells if "barrier" in repr(cell.work))
    del records[first.key]
    store = made_up.MemoryStore(records, failed=[made_up.failure(second)])

    readings = load_results(plan, store).readings.query("metric == 'barrier'")

    states = readings.drop_duplicates("key").set_index("key")["state"].to_dict()
    assert states == {first.key: "missing", second.key: "failed", third.key: "ok"}
    holes = readings[readings["state"] != "ok"]
    assert list(holes["subject"]) == ["0/0 0/1", "0/0 0/2"]
    assert holes[["name", "value"]].isna().all(axis=None)
    assert readings.query("state == 'ok'")["value"].notna().all()


def test_a_cell_that_waits_for_a_failed_one_says_so():
    plan = made_up.plan(pretrain=1, finetune=1, procedures=("pretrained",), splits=("test",))
    pretraining = plan.cells[0]
    store = made_up.MemoryStore({}, failed=[made_up.failure(pretraining)])

    problems = load_results(plan, store).problems

    reasons = {p.stage: p.reason for p in problems}
    assert reasons["finetune"] == "has not run: the pretrain cell it needs is failed"
    assert reasons["evaluate"] == "has not run: the finetune cell it needs has not run"


def test_a_score_that_could_not_be_computed_is_a_problem_and_has_no_value():
    plan = made_up.plan(pretrain=1, finetune=1, procedures=("random",), splits=("test",))
    (cell,) = (cell for cell in plan.cells if cell.stage == "evaluate")
    records = made_up.records(plan)
    result = records[cell.key].result.model_copy(
        update={"scores": {"accuracy": 0.5}, "failed": {"nll": "no probabilities"}}
    )
    records[cell.key] = records[cell.key].model_copy(update={"result": result})

    results = load_results(plan, made_up.MemoryStore(records))

    assert [p.state for p in results.problems] == ["unscored"]
    assert results.problems[0].reason == "nll: no probabilities"
    assert list(results.scores["state"]) == ["ok", "unscored"]


def test_only_planned_cells_are_looked_at():
    small = made_up.plan(pretrain=1, finetune=1, splits=("test",))
    large = made_up.plan(pretrain=2, finetune=2, splits=("test",))

    results = load_results(small, made_up.MemoryStore(made_up.records(large)))

    assert set(results.cells["key"]) == {cell.key for cell in small.cells}
    assert results.problems == ()


def test_an_empty_store_gives_frames_without_values_and_with_all_columns():
    plan = made_up.plan(pretrain=2, finetune=2, splits=("test",))

    results = load_results(plan, made_up.MemoryStore({}))

    assert results.scores["value"].isna().all()
    assert len(results.problems) == len(plan.cells)
    assert "standard_error" in results.readings.columns


def test_the_results_introduce_themselves():
    plan = made_up.plan(pretrain=1, finetune=2, splits=("test",))
    records = made_up.records(plan)
    del records[plan.cells[-1].key]

    text = repr(load_results(plan, made_up.MemoryStore(records)))

    assert text.startswith("Results of made-up 1")
    assert f"{len(plan.cells) - 1} of {len(plan.cells)} planned cells finished" in text
    assert "1 missing" in text


@pytest.mark.slow
def test_a_thousand_records_of_a_real_store_load_in_a_second(tmp_path):
    from harness.store.store import Store

    plan = made_up.plan(pretrain=5, finetune=6, metrics=False, procedures=("pretrained", "random"))
    plan = made_up.cut(plan, 500)
    store = Store(tmp_path / "runs")
    for record in made_up.records(plan).values():
        store.write(record, {})

    start = time.perf_counter()
    results = load_results(plan, store)

    assert time.perf_counter() - start < 0.5
    assert results.problems == ()
