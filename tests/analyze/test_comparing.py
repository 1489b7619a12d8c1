"""What a comparison says: its numbers are those of the statistics, called by hand."""

import numpy as np
import pytest
from comparison_scene import EXAMPLES, FAST, SLOW, SUITE, compare, drawn, fill, write_suite

from harness.api.comparisons import Comparison
from harness.statistics.comparison import holm, sign_flip_test
from harness.statistics.multibootstrap import Arm, multi_bootstrap
from harness.statistics.resampling import MULTIBERTS, Grid, Levels

GENERATOR = np.random.default_rng(0)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """A suite with two procedures, 6 x 2 seeds, and a store that holds all of it."""
    folder = tmp_path_factory.mktemp("tiny")
    suite = write_suite(folder)
    plan = fill(suite, folder / "runs")
    return suite, folder / "runs", plan


def right(plan, procedure, split="test"):
    """The answers of every run, in the order of seeds."""
    return np.array(
        [
            drawn(cell)
            for cell in plan.cells
            if cell.stage == "evaluate"
            and cell.procedure == procedure
            and cell.work.split.name == split
        ],
        dtype=float,
    )


def grid():
    return Grid(tuple(np.repeat(range(6), 2).tolist()), tuple(np.tile(range(2), 6).tolist()))


def test_means_effect_p_and_interval_are_those_of_the_statistics(tiny):
    suite, store, plan = tiny

    found = compare(suite, store=store, replicates=4000)

    (test, noise) = found.splits
    assert (test.split, test.kind, noise.split, noise.kind) == ("test", "id", "noise", "ood")
    (pair,) = test.pairs
    slow, fast = right(plan, SLOW), right(plan, FAST)
    assert [arm.label for arm in test.arms] == [SLOW, FAST]
    assert test.arms[0].mean == pytest.approx(slow.mean())
    assert pair.effect == pytest.approx(fast.mean() - slow.mean())
    seeds = (fast - slow).mean(1).reshape(6, 2).mean(1)
    assert (pair.p, pair.least_p) == (sign_flip_test(seeds, GENERATOR), 2**-5)
    draws = multi_bootstrap([Arm(grid(), slow), Arm(grid(), fast)], 4000, GENERATOR)
    by_hand = draws.difference().stretched()
    assert (pair.low, pair.high) == pytest.approx((by_hand.low, by_hand.high), abs=0.01)
    alone = draws.stretched(0)
    assert test.arms[0].low == pytest.approx(alone.low, abs=0.01)
    assert pair.verdict == "second"
    assert f"{FAST} is better than {SLOW}" in test.text


def test_chances_and_tails_are_those_of_the_runs(tiny):
    suite, store, plan = tiny
    (pair,) = compare(suite, store=store, splits=("test",)).splits[0].pairs
    slow, fast = right(plan, SLOW).mean(1), right(plan, FAST).mean(1)

    wins = (slow[:, None] > fast).mean() + (slow[:, None] == fast).mean() / 2
    assert pair.beats == pytest.approx(wins)
    assert pair.worst_difference == pytest.approx(fast.min() - slow.min())
    quartiles = [np.sort(scores)[2] for scores in (slow, fast)]  # the third of twelve
    assert pair.quartile_difference == pytest.approx(quartiles[1] - quartiles[0])


def test_the_other_order_turns_every_sign(tiny):
    suite, store, _ = tiny
    (one,) = compare(suite, store=store, splits=("test",)).splits[0].pairs
    turned = compare(f"{suite}:{FAST}", f"{suite}:{SLOW}", store=store, splits=("test",))
    (other,) = turned.splits[0].pairs

    assert other.effect == pytest.approx(-one.effect)
    assert other.p == one.p
    assert other.beats == pytest.approx(1 - one.beats)
    assert other.verdict == "first"
    assert other.low == pytest.approx(-one.high, abs=0.03)


def test_a_score_that_should_be_low_is_better_where_it_is_low(tiny):
    suite, store, _ = tiny
    found = compare(suite, store=store, score="nll", splits=("test",))

    (pair,) = found.splits[0].pairs
    assert pair.effect < 0
    assert pair.verdict == "second"
    assert pair.beats < 0.2
    assert found.splits[0].arms[0].worst > found.splits[0].arms[0].mean


def test_a_score_of_a_confusion_matrix_draws_examples_too(tiny):
    suite, store, _ = tiny
    found = compare(suite, store=store, score="macro-f1", splits=("test",))
    seeds_only = compare(
        suite, store=store, score="macro-f1", splits=("test",), levels="pretrain,finetune"
    )

    (pair,), (held,) = found.splits[0].pairs, seeds_only.splits[0].pairs
    assert [level.drawn for level in found.levels] == [True, True, True]
    assert [level.drawn for level in seeds_only.levels] == [True, True, False]
    assert pair.effect == pytest.approx(held.effect)
    assert pair.high - pair.low > held.high - held.low


def test_the_procedure_of_multiberts_is_one_of_the_levels(tiny):
    suite, store, plan = tiny
    found = compare(suite, store=store, levels="multiberts", splits=("test",), replicates=4000)

    (pair,) = found.splits[0].pairs
    arms = [Arm(grid(), right(plan, name)) for name in (SLOW, FAST)]
    by_hand = multi_bootstrap(arms, 4000, GENERATOR, levels=MULTIBERTS).difference()
    ends = by_hand.interval(method="percentile")
    assert found.method == "percentile"
    assert (pair.low, pair.high) == pytest.approx((ends.low, ends.high), abs=0.01)
    assert pair.p_bootstrap == by_hand.p_not_above() == 1 / 4000


def test_examples_alone_say_nothing_of_other_seeds(tiny):
    suite, store, plan = tiny
    found = compare(suite, store=store, levels="examples", splits=("test",), replicates=4000)

    (pair,) = found.splits[0].pairs
    assert (pair.p, pair.verdict, found.unit) == (None, "not tested", "")
    levels = Levels(pretrain=False, finetune=False)
    arms = [Arm(grid(), right(plan, name)) for name in (SLOW, FAST)]
    by_hand = multi_bootstrap(arms, 4000, GENERATOR, levels=levels).difference().interval()
    assert (pair.low, pair.high) == pytest.approx((by_hand.low, by_hand.high), abs=0.01)


def test_procedures_with_the_same_seeds_can_be_taken_as_independent(tiny):
    suite, store, _ = tiny
    found = compare(suite, store=store, unpaired=True, splits=("test",))

    (pair,) = found.splits[0].pairs
    assert pair.pairing == "none"
    assert pair.least_p == pytest.approx(2 / 924)
    assert any("taken as independent, as asked for" in warning for warning in found.warnings)


def test_the_same_seed_gives_the_same_numbers_and_another_score_or_split_moves_none(tiny):
    suite, store, _ = tiny
    one = compare(suite, store=store)
    again = compare(suite, store=store, splits=("noise",))
    other = compare(suite, store=store, splits=("noise",), seed=1)

    assert again.splits[0] == one.splits[1]
    assert other.splits[0] != one.splits[1]


def test_a_record_survives_its_file(tiny):
    suite, store, _ = tiny
    found = compare(suite, store=store)
    assert Comparison.model_validate_json(found.model_dump_json()) == found


def test_equal_procedures_cannot_be_told_apart(tmp_path):
    suite = write_suite(tmp_path)
    fill(suite, tmp_path / "runs", lambda cell: np.arange(EXAMPLES) % 3 > 0)

    found = compare(suite, store=tmp_path / "runs")

    for split in found.splits:
        (pair,) = split.pairs
        assert (pair.effect, pair.p, pair.beats, pair.verdict) == (0, 1, 0.5, "cannot tell")
        assert "these seeds cannot tell" in split.text


def test_five_seeds_are_told_that_they_cannot_and_that_six_could(tmp_path):
    suite = write_suite(tmp_path, SUITE.replace("pretrain: 6", "pretrain: 5"))
    fill(suite, tmp_path / "runs")

    found = compare(suite, store=tmp_path / "runs")

    (pair,) = found.splits[0].pairs
    assert (pair.p, pair.verdict) == (1 / 16, "cannot tell")
    warning = next(text for text in found.warnings if "cannot give p below" in text)
    assert "p below 0.062" in warning
    assert "6 pairs could" in warning
    assert "The interval is without 0, but the test does not agree." in found.splits[0].text


def test_one_pretraining_seed_that_is_drawn_has_no_interval_and_no_test(tmp_path):
    suite = write_suite(
        tmp_path, SUITE.replace("pretrain: 6, finetune: 2", "pretrain: 1, finetune: 7")
    )
    fill(suite, tmp_path / "runs")

    every = "pretrain,finetune,examples"
    found = compare(suite, store=tmp_path / "runs", levels=every, splits=("test",))

    (pair,) = found.splits[0].pairs
    assert (pair.low, pair.p, pair.beats_low, pair.verdict) == (None, None, None, "not tested")
    assert found.splits[0].arms[0].low is None
    assert any("only one of the pretraining seeds" in text for text in found.warnings)
    held = compare(suite, store=tmp_path / "runs", splits=("test",))  # by default it is held fixed
    (pair,) = held.splits[0].pairs
    assert held.unit == "fine-tuning seeds"
    assert (pair.least_p, pair.verdict) == (2**-6, "second")


def test_one_run_for_each_pretraining_seed_is_drawn_with_it(tmp_path):
    suite = write_suite(tmp_path, SUITE.replace("finetune: 2", "finetune: 1"))
    fill(suite, tmp_path / "runs")

    found = compare(suite, store=tmp_path / "runs", splits=("test",))

    held = next(level for level in found.levels if level.name == "fine-tuning seeds")
    assert (held.drawn, held.why) == (
        False,
        "one for each pretraining seed: they are drawn together",
    )


MORE = "[{full: {steps: 3}, as: a}, {full: {steps: 4}, as: b}, {full: {steps: 5}, as: c}]"


def test_more_than_two_are_ranked_in_groups_that_cannot_be_told_apart(tmp_path):
    start = SUITE.index("methods:")
    end = SUITE.index("\n", start)
    text = f"{SUITE[:start]}methods: {MORE}{SUITE[end:]}".replace("pretrain: 6", "pretrain: 8")
    suite = write_suite(tmp_path, text)

    def answers(cell):
        level = {"a": 0.3, "b": 0.9, "c": 0.9}[cell.procedure[-1]]
        seeds = cell.seeds[0]
        number = [seeds.pretrain, seeds.finetune, ord(cell.procedure[-1])]
        return np.random.default_rng(number).random(EXAMPLES) < level

    fill(suite, tmp_path / "runs", answers)

    found = compare(suite, store=tmp_path / "runs", splits=("test",))

    (split,) = found.splits
    ranks = {rank.label[-1]: (rank.best, rank.worst) for rank in split.ranks}
    assert ranks == {"a": (3, 3), "b": (1, 2), "c": (1, 2)}
    assert [{label[-1] for label in group} for group in split.ties] == [{"b", "c"}, {"a"}]
    matrix = np.ones((3, 3))
    for pair, (i, j) in zip(split.pairs, [(0, 1), (0, 2), (1, 2)], strict=True):
        matrix[i, j] = matrix[j, i] = pair.p
    corrected = holm(matrix)
    assert [pair.p_corrected for pair in split.pairs] == [
        corrected[0, 1],
        corrected[0, 2],
        corrected[1, 2],
    ]
    assert "Groups that cannot be told apart, best first" in split.text


def test_runs_that_start_from_the_same_pretrained_weights_are_paired_by_them(tmp_path):
    pretrained = SUITE.replace(
        "inits: [random]",
        "pretrain: {data: {dataset: digits, batch: 16}, method: {full: {steps: 5}}}\n"
        "inits: [pretrained]",
    )
    suite = write_suite(tmp_path, pretrained)
    fill(suite, tmp_path / "runs")

    found = compare(suite, store=tmp_path / "runs", splits=("test",))

    assert found.splits[0].pairs[0].pairing == "same weights"
