"""The comparison inside a report: what it says, leaves out, and refuses, with the reason."""

import math
from dataclasses import replace
from pathlib import Path

import comparison_scene as scene
import made_up
import pytest

from harness.analyze.comparable import NotComparable
from harness.analyze.comparing import compare_procedures
from harness.analyze.comparison_design import Asked
from harness.analyze.find import find
from harness.analyze.load import load_results
from harness.api.errors import HarnessError
from harness.api.findings import Findings
from harness.commands.operands import contenders_of
from harness.commands.options import SuiteOptions
from harness.plan import expand
from harness.store import Store
from harness.suite import open_suite


def found_in(suite: str, store: Path) -> Findings:
    checked, catalogue = open_suite(suite)
    plan = expand(checked, catalogue, precision="float32")
    return find(load_results(plan, Store(store)), plan, checked, catalogue)


def answer(findings: Findings) -> str:
    return next(a.text for a in findings.answers if a.question == "Which procedure is better?")


def primary(findings: Findings, procedure: str, split: str = "noise"):
    return next(
        s
        for s in findings.spreads
        if (s.procedure, s.split, s.score) == (procedure, split, "accuracy")
    )


def test_a_report_says_which_procedure_is_better_with_effect_interval_p_and_chance(tmp_path):
    suite = scene.write_suite(tmp_path)
    scene.fill(suite, tmp_path / "runs")

    findings = found_in(suite, tmp_path / "runs")

    pair = findings.comparison.splits[1].pairs[0]
    assert [split.split for split in findings.comparison.splits] == ["test", "noise"]
    assert pair.p == 2 / 2**6
    told = answer(findings)
    assert f"{scene.FAST} is better than {scene.SLOW}" in told
    assert f"{pair.effect:.3f} (95 % {pair.low:.3f} to {pair.high:.3f}, p = 0.031)" in told
    assert "A random run of random · v1.5 fast does better" in told
    assert all(level.drawn for level in findings.comparison.levels)


def test_two_reports_of_one_store_say_the_same(tmp_path):
    suite = scene.write_suite(tmp_path, scene.TWO)
    scene.fill(suite, tmp_path / "runs")
    one, two = (found_in(suite, tmp_path / "runs") for _ in range(2))
    assert one.comparison.model_dump(exclude={"made"}) == two.comparison.model_dump(
        exclude={"made"}
    )
    assert one.standings is not None
    assert one.standings == two.standings


def test_means_have_the_interval_of_the_comparison_and_answers_show_it(tmp_path):
    suite = scene.write_suite(tmp_path)
    scene.fill(suite, tmp_path / "runs")

    findings = found_in(suite, tmp_path / "runs")

    arm = findings.comparison.splits[1].arms[0]
    spread = primary(findings, scene.SLOW)
    assert (spread.low, spread.high) == (arm.low, arm.high)
    assert f"(95 % {arm.low:.3f} to {arm.high:.3f})" in findings.answers[0].text


def test_one_procedure_has_a_mean_with_its_interval_and_nothing_is_compared(tmp_path):
    text = scene.SUITE.replace(", {full: {steps: 4}, as: v1.5 fast}", "")
    suite = scene.write_suite(tmp_path, text)
    scene.fill(suite, tmp_path / "runs")

    findings = found_in(suite, tmp_path / "runs")

    assert findings.comparison is None
    spread = primary(findings, findings.procedures[0].label)
    assert spread.low < spread.mean < spread.high
    assert "Which procedure is better?" not in {a.question for a in findings.answers}


def test_runs_that_not_every_procedure_has_are_left_out_and_named(tmp_path):
    suite = scene.write_suite(tmp_path)
    gone = scene.is_of(scene.SLOW, 2, 1)
    scene.fill(suite, tmp_path / "runs", without=gone)

    findings = found_in(suite, tmp_path / "runs")

    assert {each.runs for each in findings.comparison.contestants} == {10}
    assert "left out" in answer(findings)
    assert "may not be missing at random" in answer(findings)
    assert primary(findings, scene.FAST).low is None  # its mean is of other runs


def test_with_too_few_seeds_the_answer_says_that_no_difference_can_be_significant(tmp_path):
    suite = scene.write_suite(tmp_path, scene.SUITE.replace("pretrain: 6", "pretrain: 3"))
    scene.fill(suite, tmp_path / "runs")
    told = answer(found_in(suite, tmp_path / "runs"))
    assert "no difference can be significant" in told
    assert "cannot tell" in told


ONE_RUN = scene.SUITE.replace("pretrain: 6, finetune: 2", "pretrain: 1, finetune: 1")


def test_one_seed_is_described_and_not_tested(tmp_path):
    suite = scene.write_suite(tmp_path, ONE_RUN)
    scene.fill(suite, tmp_path / "runs")
    findings = found_in(suite, tmp_path / "runs")
    assert "nothing is known of other seeds" in answer(findings)
    assert primary(findings, scene.SLOW).low is None


def test_with_many_procedures_every_mean_has_an_interval_and_no_pair_is_tested():
    names = [f"width-{n}" for n in range(7)]
    findings = made_up.findings(made_up.plan(3, 2, names, splits=("test", "rotation-60")))
    split = findings.comparison.splits[1]
    assert split.pairs == ()
    assert all(arm.low <= arm.mean <= arm.high for arm in split.arms)
    assert "7 procedures make 21 pairs" in answer(findings)


def test_more_than_two_procedures_have_ranks_and_groups_that_cannot_be_told_apart():
    plan = made_up.plan(4, 2, ("a", "b", "random"), splits=("test", "rotation-60"))
    findings = made_up.findings(plan)
    split = findings.comparison.splits[1]
    assert sorted(rank.rank for rank in split.ranks) == [1, 2, 3]
    assert split.ties
    assert "The best two:" in answer(findings)


def test_without_predictions_the_examples_are_held_fixed_and_the_answer_says_why(tmp_path):
    suite = scene.write_suite(tmp_path)
    scene.fill(suite, tmp_path / "runs")
    checked, catalogue = open_suite(suite)
    plan = expand(checked, catalogue, precision="float32")
    results = load_results(plan, Store(tmp_path / "runs"))
    lost = _Without(results.store)
    findings = find(replace(results, store=lost), plan, checked, catalogue)
    assert [level.name for level in findings.comparison.levels if not level.drawn] == ["examples"]
    assert "Intervals hold the examples fixed: no such file." in answer(findings)


class _Without:
    """A store without predictions."""

    def __init__(self, store):
        self.store = store

    def __getattr__(self, name):
        return getattr(self.store, name)

    def path(self, key, name):
        raise HarnessError("no such file")


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_score_that_is_not_finite_stops_the_comparison_and_the_answer_says_so(value):
    plan = made_up.plan(3, 2, splits=("test", "rotation-60"))
    records = made_up.records(plan)
    cell = next(c for c in plan.cells if c.stage == "evaluate" and c.work.split.name == "test")
    result = records[cell.key].result.model_copy(update={"scores": {"accuracy": value, "nll": 1.0}})
    records[cell.key] = records[cell.key].model_copy(update={"result": result})

    findings = made_up.findings(plan, records)

    assert findings.comparison is None
    assert "No test is made across seeds: pretrained on test has values that are NaN" in answer(
        findings
    )


def test_findings_of_before_there_were_comparisons_can_still_be_read():
    found = made_up.findings(made_up.plan(2, 2, splits=("test",))).model_dump(mode="json")
    for name in ("comparison", "standings"):
        del found[name]
    for spread in found["spreads"]:
        del spread["low"], spread["high"]
    assert Findings.model_validate(found).comparison is None


def test_compare_refuses_a_score_that_is_not_finite_in_one_line(tmp_path):
    suite = scene.write_suite(tmp_path)
    scene.fill(suite, tmp_path / "runs")
    two = contenders_of([suite], str(tmp_path / "runs"), SuiteOptions(""), "float32")
    key = next(two[1].evaluations("noise"))[0].key
    spoiled = replace(two[1], store=_Spoiled(two[1].store, key))
    with pytest.raises(NotComparable, match="it is NaN"):
        compare_procedures([two[0], spoiled], Asked(replicates=100))


class _Spoiled(_Without):
    """A store one of whose accuracies is NaN."""

    def __init__(self, store, key):
        super().__init__(store)
        self.key = key

    def read(self, key):
        record = self.store.read(key)
        if key != self.key:
            return record
        scores = {**record.result.scores, "accuracy": math.nan}
        return record.model_copy(
            update={"result": record.result.model_copy(update={"scores": scores})}
        )
