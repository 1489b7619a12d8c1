"""The answer in short: levels, what the seed alone does, and which seed it is."""

import made_up
import pytest

from harness.analyze.headline import headline
from harness.api.cells import Primary
from harness.api.findings import Spread
from harness.api.numbers import figures
from harness.api.variance import VarianceShare

PRIMARY = Primary("accuracy", "test", ("far",))


def spread(procedure="a", split="far", mean=0.6, sd=0.05, **more):
    given = {
        "procedure": procedure, "split": split, "split_kind": "id" if split == "test" else "ood",
        "shift": None, "parent": None, "score": "accuracy", "higher_is_better": True,
        "planned": 12, "runs": 12, "examples": 100, "mean": mean, "sd": sd, "worst": 0.5,
        "worst_seeds": "0/0", "best": 0.7,
    }  # fmt: skip
    return Spread(**(given | more))


def share(**more):
    given = {
        "procedure": "a", "split": "far", "split_kind": "ood", "score": "accuracy",
        "design": "crossed", "pretrain_seeds": 8, "finetune_seeds": 4, "total_sd": 0.05,
        "pretrain": 0.5, "finetune": 0.1, "interaction": 0.4, "pretrain_range": (0.1, 0.8),
    }  # fmt: skip
    return VarianceShare(**(given | more))


def test_it_names_levels_the_luck_of_the_best_and_the_seed_that_carries_it():
    found = [
        spread("a", "test", 0.98, 0.005), spread("b", "test", 0.97, 0.005),
        spread("a"), spread("b", mean=0.4, sd=0.3),
    ]  # fmt: skip

    assert headline((), found, [share()], PRIMARY) == (
        "On far, accuracy is 0.600 with a and 0.400 with b; in-domain (test) 0.980 and 0.970 "
        "(means over 12 runs each). The seed alone moves a by 0.050 (sd), 10 times as much as "
        "in-domain; pretraining seeds carry 50 % of that variance (95 % interval 10 % to 80 %)."
    )


def test_intervals_of_means_are_told_where_they_are_known():
    found = [spread("a", low=0.55, high=0.65), spread("b", mean=0.4)]

    assert headline((), found, [], PRIMARY).startswith(
        "On far, accuracy is 0.600 (0.550 to 0.650) with a and 0.400 with b (means over 12 runs "
        "each, 95 % intervals)."
    )


def test_of_two_procedures_it_says_which_is_better_there_and_in_domain():
    found = made_up.findings(made_up.plan(6, 2, splits=("test", "rotation-60")))

    (pair,) = found.comparison.splits[1].pairs
    assert pair.verdict == "first"
    assert (
        f"Out of distribution pretrained is better than random (p = {figures(pair.p, 2)})"
        in found.headline
    )
    assert "; in-domain pretrained is better than random (p = " in found.headline


def test_where_seeds_cannot_tell_which_is_better_it_says_so():
    found = made_up.findings(made_up.plan(4, 2, ("a", "b"), splits=("test", "rotation-60")))

    assert (
        "distribution these seeds cannot tell which is better; in-domain these seeds"
        in found.headline
    )


def test_of_more_than_two_procedures_it_names_no_better_one():
    found = made_up.findings(made_up.plan(6, 2, ("a", "b", "random"), splits=("test", "noise")))

    assert "better" not in found.headline


def test_the_best_of_a_loss_is_the_least():
    found = [
        spread("a", mean=0.9, higher_is_better=False), spread("b", mean=0.2, higher_is_better=False)
    ]  # fmt: skip

    assert "The seed alone moves b" in headline((), found, [], PRIMARY)


@pytest.mark.parametrize(
    ("sd", "told"),
    [
        (0.005, "10 times as much as in-domain"),
        (0.05, "about as much as in-domain"),
        (0.5, "10 times less than in-domain"),
    ],
)
def test_the_spread_is_set_beside_that_in_domain(sd, told):
    found = [spread("a", "test", 0.98, sd), spread("a")]

    assert told in headline((), found, [], PRIMARY)


def test_runs_that_all_score_the_same_have_their_spread_in_domain_beside_it():
    found = [spread("a", "test", 0.98, 0.02), spread("a", sd=0.0)]

    assert "moves a by 0 (sd), in-domain by 0.020" in headline((), found, [], PRIMARY)


def test_an_interval_of_few_seeds_says_how_little_it_means():
    found = [spread("a")]

    assert "very uncertain with 3 of them" in headline(
        (), found, [share(pretrain_seeds=3)], PRIMARY
    )
    wide = share(pretrain_range=(0.02, 0.97))
    assert "it says next to nothing" in headline((), found, [wide], PRIMARY)
    none = share(pretrain=None, pretrain_range=None)
    assert "carry" not in headline((), found, [none], PRIMARY)


def test_an_interval_that_has_shrunk_to_nothing_tells_nothing_either():
    assert share(pretrain=0.0, pretrain_range=(0.0, 0.0)).says_little
    assert not share(pretrain=0.0, pretrain_range=(0.0, 0.3)).says_little


def test_of_many_procedures_the_range_is_told():
    found = [
        spread(name, mean=mean) for name, mean in zip("abcd", (0.3, 0.6, 0.5, 0.4), strict=True)
    ]
    found += [spread(name, "test", 0.9) for name in "abcd"]

    told = headline((), found, [], PRIMARY)

    assert told.startswith("On far, mean accuracy of 4 procedures goes from 0.600 (b) to 0.300 (a)")
    assert "The seed alone moves b" in told


def test_without_ood_splits_it_speaks_of_the_in_domain_one_and_without_means_of_nothing():
    primary = Primary("accuracy", "test", ())

    told = headline((), [spread("a", "test")], [], primary)

    assert told.startswith("In-domain (test), accuracy is 0.600 with a (means over 12 runs).")
    assert "as in-domain" not in told
    assert headline((), [spread(mean=None)], [], PRIMARY) == ""
    assert headline((), [], [], PRIMARY) == ""


def test_initial_weights_are_called_so_and_one_run_has_no_luck():
    findings = made_up.findings(made_up.plan(8, 4, ("random",), splits=("test", "rotation-60")))
    assert "initial-weight seeds carry" in findings.headline

    assert headline((), [spread(sd=None, runs=1)], [], PRIMARY).endswith("(means over 1 run).")
