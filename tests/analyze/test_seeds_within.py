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


def nested(folder, pretrain, finetune, levels="finetune,examples"):
    seeds = f"{{pretrain: {pretrain}, finetune: {finetune}, design: nested}}"
    suite = write_suite(folder, SUITE.replace("{pretrain: 6, finetune: 2}", seeds))
    fill(suite, folder / "runs")
    return compare(suite, store=folder / "runs", splits=("test",), levels=levels)


def test_nested_fine_tuning_seeds_of_one_name_are_as_many_as_runs(tmp_path):
    found = nested(tmp_path, 4, 2)

    assert found.splits[0].pairs[0].least_p == 2 / 2**8
    assert not any("only one of the" in warning for warning in found.warnings)


def test_runs_within_fixed_pretraining_seeds_are_few_where_those_beyond_the_first_are(tmp_path):
    (tmp_path / "few").mkdir()
    few, many = nested(tmp_path / "few", 4, 2), nested(tmp_path, 4, 3)

    told = "Only 4 runs beyond the first of each pretraining seed: intervals are widened"
    assert any(told in warning for warning in few.warnings)
    assert not any("Only" in warning for warning in many.warnings)


def test_one_run_of_every_fixed_pretraining_seed_tells_nothing_of_others(tmp_path):
    found = nested(tmp_path, 6, 1)

    pair = found.splits[0].pairs[0]
    assert (pair.p, pair.low, pair.verdict) == (None, None, "not tested")
    assert any("only one of the fine-tuning seeds of a pretr" in told for told in found.warnings)
