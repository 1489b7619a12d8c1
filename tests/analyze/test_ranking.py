"""What predicts OOD scores: planted quantities are found, noise is not, and nothing is hidden."""

import made_up
import numpy as np
import pytest

from harness.analyze.find import find
from harness.analyze.load import load_results
from harness.api.readings import Reading, Value

HERE = "rotation-60"


def scene(pretrain=8, finetune=2, procedures=("pretrained",), planted=True):
    """A plan and records in which eigenvalue-1 follows the score on rotation-60, or does not."""
    plan = made_up.plan(pretrain, finetune, procedures, splits=("test", HERE))
    # the barrier is read on both splits
    records = made_up.records(plan)
    scores = {
        (cell.procedure, cell.seeds[0]): records[cell.key].result.scores["accuracy"]
        for cell in plan.cells
        if cell.stage == "evaluate" and cell.work.split.name == HERE
    }
    noise = np.random.default_rng(11)
    for cell in points(plan):
        follows = scores[cell.procedure, cell.seeds[0]] + 0.005 * noise.standard_normal()
        first = follows if planted else noise.standard_normal()
        values = (
            Value(name="eigenvalue-1", value=first, split="train"),
            Value(name="eigenvalue-2", value=noise.standard_normal(), split="train"),
        )
        result = Reading(values=values, protocol={"mode": "eval"})
        records[cell.key] = records[cell.key].model_copy(update={"result": result})
    return plan, records


def points(plan):
    return [cell for cell in plan.cells if cell.stage == "measure" and cell.work.of == "point"]


def asked(findings, procedure="pretrained"):
    return {
        t.predictor: t for t in findings.predictors if t.procedure == procedure and not t.baseline
    }


def answer(findings):
    return next(a for a in findings.answers if a.question.startswith("Does anything predict"))


def test_a_planted_predictor_is_found_and_noise_is_not():
    findings = made_up.findings(*scene())

    found = asked(findings)
    planted = found["hessian-top eigenvalue-1 on train"]
    assert planted.p_family == planted.partial_p_family == pytest.approx(1 / 2000)
    assert planted.gain_low > 0.3
    assert found["hessian-top eigenvalue-2 on train"].p_family > 0.05
    assert (planted.runs, planted.planned, planted.clusters) == (16, 16, 8)
    assert "Yes, with 8 pretraining seeds" in answer(findings).text
    told = "best given in-domain score is hessian-top eigenvalue-1 on train: partial correlation"
    assert told in answer(findings).text


def test_where_all_is_noise_nothing_predicts():
    findings = made_up.findings(*scene(planted=False))

    assert answer(findings).text.startswith("Nothing does, with 8 pretraining seeds.")


def test_values_read_on_ood_splits_are_marked_and_ranked_apart():
    found = asked(made_up.findings(*scene()))

    there = {name for name, test in found.items() if test.uses_ood}
    assert there == {name for name in found if f"on {HERE}" in name}
    fair = sum(not test.uses_ood for test in found.values())
    assert {t.tried for t in found.values() if not t.uses_ood} == {fair}


def test_a_missing_run_takes_its_fine_tuning_seed_out_and_is_counted():
    plan, records = scene()
    gone = next(c for c in plan.cells if c.stage == "evaluate" and c.work.split.name == HERE)
    del records[gone.key]

    findings = made_up.findings(plan, records)

    planted = asked(findings)["hessian-top eigenvalue-1 on train"]
    assert (planted.runs, planted.planned) == (8, 16)
    assert "8 of 16 left out" in answer(findings).text


def test_a_diverged_run_is_left_out_and_counted():
    plan, records = scene()
    trained = next(cell for cell in plan.cells if cell.stage == "finetune")
    records[trained.key] = records[trained.key].model_copy(update={"outcome": "diverged"})

    assert asked(made_up.findings(plan, records)).popitem()[1].runs == 8


def test_a_quantity_that_a_run_lacks_is_told_of_and_not_tested():
    plan, records = scene()
    del records[points(plan)[0].key]

    test = asked(made_up.findings(plan, records))["hessian-top eigenvalue-1 on train"]

    assert test.tau is None
    assert test.note == "1 of 16 runs have no finite value"


def test_of_several_procedures_only_the_runs_that_lack_a_value_are_counted():
    plan = made_up.plan(4, 2, splits=("test", "rotation-60"))
    records = made_up.records(plan)
    del records[points(plan)[0].key]

    tests = made_up.findings(plan, records).predictors

    (test,) = [t for t in tests if t.procedure == "" and "1 of 16 runs" in t.note][:1]
    assert test.predictor == "hessian-top eigenvalue-1 on train"


def test_pairs_become_one_number_per_run_and_a_test_of_their_own():
    findings = made_up.findings(*scene())

    assert "barrier lerp-loss on test, pairs' mean" in asked(findings)
    pair = next(t for t in findings.mantel if t.quantity == "barrier lerp-loss on test")
    assert (pair.pairs, pair.runs, pair.holes) == (120, 16, 0)
    assert pair.p_family >= pair.p > 0.001


@pytest.mark.parametrize("seeds", [(2, 4), (1, 1)])
def test_nothing_is_computed_of_too_few_seeds(seeds):
    findings = made_up.findings(*scene(*seeds))

    assert findings.predictors == findings.ladder == findings.mantel == findings.lines == ()
    assert not any("predict" in a.question for a in findings.answers)


def test_so_few_seeds_say_which_p_can_be_reached():
    findings = made_up.findings(*scene(3, 3))

    assert asked(findings).popitem()[1].least_p == pytest.approx(1 / 36)
    assert "no p below 0.028 can be reached" in answer(findings).warnings[0]


def test_several_procedures_are_asked_together_within_themselves_and_alone():
    findings = made_up.findings(*scene(procedures=("pretrained", "random")))

    together = asked(findings, "")["hessian-top eigenvalue-1 on train"]
    assert (together.runs, together.clusters, together.planned) == (32, 8, 32)
    assert together.partial_p_family < 0.01
    assert {t.procedure for t in findings.predictors} == {"", "pretrained", "random"}
    steps = [step.step for step in findings.ladder if step.procedure == ""]
    assert steps == ["nothing", "procedure", "in-domain score"]
    assert next(s for s in findings.ladder if s.step == "procedure").r2 > 0.8


def test_the_same_results_give_the_same_numbers():
    plan, records = scene(4, 2)

    first, second = (made_up.findings(plan, records) for _ in range(2))

    assert first.predictors == second.predictors
    assert (first.mantel, first.lines) == (second.mantel, second.lines)


def test_every_procedure_has_a_line_that_says_when_not_to_trust_it():
    findings = made_up.findings(*scene(procedures=("pretrained", "random")))

    assert [line.procedure for line in findings.lines] == ["pretrained", "random"]
    for line in findings.lines:
        assert line.slope_low <= line.slope <= line.slope_high
        assert (line.reliability < 0.5) == line.warning.startswith("only ")


def test_procedures_that_differ_in_their_method_alone_differ_in_hyper_parameters():
    findings = made_up.findings(*scene(3, 2, procedures=("slow", "fast")))

    assert [step.step for step in findings.ladder if step.procedure == ""] == [
        "nothing",
        "hyper-parameters",
        "in-domain score",
    ]


def test_a_quantity_of_nested_seeds_is_tested_within_the_poorest_seed():
    plan, records = scene(4, 3)
    gone = next(c for c in plan.cells if c.stage == "evaluate" and c.work.split.name == HERE)
    del records[gone.key]
    results = load_results(plan, made_up.MemoryStore(records))

    findings = find(results, plan, made_up.suite(plan, "nested"), made_up.offers())

    test = asked(findings)["hessian-top eigenvalue-1 on train"]
    assert (test.runs, test.planned, test.clusters) == (8, 12, 4)
    assert test.least_p == pytest.approx(1 / 384)
