"""What is a row of a file of texts, and what is none."""

import pytest

from harness.api.data import DataRoom
from harness.api.errors import HarnessError
from harness_datasets.text import TEXT, TextSettings


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
    assert "a.jsonl: row 1 has no label (and 1 more rows are like it)" in told
    assert "a.jsonl: no column 'z', only y, text, more" in fault(path=path, label="z")
    first = '{"id": 7, "g": "x"}'
    written(path, first, '{"text": "b", "g": "y"}', '{"text": "c", "g": "x"}')
    texts, groups = loaded(tmp_path, path=path, group="g", empty="drop")
    assert (texts, groups.tolist()) == (["b", "c"], [1, 0])


@pytest.mark.parametrize("place", [0, 1])
def test_a_row_that_is_longer_than_a_block_is_told(tmp_path, monkeypatch, place):
    from harness_datasets.texts import json_lines, reading

    monkeypatch.setattr(json_lines, "BLOCK", 4096)
    monkeypatch.setattr(reading, "BLOCK", 4096)
    texts = ["short", "also", "third"]
    texts[place] = "long " * 4000
    jsonl = written(tmp_path / "a.jsonl", *(f'{{"text": "{text}"}}' for text in texts))
    csv = written(tmp_path / "a.csv", "text,y", *(f"{text},1" for text in texts))
    for path in (jsonl, csv):
        told = fault(path=path)
        assert f"{path.name}: cannot read this file: a row is longer than 32 MiB" in told
