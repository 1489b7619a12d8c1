"""Which runs a pair metric compares."""

from itertools import combinations

from harness.api.cells import Seeds
from harness.plan.pairs import choose_pairs, rank


def grid(pretrain, finetune):
    return [Seeds(p, f) for p in range(pretrain) for f in range(finetune)]


def chosen(runs, which):
    return {(runs[i], runs[j]) for i, j in choose_pairs(runs, which)}


def test_all_pairs_are_all_pairs():
    assert choose_pairs(grid(2, 2), "all") == list(combinations(range(4), 2))


def test_pairs_within_a_pretraining_seed_share_it():
    assert choose_pairs(grid(2, 2), "within-pretrain-seed") == [(0, 1), (2, 3)]


def test_drawn_pairs_are_those_of_lowest_rank_of_either_kind():
    runs = grid(5, 7)
    ranked = sorted(combinations(runs, 2), key=lambda pair: rank(*pair))
    same = [(a, b) for a, b in ranked if a.pretrain == b.pretrain]
    different = [(a, b) for a, b in ranked if a.pretrain != b.pretrain]

    for number in (0, 1, 2, 21, 60):
        expected = {*same[: number // 2], *different[: number - number // 2]}
        assert chosen(runs, number) == expected


def test_where_one_kind_runs_short_the_other_fills_up():
    runs = grid(2, 3)  # 6 pairs within a pretraining seed, 9 across

    pairs = chosen(runs, 14)

    assert sum(a.pretrain == b.pretrain for a, b in pairs) == 6
    assert len(pairs) == 14
    assert len(chosen(grid(5, 1), 4)) == 4  # none within
    assert len(chosen(grid(1, 5), 4)) == 4  # none across


def test_more_pairs_than_there_are_means_all():
    runs = grid(3, 4)

    assert chosen(runs, 1000) == chosen(runs, "all")


def test_drawing_fewer_pairs_draws_some_of_the_same():
    runs = grid(4, 6)

    assert chosen(runs, 10) < chosen(runs, 30)


def test_another_seed_gives_up_a_pair_only_for_one_that_ranks_before_it():
    few, more = grid(4, 6), grid(5, 6)

    before, after = chosen(few, 40), chosen(more, 40)

    new = {pair for pair in after if any(seeds.pretrain == 4 for seeds in pair)}
    assert after - new <= before
    assert len(before & after) >= 20


def test_pairs_of_very_many_runs_are_drawn_without_visiting_all():
    runs = grid(100, 200)  # 200 million pairs

    pairs = chosen(runs, 100)

    assert sum(a.pretrain == b.pretrain for a, b in pairs) == 50
    assert len({seeds for pair in pairs for seeds in pair}) > 180
