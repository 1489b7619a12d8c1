"""Settings are checked by the offer's own class; every fault finds its line."""

import pytest


def test_an_unknown_setting_is_told_with_the_closest_one(complaint):
    message = complaint(model="\n  tiny:\n    roh: 0.1")
    assert message == "6:5: unknown key 'roh'; did you mean 'rho'?"


def test_an_unknown_setting_of_a_nested_model_is_told_too(complaint):
    message = complaint(model="{tiny: {optimizer: {momentun: 0.9}}}")
    assert message == "4:28: unknown key 'momentun'; did you mean 'momentum'?"


def test_a_value_of_the_wrong_type_is_told_at_the_value(complaint):
    message = complaint(model="{tiny: {width: wide}}")
    expected = "must be a valid integer, unable to parse string as an integer, not 'wide'"
    assert message == f"4:23: width: {expected}"


def test_a_value_out_of_range_is_told_at_the_value(complaint):
    assert complaint(model="{tiny: {width: 0}}") == "4:23: width: must be greater than 0, not 0"


def test_an_item_of_a_list_has_its_own_place(complaint):
    message = complaint(model="{tiny: {hidden: [1, x]}}")
    assert message.startswith("4:28: hidden.1: must be a valid integer")


def test_a_list_whose_only_item_is_wrong_is_not_called_too_short(complaint):
    message = complaint(model="{tiny: {kinds: [rund]}}")
    assert message == "4:24: kinds.0: must be 'round' or 'square', not 'rund'"


def test_a_list_that_is_too_short_is_told_so(complaint):
    assert "kinds: Tuple should have at least 1 item" in complaint(model="{tiny: {kinds: []}}")


def test_all_branches_of_a_union_are_told_at_once(complaint):
    message = complaint(model="{tiny: {scale: big}}")
    assert message == (
        "4:23: scale: must be a valid number, unable to parse string as a number, not 'big' "
        "or must be 'auto', not 'big'"
    )


def test_infinity_is_no_setting(complaint):
    assert complaint(model="{tiny: {rho: .inf}}") == ("4:21: rho: must be a finite number, not inf")


def test_settings_must_be_a_table(complaint):
    message = complaint(model="{tiny: [1]}")
    expected = "the settings of model 'tiny' cannot be a list; write them as a table, {name: value}"
    assert message == f"4:15: {expected}"


def test_every_problem_is_told_in_the_order_of_the_file(complaint):
    message = complaint(
        model="{tiny: {roh: 1, width: 0}}",
        scores="[wrong]",
        seeds="{pretrain: -1, finetune: 2}",
    )
    places = [line.partition(" ")[0] for line in message.splitlines()]
    assert places == ["4:16:", "4:31:", "8:19:", "9:10:"]


def test_the_error_itself_is_one_line_that_counts_the_others(opened):
    import pytest

    from harness.api.errors import HarnessError

    with pytest.raises(HarnessError) as caught:
        opened(model="{tiny: {roh: 1, width: 0}}")
    assert str(caught.value).endswith("(and 1 more: see `seedscape check`)")


def test_an_error_survives_the_way_from_another_process(opened):
    import pickle

    import pytest

    from harness.suite import SuiteError

    with pytest.raises(SuiteError) as caught:
        opened(model="{tiny: {roh: 1, width: 0}}")
    copy = pickle.loads(pickle.dumps(caught.value))
    assert str(copy) == str(caught.value) and len(copy.problems) == 2


def test_defaults_are_left_out_of_a_use(opened):
    use = opened(model="{tiny: {width: 8, rho: 1e-1}}").models[0]
    assert dict(use.settings) == {"rho": 0.1}


def test_a_relative_path_starts_at_the_folder_of_the_suite(opened, tmp_path):
    use = opened(model="{tiny: {start: w/a.bin}}").models[0]
    assert use.settings["start"] == str(tmp_path / "w" / "a.bin")


def test_a_word_that_a_setting_knows_is_no_path(opened):
    assert dict(opened(model="{tiny: {start: zero}}").models[0].settings) == {}


def test_settings_that_change_no_result_are_marked(opened, tmp_path):
    (tmp_path / "petals").mkdir()
    suite = opened(data="{dataset: {flowers: {folder: petals}}, batch: 8}")
    dataset = suite.data.train.dataset
    assert dataset.hidden == ("folder",)
    assert dataset.settings["folder"] == str(tmp_path / "petals")


def test_a_variable_stands_for_its_value(opened, tmp_path, monkeypatch):
    monkeypatch.setenv("TOY_DATA", str(tmp_path))
    suite = opened(data='{dataset: {flowers: {folder: "${TOY_DATA}/"}}, batch: 8}')
    assert suite.data.train.dataset.settings["folder"] == str(tmp_path)


def test_a_variable_that_is_not_set_is_told(complaint, monkeypatch):
    monkeypatch.delenv("TOY_DATA", raising=False)
    message = complaint(data='{dataset: {flowers: {folder: "${TOY_DATA}/x"}}, batch: 8}')
    assert message == (
        "5:36: the environment variable TOY_DATA is not set; set it, as in `export TOY_DATA=...`"
    )


def test_a_variable_that_is_not_set_is_one_problem_among_others(complaint, monkeypatch):
    monkeypatch.delenv("TOY_DATA", raising=False)
    told = complaint(
        model="{tiny: {width: 0, start: '${TOY_DATA}/w'}}",
        data='{dataset: {flowers: {folder: "${TOY_DATA}/x"}}, batch: 8}',
        inits="[{checkpoint: '${TOY_DATA}/{seed}'}]",
        methods="[fit, '${TOY_DATA}']",
        scores="[wrong]",
    )
    unset = "the environment variable TOY_DATA is not set; set it, as in `export TOY_DATA=...`"
    assert told.splitlines() == [
        "4:23: width: must be greater than 0, not 0",
        f"4:33: {unset}",
        f"5:36: {unset}",
        f"6:22: {unset}",
        f"7:16: {unset}",
        "9:10: there is no score 'wrong'; `seedscape list score` shows all",
    ]


def test_without_a_variable_a_value_is_not_judged(complaint, monkeypatch):
    monkeypatch.delenv("TOY_DATA", raising=False)
    unset = "the environment variable TOY_DATA is not set; set it, as in `export TOY_DATA=...`"
    assert complaint(model='{tiny: {width: "${TOY_DATA}"}}') == f"4:23: {unset}"
    assert complaint(seeds='{pretrain: "${TOY_DATA}", finetune: 2}') == f"8:19: {unset}"


def test_a_plugin_whose_path_is_not_known_is_told_alone(complaint, monkeypatch):
    monkeypatch.delenv("TOY_DATA", raising=False)
    told = complaint(plugins='["${TOY_DATA}/toys.py"]', model="strange")
    assert told == (
        "3:11: the environment variable TOY_DATA is not set; set it, as in `export TOY_DATA=...`"
    )


def test_weights_are_looked_for_although_the_data_have_a_problem(complaint, monkeypatch):
    monkeypatch.delenv("TOY_DATA", raising=False)
    told = complaint(
        data='{dataset: {flowers: {folder: "${TOY_DATA}/x"}}, batch: 8}',
        inits="[{checkpoint: ./weights.safetensors}]",
    )
    assert "5:36: the environment variable TOY_DATA is not set" in told
    assert "there is no checkpoint " in told


def test_a_malformed_variable_is_told(complaint):
    assert complaint(title='"${a b}"').startswith("10:8: a variable is written ${NAME}")


def test_a_dollar_can_be_written(opened):
    assert opened(title='"$${x} and $y"').title == "${x} and $y"


def test_a_dataset_that_finds_no_data_says_so_at_its_line(complaint, tmp_path):
    message = complaint(data="{dataset: {flowers: {folder: nowhere}}, batch: 8}")
    assert message == f"5:18: there is no folder {tmp_path / 'nowhere'}"


def test_a_plugin_that_raises_is_named(complaint, tmp_path):
    message = complaint(data="{dataset: wilted, batch: 8}")
    expected = f"dataset 'wilted' of {tmp_path / 'toys.py'} raised ZeroDivisionError: no petals"
    assert message == f"5:17: {expected}"


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ("{width: true}", "width: must be a number, not true"),
        ("{scale: false}", "scale: must be a number, not false"),
        ("{hidden: [4, true]}", "hidden.1: must be a number, not true"),
        ("{optimizer: {momentum: false}}", "optimizer.momentum: must be a number, not false"),
    ],
)
def test_true_and_false_are_no_numbers(complaint, settings, expected):
    assert complaint(model=f"{{tiny: {settings}}}").endswith(expected)
