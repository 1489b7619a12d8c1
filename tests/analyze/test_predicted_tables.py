"""Predictions per example beside a table, or as the table."""

import numpy as np
import pandas as pd
import pytest

import harness
from harness.statistics import components

RUNS, EXAMPLES = 12, 300
HOW = {"permutations": 99, "replicates": 200}


def predictions(seed: int = 0) -> dict[str, np.ndarray]:
    """Runs of four seeds that matter OOD: two splits of three classes."""
    generator = np.random.default_rng(seed)
    skill = np.repeat(generator.normal(0, 0.08, 4), 3)
    arrays = {"models": np.array([f"r{n}" for n in range(RUNS)])}
    for split, base, spread in (("test", 0.9, 0.1), ("far", 0.6, 1.0)):
        labels = generator.integers(0, 3, EXAMPLES)
        right = generator.random((RUNS, EXAMPLES)) < (base + spread * skill)[:, None]
        arrays[split] = np.where(right, labels, (labels + 1) % 3)
        arrays[f"{split}_labels"] = labels
    return arrays


def accuracy(arrays: dict[str, np.ndarray], split: str) -> np.ndarray:
    return (arrays[split] == arrays[f"{split}_labels"]).mean(axis=1)


def rows(arrays: dict[str, np.ndarray]) -> pd.DataFrame:
    return pd.DataFrame({"models": arrays["models"], "seed": np.repeat(range(4), 3)})


def test_predictions_make_the_scores_that_a_table_lacks(tmp_path):
    arrays = predictions()
    np.savez(tmp_path / "p.npz", **arrays)
    rows(arrays).to_csv(tmp_path / "t.csv", index=False)

    found = harness.analyze_table(
        tmp_path / "t.csv", runs=["models"], id="test", ood=["far"], groups=["seed"],
        predictions=tmp_path / "p.npz", **HOW,
    )  # fmt: skip

    here, there = found.spreads
    assert here.mean == pytest.approx(accuracy(arrays, "test").mean())
    assert there.sd == pytest.approx(accuracy(arrays, "far").std(ddof=1))
    assert here.examples == there.examples == EXAMPLES
    assert [source.part for source in found.sources] == ["predictions"]
    assert found.lines[0].reliability is not None


def test_an_npz_is_a_table_by_itself_with_its_seeds(tmp_path):
    arrays = predictions() | {"seed": np.repeat(range(4), 3)}
    np.savez(tmp_path / "p.npz", **arrays)

    found = harness.analyze_table(
        tmp_path / "p.npz", runs=["models"], id="test", ood=["far"], groups=["seed"], **HOW
    )

    assert (found.design, found.clusters, found.runs) == ("nested", 4, RUNS)
    assert [share.factor for share in found.components[:2]] == ["seed", "everything else"]


def test_a_long_table_says_the_same_as_an_npz(tmp_path):
    arrays = predictions()
    np.savez(tmp_path / "p.npz", **arrays)
    long = pd.DataFrame(
        [
            (run, split, example, arrays[split][place, example], label)
            for place, run in enumerate(arrays["models"])
            for split in ("test", "far")
            for example, label in enumerate(arrays[f"{split}_labels"])
        ],
        columns=["models", "split", "example", "predicted", "label"],
    )
    long.sample(frac=1, random_state=0).to_parquet(tmp_path / "p.parquet")
    rows(arrays).to_csv(tmp_path / "t.csv", index=False)

    arrayed, listed = (
        harness.analyze_table(
            tmp_path / "t.csv", runs=["models"], id="test", ood=["far"],
            predictions=tmp_path / name, **HOW,
        )
        for name in ("p.npz", "p.parquet")
    )  # fmt: skip
    assert [s.mean for s in listed.spreads] == pytest.approx([s.mean for s in arrayed.spreads])
    assert listed.spreads[1].seed_sd == pytest.approx(arrayed.spreads[1].seed_sd)


def test_drawing_examples_too_makes_an_interval_wider(tmp_path):
    np.savez(tmp_path / "p.npz", **predictions())

    found = harness.analyze_table(
        tmp_path / "p.npz", runs=["models"], id="test", ood=["far"], **HOW
    )

    for spread in found.spreads:
        runs, both = spread.mean_ends_runs, spread.mean_ends
        assert runs.high - runs.low < both.high - both.low
        assert both.low < spread.mean < both.high


def test_spread_that_is_all_testing_is_told_apart_from_seeds(tmp_path):
    generator = np.random.default_rng(3)
    labels = generator.integers(0, 2, 400)
    right = generator.random((40, 400)) < 0.7
    same = {"models": np.array([f"r{n}" for n in range(40)]), "test_labels": labels}
    same |= {"test": np.where(right, labels, 1 - labels)}
    skill = np.linspace(0.5, 0.9, 40)[:, None]
    apart = generator.random((40, 400)) < skill
    same |= {"far": np.where(apart, labels, 1 - labels), "far_labels": labels}
    np.savez(tmp_path / "p.npz", **same)

    found = harness.analyze_table(
        tmp_path / "p.npz", runs=["models"], id="test", ood=["far"], **HOW
    )

    here, there = found.spreads
    assert here.seed_sd < 0.5 * here.sd
    assert there.seed_sd == pytest.approx(np.ptp(skill) / np.sqrt(12), rel=0.15)


def test_the_parts_of_a_component_add_up(tmp_path):
    arrays = predictions() | {"seed": np.repeat(range(4), 3), "order": np.tile(range(3), 4)}
    np.savez(tmp_path / "p.npz", **arrays)

    found = harness.analyze_table(
        tmp_path / "p.npz", runs=["models"], id="test", ood=["far"], groups=["seed", "order"], **HOW
    )

    assert found.design == "crossed"
    assert len(found.components) == 6
    places = accuracy(arrays, "far").reshape(4, 3)
    expected = components.crossed(places)
    seed, order, rest = (s.seeds + s.testing for s in found.components if s.column == "far")
    assert seed == pytest.approx(expected.pretrain)
    assert rest == pytest.approx(expected.interaction)
    if expected.finetune:
        assert order == pytest.approx(expected.finetune)
    else:
        assert order < 0


def save(folder, **changes):
    arrays = predictions() | changes
    np.savez(folder / "p.npz", **{name: of for name, of in arrays.items() if of is not None})
    return folder / "p.npz"


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"models": None}, "no array 'models' names the runs; it holds far, far_labels"),
        ({"models": np.array(["r"] * RUNS)}, "run 'r' is there twice"),
        ({"models": np.arange(5)}, r"is not \[5 runs, examples\]"),
        ({"test_labels": np.zeros(7, int)}, r"'test_labels' \(7,\) does not label 'test'"),
        ({"test_labels": None}, "'test' .* is neither a split nor a value per run"),
        ({"test": np.zeros((RUNS, EXAMPLES))}, "'test' holds float64 and its labels int64"),
        ({"far": None, "far_labels": None}, "no column 'far'"),
        ({"models": np.array([{}] * RUNS, dtype=object)}, "is no such table: Object arrays"),
    ],
)
def test_bad_predictions_are_refused_in_one_line(changes, says, tmp_path):
    path = save(tmp_path, **changes)
    with pytest.raises(harness.HarnessError, match=says):
        harness.analyze_table(path, runs=["models"], id="test", ood=["far"], **HOW)


def test_a_run_without_predictions_is_refused(tmp_path):
    frame = rows(predictions())
    frame["test"] = frame["far"] = np.linspace(0.3, 0.8, RUNS)
    frame.loc[2, "models"] = "stranger"
    frame.to_csv(tmp_path / "t.csv", index=False)
    given = {"runs": ["models"], "id": "test", "ood": ["far"], "predictions": save(tmp_path)}
    with pytest.raises(harness.HarnessError, match="no predictions of run 'stranger'"):
        harness.analyze_table(tmp_path / "t.csv", **given)

    frame.drop(columns="far").to_csv(tmp_path / "t.csv", index=False)
    with pytest.raises(harness.HarnessError, match=r"'far': no value in 1 row \(first row 3\)"):
        harness.analyze_table(tmp_path / "t.csv", **given)


def test_a_table_that_disagrees_with_its_predictions_is_told(tmp_path):
    arrays = predictions()
    frame = rows(arrays).assign(test=accuracy(arrays, "test"), far=accuracy(arrays, "far") + 0.03)
    frame.to_csv(tmp_path / "t.csv", index=False)

    found = harness.analyze_table(
        tmp_path / "t.csv", runs=["models"], id="test", ood=["far"],
        predictions=save(tmp_path), **HOW,
    )  # fmt: skip
    assert "'far': the table and the predictions differ by up to 0.03" in found.notes


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"percent": True}, "scores made from predictions are shares; leave --percent out"),
        ({"examples": {"test": 5}}, "--examples test=5, but there are predictions of 300"),
        ({"predictions": "p.npz"}, "the table holds predictions itself"),
    ],
)
def test_what_predictions_say_already_is_not_said_otherwise(given, says, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    save(tmp_path)
    with pytest.raises(harness.HarnessError, match=says):
        harness.analyze_table("p.npz", runs=["models"], id="test", ood=["far"], **given)


def long_rows() -> pd.DataFrame:
    return pd.DataFrame(
        [(run, "test", e, e % 2, 0) for run in "abc" for e in range(4)],
        columns=["run", "split", "example", "predicted", "label"],
    )


@pytest.mark.parametrize(
    ("frame", "says"),
    [
        (long_rows().drop(columns="label"), "no column 'label'; a long table has run, split"),
        (long_rows().drop(index=5), "run 'b' lacks examples of 'test' that others have"),
        (pd.concat([long_rows()] * 2), "example '0' of 'test' is there twice for one run"),
        (
            long_rows().assign(label=[0] * 11 + [1]),
            "one example of 'test' has two labels",
        ),
        (long_rows().assign(split="other"), "no predictions of test or far; its splits are other"),
    ],
)
def test_a_bad_long_table_is_refused_in_one_line(frame, says, tmp_path):
    frame.to_parquet(tmp_path / "p.parquet")
    pd.DataFrame({"run": list("abc"), "far": [0.1, 0.2, 0.3]}).to_csv(tmp_path / "t.csv")
    with pytest.raises(harness.HarnessError, match=says):
        harness.analyze_table(
            tmp_path / "t.csv", runs=["run"], id="test", ood=["far"],
            predictions=tmp_path / "p.parquet",
        )  # fmt: skip


def test_what_all_runs_find_hard_is_no_noise_between_them(tmp_path):
    generator = np.random.default_rng(5)
    labels = np.zeros(EXAMPLES, int)
    hard = np.arange(EXAMPLES) < EXAMPLES // 2
    wrong = np.stack([hard & (generator.random(EXAMPLES) < 0.9 + n / 150) for n in range(RUNS)])
    arrays = predictions() | {"test": wrong.astype(int), "test_labels": labels}
    np.savez(tmp_path / "p.npz", **arrays)
    shares = pd.DataFrame(
        {name: accuracy(arrays, name) for name in ("test", "far")} | {"models": arrays["models"]}
    )
    shares.to_csv(tmp_path / "t.csv", index=False)

    given = {"runs": ["models"], "id": "test", "ood": ["far"]} | HOW
    estimate = harness.analyze_table(tmp_path / "p.npz", **given).lines[0].reliability
    bound = (
        harness.analyze_table(tmp_path / "t.csv", **given, examples={"test": EXAMPLES})
        .lines[0]
        .reliability
    )
    assert bound == 0
    assert estimate > 0.3
