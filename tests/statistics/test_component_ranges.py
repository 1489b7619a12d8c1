import numpy as np
import pytest

from harness.statistics.components import crossed, nested
from harness.statistics.generalized import component_ranges, mean_squares
from harness.statistics.sampling import separate


def simulated(a, b, variances, generator):
    pretrain, finetune, rest = np.sqrt(variances)
    return (
        pretrain * generator.normal(size=(a, 1))
        + finetune * generator.normal(size=(1, b))
        + rest * generator.normal(size=(a, b))
    )


def coverage(a, b, variances, design, rounds, seed=0):
    """How often each component's true sd and share lie inside their 95 % intervals."""
    generator = np.random.default_rng(seed)
    truth = dict(zip(("pretrain", "finetune", "interaction"), variances, strict=True))
    if design == "nested":
        truth = {"pretrain": variances[0], "finetune": variances[2]}
    hits = {name: [0, 0] for name in truth}
    for _ in range(rounds):
        table = simulated(a, b, variances, generator)
        found = component_ranges(table, design, generator, draws=2000)
        for name, value in truth.items():
            low, high = found[name].sd
            hits[name][0] += low <= value**0.5 <= high
            low, high = found[name].share
            hits[name][1] += low <= value / sum(truth.values()) <= high
    return {name: [count / rounds for count in counts] for name, counts in hits.items()}


def test_mean_squares_of_a_crossed_table_by_hand():
    squares, freedom = mean_squares(np.array([[1.0, 2.0], [3.0, 5.0]]), "crossed")
    assert squares == pytest.approx([6.25, 2.25, 0.25])
    assert freedom == [1, 1, 1]


def test_the_interval_of_the_rest_is_the_chi_square_interval():
    """One mean square alone: exact."""
    from scipy import stats

    table = simulated(6, 6, (0.0, 0.0, 4.0), np.random.default_rng(1))
    squares, freedom = mean_squares(table, "crossed")
    found = component_ranges(table, "crossed", np.random.default_rng(2), draws=200_000)
    exact = [
        (squares[2] * freedom[2] / stats.chi2.ppf(share, freedom[2])) ** 0.5
        for share in (0.975, 0.025)
    ]
    assert found["interaction"].sd == pytest.approx(exact, rel=0.01)


def test_the_interval_of_a_nested_share_is_the_exact_f_interval_of_the_intraclass_correlation():
    from scipy import stats

    table = simulated(8, 5, (1.0, 0.0, 1.0), np.random.default_rng(4))
    (rows, within), (df_rows, df_within) = mean_squares(table, "nested")
    ratio = rows / within
    exact = []
    for share in (0.975, 0.025):
        f = ratio / stats.f.ppf(share, df_rows, df_within)
        exact.append(max(0.0, (f - 1) / (f + 4)))
    found = component_ranges(table, "nested", np.random.default_rng(2), draws=200_000)
    assert found["pretrain"].share == pytest.approx(exact, abs=0.01)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("a", "b", "variances"),
    [(5, 5, (1.0, 0.2, 0.5)), (10, 5, (1.0, 0.0, 1.0)), (10, 10, (0.2, 0.2, 1.0))],
)
def test_intervals_cover_the_truth_in_a_crossed_design(a, b, variances):
    for name, (sd, share) in coverage(a, b, variances, "crossed", 600).items():
        value = dict(zip(("pretrain", "finetune", "interaction"), variances, strict=True))[name]
        if value == 0:
            continue  # an interval that starts at 0 holds 0 whenever it is one-sided enough
        assert 0.92 <= sd <= 0.99, (name, sd)
        assert 0.92 <= share <= 0.995, (name, share)


@pytest.mark.slow
def test_intervals_cover_the_truth_in_a_nested_design():
    for name, (sd, share) in coverage(8, 4, (1.0, 0.0, 1.0), "nested", 600).items():
        assert 0.92 <= sd <= 0.98, (name, sd)
        assert 0.92 <= share <= 0.98, (name, share)


def test_components_on_this_test_set_are_the_anova_ones():
    values = np.random.default_rng(0).random((4, 3, 50))
    found = separate(values, "crossed")
    exact = crossed(values.mean(-1))
    assert found["interaction"].observed == pytest.approx(exact.interaction)
    assert separate(values, "nested")["finetune"].observed == pytest.approx(
        nested(values.mean(-1)).finetune
    )


def test_runs_that_differ_by_testing_alone_have_no_variance_of_seeds():
    """Independent coin flips per run and example: what seeds seem to do is 1/n noise."""
    generator = np.random.default_rng(5)
    seeds, testing = [], []
    for _ in range(300):
        found = separate((generator.random((5, 4, 40)) < 0.8).astype(float), "crossed")
        seeds.append(sum(part.seeds for part in found.values()))
        testing.append(sum(part.testing for part in found.values()))
    error = np.std(seeds, ddof=1) / len(seeds) ** 0.5
    assert np.mean(seeds) == pytest.approx(0, abs=4 * error)
    assert np.mean(testing) == pytest.approx(0.8 * 0.2 / 40, rel=0.02)


def test_testing_adds_nothing_where_runs_differ_alike_on_every_example():
    generator = np.random.default_rng(6)
    runs = generator.normal(size=(5, 4, 1))
    values = runs + generator.normal(size=30)  # examples differ, but not between runs
    for part in separate(values, "crossed").values():
        assert part.testing == pytest.approx(0, abs=1e-12)


def test_separation_is_the_mean_over_pairs_of_different_examples():
    """The U-statistic written out, for the variance between rows of a nested design."""
    values = np.random.default_rng(7).random((3, 2, 6))
    pairs = []
    for e in range(6):
        for other in range(6):
            if e != other:
                whole = values[..., e] + values[..., other]
                parts = [nested_parts(x) for x in (whole, values[..., e], values[..., other])]
                pairs.append((parts[0] - parts[1] - parts[2]) / 2)
    assert separate(values, "nested")["pretrain"].seeds == pytest.approx(np.mean(pairs))


def nested_parts(table):
    (rows, within), _ = mean_squares(table, "nested")
    return (rows - within) / table.shape[1]
