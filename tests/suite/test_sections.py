"""Inits, seeds, metrics, what is primary; and combinations that cannot work."""

import pytest

from harness.api.errors import HarnessError
from harness.plan import expand
from harness.plug.discovery import discover
from harness.suite.summary import summary

NO_WEIGHTS = (2).to_bytes(8, "little") + b"{}"
"""The smallest safetensors file."""


def test_every_needed_section_is_named(complaint):
    message = complaint("id: x\n")
    missing = [line.split("'")[1] for line in message.splitlines() if "missing" in line]
    assert missing == ["version", "data", "inits", "methods", "seeds", "scores"]
    assert "a suite needs a model" in message


def test_an_unknown_section_is_told(complaint):
    assert complaint(metrix="[gap]") == "10:1: unknown key 'metrix'; did you mean 'metrics'?"


def test_model_and_models_exclude_each_other(complaint):
    message = complaint(models="[tiny]")
    assert message == "4:1: `model` and `models` say one thing twice"


def test_a_version_is_taken_as_it_is_written(opened):
    assert opened(version="1.10").version == "1.10"


@pytest.mark.parametrize("name", ["../x", "a b", "true", "[a]", "x" * 100, "''"])
def test_an_id_can_stand_in_a_file_name(complaint, name):
    assert complaint(id=name).startswith("1:5: id ")


def test_pretrained_needs_a_pretraining(complaint):
    message = complaint(inits="[pretrained]")
    assert message.startswith("6:1: the init 'pretrained' needs the section `pretrain`")


def test_a_pretraining_that_is_never_used_is_refused(complaint, pretrain):
    message = complaint(pretrain=pretrain)
    expected = "`pretrain` is never used; add `pretrained` to `inits`, or set `pretrain: null`"
    assert message == f"10:1: {expected}"


def test_null_takes_a_section_out(opened, pretrain):
    suite = opened(pretrain=pretrain, options={"overrides": ["pretrain=null"]})
    assert suite.pretrain is None


def test_an_unknown_init_is_told(complaint):
    assert complaint(inits="[pretraind]") == (
        "6:9: unknown init 'pretraind'; did you mean 'pretrained'?"
    )


def test_an_init_stands_once(complaint):
    assert complaint(inits="[random, random]") == (
        "6:17: the init 'random' stands twice; give one of them a name with `as:`"
    )
    assert complaint(inits="[random, {random: , as: again}]") == (
        "6:17: the init 'again' is the same as 'random'; remove one of them"
    )


def test_a_checkpoint_is_a_file_per_pretraining_seed(opened, tmp_path):
    (tmp_path / "w").mkdir()
    (tmp_path / "w" / "0.safetensors").write_bytes(NO_WEIGHTS)
    (tmp_path / "w" / "1.safetensors").write_bytes(NO_WEIGHTS)
    init = opened(inits='[{checkpoint: "w/{seed}.safetensors", as: mine}]').inits[0]
    assert (init.label, init.kind) == ("mine", "checkpoint")
    assert init.checkpoint == str(tmp_path / "w" / "{seed}.safetensors")


def test_a_missing_checkpoint_is_named(complaint, tmp_path):
    (tmp_path / "0.safetensors").write_bytes(NO_WEIGHTS)
    message = complaint(inits='[{checkpoint: "{seed}.safetensors"}]')
    assert message == f"6:1: there is no checkpoint {tmp_path / '1.safetensors'}"


def test_one_checkpoint_may_serve_all_pretraining_seeds(opened, tmp_path):
    (tmp_path / "w.safetensors").write_bytes(NO_WEIGHTS)
    suite = opened(inits="[random, {checkpoint: w.safetensors}]")
    plan = expand(suite, discover(extra=[str(tmp_path / "toys.py")]))
    assert "  runs        6 in 2 procedures" in list(summary(suite, plan))


def test_a_checkpoint_is_never_a_pickle(complaint):
    assert "is no .safetensors file" in complaint(inits="[{checkpoint: w.pt}]")


def test_a_number_of_seeds_counts_from_zero(opened):
    seeds = opened(seeds="{pretrain: 3, finetune: [7, 5], order: 2, design: nested}").seeds
    assert (seeds.pretrain, seeds.finetune, seeds.order) == ((0, 1, 2), (7, 5), (0, 1))
    assert seeds.design == "nested"


@pytest.mark.parametrize(
    ("seeds", "message"),
    [
        ("{pretrain: [0, 1, 0], finetune: 2}", "8:26: the pretrain seed 0 stands twice"),
        ("{pretrain: [-1], finetune: 2}", "8:20: a seed must be at least 0, not -1"),
        ("{pretrain: 0, finetune: 2}", "the number of pretrain seeds must be at least 1, not 0"),
        ("{pretrain: [], finetune: 2}", "8:19: seeds.pretrain must name at least one"),
        ("{pretrain: true, finetune: 2}", "must be a whole number, not true"),
        ("{pretrain: 1.0, finetune: 2}", "must be a whole number, not 1.0"),
        ("{pretrain: [1.5], finetune: 2}", "a seed must be a whole number, not 1.5"),
        ("{pretrain: 99999999, finetune: 2}", "must be at most 100000, not 99999999"),
        ("{pretrain: 1000, finetune: 1000}", "the seeds stand for 1000000 runs"),
        ("{pretrain: 2}", "8:8: seeds need 'finetune'"),
        ("{pretrain: 2, finetun: 2, finetune: 2}", "unknown key 'finetun'; did you mean"),
        ("{pretrain: 2, finetune: 2, design: cross}", "unknown design 'cross'; did you mean"),
        ("5", "seeds must be a table"),
    ],
)
def test_seeds_that_make_no_sense_are_refused(complaint, seeds, message):
    assert message in complaint(seeds=seeds)


def test_primary_is_the_first_score_on_test_and_all_ood_splits_by_default(opened):
    primary = opened().primary
    assert (primary.score, primary.id, primary.ood) == ("right", "test", ("turned",))


def test_primary_names_what_is_there(complaint):
    message = complaint(primary="{score: rihgt, id: tset, ood: [turnd]}")
    assert "unknown score 'rihgt'; did you mean 'right'?" in message


def test_primary_may_take_some_of_the_ood_splits(opened):
    primary = opened(primary="{id: val, ood: []}").primary
    assert (primary.id, primary.ood) == ("val", ())


def test_a_metric_is_read_on_the_primary_splits_that_it_may_see(opened):
    metrics = opened(metrics="[gap, peek, bend]").metrics
    assert [metric.splits for metric in metrics] == [("test", "turned"), ("test",), ()]


def test_a_metric_cannot_see_more_than_its_access(complaint):
    message = complaint(metrics="[{peek: {}, splits: [test, turned]}]")
    assert message == "10:30: the metric 'peek' may see id data only, not 'turned'"


def test_a_metric_may_be_read_on_the_training_split(opened):
    metric = opened(metrics="[{gap: {}, splits: [train, test]}]").metrics[0]
    assert metric.splits == ("train", "test")


def test_a_split_that_a_setting_names_must_be_there(complaint):
    message = complaint(metrics="[{peek: {at: tset}}]")
    assert message == "10:12: unknown split in the setting 'at': 'tset'; did you mean 'test'?"


def test_a_split_that_a_setting_names_must_be_one_that_the_metric_may_see(complaint):
    message = complaint(
        data="{dataset: flowers, batch: 4, ood: {tilted: {by: turn}}}",
        metrics="[{peek: {at: tilted}}]",
    )
    assert message == "10:12: the metric 'peek' may see id data only, not 'tilted'"


def test_a_split_that_a_setting_names_must_be_read(complaint):
    message = complaint(metrics="[{peek: {at: val}}]")
    assert message == (
        "10:12: the setting 'at' of 'peek' names the split 'val'; "
        "add it to the metric's splits: `splits: [test, val]`"
    )


def test_the_splits_of_a_metric_must_be_there(complaint):
    message = complaint(metrics="[{gap: {}, splits: [turnd]}]")
    assert message == "10:30: unknown split 'turnd'; did you mean 'turned'?"


@pytest.mark.parametrize(
    ("pairs", "expected"),
    [
        ("all", "all"),
        ("within-pretrain-seed", "within-pretrain-seed"),
        ("60", 60),
        ("{sample: 60}", 60),
    ],
)
def test_pairs_are_all_within_a_seed_or_a_sample(opened, pairs, expected):
    assert opened(metrics=f"[{{gap: {{}}, pairs: {pairs}}}]").metrics[0].pairs == expected


def test_pairs_that_make_no_sense_are_refused(complaint):
    assert "pairs must be all, within-pretrain-seed or" in complaint(
        metrics="[{gap: {}, pairs: some}]"
    )


def test_a_metric_of_a_point_has_no_pairs(complaint):
    message = complaint(metrics="[{peek: {}, pairs: all}]")
    assert message.endswith("the metric 'peek' is of a point, so it has no pairs; remove `pairs`")


def test_a_pair_needs_two_runs(complaint):
    message = complaint(metrics="[gap]", seeds="{pretrain: 1, finetune: 1}")
    assert message == (
        "10:11: 'gap' pairs runs, and there is only one; add seeds, or remove the metric"
    )


def test_pairs_within_a_pretraining_seed_need_two_fine_tuning_seeds(complaint):
    message = complaint(
        metrics="[{gap: {}, pairs: within-pretrain-seed}]", seeds="{pretrain: 3, finetune: 1}"
    )
    assert "there is only one of each; add fine-tune seeds" in message


def test_a_score_over_groups_needs_groups(complaint):
    message = complaint(scores="[right, fair]")
    assert message == "9:17: the score 'fair' needs groups; dataset 'flowers' has none"


def test_a_score_over_groups_works_where_there_are_groups(opened):
    suite = opened(scores="[right, fair]", data="{dataset: {flowers: {groups: true}}, batch: 8}")
    assert [use.label for use in suite.scores] == ["right", "fair"]


def test_merging_is_not_supported_yet(complaint):
    message = complaint(methods="[blend]")
    expected = "the method 'blend' merges trained points, which is not supported yet"
    assert message == f"7:11: {expected}"


def test_a_recipe_without_steps_is_refused(complaint):
    message = complaint(methods="[{fit: {steps: 0}}]")
    assert message == "7:12: the recipe of method 'fit' takes no step in phase 1"


def test_a_missing_plugin_file_is_told_at_its_line(complaint, tmp_path):
    message = complaint(plugins="[./toys.py, ./nowhere.py]")
    assert message == f"3:22: there is no plugin file {tmp_path / 'nowhere.py'}"


def test_a_broken_plugin_that_the_suite_names_is_told_at_its_line(complaint, tmp_path):
    (tmp_path / "broken.py").write_text("import no_such_thing\n")
    message = complaint(plugins="[./toys.py, ./broken.py]")
    assert message.startswith("3:22: the plugin cannot be used: ")
    assert "no_such_thing" in message


def test_plugins_of_the_command_line_become_part_of_the_suite(opened, tmp_path):
    suite = opened(plugins=None, options={"extra": ["toys.py"]})
    assert suite.plugins == (str(tmp_path / "toys.py"),)


def test_a_broken_plugin_that_the_command_line_names_is_refused_too(opened, tmp_path):
    (tmp_path / "broken.py").write_text("import no_such_thing\n")
    with pytest.raises(HarnessError) as caught:
        opened(options={"extra": ["broken.py"]})
    assert str(caught.value).startswith("--plugin broken.py: the plugin cannot be used: ")


@pytest.mark.parametrize("name", ["toys.py", "./toys.py"])
def test_a_plugin_file_is_left_out_by_the_path_it_was_named_by(complaint, name):
    message = complaint(plugins=None, options={"extra": ["./toys.py"], "without": [name]})
    assert "there is no dataset 'flowers'" in message


def test_a_file_without_weights_is_no_checkpoint(complaint, tmp_path):
    (tmp_path / "w.safetensors").write_text("not found")
    message = complaint(inits="[{checkpoint: w.safetensors}]")
    assert message == f"6:1: {tmp_path / 'w.safetensors'} holds no weights as safetensors do"
