"""Seeds within a pretraining seed: orders of the data apart from heads, and nested ones."""

import pytest
from comparison_scene import SUITE, compare, fill, write_suite


def with_orders(folder, seeds):
    suite = write_suite(folder, SUITE.replace("{pretrain: 6, finetune: 2}", seeds))
    fill(suite, folder / "runs")
    return compare(suite, store=folder / "runs", splits=("test",))


def test_head_and_order_seeds_are_drawn_each_by_itself(tmp_path):
    found = with_orders(tmp_path, "{pretrain: 6, finetune: 2, order: [0, 1, 2]}")

    each = [(c.runs, c.finetune_seeds, c.order_seeds) for c in found.contestants]
    assert each == [(36, 2, 3), (36, 2, 3)]
    assert any("each is drawn by itself" in note for note in found.notes)


@pytest.mark.parametrize("design", ["", ", design: nested"])
def test_orders_of_one_fine_tuning_seed_are_no_seeds_of_their_own(tmp_path, design):
    # two fine-tuning seeds by four orders are two units, not eight: p cannot be below 1/2
    found = with_orders(tmp_path, f"{{pretrain: 1, finetune: 2, order: 4{design}}}")

    pair = found.splits[0].pairs[0]
    assert (found.unit, pair.least_p, pair.verdict) == ("fine-tuning seeds", 0.5, "cannot tell")
    assert any("Only 2 fine-tuning seeds" in warning for warning in found.warnings)


def test_one_fine_tuning_seed_with_many_orders_says_nothing_of_others(tmp_path):
    found = with_orders(tmp_path, "{pretrain: 1, finetune: 1, order: 6}")

    assert found.splits[0].pairs[0].verdict == "not tested"
    assert any("only one of the fine-tuning seeds" in warning for warning in found.warnings)


def test_nested_fine_tuning_seeds_of_one_name_are_as_many_as_runs(tmp_path):
    nested = "{pretrain: 6, finetune: 1, design: nested}"
    suite = write_suite(tmp_path, SUITE.replace("{pretrain: 6, finetune: 2}", nested))
    fill(suite, tmp_path / "runs")

    found = compare(suite, store=tmp_path / "runs", splits=("test",), levels="finetune,examples")

    assert found.splits[0].pairs[0].least_p == 1 / 32
    assert not any("only one of the" in warning for warning in found.warnings)
