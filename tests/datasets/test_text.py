import gzip
import json

import pytest
from pydantic import ValidationError

from harness.api.data import DataRoom
from harness.api.errors import HarnessError
from harness_datasets.text import TEXT, TextSettings


def room(tmp_path):
    return DataRoom(cache=tmp_path / "cache", offline=True)


def rows(n=12):
    kinds = ("yes", "no", "maybe")
    return [
        {"premise": f'a "quoted", word {i}', "hypothesis": f"über {i}", "answer": kinds[i % 3]}
        for i in range(n)
    ]


def write(path, table, encoding="utf-8", header=True):
    names = list(table[0])
    if ".jsonl" in path.name:
        text = "\n".join(json.dumps(row, ensure_ascii=False) for row in table)
    elif path.suffix == ".parquet":
        import pyarrow as pa
        import pyarrow.parquet as pq

        pq.write_table(pa.Table.from_pylist(table), path)
        return path
    elif ".csv" in path.name:
        cells = [[str(row[n]).replace('"', '""') for n in names] for row in table]
        lines = [",".join(f'"{cell}"' for cell in row) for row in cells]
        text = "\n".join([",".join(names)] * header + lines) + "\n"
    else:
        lines = ["\t".join(str(row[n]) for n in names) for row in table]
        text = "\n".join(["\t".join(names)] * header + lines) + "\n"
    made = text.encode(encoding)
    path.write_bytes(gzip.compress(made) if path.suffix == ".gz" else made)
    return path


def texts(split, field):
    return split.inputs["text"].columns[field].to_pylist()


def fault(**settings):
    with pytest.raises(HarnessError) as caught:
        TEXT.outline(TextSettings(**settings))
    return str(caught.value)


KINDS = ["a.csv", "a.csv.gz", "a.tsv", "a.tsv.gz", "a.jsonl", "a.jsonl.gz", "a.parquet"]


@pytest.mark.parametrize("name", KINDS)
def test_pairs_of_texts_are_read_from_every_kind_of_file(tmp_path, name):
    path = write(tmp_path / name, rows())
    far = write(tmp_path / f"far-{name}", rows(5))
    settings = TextSettings(
        path=path,
        text=("premise", "hypothesis"),
        label="answer",
        test=3,
        ood={"far": {"source": far, "shift": "genre"}},
    )
    outline, splits = TEXT.outline(settings), TEXT.load(settings, room(tmp_path))
    assert outline.task.classes == ("maybe", "no", "yes")
    assert outline.inputs["text"].fields == ("premise", "hypothesis")
    assert (outline.train, outline.id) == (9, {"test": 3})
    assert (outline.ood["far"].shift, outline.ood["far"].parent) == ("genre", "test")
    assert outline.ood["far"].examples == len(splits.ood["far"].targets) == 5
    assert texts(splits.ood["far"], "premise")[1] == 'a "quoted", word 1'
    assert texts(splits.ood["far"], "hypothesis")[1] == "über 1"
    assert splits.ood["far"].targets.tolist() == [2, 1, 0, 2, 1]
    assert splits.id["test"].targets.tolist().count(0) == 1


def test_the_same_rows_are_the_same_texts_in_every_kind_of_file(tmp_path):
    made = [
        TEXT.load(
            TextSettings(
                path=write(tmp_path / n, rows()), text="hypothesis", label="answer", val=2
            ),
            room(tmp_path),
        )
        for n in KINDS
    ]
    assert len({tuple(texts(each.id["val"], "hypothesis")) for each in made}) == 1


def test_a_file_without_a_header_names_its_columns_by_number(tmp_path):
    path = write(tmp_path / "a.tsv", rows(6), header=False)
    settings = TextSettings(path=path, header=False, text={"sentence": 2}, label=3, val=1)
    assert TEXT.outline(settings).train == 5
    assert texts(TEXT.load(settings, room(tmp_path)).train, "sentence")[0] == "über 0"
    quoted = TextSettings(path=path, header=False, text={"sentence": "2"}, label="3", val=1)
    assert TEXT.outline(quoted) == TEXT.outline(settings)
    assert "no column 4, only 1 to 3" in fault(path=path, header=False, text=4, val=1)
    told = fault(path=path, header=False, text="premise", val=1)
    assert "it has no header; name columns by their number" in told


def test_labels_become_classes_in_the_order_of_the_map_and_null_leaves_rows_out(tmp_path):
    path = write(tmp_path / "a.csv", rows(6))
    labels = {"yes": "agree", "no": "disagree", "maybe": None}
    settings = TextSettings(path=path, text="premise", label="answer", labels=labels, val=1)
    outline, splits = TEXT.outline(settings), TEXT.load(settings, room(tmp_path))
    assert outline.task.classes == ("agree", "disagree")
    assert outline.train + outline.id["val"] == 4
    kept = texts(splits.train, "premise") + texts(splits.id["val"], "premise")
    assert sorted(text[-1] for text in kept) == ["0", "1", "3", "4"]


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl", "a.parquet"])
def test_labels_that_are_numbers_keep_the_order_of_numbers(tmp_path, name):
    table = [{"text": f"word {i}", "y": 8 + i % 4} for i in range(12)]
    settings = TextSettings(path=write(tmp_path / name, table), label="y", val=1)
    assert TEXT.outline(settings).task.classes == ("8", "9", "10", "11")


def test_without_a_label_the_task_is_language(tmp_path):
    settings = TextSettings(path=write(tmp_path / "a.csv", rows()), text="premise", val=2)
    outline, splits = TEXT.outline(settings), TEXT.load(settings, room(tmp_path))
    assert (outline.task.kind, outline.task.classes) == ("language", ())
    assert splits.train.targets.tolist() == [0] * 10


def test_groups_of_all_files_are_known_together(tmp_path):
    table = [row | {"genre": "ab"[i % 2]} for i, row in enumerate(rows())]
    far = [row | {"genre": "c"} for row in rows(3)]
    settings = TextSettings(
        path=write(tmp_path / "a.csv", table),
        text="premise",
        label="answer",
        group="genre",
        test=3,
        ood={"far": {"source": write(tmp_path / "b.csv", far)}},
    )
    assert TEXT.outline(settings).groups == ("a", "b", "c")
    assert TEXT.load(settings, room(tmp_path)).ood["far"].groups.tolist() == [2, 2, 2]


def test_an_empty_text_is_refused_dropped_or_kept_as_asked(tmp_path):
    table = rows(6)
    table[3]["premise"] = "  "
    path = write(tmp_path / "a.csv", table)
    given = {"path": path, "text": ("premise", "hypothesis"), "label": "answer", "val": 1}
    assert "row 4 has an empty 'premise'; set `empty: drop`" in fault(**given)
    dropped, kept = (TextSettings(**given, empty=rule) for rule in ("drop", "keep"))
    assert (TEXT.outline(dropped).train, TEXT.outline(kept).train) == (4, 5)


def test_na_is_a_text_and_not_a_gap(tmp_path):
    table = [{"text": word, "y": i % 2} for i, word in enumerate(["n/a", "NA", "null", "nan"])]
    settings = TextSettings(path=write(tmp_path / "a.csv", table), label="y", val=1)
    assert TEXT.outline(settings).train == 3


def test_of_equal_rows_the_first_is_kept_where_duplicates_are_dropped(tmp_path):
    table = rows(6)
    table = [*table, table[1], table[2] | {"answer": "no"}]
    path = write(tmp_path / "a.csv", table)
    given = {"path": path, "text": ("premise", "hypothesis"), "label": "answer", "val": 1}
    settings = TextSettings(**given, duplicates="drop")
    assert TEXT.outline(settings).train == 6  # another label makes another row
    assert TEXT.outline(TextSettings(**given)).train == 7
    splits = TEXT.load(settings, room(tmp_path))
    kept = sorted(texts(splits.train, "hypothesis") + texts(splits.id["val"], "hypothesis"))
    assert kept == ["über 0", "über 1", "über 2", "über 2", "über 3", "über 4", "über 5"]


def test_other_encodings_and_separators_are_read_where_they_are_named(tmp_path):
    for name in ("a.csv", "a.jsonl"):
        path = write(tmp_path / name, rows(6), encoding="latin-1")
        told = fault(path=path, text="hypothesis", val=1)
        assert "are not utf-8; name the file's `encoding`" in told
        settings = TextSettings(path=path, text="hypothesis", val=1, encoding="latin-1")
        assert "über 4" in texts(TEXT.load(settings, room(tmp_path)).train, "hypothesis")
    (tmp_path / "b.txt").write_text("text;y\none, two;0\nthree;1\n")
    settings = TextSettings(path=tmp_path / "b.txt", format="csv", separator=";", label="y", val=1)
    assert TEXT.outline(settings).train == 1


def test_a_byte_order_mark_is_no_part_of_the_first_column(tmp_path):
    for name in ("a.csv", "a.tsv"):
        path = write(tmp_path / name, rows(4), encoding="utf-8-sig")
        assert TEXT.outline(TextSettings(path=path, text="premise", val=1)).train == 3


def test_a_missing_column_is_told_with_those_that_there_are(tmp_path):
    for name in KINDS:
        told = fault(path=write(tmp_path / name, rows()), text="sentence", val=1)
        assert f"{name}: no column 'sentence', only premise, hypothesis, answer" in told


def test_an_unknown_label_is_told_with_its_row(tmp_path):
    path = write(tmp_path / "a.csv", rows())
    told = fault(path=path, text="premise", label="answer", labels={"yes": "a", "no": "b"}, val=1)
    assert "a.csv: row 3 has the unknown label 'maybe' (and 3 more rows like it)" in told
    far = write(tmp_path / "far.csv", [row | {"answer": "never"} for row in rows(2)])
    given = {"path": path, "text": "premise", "label": "answer", "id": {"test": far}}
    assert fault(**given).endswith(
        "far.csv: row 1 has the unknown label 'never' (and 1 more row like it); "
        "the training rows know maybe, no, yes; map labels to classes with `labels`"
    )


def test_a_row_without_a_label_is_told(tmp_path):
    table = rows(4)
    table[2]["answer"] = ""
    path = write(tmp_path / "a.csv", table)
    assert "row 3 has no label" in fault(path=path, text="premise", label="answer", val=1)


def test_rows_of_another_length_are_refused_or_dropped_as_asked(tmp_path):
    path = tmp_path / "a.tsv"
    path.write_text("text\ty\none\t0\ntwo\nthree\t1\nfour\t1\n")
    assert "row 2 has 1 column, not 2: 'two'; set `separator`" in fault(path=path, label="y", val=1)
    settings = TextSettings(path=path, label="y", val=1, ragged="drop")
    assert TEXT.outline(settings).train == 2


def test_files_that_are_no_tables_are_one_line(tmp_path):
    (tmp_path / "a.csv.gz").write_bytes(b"no gzip")
    (tmp_path / "b.jsonl").write_text("[1, 2]\n")
    (tmp_path / "c.jsonl").write_text('{"text": "a"}\n{"text": \n')
    (tmp_path / "d.parquet").write_bytes(b"PAR1 and nothing")
    (tmp_path / "e.csv").write_text("")
    (tmp_path / "f.csv").write_text("text\n")
    (tmp_path / "g.doc").write_text("text\n")
    wanted = {"a.csv.gz": "cannot unpack this file: it is not gzipped"}
    wanted |= {"b.jsonl": "line 1 is a list, not a JSON object; write one JSON object per line"}
    wanted |= {"c.jsonl": "line 2 is no JSON object", "d.parquet": "this is no parquet file"}
    wanted |= {"e.csv": "the file is empty", "f.csv": "the file has no rows; add rows"}
    wanted |= {"g.doc": "unknown kind of file '.doc'", "h.csv": "no such file or folder"}
    for name, message in wanted.items():
        told = fault(path=tmp_path / name, val=1)
        assert f"{name}: {message}" in told
        assert "\n" not in told


def test_settings_that_cannot_be_are_refused(tmp_path):
    strange = [
        {"encoding": "klingon"},
        {"separator": "::"},
        {"labels": {"a": "b"}},
        {"text": {"label": "a"}},
        {"text": ()},
        {"val": 0.1, "id": {"val": "x.csv"}},
    ]
    for settings in strange:
        with pytest.raises(ValidationError):
            TextSettings(path=tmp_path / "a.csv", **settings)


def test_moving_files_keeps_the_fingerprint_and_a_changed_byte_does_not(tmp_path):
    path = write(tmp_path / "a.csv", rows())
    before = TEXT.fingerprint(TextSettings(path=path, val=1))
    path = path.rename(tmp_path / "b.csv")
    assert TEXT.fingerprint(TextSettings(path=path, val=1)) == before
    path.write_text(path.read_text().replace("word 3", "word 4"))
    assert TEXT.fingerprint(TextSettings(path=path, val=1)) != before


def test_a_file_that_changes_is_outlined_anew(tmp_path):
    path = write(tmp_path / "a.csv", rows(6))
    assert TEXT.outline(TextSettings(path=path, text="premise", val=1)).train == 5
    write(path, rows(9))
    assert TEXT.outline(TextSettings(path=path, text="premise", val=1)).train == 8


def test_making_the_outline_imports_no_torch(tmp_path):
    import subprocess
    import sys

    path = write(tmp_path / "a.csv", rows())
    code = (
        "import sys; from harness_datasets.text import TEXT, TextSettings;"
        f"TEXT.outline(TextSettings(path={str(path)!r}, text='premise', val=1));"
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
