"""YAML is read without surprises: numbers are numbers, no key twice, every fault has a place."""

import pytest

from harness.api.errors import HarnessError
from harness.suite.nodes import plain
from harness.suite.parsing import parse, parse_file


def fault(text):
    with pytest.raises(HarnessError) as caught:
        parse(text, "s.yaml")
    return str(caught.value)


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("1e-3", 0.001),
        ("1E5", 100000.0),
        (".5e-3", 0.0005),
        ("-1.", -1.0),
        ("+3", 3),
        ("1_000", 1000),
        ("0x1F", 31),
        (".inf", float("inf")),
        ("true", True),
        ("~", None),
        ("no", "no"),
        ("on", "on"),
        ("12:30:45", "12:30:45"),
        ("2026-11-20", "2026-11-20"),
        ('"1e-3"', "1e-3"),
        ("1e", "1e"),
        ("\u0661", "\u0661"),
    ],
)
def test_a_word_is_what_everybody_takes_it_for(word, value):
    read = plain(parse(f"a: {word}", "s.yaml"))["a"]
    assert (type(read), read) == (type(value), value)


def test_a_value_knows_its_line_and_column():
    tree = parse("a: 1\nb:\n  - x\n  - {c: 2}\n", "s.yaml")
    inner = tree.entries[1].value.items[1]
    assert (str(inner.entries[0].mark), str(inner.entries[0].value.mark)) == (
        "s.yaml:4:6",
        "s.yaml:4:9",
    )


def test_a_key_that_stands_twice_is_refused():
    expected = "s.yaml:2:1: the key 'lr' stands twice, first in line 1; remove one of them"
    assert fault("lr: 1\nlr: 2") == expected


def test_an_alias_stands_for_its_anchor():
    assert plain(parse("a: &x {b: 1}\nc: *x", "s")) == {"a": {"b": 1}, "c": {"b": 1}}


def test_merged_keys_stand_beneath_those_written_here():
    text = "a: &x {b: 1, c: 2}\nd: {<<: *x, b: 3}"
    assert plain(parse(text, "s"))["d"] == {"b": 3, "c": 2}


def test_an_earlier_merged_table_wins():
    text = "a: &x {b: 1}\nc: &y {b: 2, d: 4}\ne: {<<: [*x, *y]}"
    assert plain(parse(text, "s"))["e"] == {"b": 1, "d": 4}


def test_only_tables_can_be_merged():
    assert fault("a: {<<: 5}") == "s.yaml:1:5: `<<` merges tables only; write `<<: *anchor`"


def test_an_alias_without_an_anchor_is_refused():
    assert fault("a: *x") == "s.yaml:1:4: there is no anchor &x above"


def test_a_list_cannot_hold_itself():
    assert "there is no anchor &a above" in fault("&a [*a]")


def test_aliases_cannot_multiply_without_end():
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 20)]
    assert fault("\n".join(lines)).endswith("holds more than 50000 values; use fewer aliases")


def test_nesting_has_a_bottom():
    assert fault("[" * 100_000) == "s.yaml:1:41: is nested deeper than 40 levels"


def test_aliases_cannot_dig_deeper_than_the_bottom():
    lines = ["a: &a0 x"] + [f"a{i}: &a{i} [[[[*a{i - 1}]]]]" for i in range(1, 60)]
    assert "is nested deeper than 40 levels" in fault("\n".join(lines))


def test_a_second_document_is_refused():
    assert fault("a: 1\n---\nb: 2").startswith("s.yaml:2:1: a second document starts here")


def test_a_tag_is_refused():
    expected = "s.yaml:1:4: the tag tag:yaml.org,2002:python/name:os.system is not read"
    assert fault("a: !!python/name:os.system x").startswith(expected)


@pytest.mark.parametrize("key", ["1", "true", "~", "[a]", "{b: c}", "1.5"])
def test_a_key_must_be_text(key):
    assert fault(f"? {key}\n: x").startswith("s.yaml:1:3: a key must be text")


def test_a_tab_is_named():
    assert fault("a:\n\tb: 1").startswith("s.yaml:2:1: is not YAML: a tab is used")


def test_broken_yaml_names_its_place():
    assert fault("a: [1, 2\nb: 3").startswith("s.yaml:2:2: is not YAML: ")


@pytest.mark.parametrize("text", ["a: \x01", 'a: "\\ud800"', 'a: "\\0"'])
def test_characters_that_no_file_name_can_hold_are_refused(text):
    assert "is not allowed" in fault(text)


@pytest.mark.parametrize("text", ['"\\UFFFFFFFF"', "%YAML 9.9\n---\na", "%YAML x\n---", "a: 'b"])
def test_malformed_yaml_is_one_line(text):
    assert fault(text).startswith("s.yaml")


def test_a_number_beyond_64_bits_is_refused():
    assert fault("a: " + "9" * 10_000) == "s.yaml:1:4: a whole number does not fit in 64 bits"


def test_leading_zeros_are_not_guessed_at():
    assert fault("a: 010").startswith("s.yaml:1:4: is 010 a decimal or an octal number?")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"# nothing\n", "is empty"),
        (b"- a\n", "is not a table of keys and values"),
        (b"just words", "is not a table of keys and values"),
        (b"a: 1\nb: \xff\n", "is not UTF-8 text; save the file as UTF-8"),
        (b"x" * 600_000, "is larger than 500 kB"),
    ],
)
def test_a_file_that_holds_no_suite_says_so(tmp_path, content, message):
    path = tmp_path / "s.yaml"
    path.write_bytes(content)
    with pytest.raises(HarnessError) as caught:
        parse_file(path, "s.yaml")
    assert message in str(caught.value)


def test_a_byte_order_mark_is_no_fault(tmp_path):
    path = tmp_path / "s.yaml"
    path.write_bytes(b"\xef\xbb\xbfid: x\n")
    assert plain(parse_file(path, "s.yaml")) == {"id": "x"}
