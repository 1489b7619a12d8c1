import numpy as np
import pytest
from scipy import stats

from harness.statistics import multibootstrap
from harness.statistics.intervals import acceleration, bca
from harness.statistics.multibootstrap import Arm, multi_bootstrap
from harness.statistics.resampling import MULTIBERTS, Grid, Levels

NOTHING = Levels(pretrain=False, finetune=False, examples=False)


def grid(pretrain, finetune):
    return Grid(
        tuple(p for p in range(pretrain) for _ in range(finetune)),
        tuple(f for _ in range(pretrain) for f in range(finetune)),
    )


def correct(runs, examples, seed=0):
    return (np.random.default_rng(seed).random((runs, examples)) < 0.7).astype(np.float32)


def draws(arms, replicates=4000, **options):
    return multi_bootstrap(arms, replicates, np.random.default_rng(5), **options)


def test_with_every_level_held_fixed_each_replicate_is_the_estimate():
    arm = Arm(grid(3, 2), correct(6, 40))
    found = draws([arm], 7, levels=NOTHING)
    assert found.replicates == pytest.approx(arm.values.mean(), abs=1e-6)
    assert found.estimates[0] == pytest.approx(arm.values.mean(), abs=1e-6)


def test_drawing_examples_alone_gives_the_sampling_variance_of_a_proportion():
    arm = Arm(grid(1, 1), correct(1, 400))
    found = draws([arm], 20_000, levels=Levels(pretrain=False, finetune=False))
    p = arm.values.mean()
    assert found.standard_error() == pytest.approx((p * (1 - p) / 400) ** 0.5, rel=0.03)


def test_drawing_pretraining_seeds_alone_gives_the_variance_of_their_mean():
    values = np.repeat([[1.0], [2.0], [4.0], [9.0]], 3, axis=1)
    found = draws([Arm(grid(4, 1), values)], 20_000, levels=Levels(finetune=False, examples=False))
    assert found.standard_error() == pytest.approx(np.std([1, 2, 4, 9]) / 2, rel=0.03)


def test_a_crossed_design_draws_one_multiset_of_fine_tuning_seeds_for_all():
    column = np.tile([0.0, 1.0, 5.0], 4)[:, None]  # only the fine-tuning seed matters
    fixed_others = Levels(pretrain=False, examples=False)
    crossed = draws([Arm(grid(4, 3), column)], 20_000, levels=fixed_others)
    assert crossed.standard_error() == pytest.approx(np.std([0, 1, 5]) / 3**0.5, rel=0.03)


def test_a_nested_design_draws_fine_tuning_seeds_anew_for_every_pretraining_seed():
    column = np.tile([0.0, 1.0, 5.0], 4)[:, None]
    nested = Levels(pretrain=False, examples=False, design="nested")
    found = draws([Arm(grid(4, 3), column)], 20_000, levels=nested)
    assert found.standard_error() == pytest.approx(np.std([0, 1, 5]) / 12**0.5, rel=0.03)


def test_replicates_are_those_of_a_plain_loop_over_drawn_seeds_and_examples():
    """The procedure of MultiBERTs, written out."""
    values = correct(6, 50)
    found = draws([Arm(grid(3, 2), values)], 40_000, levels=MULTIBERTS)
    generator = np.random.default_rng(8)
    plain = []
    for _ in range(20_000):
        seeds = generator.integers(0, 3, 3)
        examples = generator.integers(0, 50, 50)
        of_seed = [values[2 * s : 2 * s + 2][:, examples].mean() for s in seeds]
        plain.append(np.mean(of_seed))
    assert found.standard_error() == pytest.approx(np.std(plain), rel=0.03)
    assert found.replicates.mean() == pytest.approx(np.mean(plain), abs=0.002)
    assert np.quantile(found.replicates, [0.05, 0.95]) == pytest.approx(
        np.quantile(plain, [0.05, 0.95]), abs=0.005
    )


def test_pairing_takes_out_what_a_seed_does_to_both_arms():
    shift = np.repeat([[0.0], [10.0], [30.0]], 2, axis=1)
    arms = [Arm(grid(3, 1), shift), Arm(grid(3, 1), shift + 1)]
    levels = Levels(finetune=False, examples=False)
    together = draws(arms, levels=levels).difference()
    apart = draws(arms, levels=levels, paired=False).difference(paired=False)
    assert together.replicates == pytest.approx(1.0, abs=1e-5)
    assert together.estimates[0] == pytest.approx(1.0)
    assert apart.standard_error() > 5


def test_paired_arms_of_other_seeds_are_refused():
    arms = [Arm(grid(3, 1), correct(3, 5)), Arm(grid(1, 3), correct(3, 5))]
    with pytest.raises(ValueError, match="same seeds"):
        draws(arms)


def test_a_score_of_means_is_combined_run_by_run():
    """The square of accuracy: no mean over examples."""
    values = correct(4, 60)
    linear = Arm(grid(2, 2), values)
    squared = Arm(grid(2, 2), values[None], combine=lambda means: means[..., 0] ** 2)
    assert squared.estimate() == pytest.approx((values.mean(1) ** 2).mean(), rel=1e-6)
    same = Arm(grid(2, 2), values[None], combine=lambda means: means[..., 0])
    one, other = draws([linear], 300), draws([same], 300)
    assert one.replicates == pytest.approx(other.replicates, abs=1e-6)


def test_data_orders_with_seeds_of_their_own_are_drawn_apart_from_fine_tuning_seeds():
    heads, orders = np.repeat([0, 1, 2], 8), np.tile(np.arange(8), 3)
    effects = np.array([0.0, 1.0, 5.0])
    grid = Grid((0,) * 24, tuple(heads.tolist()), tuple(orders.tolist()))
    arm = Arm(grid, effects[heads][:, None])
    levels = Levels(pretrain=False, examples=False)

    found = multi_bootstrap([arm], 20_000, np.random.default_rng(0), levels=levels)

    assert found.replicates.var() == pytest.approx(effects.var() / 3, rel=0.05)


def test_an_unbalanced_crossed_design_cannot_draw_fine_tuning_seeds():
    lopsided = Grid((0, 0, 1), (0, 1, 0))
    with pytest.raises(ValueError, match="crossed"):
        draws([Arm(lopsided, correct(3, 9))])
    draws([Arm(lopsided, correct(3, 9))], levels=MULTIBERTS)


def test_seeds_weigh_the_same_however_many_runs_they_have():
    lopsided = Grid((0, 0, 0, 1), (0, 1, 2, 0))
    arm = Arm(lopsided, np.array([[0.0], [0.0], [0.0], [1.0]]))
    assert arm.estimate() == pytest.approx(0.5)
    assert draws([arm], 9, levels=NOTHING).replicates == pytest.approx(0.5)


def test_the_same_generator_gives_the_same_replicates_and_another_gives_others():
    arm = Arm(grid(3, 2), correct(6, 40))
    one, same = draws([arm], 50), draws([arm], 50)
    other = multi_bootstrap([arm], 50, np.random.default_rng(6))
    assert (one.replicates == same.replicates).all()
    assert not (one.replicates == other.replicates).all()


def test_p_is_never_below_one_over_the_replicates():
    values = np.ones((3, 4))
    found = draws([Arm(grid(3, 1), 0 * values), Arm(grid(3, 1), values)], 200).difference()
    assert found.p_not_above() == 1 / 200


def test_bca_is_that_of_scipy_for_a_mean_of_independent_numbers():
    sample = np.random.default_rng(3).exponential(size=25)
    theirs = stats.bootstrap(
        (sample,), np.mean, n_resamples=20_000, method="BCa", rng=np.random.default_rng(1)
    )
    influence = (sample - sample.mean()) / sample.size
    ours = bca(theirs.bootstrap_distribution, sample.mean(), acceleration([influence]))
    low, high = theirs.confidence_interval
    assert (ours.low, ours.high) == pytest.approx((low, high), rel=2e-3)


def test_influences_have_the_variance_of_an_estimate_without_interactions():
    generator = np.random.default_rng(2)
    runs, examples = generator.normal(size=12), generator.normal(size=80)
    arm = Arm(grid(4, 3), runs[:, None] + examples)
    found = draws([arm], 20_000, levels=Levels(design="nested"))
    variance = sum(level.squares for level in found.levels[0])
    assert found.standard_error() ** 2 == pytest.approx(variance, rel=0.05)


def test_two_runs_of_the_same_seeds_are_refused():
    with pytest.raises(ValueError, match="same seeds"):
        Grid((0, 0), (1, 1))


def test_values_that_are_not_finite_are_refused():
    with pytest.raises(ValueError, match="finite"):
        Arm(grid(1, 1), np.array([[np.nan]]))


def test_unpaired_arms_share_the_influence_of_examples_alone():
    generator = np.random.default_rng(4)
    both = generator.exponential(size=60)  # what an example does to either arm
    arms = [Arm(grid(3, 2), generator.normal(size=(6, 1)) + both) for _ in range(2)]
    levels = Levels(design="nested")
    apart = draws(arms, 20_000, levels=levels, paired=False).difference(paired=False)
    variance = sum(level.squares for level in apart.levels[0])
    assert apart.standard_error() ** 2 == pytest.approx(variance, rel=0.05)
    ours, theirs = draws(arms, 9, levels=levels, paired=False).levels
    assert len(apart.levels[0]) == len(ours) + len(theirs) - 1
    both = theirs[-1].influences - ours[-1].influences
    assert apart.levels[0][-1].influences == pytest.approx(both)
    fixed = Levels(examples=False)
    seeds = draws(arms, 9, levels=fixed, paired=False).difference(paired=False)
    assert len(seeds.levels[0]) == 4


def test_scores_far_from_zero_keep_their_differences():
    values = np.random.default_rng(1).normal(size=(4, 30))
    near, far = (draws([Arm(grid(4, 1), values + shift)], 200) for shift in (0.0, 1e6))
    assert far.replicates - 1e6 == pytest.approx(near.replicates, abs=1e-6)


def test_replicates_are_made_in_blocks_of_bounded_size_whatever_the_examples():
    assert multibootstrap.block(9_815) == multibootstrap.CHUNK
    assert multibootstrap.block(1_000_000) * 1_000_000 <= multibootstrap.NUMBERS
    assert multibootstrap.block(1 << 40) == 1


def test_a_score_that_is_computed_anew_has_the_replicates_of_the_same_score_as_a_mean():
    rng = np.random.default_rng(3)
    values = rng.random((6, 40))
    grid = Grid((0, 0, 1, 1, 2, 2), (0, 1, 0, 1, 0, 1))
    plain = Arm(grid, values)

    def again(counts):
        return values @ counts.T / values.shape[1]

    same = np.broadcast_to(values.mean(axis=1)[:, None], values.shape)
    anew = Arm(grid, same, again=again)
    one, other = (multi_bootstrap([arm], 300, np.random.default_rng(0)) for arm in (plain, anew))
    assert np.allclose(one.replicates, other.replicates, atol=1e-6)
    assert np.allclose(one.estimates, other.estimates)


def test_rare_examples_are_drawn_without_loss_of_digits():
    """The chance that two of 100,000 differ where 3 are unlike the others: 1 less squares."""
    values = np.zeros((2, 1, 100_000), dtype=np.float32)
    values[0, 0, :3] = 1
    values[1] = 1 - values[0]
    levels = Levels(pretrain=False, finetune=False, examples=True)
    arm = Arm(grid(1, 1), values, combine=lambda means: 1 - (means**2).sum(axis=-1))
    (found,) = draws([arm], 50, levels=levels).replicates
    rare = np.round(found * 100_000 / 2)  # 2 p (1 - p)
    assert rare.max() > 3
    share = rare / 100_000
    assert found == pytest.approx(2 * share * (1 - share), rel=1e-9, abs=1e-12)
