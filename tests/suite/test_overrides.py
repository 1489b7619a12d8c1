"""`--set` puts values in before anything is checked."""

import pytest

from harness.api.errors import HarnessError
from harness.suite.nodes import plain
from harness.suite.overrides import override
from harness.suite.parsing import parse

TEXT = "data: {batch: 8, ood: {a.b: {of: test}}}\nmethods:\n  - fit\n  - slow: {steps: 3}\n"


def changed(*settings):
    return plain(override(parse(TEXT, "s.yaml"), settings))


def fault(*settings):
    with pytest.raises(HarnessError) as caught:
        changed(*settings)
    return str(caught.value)


def test_a_value_is_replaced():
    assert changed("data.batch=64")["data"]["batch"] == 64


def test_a_position_of_a_list_is_a_number():
    assert changed("methods.1.slow.steps=5")["methods"][1] == {"slow": {"steps": 5}}


def test_a_use_that_is_only_a_name_takes_settings():
    assert changed("methods.0.fit.steps=5")["methods"][0] == {"fit": {"steps": 5}}


def test_a_key_that_is_not_there_is_made():
    assert changed("primary.score=right")["primary"] == {"score": "right"}


def test_a_value_is_yaml():
    assert changed("seeds={pretrain: [0, 1]}")["seeds"] == {"pretrain": [0, 1]}


def test_the_last_of_two_wins():
    assert changed("data.batch=1", "data.batch=2")["data"]["batch"] == 2


def test_a_key_with_a_dot_is_found():
    assert changed("data.ood.a.b.of=val")["data"]["ood"] == {"a.b": {"of": "val"}}


def test_an_equals_sign_may_stand_in_the_value():
    assert changed("title=a=b")["title"] == "a=b"


def test_an_anchor_that_is_changed_in_one_place_stays_in_the_others():
    tree = parse("a: &x {b: 1}\nc: *x", "s.yaml")
    assert plain(override(tree, ["a.b=2"])) == {"a": {"b": 2}, "c": {"b": 1}}


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("data.batch", "--set data.batch: is not a path and a value; write --set data.batch=64"),
        ("=3", "--set =3: is not a path and a value; write --set data.batch=64"),
        ("a..b=3", "--set a..b=3: is not a path and a value; write --set data.batch=64"),
        (
            "methods.2=fit",
            "--set methods.2=fit: '2' is not a position of this list; positions go from 0 to 1",
        ),
        (
            "methods.x=fit",
            "--set methods.x=fit: 'x' is not a position of this list; positions go from 0 to 1",
        ),
        ("data.batch.x=1", "--set data.batch.x=1: 'x' cannot be put into 8"),
        ("methods.0.quick.x=1", "--set methods.0.quick.x=1: 'quick' cannot be put into 'fit'"),
    ],
)
def test_a_path_that_leads_nowhere_is_refused(setting, message):
    assert fault(setting) == message


def test_a_value_that_is_not_yaml_is_refused():
    assert fault("a=[1").startswith("--set a=[1: is not YAML: ")


def test_an_endless_path_is_refused():
    assert "is deeper than 40 keys" in fault(".".join("a" * 500) + "=1")


def test_an_unknown_key_is_refused_with_the_option_that_wrote_it(complaint):
    message = complaint(options={"overrides": ["data.batc=3"]})
    assert message == "--set data.batc=3: unknown key 'batc'; did you mean 'batch'?"


def test_an_override_replaces_what_would_not_have_worked(opened):
    suite = opened(seeds="{pretrain: x, finetune: 2}", options={"overrides": ["seeds.pretrain=1"]})
    assert suite.seeds.pretrain == (0,)


def test_a_path_on_the_command_line_starts_where_the_user_stands(opened, tmp_path, monkeypatch):
    opened()
    (tmp_path / "elsewhere" / "data").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "elsewhere")
    from harness.suite import open_suite

    suite, _ = open_suite("../suite.yaml", overrides=["data.dataset.flowers.folder=data"])
    folder = suite.data.train.dataset.settings["folder"]
    assert folder == str(tmp_path / "elsewhere" / "data")
