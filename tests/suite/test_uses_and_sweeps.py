"""A use names an offer; sweeps stand for several; labels tell uses apart."""


def labels(uses):
    return [use.label for use in uses]


def test_a_use_may_be_a_name_a_table_or_carry_a_label(opened):
    suite = opened(model=None, models="[tiny, {tiny: {width: 2}, as: narrow}]")
    assert labels(suite.models) == ["tiny", "narrow"]
    assert [dict(use.settings) for use in suite.models] == [{}, {"width": 2}]


def test_a_use_carries_the_digest_of_its_source(opened):
    assert len(opened().models[0].digest) == 16


def test_an_offer_that_is_not_there_is_told_with_the_closest_one(complaint):
    message = complaint(model="tinny")
    assert message.startswith("4:8: there is no model 'tinny'; did you mean 'tiny'?")


def test_an_offer_of_another_noun_is_told(complaint):
    assert "4:8: there is no model 'blur'; there is a shift of that name" in complaint(model="blur")


def test_two_offers_cannot_share_one_use(complaint):
    message = complaint(scores="[{right: {}, fair: {}}]")
    expected = "'right' and 'fair' cannot share one use; start a new list item with `- `"
    assert message == f"9:22: {expected}"


def test_a_misspelt_key_beside_an_offer_is_told(complaint):
    message = complaint(metrics="[{gap: {}, pears: all}]")
    assert message == "10:21: unknown key 'pears'; did you mean 'pairs'?"


def test_a_use_that_names_nothing_is_told(complaint):
    assert complaint(model="{as: x}").startswith("4:8: this names no model")


def test_a_use_that_is_a_number_is_told(complaint):
    message = "4:8: a model must be a name or {name: {setting: value}}, not 5"
    assert complaint(model="5") == message


def test_a_sweep_stands_for_one_use_per_value(opened):
    suite = opened(methods="[{fit: {lr: {sweep: [1e-3, .01]}, steps: 5}}]")
    assert labels(suite.methods) == ["fit[lr=0.001]", "fit[lr=0.01]"]
    assert [dict(use.settings) for use in suite.methods] == [
        {"steps": 5},
        {"steps": 5, "lr": 0.01},
    ]


def test_two_sweeps_are_crossed_and_the_first_varies_slowest(opened):
    suite = opened(model="{tiny: {width: {sweep: [1, 2]}, rho: {sweep: [0.1, 0.2]}}, as: t}")
    assert labels(suite.models) == [
        "t[width=1, rho=0.1]",
        "t[width=1, rho=0.2]",
        "t[width=2, rho=0.1]",
        "t[width=2, rho=0.2]",
    ]


def test_a_nested_setting_and_a_list_can_be_swept(opened):
    suite = opened(
        model="{tiny: {optimizer: {name: {sweep: [sgd, adam]}}, hidden: {sweep: [[1], [2, 3]]}}}"
    )
    assert labels(suite.models)[3] == "tiny[optimizer.name=adam, hidden=[2,3]]"
    assert suite.models[3].settings["hidden"] == [2, 3]


def test_a_swept_value_is_checked_where_it_stands(complaint):
    message = complaint(model="{tiny: {width: {sweep: [1, 0]}}}")
    assert message == "4:35: width: must be greater than 0, not 0"


def test_a_sweep_without_values_is_refused(complaint):
    message = complaint(model="{tiny: {width: {sweep: []}}}")
    assert message == "4:31: a sweep needs at least one value"


def test_a_sweep_that_is_no_list_is_refused(complaint):
    message = complaint(model="{tiny: {width: {sweep: 3}}}")
    assert message == "4:31: a sweep must be a list of values, not 3"


def test_a_sweep_lists_no_value_twice(complaint):
    message = complaint(model="{tiny: {width: {sweep: [1, 2, 1]}}}")
    assert message == "4:31: the sweep lists 1 twice"


def test_sweeps_do_not_nest(complaint):
    message = complaint(model="{tiny: {width: {sweep: [1, {sweep: [2, 3]}]}}}")
    assert message == "4:35: a sweep cannot stand inside a sweep"


def test_sweeps_do_not_grow_without_end(complaint):
    values = "{sweep: [" + ", ".join(str(i) for i in range(1, 100)) + "]}"
    message = complaint(model=f"{{tiny: {{width: {values}, rho: {values}}}}}")
    assert message.endswith("the sweeps stand for more than 1000 combinations")


def test_data_and_scores_cannot_be_swept(complaint):
    message = complaint(data="{dataset: {flowers: {size: {sweep: [3, 4]}}}, batch: 8}")
    assert message == (
        "5:43: size cannot be swept in a dataset; only the settings of models and methods can"
    )


def test_the_pretraining_method_cannot_be_swept(complaint):
    message = complaint(
        inits="[pretrained]",
        pretrain="{data: {dataset: flowers}, method: {fit: {lr: {sweep: [1, 2]}}}}",
    )
    assert "lr cannot be swept in this place" in message


def test_two_uses_of_one_name_need_labels(complaint):
    message = complaint(methods="[fit, {fit: {lr: 1}}]")
    assert message == "7:17: 'fit' stands twice; give one of them a name with `as:`"


def test_the_same_use_under_two_names_is_refused(complaint):
    message = complaint(methods="[fit, {fit: {}, as: again}]")
    assert message == "7:17: 'again' has the same settings as 'fit'; remove one of them"


def test_a_metric_may_be_used_twice_on_other_splits(opened):
    metrics = "[{gap: {}, splits: [test]}, {gap: {}, splits: [turned], as: far}]"
    assert [m.use.label for m in opened(metrics=metrics).metrics] == ["gap", "far"]


def test_a_label_cannot_hold_what_joins_labels(complaint):
    assert "this label cannot be used" in complaint(model='{tiny: {}, as: "a · b"}')


def test_a_list_of_uses_cannot_be_empty(complaint):
    assert complaint(scores="[]") == "9:9: scores must name at least one"
