"""Splits: those of the dataset, those that the suite makes, and what cannot be made."""


def split(suite, name):
    return next(each for each in suite.data.splits if each.name == name)


def test_in_domain_splits_come_first(opened):
    suite = opened(data="{dataset: {flowers: {wild: true}}, batch: 8, ood: {far: {by: [turn]}}}")
    found = [(s.name, s.kind, s.source, s.parent, s.shift) for s in suite.data.splits]
    assert found == [
        ("val", "id", "val", None, None),
        ("test", "id", "test", None, None),
        ("wild", "ood", "wild", "test", "natural"),
        ("far", "ood", "test", "test", "turning"),
    ]


def test_an_ood_split_may_name_its_parent_and_its_kind_of_shift(opened):
    suite = opened(
        data="{dataset: flowers, batch: 8, ood: {far: {by: turn, of: val, shift: tilt}}}"
    )
    made = split(suite, "far")
    assert (made.source, made.parent, made.shift) == ("val", "val", "tilt")


def test_the_parent_must_be_in_domain(complaint):
    data = "{dataset: {flowers: {wild: true}}, batch: 8, ood: {far: {by: turn, of: wild}}}"
    assert complaint(data=data) == "5:78: unknown in-domain split 'wild'; known are test, val"


def test_in_domain_splits_are_shifted_like_the_training_split(opened):
    data = "{dataset: flowers, batch: 8, train: {by: {turn: {degrees: 5}}}, ood: {far: {by: turn}}}"
    suite = opened(data=data)
    angles = [[dict(use.settings) for use in split(suite, name).by] for name in ("test", "far")]
    assert suite.data.train.by == split(suite, "test").by
    assert angles == [[{"degrees": 5.0}], [{"degrees": 5.0}, {}]]


def test_an_ood_split_may_come_from_another_dataset(opened):
    suite = opened(
        data="{dataset: flowers, batch: 8, ood: {new: {dataset: {flowers: {groups: true}}}}}"
    )
    made = split(suite, "new")
    assert (made.source, made.parent, made.shift) == ("test", "test", "natural")
    assert made.dataset.settings == {"groups": True}


def test_another_dataset_must_have_as_many_classes(complaint):
    data = "{dataset: flowers, batch: 8, ood: {new: {dataset: {flowers: {classes: 4}}}}}"
    assert complaint(data=data) == (
        "5:58: dataset 'flowers' does not fit the suite's 'flowers': it has 4 classes, not 3"
    )


def test_another_dataset_must_have_the_same_inputs(complaint):
    data = "{dataset: flowers, batch: 8, ood: {new: {dataset: {flowers: {size: 5}}}}}"
    assert "its inputs are image: image 1x5x5, not image: image 1x4x4" in complaint(data=data)


def test_the_split_of_another_dataset_must_be_there(complaint):
    data = (
        "{dataset: flowers, batch: 8, ood: {new: "
        "{dataset: {flowers: {groups: true}}, split: tset}}}"
    )
    message = complaint(data=data)
    assert message.endswith("unknown split of dataset 'flowers': 'tset'; did you mean 'test'?")


def test_an_ood_split_that_differs_in_nothing_is_refused(complaint):
    message = complaint(data="{dataset: flowers, batch: 8, ood: {far: {of: test}}}")
    assert message.startswith("5:47: the OOD split 'far' differs in nothing from 'test'")


def test_the_own_test_split_is_not_ood(complaint):
    message = complaint(data="{dataset: flowers, batch: 8, ood: {far: {dataset: flowers}}}")
    assert "'test' is an in-domain split of the suite's own dataset" in message


def test_two_equal_ood_splits_are_refused(complaint):
    message = complaint(
        data="{dataset: flowers, batch: 8, ood: {a: {by: turn}, b: {by: {turn: {degrees: 30}}}}}"
    )
    assert message == "5:57: the OOD split 'b' is the same as 'a'"


def test_an_ood_split_cannot_take_the_name_of_another_split(complaint):
    message = complaint(data="{dataset: flowers, batch: 8, ood: {val: {by: turn}}}")
    assert message == "5:47: the dataset has a split 'val' already"


def test_the_name_of_an_ood_split_can_stand_in_a_file_name(complaint):
    message = complaint(data='{dataset: flowers, batch: 8, ood: {"../x": {by: turn}}}')
    assert message.startswith("5:50: the name of an OOD split cannot be '../x'")


def test_a_shift_must_fit_the_inputs(complaint):
    message = complaint(data="{dataset: flowers, batch: 8, augment: [hum]}")
    assert message == "5:46: the shift 'hum' needs float inputs; the dataset has image inputs"


def test_a_batch_is_needed(complaint):
    assert complaint(data="{dataset: flowers}") == (
        "5:7: data needs the key 'batch', which is missing"
    )


def test_a_batch_is_a_positive_whole_number(complaint):
    assert complaint(data="{dataset: flowers, batch: 0}") == (
        "5:33: batch must be at least 1, not 0"
    )
    assert complaint(data="{dataset: flowers, batch: 1.5}") == (
        "5:33: batch must be a whole number, not 1.5"
    )


def test_pretraining_takes_the_batch_of_the_suite_unless_it_says_otherwise(opened, pretrain):
    suite = opened(inits="[pretrained]", pretrain=pretrain)
    assert suite.pretrain.data.batch == 8
    assert suite.pretrain.data.train.by[0].settings == {"degrees": 5.0}


def test_pretraining_has_no_ood_splits(complaint):
    data = "{dataset: flowers, ood: {far: {by: turn}}}"
    message = complaint(inits="[pretrained]", pretrain=f"{{data: {data}, method: fit}}")
    assert "unknown key 'ood'" in message


def test_pretraining_data_must_have_the_same_inputs(complaint):
    data = "{dataset: {flowers: {size: 9}}}"
    message = complaint(inits="[pretrained]", pretrain=f"{{data: {data}, method: fit}}")
    assert message == (
        "10:18: the inputs of the pretraining data are image: image 1x9x9, those of `data` are "
        "image: image 1x4x4; choose datasets of one shape"
    )


def test_pretraining_data_may_have_other_classes(opened):
    data = "{dataset: {flowers: {classes: 7}}}"
    suite = opened(inits="[pretrained]", pretrain=f"{{data: {data}, method: fit}}")
    assert len(suite.pretrain.data.outline.task.classes) == 7


def test_a_dataset_for_evaluation_only_cannot_be_trained_on(complaint):
    hans = "{hans: {revision: 0123456789abcdef0123456789abcdef01234567}}"
    told = complaint(data=f"{{dataset: {hans}, batch: 8}}")
    assert "dataset 'hans' has no training examples; name it as the `dataset` of a split" in told


def test_pairs_of_texts_cannot_stand_for_single_ones(complaint):
    told = complaint(data="{dataset: rte, batch: 8, ood: {films: {dataset: sst2}}}")
    assert "its texts are sentence, not premise, hypothesis" in told


def test_texts_may_be_called_otherwise_in_another_dataset(opened):
    suite = opened(
        model="reader", data="{dataset: qqp, batch: 8, ood: {scrambled: {dataset: paws}}}"
    )
    assert split(suite, "scrambled").source == "test"


GROUPED = "{dataset: flowers, batch: 8, ood: {new: {dataset: {flowers: {groups: true}}}}}"


def test_splits_know_whether_their_dataset_has_groups(opened):
    suite = opened(scores="[right, fair]", data=GROUPED)
    assert {each.name: each.grouped for each in suite.data.splits} == {
        "val": False,
        "test": False,
        "new": True,
    }


def test_the_answer_is_read_off_a_score_that_its_splits_have(complaint):
    message = complaint(scores="[fair, right]", data=GROUPED)
    assert message == (
        "9:10: the score 'fair' needs groups; test has none; let the answer be read off "
        "another score or other splits (`primary`)"
    )
