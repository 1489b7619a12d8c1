"""Shares of the variance where runs are missing, with three kinds of seeds, and without testing."""

from itertools import product

import numpy as np
import pandas as pd
import pytest

from harness.analyze.shares import Seeded, variance_shares
from harness.analyze.spread import ScoreNature, spreads
from harness.analyze.testing import Separator
from harness.api.cells import Use
from harness.api.offers import Score
from harness.evaluate.predictions import Predictions, write_predictions

NATURES = {"accuracy": ScoreNature(True, True)}


def frame(values, seeds, missing=()):
    """One procedure on one split; `seeds` are (pretrain, fine-tune, order)."""
    rows = [
        {
            "procedure": "p", "split": "test", "split_kind": "id", "shift": None, "parent": None,
            "score": "accuracy", "pretrain_seed": a, "finetune_seed": b, "order_seed": c,
            "value": float("nan") if place in missing else float(value), "n": 100,
            "unscorable": 0, "diverged": False, "key": f"evaluate-{place}",
            "state": "missing" if place in missing else "ok",
        }
        for place, (value, (a, b, c)) in enumerate(zip(values, seeds, strict=True))
    ]  # fmt: skip
    return pd.DataFrame(rows)


def share(scores, design="crossed", **more):
    (found,) = variance_shares(scores, spreads(scores, NATURES), design, **more)
    return found


def crossed(a, b, generator, sds=(0.05, 0.01, 0.01)):
    seeds = [(i, j, j) for i, j in product(range(a), range(b))]
    rows, columns = sds[0] * generator.normal(size=a), sds[1] * generator.normal(size=b)
    return [0.7 + rows[i] + columns[j] + sds[2] * generator.normal() for i, j, _ in seeds], seeds


def test_a_full_table_has_an_interval_around_every_share_and_the_same_one_twice():
    scores = frame(*crossed(8, 4, np.random.default_rng(0)))

    found = share(scores)

    assert found.method == "anova"
    for name in ("pretrain", "finetune", "interaction"):
        low, high = getattr(found, f"{name}_range")
        assert low <= getattr(found, name) <= high
        low, high = getattr(found, f"{name}_sd_range")
        assert low <= getattr(found, f"{name}_sd") <= high
    assert share(scores) == found


def test_missing_runs_leave_shares_by_reml_from_the_others_and_are_counted():
    values, seeds = crossed(8, 4, np.random.default_rng(0))

    found = share(frame(values, seeds, missing=(3, 17, 30)))

    whole = share(frame(values, seeds))
    assert found.method == "reml"
    assert "3 of 32 runs missing; by REML from 29 runs" in found.note
    assert found.pretrain == pytest.approx(whole.pretrain, abs=0.1)
    assert found.pretrain_range[0] < found.pretrain < found.pretrain_range[1]


def test_three_kinds_of_seeds_have_a_share_each():
    generator = np.random.default_rng(1)
    seeds = list(product(range(6), range(4), range(10, 14)))
    effects = [sd * generator.normal(size=20) for sd in (0.03, 0.001, 0.06)]
    values = [
        0.7 + effects[0][a] + effects[1][b] + effects[2][c] + 0.002 * generator.normal()
        for a, b, c in seeds
    ]

    found = share(frame(values, seeds))

    exact = [np.var(effects[k][list({s[k] for s in seeds})], ddof=1) for k in (0, 2)]
    assert found.order_seeds == 4
    assert found.pretrain_sd**2 == pytest.approx(exact[0], rel=0.02)
    assert found.order_sd**2 == pytest.approx(exact[1], rel=0.02)
    assert found.finetune < 0.01
    total = found.pretrain + found.finetune + found.order + found.interaction
    assert total == pytest.approx(1.0)
    assert found.order_range[0] < found.order < found.order_range[1]


def test_nested_seeds_of_three_kinds_are_told_apart_within_a_pretraining_seed():
    generator = np.random.default_rng(2)
    seeds = list(product(range(10), range(3), range(10, 13)))
    pretrain = 0.05 * generator.normal(size=10)
    order = {(a, c): 0.05 * generator.normal() for a, _, c in seeds}
    values = [0.7 + pretrain[a] + order[a, c] + 0.005 * generator.normal() for a, _, c in seeds]

    found = share(frame(values, seeds), "nested")

    assert found.order_range[0] < found.order < found.order_range[1]
    assert found.order_sd == pytest.approx(np.std(list(order.values()), ddof=1), rel=0.2)
    assert found.finetune < 0.1


def test_in_a_nested_design_the_pretraining_share_is_the_intraclass_correlation():
    values, seeds = crossed(8, 4, np.random.default_rng(3), (0.05, 0.0, 0.05))

    found = share(frame(values, seeds), "nested")
    holed = share(frame(values, seeds, missing=(5,)), "nested")

    assert found.pretrain_range[0] == pytest.approx(1 - found.finetune_range[1])
    assert holed.interaction is None
    assert holed.pretrain + holed.finetune == pytest.approx(1.0)
    assert holed.pretrain_range == pytest.approx(found.pretrain_range, abs=0.15)


def test_what_the_design_cannot_tell_apart_is_said():
    few = frame([0.1, 0.2, 0.4], [(0, 0, 0), (0, 1, 1), (1, 0, 0)])
    same = frame([0.1, 0.2, 0.4, 0.3], [(0, 0, 0), (0, 0, 1), (1, 1, 0), (1, 1, 1)])

    assert "too few runs" in share(few).note
    assert "cannot be told" in share(same).note
    assert share(same).pretrain is None


def accuracy_score():
    each = lambda settings, labels, targets, groups: (labels == targets).astype(float)  # noqa: E731
    return Score(
        name="accuracy", about="", module=lambda _: None, higher_is_better=True,
        proportion=True, each=each,
    )  # fmt: skip


class Offers:
    def find(self, noun, name):
        from harness.plug.catalogue import Provided

        return Provided(accuracy_score(), "made-up", "1", "0" * 16, "here")


def stored(folder, right):
    """Predictions of two classes, [runs, examples] of which are right."""
    files = {}
    for place, row in enumerate(right):
        targets = np.arange(len(row)) % 2
        labels = np.where(row, targets, 1 - targets)
        path = folder / f"{place}.parquet"
        write_predictions(path, Predictions(np.eye(2, dtype=np.float32)[labels], targets))
        files[f"evaluate-{place}"] = path
    return files


def test_runs_that_differ_by_the_luck_of_testing_alone_are_said_to(tmp_path):
    right = np.random.default_rng(4).random((32, 400)) < 0.8
    files = stored(tmp_path, right)
    seeds = [(i, j, j) for i, j in product(range(8), range(4))]
    testing = Separator(Offers(), [Use("score", "accuracy", "accuracy", {}, "")], files.get)

    found = share(frame(right.mean(1), seeds), apart=testing.apart)

    assert found.testing > 0.6
    assert found.seeds_sd < found.total_sd


def test_runs_that_differ_alike_on_every_example_owe_nothing_to_testing(tmp_path):
    generator = np.random.default_rng(5)
    level = np.repeat(generator.uniform(0.3, 0.9, size=8), 4)
    right = level[:, None] > np.linspace(0, 1, 500)[None]
    seeds = [(i, j, j) for i, j in product(range(8), range(4))]
    files = stored(tmp_path, right)
    testing = Separator(Offers(), [Use("score", "accuracy", "accuracy", {}, "")], files.get)

    found = share(frame(right.mean(1), seeds), apart=testing.apart)

    assert found.testing < 0.02
    assert found.pretrain_alone == pytest.approx(1.0, abs=0.01)
    assert found.seeds_sd == pytest.approx(right.mean(1)[::4].std(ddof=1), rel=0.02)


def test_missing_predictions_leave_testing_out_and_the_shares_in(tmp_path):
    right = np.random.default_rng(4).random((8, 50)) < 0.8
    files = stored(tmp_path, right[:7])
    seeds = [(i, j, j) for i, j in product(range(4), range(2))]
    testing = Separator(Offers(), [Use("score", "accuracy", "accuracy", {}, "")], files.get)

    found = share(frame(right.mean(1), seeds), apart=testing.apart)

    assert found.testing is None
    assert found.pretrain is not None


def test_blocks_of_examples_give_what_all_at_once_give(tmp_path, monkeypatch):
    from harness.analyze import testing
    from harness.statistics.sampling import separate

    values = np.random.default_rng(6).random((4, 3, 101)).astype(np.float32)
    monkeypatch.setattr(testing, "BLOCK", 12 * 10)

    found = testing._in_blocks(values, "crossed")

    for name, part in separate(values.astype(np.float64), "crossed").items():
        assert found[name].seeds == pytest.approx(part.seeds)
        assert found[name].testing == pytest.approx(part.testing)


def test_seeds_of_the_order_are_a_kind_of_their_own_only_where_they_differ():
    scores = frame([0.1, 0.2, 0.3, 0.5], [(0, 0, 5), (0, 1, 5), (1, 0, 5), (1, 1, 5)])

    assert "order" not in Seeded(scores.to_dict("records"), "crossed").levels
