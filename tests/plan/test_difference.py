"""Why two cells are not the same, in plain words."""

import pytest

from harness.plan.difference import differences


@pytest.mark.parametrize(
    ("planned", "stored", "words"),
    [
        ({"precision": "float32"}, {"precision": "bfloat16"}, "the precision: float32 here"),
        (
            {"model": {"name": "cnn", "fingerprint": "b"}},
            {"model": {"name": "cnn", "fingerprint": "a"}},
            "the files that the model reads are others (their fingerprint: b here, a there)",
        ),
        (
            {"model": {"name": "cnn", "digest": "b"}},
            {"model": {"name": "cnn", "digest": "a"}},
            "the source code of the model was changed (its hash: b here, a there)",
        ),
        (
            {"train": {"fingerprint": "new"}},
            {"train": {"fingerprint": "old"}},
            "the data of the training split are others (their fingerprint: new here, old there)",
        ),
        (
            {"split": {"by": [{"name": "rotation", "settings": {"degrees": 30}}]}},
            {"split": {"by": [{"name": "rotation", "settings": {"degrees": 60}}]}},
            "degrees of shift 'rotation' of the split: 30 here, 60 there",
        ),
        (
            {"split": {"by": [{"name": "noise", "digest": "1"}], "source": "test"}},
            {"split": {"source": "test"}},
            "shift 'noise' of the split: only here",
        ),
        ({"parents": ["a", "b"]}, {"parents": ["a", "c"]}, "parent 2: b here, c there"),
        ({"limit": {"steps": 5}}, {}, "the limit on steps: 5 here, none there"),
        ({"seeds": {"finetune": 1}}, {"seeds": {"finetune": 2}}, "the fine-tuning seed: 1 here"),
    ],
)
def test_every_difference_is_said_once(planned, stored, words):
    (difference,) = differences(planned, stored)

    assert str(difference).startswith(words)


def test_a_hash_is_shown_by_its_beginning_and_a_word_whole():
    model = {"name": "transformer", "fingerprint": "sha256:" + "0123456789abcdef" * 4}
    (difference,) = differences({"model": model}, {"model": {**model, "fingerprint": "bytes"}})

    assert str(difference) == (
        "the files that the model reads are others "
        "(their fingerprint: sha256:0123456789ab… here, bytes there)"
    )


def test_equal_identities_differ_in_nothing():
    assert differences({"a": {"b": [1]}}, {"a": {"b": [1]}}) == ()


def test_another_seed_sets_cells_further_apart_than_another_setting():
    (seed,) = differences({"seeds": {"pretrain": 0}}, {"seeds": {"pretrain": 1}})
    (batch,) = differences({"batch": 1}, {"batch": 2})

    assert seed.weight > batch.weight


@pytest.mark.parametrize("value", [[32, 16], [], {}])
def test_a_setting_that_is_a_list_or_empty_is_one_value(value):
    ours = {"model": {"name": "mlp", "settings": {"hidden": value}}}
    assert [str(each) for each in differences(ours, {"model": {"name": "mlp"}})] == [
        f"hidden of the model: {value} here, the default there"
    ]


def test_the_sources_of_two_offers_are_no_change_of_one():
    mlp, cnn = ({"model": {"name": name, "digest": name * 2}} for name in ("mlp", "cnn"))
    assert [str(each) for each in differences(mlp, cnn)] == [
        "name of the model: mlp here, cnn there"
    ]
