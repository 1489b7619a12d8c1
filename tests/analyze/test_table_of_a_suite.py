"""A table made of a suite's runs gets the intervals of the suite's own report."""

import comparison_scene as scene
import pandas as pd
import pytest

import harness
from harness.analyze.contest import REPLICATES
from harness.analyze.find import find
from harness.analyze.load import load_results
from harness.evaluate.predictions import read_predictions
from harness.plan import expand
from harness.store import Store, paths
from harness.suite import open_suite

COLUMNS = {"runs": ["pretrain_seed", "finetune_seed"], "id": "test", "ood": ["noise"]}
DESIGNS = [
    pytest.param("{pretrain: 6, finetune: 2}", ["pretrain_seed", "finetune_seed"], id="crossed"),
    pytest.param("{pretrain: 4, finetune: 3, design: nested}", ["pretrain_seed"], id="nested"),
    pytest.param("{pretrain: 5, finetune: 1}", ["pretrain_seed"], id="one run of each seed"),
    pytest.param("{pretrain: 1, finetune: 4}", [], id="one pretraining seed"),
]


def scores_of(suite, store):
    """What `export` gives, of one procedure: a row per run and split."""
    checked, catalogue = open_suite(suite)
    plan = expand(checked, catalogue, precision="float32")
    results = load_results(plan, store)
    rows = results.scores.query(
        "procedure == @scene.FAST and score == 'accuracy' and state == 'ok'"
    )
    return rows, find(results, plan, checked, catalogue)


def table_of(rows, path):
    """A row per run, a column per split."""
    wide = rows.pivot(index=["pretrain_seed", "finetune_seed"], columns="split", values="value")
    wide.reset_index().to_csv(path, index=False)
    return path


def predictions_of(rows, store, path):
    """The stored predictions as a long table."""
    parts = []
    for row in rows.itertuples():
        read = read_predictions(store.path(row.key, paths.PREDICTIONS))
        part = pd.DataFrame({"example": read.examples, "predicted": read.logits.argmax(1)})
        seeds = {"pretrain_seed": row.pretrain_seed, "finetune_seed": row.finetune_seed}
        parts.append(part.assign(label=read.targets, split=row.split, **seeds))
    pd.concat(parts).to_parquet(path)
    return path


def scene_of(folder, seeds):
    suite = scene.write_suite(
        folder, scene.SUITE.replace("{pretrain: 6, finetune: 2}", seeds).replace("macro-f1", "mcc")
    )
    scene.fill(suite, folder / "runs")
    return suite, *scores_of(suite, Store(folder / "runs"))


@pytest.mark.parametrize(("seeds", "groups"), DESIGNS)
def test_predictions_of_a_suites_runs_get_the_intervals_of_its_report(seeds, groups, tmp_path):
    _, rows, report = scene_of(tmp_path, seeds)
    of_report = {
        (s.split): (s.mean, s.low, s.high)
        for s in report.spreads
        if s.procedure == scene.FAST and s.score == "accuracy" and s.split in ("test", "noise")
    }

    found = harness.analyze_table(
        table_of(rows, tmp_path / "t.csv"),
        predictions=predictions_of(rows, Store(tmp_path / "runs"), tmp_path / "p.parquet"),
        groups=groups, permutations=99, replicates=REPLICATES, **COLUMNS,
    )  # fmt: skip

    for spread in found.spreads:
        assert (spread.group_mean, spread.mean_ends.low, spread.mean_ends.high) == pytest.approx(
            of_report[spread.column], abs=1e-9
        )


@pytest.mark.parametrize(("seeds", "groups"), DESIGNS)
def test_scores_of_a_suites_runs_get_the_intervals_of_compare_with_examples_held_fixed(
    seeds, groups, tmp_path
):
    suite, rows, _ = scene_of(tmp_path, seeds)
    levels = "finetune" if "pretrain: 1," in seeds else "pretrain,finetune"
    compared = scene.compare(suite, store=tmp_path / "runs", levels=levels)

    found = harness.analyze_table(
        table_of(rows, tmp_path / "t.csv"),
        groups=groups,
        permutations=99,
        replicates=400,
        **COLUMNS,
    )

    for spread, split in zip(found.spreads, compared.splits, strict=True):
        (arm,) = (arm for arm in split.arms if arm.label == scene.FAST)
        ends = spread.mean_ends_runs
        assert spread.mean_ends is None
        assert (ends.low, ends.high) == pytest.approx((arm.low, arm.high), abs=1e-9)
