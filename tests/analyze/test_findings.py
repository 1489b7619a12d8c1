"""Spreads, shares, summaries, sentences and warnings: what they say, and what they refuse to."""

import math
import statistics

import made_up
import pytest

from harness.analyze.find import find
from harness.analyze.load import load_results
from harness.api.findings import Findings


def spread(findings, procedure="pretrained", split="test", score="accuracy"):
    return next(
        s for s in findings.spreads if (s.procedure, s.split, s.score) == (procedure, split, score)
    )


def share(findings, procedure="pretrained", split="test", score="accuracy"):
    return next(
        s for s in findings.variance if (s.procedure, s.split, s.score) == (procedure, split, score)
    )


def with_scores(records, key, **scores):
    result = records[key].result.model_copy(update={"scores": scores})
    return {**records, key: records[key].model_copy(update={"result": result})}


def evaluations(plan, split="test"):
    return [
        cell for cell in plan.cells if cell.stage == "evaluate" and cell.work.split.name == split
    ]


def test_mean_sd_and_worst_are_those_of_the_runs():
    plan = made_up.plan(pretrain=2, finetune=3, procedures=("random",), splits=("test",))
    records = made_up.records(plan)
    values = [records[cell.key].result.scores["accuracy"] for cell in evaluations(plan)]

    found = spread(made_up.findings(plan, records), "random")

    assert found.mean == pytest.approx(statistics.mean(values))
    assert found.sd == pytest.approx(statistics.stdev(values))
    assert (found.worst, found.best) == (min(values), max(values))
    assert (found.runs, found.planned, found.examples) == (6, 6, 360)
    worst = evaluations(plan)[values.index(min(values))].seeds[0]
    assert found.worst_seeds == f"{worst.pretrain}/{worst.finetune}"


def test_the_worst_of_a_score_that_should_be_low_is_its_greatest():
    plan = made_up.plan(pretrain=2, finetune=2, procedures=("random",), splits=("test",))
    records = made_up.records(plan)

    found = spread(made_up.findings(plan, records), "random", score="nll")

    assert found.worst == max(records[c.key].result.scores["nll"] for c in evaluations(plan))
    assert found.sampling_sd is None  # a mean of unbounded losses is no proportion


def test_one_run_has_no_sd_and_no_shares_and_says_so():
    plan = made_up.plan(pretrain=1, finetune=1, procedures=("random",), splits=("test",))

    findings = made_up.findings(plan)

    assert spread(findings, "random").sd is None
    assert share(findings, "random").pretrain is None
    assert share(findings, "random").note == "only one pretraining seed: shares need two of each"
    assert "nothing is known of the spread" in findings.answers[0].text


def test_a_missing_run_stays_in_the_denominator_and_leaves_no_shares():
    plan = made_up.plan(pretrain=2, finetune=2, procedures=("random",), splits=("test",))
    records = made_up.records(plan)
    del records[evaluations(plan)[0].key]

    findings = made_up.findings(plan, records)

    assert (spread(findings, "random").runs, spread(findings, "random").planned) == (3, 4)
    assert share(findings, "random").pretrain is None
    assert "1 of 4 runs missing" in share(findings, "random").note
    assert "3 of 4 runs" in findings.answers[0].text
    assert any("1 missing" in warning for warning in findings.warnings)


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_score_that_is_not_finite_takes_the_mean_away_and_is_the_worst(value):
    plan = made_up.plan(pretrain=2, finetune=2, procedures=("random",), splits=("test",))
    cell = evaluations(plan)[1]
    records = with_scores(made_up.records(plan), cell.key, accuracy=0.5, nll=value)

    findings = made_up.findings(plan, records)

    found = spread(findings, "random", score="nll")
    assert (found.mean, found.sd, found.not_finite, found.runs) == (None, None, 1, 4)
    assert not math.isfinite(found.worst)
    assert found.worst_seeds == "0/1"
    assert "1 of 4 values are not finite" in share(findings, "random", score="nll").note
    assert any("NaN or infinite scores in nll on test" in w for w in findings.warnings)
    assert Findings.model_validate_json(findings.model_dump_json()) is not None


def test_shares_of_an_additive_table_are_exact():
    plan = made_up.plan(pretrain=3, finetune=3, procedures=("random",), splits=("test",))
    records = made_up.records(plan)
    for cell in evaluations(plan):
        seeds = cell.seeds[0]
        value = 0.5 + 0.02 * (seeds.pretrain - 1) + 0.01 * (seeds.finetune - 1)
        records = with_scores(records, cell.key, accuracy=value, nll=1.0)

    findings = made_up.findings(plan, records)

    found = share(findings, "random")
    assert found.pretrain == pytest.approx(0.8)  # 0.02 ** 2 / (0.02 ** 2 + 0.01 ** 2)
    assert found.finetune == pytest.approx(0.2)
    assert found.interaction == pytest.approx(0.0, abs=1e-9)
    assert (found.pretrain_sd, found.finetune_sd) == (pytest.approx(0.02), pytest.approx(0.01))
    assert found.sampling_sd == pytest.approx(math.sqrt(0.25 / 360))
    assert share(findings, "random", score="nll").note == "all runs score the same"


def test_a_nested_design_has_no_interaction_of_its_own():
    plan = made_up.plan(pretrain=3, finetune=3, procedures=("random",), splits=("test",))
    results = load_results(plan, made_up.MemoryStore(made_up.records(plan)))

    findings = find(results, plan, made_up.suite(plan, design="nested"), made_up.offers())

    found = share(findings, "random")
    assert found.interaction is None
    assert found.pretrain + found.finetune == pytest.approx(1.0)
    assert "nested" in found.note


def test_the_answers_carry_their_numbers_and_counts():
    findings = made_up.findings()

    text = " ".join(answer.text for answer in findings.answers)

    assert "pretrained, 12 runs (3 pretraining \u00d7 4 fine-tuning seeds)" in text
    assert "random, 12 runs (3 initial-weight \u00d7 4 fine-tuning seeds)" in text
    found = share(findings, split="rotation-60")
    low, high = (round(100 * end) for end in found.pretrain_range)
    carried = f"{found.pretrain * 100:.0f} % ({low}\u2013{high} %) of the variance"
    assert f"pretraining seeds carry {carried}" in text
    assert "very uncertain with 3 pretraining seeds" in text
    assert "better than" in text or "cannot tell" in text
    assert "(same pretraining seed, 18 pairs)" in text


def test_a_procedure_without_a_mean_is_named_as_not_ranked():
    names = ("random", "a", "b")
    plan = made_up.plan(2, 2, names, splits=("test",), metrics=False)
    records = made_up.records(plan)
    for cell in plan.cells:
        if cell.stage == "evaluate" and cell.procedure == "b":
            del records[cell.key]

    told = next(a.text for a in made_up.findings(plan, records).answers if "better" in a.question)

    assert "On test, b cannot be ranked: no mean is known." in told
    assert "best of" not in told


def test_few_seeds_are_warned_of_and_eight_are_not():
    few = made_up.findings(made_up.plan(3, 2, splits=("test",), metrics=False))
    enough = made_up.findings(made_up.plan(8, 2, splits=("test",), metrics=False))

    assert any("Only 3 pretraining seeds" in warning for warning in few.warnings)
    assert not any("pretraining seeds" in warning for warning in enough.warnings)


def test_readings_that_are_not_finite_or_did_not_converge_are_warned_of_by_metric():
    plan = made_up.plan(2, 2, splits=("test",))
    records = made_up.records(plan)
    for cell in plan.cells:
        if cell.stage == "measure" and cell.work.metric.name == "hessian-top":
            result = records[cell.key].result
            values = tuple(v.model_copy(update={"value": math.inf}) for v in result.values)
            result = result.model_copy(update={"values": values, "converged": False})
            records[cell.key] = records[cell.key].model_copy(update={"result": result})

    warnings = made_up.findings(plan, records).warnings

    infinite = next(text for text in warnings if "NaN or infinite" in text)
    lost = next(text for text in warnings if "did not converge" in text)
    assert "(hessian-top)" in infinite
    assert "(hessian-top)" in lost


def test_a_spread_below_the_noise_of_the_test_set_is_warned_of():
    warnings = made_up.findings().warnings

    assert any("below the sampling noise of one run's test" in warning for warning in warnings)


def test_mixed_precisions_devices_and_versions_are_warned_of():
    plan = made_up.plan(2, 2, splits=("test",), metrics=False)
    records = made_up.records(plan)
    machine = made_up.MACHINE.model_copy(
        update={"device": "cuda", "packages": {"torch": "2.12.0", "numpy": "2.4.6"}}
    )
    key = plan.cells[-1].key
    records[key] = records[key].model_copy(update={"machine": machine, "precision": "bfloat16"})

    warnings = " ".join(made_up.findings(plan, records).warnings)

    assert "different precisions are mixed: bfloat16 and float32" in warnings
    assert "different devices are mixed: cpu and cuda" in warnings
    assert "different versions of torch are mixed: 2.12.0, 2.13.0" in warnings


def test_a_trial_run_says_that_its_numbers_mean_nothing():
    from dataclasses import replace

    plan = replace(made_up.plan(2, 2, splits=("test",), metrics=False), smoke=True)

    findings = made_up.findings(plan)

    assert findings.smoke
    assert "mean nothing" in findings.warnings[0]


def test_findings_of_an_empty_store_claim_nothing():
    plan = made_up.plan(2, 2)

    findings = made_up.findings(plan, {})

    assert all(s.mean is None and s.runs == 0 and s.planned == 4 for s in findings.spreads)
    assert "unknown on test" in findings.answers[0].text
    assert not any("ahead" in answer.text for answer in findings.answers)
    assert findings.provenance.cells == 0


def test_findings_survive_the_round_trip_through_json():
    findings = made_up.findings(made_up.plan(2, 2, splits=("test", "rotation-60")))

    assert Findings.model_validate_json(findings.model_dump_json()) == findings


def test_citations_and_licences_come_from_the_suite_and_its_offers():
    provenance = made_up.findings(made_up.plan(2, 2, splits=("test",))).provenance

    assert provenance.citations[0].startswith("Neyshabur")
    assert "Alpaydin, Kaynak (1998)" in provenance.citations
    assert provenance.licenses == {"digits": "CC BY 4.0"}
    assert provenance.machines == ("AMD EPYC 7B13, cpu, Linux-6.1-x86_64, Python 3.11.9",)


def test_training_texts_that_were_cut_off_are_told_of():
    plan = made_up.plan(pretrain=2, finetune=2, procedures=("pretrained",), splits=("test",))
    records = made_up.records(plan)
    cut = {"pretrain": {"truncated": 2_500}, "finetune": {"truncated": 40, "examples": 150}}
    for cell in plan.cells:
        if cell.stage.value in cut:
            result = records[cell.key].result.model_copy(update=cut[cell.stage.value])
            records[cell.key] = records[cell.key].model_copy(update={"result": result})

    warnings = made_up.findings(plan, records).warnings

    (told,) = [text for text in warnings if "cut off" in text]
    assert told.endswith(": 2,500 in the pretraining texts and 40 of 150 in train.")


def test_texts_that_were_cut_off_are_told_of_by_split():
    plan = made_up.plan(pretrain=2, finetune=2, procedures=("random",), splits=("test", "noise"))
    records = made_up.records(plan)
    for cell in evaluations(plan, "noise"):
        result = records[cell.key].result.model_copy(update={"truncated": 7})
        records[cell.key] = records[cell.key].model_copy(update={"result": result})

    warnings = made_up.findings(plan, records).warnings

    (told,) = [text for text in warnings if "cut off" in text]
    assert "7 of 360 in noise" in told
    assert "test" not in told
