"""Whatever stands in a file: a suite or one clear line comes of it, never a traceback."""

import json
from pathlib import Path

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, given, settings

from harness.api.cells import Limit
from harness.api.errors import HarnessError
from harness.api.suites import Suite
from harness.plug import discover
from harness.suite.nodes import Table, plain
from harness.suite.opening import _variables
from harness.suite.overrides import override
from harness.suite.parsing import parse
from harness.suite.problems import Problems, SuiteError
from harness.suite.reach import Reach
from harness.suite.resolving import Asked, resolve
from harness.suite.scalars import fill_variables
from harness.suite.uses import Context
from harness.suite.writing import write

HERE = Path(__file__).parent

VALID = {
    "id": "toy",
    "version": "1",
    "title": "t",
    "models": ["tiny", {"tiny": {"width": {"sweep": [1, 2]}, "hidden": [3], "optimizer": {}}}],
    "pretrain": {
        "data": {"dataset": "flowers", "train": {"by": [{"turn": {"degrees": 3}}]}, "batch": 4},
        "method": {"fit": {"steps": 3}},
    },
    "data": {
        "dataset": {"flowers": {"wild": True}},
        "batch": 8,
        "augment": ["turn"],
        "ood": {
            "far": {"by": {"turn": {"degrees": 60}}, "of": "test", "shift": "s"},
            "new": {"dataset": {"flowers": {"groups": True}}, "split": "val"},
        },
    },
    "inits": ["pretrained", {"random": None, "as": "scratch"}],
    "methods": [{"fit": {"lr": {"sweep": [0.1, 0.2]}}}],
    "seeds": {"pretrain": 2, "finetune": [3, 4], "design": "nested", "order": 2},
    "scores": ["right"],
    "metrics": [{"gap": {}, "pairs": {"sample": 3}, "splits": ["test", "far"]}, "bend"],
    "primary": {"score": "right", "id": "test", "ood": ["far"]},
    "limit": {"steps": 3},
}

WORDS = st.sampled_from(
    [
        *["id", "by", "as", "sweep", "sample", "tiny", "flowers", "turn", "fit", "right", "gap"],
        *["test", "val", "train", "far", "random", "pretrained", "checkpoint", "all", "", "${x}"],
        *["width", "steps", "lr", "degrees", "folder", "nested", "../x", "a b", "·", "é", "<<"],
        *["peek", "blend", "fair", "hum", "wilted", "x.safetensors", "\0", "\n", "~", "null"],
    ]
)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from([0, 1, -1, 2**31, 2**63 - 1, 2**63, -(2**64), 10**400, 1e-3, 1e308])
    | st.floats()
    | WORDS
    | st.text(max_size=8)
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(WORDS | st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=6,
)


def paths(value, path=()):
    yield path
    for key, inner in (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    ):
        yield from paths(inner, (*path, key))


PATHS = sorted((path for path in paths(VALID) if path), key=str)


def mutated(value, path, change, new):
    """A copy of the value with one place deleted, renamed, replaced or doubled."""
    key, *rest = path
    if isinstance(value, dict):
        if rest:
            return {k: mutated(v, rest, change, new) if k == key else v for k, v in value.items()}
        if change == "delete":
            return {k: v for k, v in value.items() if k != key}
        if change == "rename":
            return {str(new) if k == key else k: v for k, v in value.items()}
        return {k: new if k == key else v for k, v in value.items()}
    if not isinstance(value, list) or not isinstance(key, int) or key >= len(value):
        return value
    if rest:
        return [mutated(v, rest, change, new) if i == key else v for i, v in enumerate(value)]
    if change == "delete":
        return value[:key] + value[key + 1 :]
    if change == "rename":
        return [*value, value[key]]
    return [new if i == key else v for i, v in enumerate(value)]


@pytest.fixture(scope="module")
def outcome():
    """What comes of a text: a suite or one line. Plugins are looked for once."""
    catalogue = discover(extra=[str(HERE / "toy_offers.py")])

    def context(problems):
        return Context(catalogue, HERE, problems, Reach(catalogue, HERE))

    def find_out(text, overrides=()):
        try:
            root = parse(text, "s.yaml")
            if not isinstance(root, Table):
                return None
            problems = Problems()
            root = fill_variables(override(root, overrides), {"x": "value"}, problems)
            suite = resolve(root, Asked(limit=Limit(3)), context(problems))
            text = write(suite, dict(_variables(root)))
            again = fill_variables(parse(text, "again.yaml"), {"x": "value"}, problems)
            assert resolve(again, Asked(), context(problems)) == suite
            return suite
        except HarnessError as error:
            lines = error.problems if isinstance(error, SuiteError) else [error]
            for line in map(str, lines):
                assert line and "\n" not in line and len(line) < 2000
                line.encode()
            return str(error)

    return find_out


def test_the_suite_that_is_mutated_is_valid(outcome):
    assert isinstance(outcome(json.dumps(VALID)), Suite)


def check_mutations(outcome, changes):
    value = VALID
    for path, change, new in changes:
        value = mutated(value, path, change, new)
    # JSON with its NaN and Infinity replaced is YAML
    text = json.dumps(value).replace("-Infinity", "-.inf")
    text = text.replace("Infinity", ".inf").replace("NaN", ".nan")
    assert isinstance(outcome(text), Suite | str)


CHANGES = st.lists(
    st.tuples(st.sampled_from(PATHS), st.sampled_from(["delete", "rename", "replace"]), VALUES),
    min_size=1,
    max_size=3,
)
TEXTS = st.text(max_size=60) | st.lists(
    st.sampled_from(
        [*"[]{}:,-?&*!|>'\"%@`#~ \n\t", "\n  ", "- ", ": ", "a", "id", "1e3", "&a", "*a"]
    )
    | st.text(max_size=3),
    max_size=30,
).map("".join)
SETTINGS = st.lists(
    st.one_of(
        st.text(max_size=20),
        st.tuples(st.sampled_from(PATHS), VALUES).map(
            lambda pair: f"{'.'.join(map(str, pair[0]))}={json.dumps(pair[1])}"
        ),
        st.tuples(st.lists(WORDS, min_size=1, max_size=4), SCALARS).map(
            lambda pair: f"{'.'.join(pair[0])}={pair[1]}"
        ),
    ),
    max_size=3,
)
QUICK = settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
LONG = settings(QUICK, max_examples=4000)


@QUICK
@given(changes=CHANGES)
def test_a_changed_suite_gives_no_traceback(outcome, changes):
    check_mutations(outcome, changes)


@QUICK
@given(text=TEXTS)
def test_no_text_gives_a_traceback(outcome, text):
    assert outcome(text) is None or isinstance(outcome(text), Suite | str)


@QUICK
@given(overrides=SETTINGS)
def test_no_override_gives_a_traceback(outcome, overrides):
    assert isinstance(outcome(json.dumps(VALID), overrides), Suite | str)


@pytest.mark.slow
@LONG
@given(changes=CHANGES, overrides=SETTINGS, text=TEXTS)
def test_no_input_gives_a_traceback_in_thousands_of_trials(outcome, changes, overrides, text):
    check_mutations(outcome, changes)
    outcome(json.dumps(VALID), overrides)
    outcome(text)


@pytest.mark.slow
@LONG
@given(content=st.binary(max_size=200))
def test_no_bytes_give_a_traceback(tmp_path_factory, content):
    from harness.suite.parsing import parse_file

    path = tmp_path_factory.mktemp("bytes", numbered=True) / "s.yaml"
    path.write_bytes(content)
    try:
        assert isinstance(plain(parse_file(path, "s.yaml")), dict)
    except HarnessError as error:
        assert "\n" not in str(error)
