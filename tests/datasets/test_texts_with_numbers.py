"""Texts with a number to predict: a regression."""

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pydantic import ValidationError

from harness.api.data import DataRoom
from harness.api.errors import HarnessError
from harness_datasets.text import TEXT, TextSettings


def write(path, heights):
    lines = [f"word {place},{height}" for place, height in enumerate(heights)]
    path.write_text("\n".join(["text,height", *lines]) + "\n")
    return path


def test_a_column_of_numbers_makes_a_regression(tmp_path):
    path = write(tmp_path / "a.csv", [place / 4 for place in range(12)])
    settings = TextSettings(path=path, number="height", test=4)
    outline = TEXT.outline(settings)
    assert (outline.task.kind, outline.task.classes) == ("regression", ("height",))
    splits = TEXT.load(settings, DataRoom(tmp_path / "cache", offline=True))
    assert (outline.train, len(splits.train.targets), len(splits.id["test"].targets)) == (8, 8, 4)
    assert str(splits.train.targets.dtype) == "torch.float32"
    for split in (splits.train, splits.id["test"]):
        texts = split.inputs["text"].columns["text"].to_pylist()
        for text, number in zip(texts, split.targets.tolist(), strict=True):
            assert number == int(text.split()[1]) / 4


@pytest.mark.parametrize("written", ["high", "nan", "inf"])
def test_what_is_no_number_is_named_with_its_row(tmp_path, written):
    path = write(tmp_path / "a.csv", ["1.5", written])
    with pytest.raises(HarnessError, match=f"row 2 has '{written}', which is no number"):
        TEXT.outline(TextSettings(path=path, number="height"))


def test_a_label_and_a_number_cannot_both_be_predicted(tmp_path):
    with pytest.raises(ValidationError, match="not both"):
        TextSettings(path=tmp_path / "a.csv", label="a", number="b")


FLOATS = {"float16": pa.float16(), "float32": pa.float32(), "decimal": pa.decimal128(6, 2)}


def write_parquet(path, numbers, kind):
    from decimal import Decimal

    values = [Decimal(str(n)) for n in numbers] if pa.types.is_decimal(kind) else numbers
    texts = [f"word {place}" for place in range(len(numbers))]
    pq.write_table(pa.table({"text": texts, "height": pa.array(values, kind)}), path)
    return path


@pytest.mark.parametrize("kind", [pa.float64(), *FLOATS.values()], ids=["float64", *FLOATS])
def test_numbers_with_decimals_are_read_from_parquet(tmp_path, kind):
    path = write_parquet(tmp_path / "a.parquet", [1.5, -0.25, 3.0], kind)
    splits = TEXT.load(TextSettings(path=path, number="height"), DataRoom(tmp_path, offline=True))
    assert splits.train.targets.tolist() == [1.5, -0.25, 3.0]


@pytest.mark.parametrize("numbers", [[1.5, 2, -0.25], [1, 2.5, 3], ["1.5", "2", "3"]])
def test_numbers_with_decimals_are_read_from_jsonl(tmp_path, numbers):
    path = tmp_path / "a.jsonl"
    path.write_text("\n".join(json.dumps({"text": f"word {n}", "n": n}) for n in numbers))
    splits = TEXT.load(TextSettings(path=path, number="n"), DataRoom(tmp_path, offline=True))
    assert splits.train.targets.tolist() == [float(n) for n in numbers]


@pytest.mark.parametrize("gap", [None, float("nan")])
def test_a_row_of_parquet_without_a_number_is_named(tmp_path, gap):
    path = write_parquet(tmp_path / "a.parquet", [1.5, gap], pa.float64())
    with pytest.raises(HarnessError, match=r"row 2 has .*no number"):
        TEXT.outline(TextSettings(path=path, number="height"))


def test_numbers_with_decimals_are_no_labels(tmp_path):
    path = write_parquet(tmp_path / "a.parquet", [1.5, 0.0], pa.float64())
    with pytest.raises(HarnessError, match="the column 'height' holds numbers with decimals"):
        TEXT.outline(TextSettings(path=path, label="height"))
