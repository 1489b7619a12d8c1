"""One pretrained checkpoint and many fine-tuning seeds: these are what is drawn and rearranged."""

import comparison_scene as scene
import pytest

from harness.analyze.find import find
from harness.analyze.load import load_results
from harness.api.numbers import TIMES
from harness.plan import expand
from harness.store import Store
from harness.suite import open_suite
from harness_reporters.contest import contests

TEXT = scene.TWO.replace("{pretrain: 6, finetune: 2}", "{pretrain: 1, finetune: 8}")


def found_in(folder, text, **written):
    suite = scene.write_suite(folder, text)
    scene.fill(suite, folder / "runs", **written)
    checked, catalogue = open_suite(suite)
    plan = expand(checked, catalogue, precision="float32")
    return find(load_results(plan, Store(folder / "runs")), plan, checked, catalogue)


@pytest.fixture
def findings(tmp_path):
    return found_in(tmp_path, TEXT)


def test_means_have_intervals_over_fine_tuning_seeds(findings):
    spread = next(s for s in findings.spreads if (s.split, s.score) == ("noise", "accuracy"))
    assert spread.low < spread.mean < spread.high


def test_procedures_are_tested_by_rearranging_fine_tuning_seeds(findings):
    found = findings.comparison
    assert found.unit == "fine-tuning seeds"
    pair = found.splits[1].pairs[0]
    assert pair.least_p == 2 / 2**8
    assert pair.low is not None
    (level,) = [level for level in found.levels if level.name == "pretraining seeds"]
    assert not level.drawn
    assert "held fixed" in level.why


def test_the_report_says_that_other_pretrainings_are_not_spoken_of(findings):
    assert any("nothing of other pretrainings" in warning for warning in findings.warnings)


def test_predictors_are_tested_over_fine_tuning_seeds(findings):
    # the in-domain score is a baseline of every report
    tests = [t for t in findings.predictors if t.procedure == scene.SLOW]
    assert tests
    assert {(t.unit, t.clusters) for t in tests} == {("fine-tuning seed", 8)}
    assert all(t.p is not None for t in tests if not t.note)
    rungs = [s for s in findings.ladder if s.procedure == scene.SLOW]
    assert [s.r2 is not None for s in rungs[:2]] == [True, True]


def test_standings_have_intervals_too(findings):
    assert all(one.mean.low is not None for one in findings.standings.procedures)


def test_captions_speak_of_fine_tuning_seeds(findings):
    forest, standings = contests(findings)
    assert "(1 pretraining seed). Left: means over runs." in forest.caption
    assert "fine-tuning seeds of the one pretraining seed drawn anew" in standings.caption


def test_orders_of_a_single_fine_tuning_seed_are_no_seeds_of_their_own(tmp_path):
    seeds = "{pretrain: 1, finetune: 1, order: 6}"
    findings = found_in(tmp_path, scene.TWO.replace("{pretrain: 6, finetune: 2}", seeds))

    assert all(one.mean.low is None for one in findings.standings.procedures)
    assert all(spread.low is None for spread in findings.spreads)
    assert any(f"1 fine-tuning {TIMES} 6 order seeds" in answer.text for answer in findings.answers)


def test_seeds_without_a_result_do_not_hide_that_there_are_few(tmp_path):
    text = scene.SUITE.replace("{pretrain: 6, finetune: 2}", "{pretrain: 9, finetune: 1}")
    findings = found_in(tmp_path, text, without=lambda cell: cell.seeds[0].pretrain > 2)
    assert any("Only 3 pretraining seeds" in warning for warning in findings.warnings)
