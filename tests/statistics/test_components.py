"""Variance components against identities, hand-worked tables and simulation."""

import re
from pathlib import Path

import numpy as np
import pytest

from harness.statistics.components import crossed, nested, sampling_sd


def test_a_table_without_interaction_gives_its_components_exactly():
    # y_ij = A_i + B_j: var(A) = 1 (of -1, 0, 1), var(B) = 4 (of -2, 0, 2), nothing else
    table = np.add.outer([-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0])

    found = crossed(table)

    assert found.pretrain == pytest.approx(1.0)
    assert found.finetune == pytest.approx(4.0)
    assert found.interaction == pytest.approx(0.0, abs=1e-12)
    assert found.truncated == ()


def test_pure_interaction_makes_both_main_components_negative_and_they_are_shown_as_zero():
    found = crossed(np.array([[1.0, -1.0], [-1.0, 1.0]]))

    assert (found.pretrain, found.finetune) == (0.0, 0.0)
    assert found.interaction == pytest.approx(4.0)  # SS_E = 4 on (2 - 1)(2 - 1) degrees of freedom
    assert found.truncated == ("pretrain", "finetune")


def test_the_sums_of_squares_of_a_crossed_table_add_up():
    table = np.random.default_rng(0).normal(size=(5, 4)) + np.arange(5)[:, None]
    a, b = table.shape

    found = crossed(table)

    ms_error = found.interaction
    ms_rows = found.pretrain * b + ms_error
    ms_columns = found.finetune * a + ms_error
    assert found.truncated == ()
    total = ((table - table.mean()) ** 2).sum()
    parts = (a - 1) * ms_rows + (b - 1) * ms_columns + (a - 1) * (b - 1) * ms_error
    assert parts == pytest.approx(total)


def test_a_nested_table_worked_by_hand():
    # rows 1, 3 / 5, 7 / 3, 5: MS_W = 2, MS_A = 2 * var(2, 6, 4) = 8, sigma2_A = (8 - 2) / 2
    found = nested(np.array([[1.0, 3.0], [5.0, 7.0], [3.0, 5.0]]))

    assert found.pretrain == pytest.approx(3.0)
    assert found.finetune == pytest.approx(2.0)
    assert found.interaction is None
    assert found.total == pytest.approx(5.0)


def test_shifting_a_table_changes_no_component_and_scaling_squares_them():
    table = np.random.default_rng(1).normal(size=(4, 3))

    moved, scaled = crossed(table + 100.0), crossed(table * 10.0)

    assert moved.interaction == pytest.approx(crossed(table).interaction)
    assert scaled.interaction == pytest.approx(100 * crossed(table).interaction)


@pytest.mark.parametrize("shape", [(1, 4), (3, 1), (1, 1)])
@pytest.mark.parametrize("estimate", [crossed, nested])
def test_one_seed_of_a_kind_gives_no_components(estimate, shape):
    with pytest.raises(ValueError, match="two seeds of each kind"):
        estimate(np.ones(shape))


def test_a_table_with_a_hole_gives_no_components():
    with pytest.raises(ValueError, match="finite"):
        crossed(np.array([[1.0, np.nan], [2.0, 3.0]]))


def test_the_sampling_sd_is_that_of_a_binomial_proportion():
    draws = np.random.default_rng(2).binomial(400, 0.8, size=200_000) / 400

    assert sampling_sd(0.8, 400) == pytest.approx(draws.std(), rel=0.01)
    assert sampling_sd(1.2, 400) is None
    assert sampling_sd(0.5, 0) is None


@pytest.mark.slow
def test_known_components_are_recovered_on_average():
    rng = np.random.default_rng(3)
    a, b, repeats = 10, 6, 4000
    true = (4.0, 1.0, 0.25)
    found = []
    for _ in range(repeats):
        table = (
            rng.normal(0, true[0] ** 0.5, (a, 1))
            + rng.normal(0, true[1] ** 0.5, (1, b))
            + rng.normal(0, true[2] ** 0.5, (a, b))
        )
        parts = crossed(table)
        found.append((parts.pretrain, parts.finetune, parts.interaction))

    mean, error = np.mean(found, axis=0), np.std(found, axis=0) / repeats**0.5
    assert np.all(np.abs(mean - true) < 4 * error)


@pytest.mark.slow
def test_nested_components_are_recovered_on_average():
    rng = np.random.default_rng(4)
    a, b, repeats = 10, 6, 4000
    found = []
    for _ in range(repeats):
        parts = nested(rng.normal(0, 2.0, (a, 1)) + rng.normal(0, 1.0, (a, b)))
        found.append((parts.pretrain, parts.finetune))

    mean, error = np.mean(found, axis=0), np.std(found, axis=0) / repeats**0.5
    assert np.all(np.abs(mean - (4.0, 1.0)) < 4 * error)


@pytest.mark.slow
def test_the_guide_to_the_report_tells_truly_how_uncertain_shares_are():
    text = (Path(__file__).parents[2] / "docs" / "reading-a-report.md").read_text("utf-8")
    table = text[text.index("| true share of pretraining") :].split("\n\n")[0].splitlines()
    designs = [tuple(map(int, re.findall(r"\d+", cell))) for cell in table[0].split("|")[2:-1]]
    rng = np.random.default_rng(5)

    for line in table[2:]:
        true, *ranges = (list(map(int, re.findall(r"\d+", cell))) for cell in line.split("|")[1:-1])
        share = true[0] / 100
        for (a, b), told in zip(designs, ranges, strict=True):
            found = []
            for _ in range(3000):
                parts = crossed(
                    rng.normal(0, share**0.5, (a, 1))
                    + rng.normal(0, 0.1**0.5, (1, b))
                    + rng.normal(0, (0.9 - share) ** 0.5, (a, b))
                )
                found.append(100 * parts.pretrain / parts.total)
            assert np.quantile(found, [0.025, 0.975]) == pytest.approx(told, abs=4)
