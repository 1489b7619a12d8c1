"""A text file that cannot be used is one line: the file, the row or line, and what to do."""

import gzip
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from harness.api.errors import HarnessError
from harness_datasets.text import TEXT, TextSettings

CSV = "text,label\nx,good\ny,bad\nz,good\n"
ROWS = [json.dumps({"text": f"t{i}", "label": "ab"[i % 2]}) for i in range(3)]


@pytest.fixture
def fault(tmp_path):
    """What is told of a file with this content, after its name."""

    def told(name, content, **settings):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        with pytest.raises(HarnessError) as caught:
            TEXT.outline(TextSettings(path=path, **({"label": "label", "val": 1} | settings)))
        line = str(caught.value)
        assert line.startswith(f"{tmp_path}/")
        return line.removeprefix(f"{tmp_path}/")

    return told


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (
            '{"text": "x", "label": ',
            "is no JSON object: Expecting value (column 24); write one JSON",
        ),
        ('{"text": "x', "is no JSON object: Unterminated string starting at (column 10)"),
        ("[1, 2]", "is a list, not a JSON object; write one JSON object per line"),
        ('{"text": ["x"], "label": "a"}', "has a list in 'text', neither a text nor a number"),
        (
            '{"text": {"x": 1}, "label": "a"}',
            "has an object in 'text', neither a text nor a number",
        ),
        (
            '{"text": 5, "label": "a"}',
            "has a number in 'text', and line 1 a text; write the values",
        ),
        (
            '{"text": "x", "text": "y", "label": "a"}',
            "has the key 'text' twice; remove one of them",
        ),
        (
            b'{"text": "\xff", "label": "a"}',
            "has bytes that are not utf-8; name the file's `encoding`",
        ),
    ],
)
def test_the_wrong_line_of_jsonl_is_counted_from_1_with_blank_ones(fault, line, message):
    before, after = "\n".join([*ROWS, "", ""]).encode(), ("\n" + "\n".join(ROWS)).encode()
    wrong = line if isinstance(line, bytes) else line.encode()
    assert fault("a.jsonl", before + wrong + after).startswith(f"a.jsonl: line 5 {message}")


def test_a_fault_in_the_first_line_of_jsonl_is_told_alike(fault):
    assert fault("a.jsonl", json.dumps(json.loads(ROWS[0]), indent=1)).startswith(
        "a.jsonl: line 1 is no JSON object"
    )


def test_lines_are_counted_over_blocks(fault, monkeypatch):
    monkeypatch.setattr("harness_datasets.texts.json_lines.BLOCK", 64)
    text = "\n".join(ROWS * 20) + '\n{"text"\n'
    assert fault("a.jsonl", text).startswith("a.jsonl: line 61 is no JSON object")


def test_a_row_of_another_length_is_counted_without_header_and_blank_lines(fault):
    rows = "x,good\n\ny,bad\nz,bad,more\n"
    for header in (True, False):
        columns = {} if header else {"text": 1, "label": 2}
        text = "text,label\n" * header + rows
        assert fault("a.csv", text, header=header, **columns) == (
            "a.csv: row 3 has 3 columns, not 2: 'z,bad,more'; "
            "set `separator` and `quoting` as the file has them, or `ragged: drop`"
        )
    told = fault("a.tsv", "text\tlabel\nx\ta\nlone\nalone\n")
    assert told.startswith("a.tsv: row 2 has 1 column, not 2: 'lone' (and 1 more row like it)")


def test_a_row_of_another_length_is_counted_far_down_in_the_file_too(fault, monkeypatch):
    monkeypatch.setattr("harness_datasets.texts.separated.BLOCK", 64)
    assert fault("a.csv", "text,label\n" + "x,a\ny,b\n" * 50 + "z\n").startswith(
        "a.csv: row 101 has 1 column, not 2: 'z'"
    )


@pytest.mark.parametrize(
    ("name", "mark", "fix"),
    [
        ("a.csv", ";", '`separator: ";"`'),
        ("a.csv", "\t", "`format: tsv`"),
        ("a.tsv", ",", "`format: csv`"),
        ("a.tsv", "|", '`separator: "|"`'),
    ],
)
def test_a_header_in_one_piece_suggests_the_separator(fault, name, mark, fix):
    told = fault(name, CSV.replace(",", mark))
    assert f"no column 'text', only text{mark if mark != chr(9) else ' '}label" in told
    assert told.endswith(f"is it separated otherwise? Set {fix}")


def test_a_column_that_no_separator_would_give_suggests_none(fault):
    assert fault("a.csv", "a;b\n1;2\n").endswith("no column 'text', only a;b")


@pytest.mark.parametrize("name", ["a.csv", "a.tsv", "a.jsonl", "a.parquet"])
def test_an_empty_file_is_told(fault, name):
    assert fault(name, "") == f"{name}: the file is empty; write it again, or name another one"


def test_a_file_of_blank_lines_is_as_good_as_empty(fault):
    for name in ("a.csv", "a.jsonl"):
        assert (
            fault(name, "\n\n") == f"{name}: the file is empty; write it again, or name another one"
        )


def test_a_header_alone_wants_rows(fault):
    assert fault("a.csv", "text,label\n") == (
        "a.csv: the file has no rows; add rows, or name another one"
    )


def test_broken_parquet_and_gzip_are_told_with_what_to_do(fault, tmp_path):
    pq.write_table(pa.table({"text": ["a"], "label": ["b"]}), tmp_path / "whole.parquet")
    cut = (tmp_path / "whole.parquet").read_bytes()[:-20]
    for content in (cut, b"PAR1 and nothing"):
        assert fault("a.parquet", content) == (
            "a.parquet: this is no parquet file, or not all of one; "
            "write it again, or say what it is: `format: csv`"
        )
    for content in (CSV.encode(), gzip.compress(CSV.encode())[:-9]):
        told = fault("a.csv.gz", content)
        assert told.startswith(
            "a.csv.gz: cannot unpack this file: it is not gzipped, or not all of"
        )
        assert told.endswith("write it again, or name it without `.gz`")


def test_parquet_with_bytes_that_are_no_text_is_one_line(fault, tmp_path):
    text = pa.array([b"good", b"\xff"], pa.binary()).view(pa.string())
    pq.write_table(pa.table({"text": text, "label": ["a", "b"]}), tmp_path / "whole.parquet")
    assert fault("a.parquet", (tmp_path / "whole.parquet").read_bytes()) == (
        "a.parquet: cannot read this file: these bytes are not utf-8; "
        "write its texts in utf-8, as parquet has them"
    )


def test_a_folder_and_a_name_without_suffix_are_told(tmp_path):
    with pytest.raises(HarnessError, match="this is a folder; name a file in it"):
        TEXT.outline(TextSettings(path=tmp_path, val=1))
    (tmp_path / "rows").write_text(CSV)
    with pytest.raises(HarnessError, match="its name has no suffix; say what it is: `format: tsv`"):
        TEXT.outline(TextSettings(path=tmp_path / "rows", val=1))


def test_columns_of_one_name_are_told(fault):
    assert fault("a.csv", "text,label,text\nx,a,y\n") == (
        "a.csv: two columns are called 'text'; give one of them another name in the file"
    )


def test_words_are_no_numbers(fault):
    assert fault("a.csv", CSV, label=None, number="label") == (
        "a.csv: row 1 has 'good', which is no number (and 2 more rows like it); "
        "name a column of numbers as `number`, or correct such rows"
    )


def test_one_class_is_told_with_its_column(fault):
    assert fault("a.csv", "text,label\nx,good\ny,good\n") == (
        "a.csv: the column 'label' has only one class, 'good'; "
        "a classification needs examples of two at least"
    )
    told = fault("a.csv", CSV, labels={"good": "word", "bad": "word"})
    assert "`labels` has only one class, 'word'" in told


def test_the_row_of_an_unknown_label_is_that_of_the_file_whatever_was_dropped(fault, tmp_path):
    (tmp_path / "dev.csv").write_text("text,label\nx,good\n,bad\nx,good\nz,ugly\n")
    told = fault(
        "a.csv", CSV, id={"dev": tmp_path / "dev.csv"}, empty="drop", duplicates="drop", val=0
    )
    assert told.startswith("dev.csv: row 4 has the unknown label 'ugly'; the training rows know")


def test_what_is_strange_in_labels_is_a_note(tmp_path):
    (tmp_path / "a.csv").write_text(CSV)

    def notes(**labels):
        settings = TextSettings(path=tmp_path / "a.csv", label="label", labels=labels, val=1)
        return TEXT.outline(settings).notes

    assert notes(good="pos", bad="neg") == ()
    assert notes(good="pos", bad="neg", ugly="neg") == ("`labels` names 'ugly', which no row has",)
    assert notes(good="pos", bad="neg", ugly="odd") == (
        "`labels` names 'ugly', which no row has",
        "no training row has the class 'odd'",
    )
