"""Texts with a number to predict: a regression."""

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
