"""Which cells a suite asks for."""

from collections import Counter
from dataclasses import replace

import pytest

from harness.api.errors import HarnessError
from harness.api.suites import Init, MetricUse
from harness.plan import expand


def counts(plan):
    return Counter(cell.stage.value for cell in plan.cells)


def test_every_axis_is_crossed(suite, offers):
    plan = expand(suite, offers)

    assert counts(plan) == {
        "pretrain": 2,  # seeds
        "finetune": 2 * 2 * 3,  # initialisations x seeds
        "evaluate": 2 * 2 * 3 * 2,  # runs x splits
        "measure": 2 * 15,  # pairs of 6 runs in either procedure
    }
    assert [procedure.label for procedure in plan.procedures] == ["pretrained", "random"]


def test_parents_come_before_children_and_every_key_once(suite, offers):
    seen = set()
    for cell in expand(suite, offers).cells:
        assert set(cell.parents) <= seen
        assert cell.key not in seen
        seen.add(cell.key)


def test_a_pretraining_is_shared_by_all_procedures_of_a_model(suite, offers, used):
    methods = (used("method", "full"), used("method", "full", "short", steps=9))

    plan = expand(replace(suite, methods=methods), offers)

    assert counts(plan)["pretrain"] == 2
    assert counts(plan)["finetune"] == 2 * 2 * 2 * 3
    assert {cell.procedure for cell in plan.cells if cell.stage == "pretrain"} == {""}


def test_nothing_is_pretrained_where_no_run_starts_from_it(suite, offers):
    plan = expand(replace(suite, inits=(Init("random", "random"),)), offers)

    assert "pretrain" not in counts(plan)


def test_a_label_names_what_varies_and_the_initialisation(suite, offers, used):
    both = replace(
        suite,
        models=(used("model", "cnn"), used("model", "mlp")),
        methods=(used("method", "full"), used("method", "full", "short", steps=9)),
    )

    labels = [procedure.label for procedure in expand(both, offers).procedures]

    assert labels[0] == "cnn · pretrained · full"
    assert labels[-1] == "mlp · random · short"


def test_steps_come_from_the_recipes(suite, offers):
    steps = {cell.stage.value: cell.steps for cell in expand(suite, offers).cells}

    assert steps == {"pretrain": 400, "finetune": 100, "evaluate": None, "measure": None}


def test_a_split_order_seed_is_an_axis_of_its_own(suite, offers):
    plan = expand(replace(suite, seeds=replace(suite.seeds, order=(0, 1))), offers)

    assert counts(plan)["finetune"] == 2 * 2 * 3 * 2


def test_every_kind_of_metric_has_its_subjects(suite, offers, used):
    metrics = (
        MetricUse(used("metric", "hessian"), "point", ("test", "rotation-30")),
        MetricUse(used("metric", "path"), "trajectory", ("test", "rotation-30")),
        MetricUse(used("metric", "spread"), "group", ("test", "rotation-30")),
        MetricUse(used("metric", "barrier"), "pair", ("test",), "within-pretrain-seed"),
    )

    cells = [
        c for c in expand(replace(suite, metrics=metrics), offers).cells if c.stage == "measure"
    ]

    assert Counter(cell.work.metric.name for cell in cells) == {
        "hessian": 12,
        "path": 12,
        "spread": 2,
        "barrier": 12,
    }
    assert {len(cell.parents) for cell in cells if cell.work.metric.name == "spread"} == {6}
    assert all(len(cell.parents) == len(cell.seeds) for cell in cells)


def test_a_metric_is_read_on_no_more_than_it_may_see(suite, offers, used):
    both = ("test", "rotation-30")
    metrics = (
        MetricUse(used("metric", "hessian"), "point", both),
        MetricUse(used("metric", "spread"), "group", both),
        MetricUse(used("metric", "path"), "trajectory", both),
    )

    plan = expand(replace(suite, metrics=metrics), offers)

    seen = {
        cell.work.metric.name: [split.name for split in cell.work.splits]
        for cell in plan.cells
        if cell.stage == "measure"
    }
    assert seen == {"hessian": [], "spread": ["test"], "path": ["test", "rotation-30"]}


def test_pairs_know_whether_they_share_a_pretraining_seed(suite, offers):
    for cell in expand(suite, offers).cells:
        if cell.stage == "measure":
            same = cell.seeds[0].pretrain == cell.seeds[1].pretrain
            kind = "same-pretrain-seed" if same else "different-pretrain-seed"
            assert cell.work.pair_kind == kind


def test_the_order_in_which_seeds_are_listed_is_no_matter(suite, offers, used):
    suite = replace(
        suite, metrics=(*suite.metrics, MetricUse(used("metric", "spread"), "group", ("test",)))
    )
    shuffled = replace(suite.seeds, pretrain=(1, 0), finetune=(2, 0, 1))

    one, two = expand(suite, offers), expand(replace(suite, seeds=shuffled), offers)

    assert {cell.key for cell in one.cells} == {cell.key for cell in two.cells}


def test_a_checkpoint_is_known_by_its_bytes_not_its_path(suite, offers, tmp_path):
    def keys(path):
        init = Init("mine", "checkpoint", str(path))
        return {c.key for c in expand(replace(suite, inits=(init,)), offers).cells}

    for name, content in (("a", b"one"), ("b", b"one"), ("c", b"two")):
        (tmp_path / name).write_bytes(content)

    assert keys(tmp_path / "a") == keys(tmp_path / "b")
    assert not keys(tmp_path / "a") & keys(tmp_path / "c")


def test_checkpoints_by_seed_are_runs_of_their_own_and_one_for_all_is_not(suite, offers, tmp_path):
    for seed in (0, 1):
        (tmp_path / f"{seed}.safetensors").write_bytes(b"weights %d" % seed)
    by_seed = Init("mine", "checkpoint", str(tmp_path / "{seed}.safetensors"))
    one = Init("mine", "checkpoint", str(tmp_path / "0.safetensors"))

    assert counts(expand(replace(suite, inits=(by_seed,)), offers))["finetune"] == 2 * 3
    assert counts(expand(replace(suite, inits=(one,)), offers))["finetune"] == 3


def test_a_checkpoint_that_is_not_there_is_named(suite, offers, tmp_path):
    init = Init("mine", "checkpoint", str(tmp_path / "gone.safetensors"))

    with pytest.raises(HarnessError, match=r"init 'mine': checkpoint .*gone.safetensors cannot be"):
        expand(replace(suite, inits=(init,)), offers)


def test_one_work_under_two_names_is_refused(suite, offers, used):
    turned = suite.data.splits[1]
    again = replace(turned, name="again")
    for twice, names in (
        (
            replace(suite, methods=(used("method", "full"), used("method", "full", "same"))),
            "'pretrained · full' and 'pretrained · same'",
        ),
        (
            replace(suite, data=replace(suite.data, splits=(*suite.data.splits, again))),
            "splits 'rotation-30' and 'again'",
        ),
        (replace(suite, metrics=(*suite.metrics, *suite.metrics)), "metrics 'barrier' and"),
    ):
        with pytest.raises(HarnessError, match=names):
            expand(twice, offers)


def test_a_merge_method_is_refused(suite, offers, used):
    with pytest.raises(HarnessError, match="merges trained weights"):
        expand(replace(suite, methods=(used("method", "soup"),)), offers)


def test_a_plan_beyond_all_measure_is_refused_before_it_is_made(suite, offers):
    many = replace(suite.seeds, pretrain=tuple(range(2000)), finetune=tuple(range(2000)))

    with pytest.raises(HarnessError, match="24,000,000 cells"):
        expand(replace(suite, seeds=many), offers)


def test_all_pairs_of_very_many_runs_are_refused(suite, offers):
    many = replace(suite.seeds, pretrain=tuple(range(40)), finetune=tuple(range(40)))

    with pytest.raises(HarnessError, match=r"1,600 runs means 1,279,200 pairs"):
        expand(replace(suite, seeds=many, inits=suite.inits[1:]), offers)
