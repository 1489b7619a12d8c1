"""Intervals for components of any design: what they are where an exact answer exists."""

import numpy as np
import pytest
from scipy import stats

from harness.statistics.chance import named
from harness.statistics.generalized import component_ranges, mean_squares
from harness.statistics.unbalanced import decompose, factor_ranges, intraclass_range


def labels(a, b):
    return [i for i in range(a) for _ in range(b)], [j for _ in range(a) for j in range(b)]


def table(a, b, sds, generator):
    draw = generator.normal
    return sds[0] * draw(size=(a, 1)) + sds[1] * draw(size=(1, b)) + sds[2] * draw(size=(a, b))


def test_a_full_crossed_table_has_the_intervals_of_its_mean_squares():
    y = table(6, 5, (1.0, 0.5, 0.7), np.random.default_rng(0))
    rows, columns = labels(6, 5)
    design = decompose({"pretrain": rows, "finetune": columns})

    found = factor_ranges(y.ravel(), design, named("a"), draws=100_000)

    exact = component_ranges(y, "crossed", named("b"), draws=100_000)
    for ours, theirs in (
        ("pretrain", "pretrain"),
        ("finetune", "finetune"),
        ("rest", "interaction"),
    ):
        assert found[ours].share == pytest.approx(exact[theirs].share, abs=0.01)
        assert found[ours].sd == pytest.approx(exact[theirs].sd, rel=0.03, abs=0.01)


def test_the_directions_of_a_factor_know_nothing_of_the_other():
    rows, columns = labels(4, 3)
    here = [place for place in range(12) if place not in (0, 5, 10)]
    design = decompose({"p": [rows[i] for i in here], "f": [columns[i] for i in here]})

    finetune = np.eye(3)[[columns[i] for i in here]]
    assert design.parts["p"].directions.T @ finetune == pytest.approx(0, abs=1e-12)
    assert design.parts["p"].weights.size == 3
    assert design.freedom == 9 - (1 + 3 + 2)


def test_a_factor_nested_in_another_stands_in_what_that_one_explains():
    pretrain = [i for i in range(3) for _ in range(8)]
    head = [(i, j) for i in range(3) for j in range(2) for _ in range(4)]
    order = [(i, k) for i in range(3) for _ in range(2) for k in range(4)]

    design = decompose({"pretrain": pretrain, "head": head, "order": order})

    assert set(design.parts["pretrain"].others) == {"head", "order"}
    assert list(design.parts)[-1] == "pretrain"
    assert design.parts["pretrain"].weights == pytest.approx([8, 8])
    assert design.parts["pretrain"].others["head"] == pytest.approx([4, 4])
    assert design.parts["pretrain"].others["order"] == pytest.approx([2, 2])


def test_the_intraclass_interval_of_equal_groups_is_the_one_of_the_textbook():
    y = table(8, 5, (1.0, 0.0, 1.0), np.random.default_rng(4))
    (rows, within), (df_rows, df_within) = mean_squares(y, "nested")
    exact = []
    for share in (0.975, 0.025):
        f = rows / within / stats.f.ppf(share, df_rows, df_within)
        exact.append(max(0.0, (f - 1) / (f + 4)))

    assert intraclass_range(y.ravel(), labels(8, 5)[0]) == pytest.approx(exact)


def test_groups_without_any_spread_within_are_wholly_alike():
    assert intraclass_range([1.0, 1.0, 2.0, 2.0], [0, 0, 1, 1]) == (1.0, 1.0)


def test_too_few_runs_and_seeds_that_mean_the_same_are_refused():
    with pytest.raises(ValueError, match="too few runs"):
        decompose({"p": [0, 0, 1], "f": [0, 1, 0]})
    with pytest.raises(ValueError, match="cannot be told"):
        decompose({"p": [0, 0, 1, 1], "f": [0, 0, 1, 1]})


def test_the_same_names_give_the_same_numbers_and_others_do_not():
    assert named("share", "test").random() == named("share", "test").random()
    assert named("share", "test").random() != named("share", "ood").random()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("a", "b", "missing"), [(3, 3, 0), (5, 5, 0), (10, 5, 0), (10, 10, 0), (5, 5, 5), (10, 10, 20)]
)
def test_intervals_cover_the_truth_also_where_runs_are_missing(a, b, missing):
    generator = np.random.default_rng(0)
    truth, hits, rounds = {"p": 0.5, "f": 0.1, "rest": 0.4}, dict.fromkeys(("p", "f", "rest"), 0), 0
    rows, columns = (np.array(each) for each in labels(a, b))
    for _ in range(600):
        here = np.sort(generator.choice(a * b, a * b - missing, replace=False))
        y = table(a, b, (0.5**0.5, 0.1**0.5, 0.4**0.5), generator).ravel()[here]
        design = decompose({"p": rows[here].tolist(), "f": columns[here].tolist()})
        rounds += 1
        for name, found in factor_ranges(y, design, generator, draws=2000).items():
            hits[name] += found.share[0] <= truth[name] <= found.share[1]
    for name, count in hits.items():
        assert 0.92 <= count / rounds <= 0.985, name
