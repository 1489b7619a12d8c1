"""What is a row of a file of texts, and what is none."""

import pytest

from harness.api.data import DataRoom
from harness.api.errors import HarnessError
from harness_datasets.text import TEXT, TextSettings
from harness_datasets.texts.layout import Layout


def loaded(tmp_path, **settings):
    """The training texts and groups (if any), as a reader gets them."""
    split = TEXT.load(TextSettings(**settings), DataRoom(tmp_path / "cache", offline=True)).train
    return split.inputs["text"].columns["text"].to_pylist(), split.groups


def fault(**settings):
    with pytest.raises(HarnessError) as caught:
        TEXT.outline(TextSettings(**settings))
    return str(caught.value)


def written(path, *lines):
    path.write_bytes("\n".join(lines).encode())
    return path


def test_a_key_may_be_missing_in_the_first_rows_of_jsonl(tmp_path):
    rows = ["", '{"y": null, "text": "a"}', "", '{"text": "b", "more": 1}', '{"text": "c", "y": 2}']
    path = written(tmp_path / "a.jsonl", *rows)
    told = fault(path=path, label="y")
    assert "a.jsonl: row 1 has no label (and 1 more row like it)" in told
    assert "a.jsonl: no column 'z', only y, text, more" in fault(path=path, label="z")
    first = '{"id": 7, "g": "x"}'
    written(path, first, '{"text": "b", "g": "y"}', '{"text": "c", "g": "x"}')
    texts, groups = loaded(tmp_path, path=path, group="g", empty="drop")
    assert (texts, groups.tolist()) == (["b", "c"], [1, 0])


@pytest.mark.parametrize("place", [0, 1])
def test_a_row_that_is_longer_than_a_block_is_told(tmp_path, monkeypatch, place):
    from harness_datasets.texts import json_lines, separated

    monkeypatch.setattr(json_lines, "BLOCK", 4096)
    monkeypatch.setattr(separated, "BLOCK", 4096)
    texts = ["short", "also", "third"]
    texts[place] = "long " * 4000
    jsonl = written(tmp_path / "a.jsonl", *(f'{{"text": "{text}"}}' for text in texts))
    csv = written(tmp_path / "a.csv", "text,y", *(f"{text},1" for text in texts))
    for path in (jsonl, csv):
        told = fault(path=path)
        assert f"{path.name}: cannot read this file: a row is longer than 32 MiB" in told


@pytest.mark.parametrize("name", ["a.csv", "a.tsv"])
def test_a_blank_line_of_a_file_of_one_column_is_an_empty_text(tmp_path, name):
    path = written(tmp_path / name, "text", "a", "", "b", "")
    assert "row 2 has an empty 'text'; set `empty: drop`" in fault(path=path)
    assert loaded(tmp_path, path=path, empty="keep") == (["a", "", "b"], None)
    assert loaded(tmp_path, path=path, empty="drop") == (["a", "b"], None)
    bare = written(tmp_path / f"b{name}", "a", "", "b")
    bare_texts = {"path": bare, "header": False, "text": {"text": 1}}
    assert "row 2 has an empty 'text'" in fault(**bare_texts)


def test_a_blank_line_between_rows_of_several_columns_is_none(tmp_path):
    path = written(tmp_path / "a.csv", "text,y", "a,1", "", "b,2", "", "")
    assert loaded(tmp_path, path=path, label="y") == (["a", "b"], None)


SPLIT = "a carriage return without a line feed would split a text in two"


@pytest.mark.parametrize("block", [1, 3, 4096])
def test_a_carriage_return_does_not_split_a_text_of_one_column_without_a_word(
    tmp_path, monkeypatch, block
):
    from harness_datasets.texts import separated

    tsv = written(tmp_path / "a.tsv", "text", "first half\rsecond half", "b")
    csv = written(tmp_path / "a.csv", "text", '"c\r""d"" e"', "first half\rsecond half", "b")
    last = written(tmp_path / "b.tsv", "text", "a\r")
    fine = written(tmp_path / "b.csv", "text", '"first half\rsecond half"', '"b"\r', "c")
    old = written(tmp_path / "c.tsv", "text\ra\rb\r")
    monkeypatch.setattr(separated, "BLOCK", block)
    ends_differ = separated._ends_differ
    assert [ends_differ(path, Layout()) for path in (tsv, csv, last, fine, old)] == [
        True, True, True, False, False,
    ]  # fmt: skip
    monkeypatch.undo()
    assert SPLIT in fault(path=tsv)
    assert loaded(tmp_path, path=fine)[0] == ["first half\rsecond half", "b", "c"]
    assert loaded(tmp_path, path=old)[0] == ["a", "b"]


def test_labels_that_differ_in_spaces_alone_are_not_two_classes(tmp_path):
    path = written(tmp_path / "a.csv", "text,y", "a, x", "b,y", "c,x")
    told = fault(path=path, label="y")
    assert "a.csv: the labels ' x' and 'x' differ in spaces alone; map both" in told
    labels = {"x": "x", " x": "x", "y": "y"}
    outline = TEXT.outline(TextSettings(path=path, label="y", labels=labels))
    assert outline.task.classes == ("x", "y")


def test_a_backslash_does_not_escape_a_quote(tmp_path):
    path = written(tmp_path / "a.csv", "text,y", '"a ""b"" c",x', r"a \"b\" c,y")
    assert loaded(tmp_path, path=path, label="y")[0] == ['a "b" c', r"a \"b\" c"]
