"""What a dataset's load gives is told in one line where it is of the wrong type."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
import torch

from harness.api.data import InputSpec, Outline, Split, Splits, Task
from harness.api.errors import HarnessError
from harness.api.texts import Texts
from harness.compute.agreement import check_dataset

NUMBERS = Outline(
    Task("classification", ("a", "b")), {"x": InputSpec((2,), "float")}, train=2, id={"test": 2}
)
PROSE = replace(NUMBERS, inputs={"text": InputSpec((), "text", fields=("sentence",))})
TARGETS = torch.tensor([0, 1])
GOOD = Split({"x": torch.zeros(2, 2)}, TARGETS)
COLUMN = pa.chunked_array([["one", "two"]], pa.string())


def told(outline, splits):
    with pytest.raises(HarnessError) as caught:
        check_dataset("birds", outline, splits, "./birds.py")
    line = str(caught.value)
    assert line.startswith("dataset 'birds' of ./birds.py")
    return line.removeprefix("dataset 'birds' of ./birds.py")


def of_text(given):
    return Split({"text": given}, TARGETS)


def test_texts_in_arrow_columns_are_what_is_wanted():
    for kind in (pa.string(), pa.large_string()):
        good = of_text(Texts({"sentence": COLUMN.cast(kind)}))
        check_dataset("birds", PROSE, Splits(good, {"test": good}))
    repeated = of_text(Texts({"sentence": COLUMN.dictionary_encode()}))
    check_dataset("birds", PROSE, Splits(repeated, {"test": repeated}))


def test_a_list_is_no_column():
    line = told(PROSE, Splits(of_text(Texts({"sentence": ["one", "two"]})), {"test": GOOD}))
    assert line == (
        ", split 'train': the field 'sentence' of its input 'text' is a list, not a chunked Arrow "
        "column; give `pyarrow.chunked_array([texts], pyarrow.string())`"
    )


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["one", "two"], "its input 'text' is a list, not Texts; give `Texts({FIELD: column})`"),
        (Texts([COLUMN]), "the columns of its input 'text' are a list, not columns by field"),
        (
            Texts({"sentence": pa.array(["one", "two"])}),
            "is a StringArray, not a chunked Arrow column",
        ),
        (Texts({"sentence": pa.chunked_array([[1, 2]])}), "is a column of int64, not of strings"),
        (
            Texts({"text": COLUMN}),
            "its text 'text' must have the fields sentence, in this order, not text; "
            "name the same in `InputSpec(fields=...)` and in `Texts`",
        ),
    ],
)
def test_texts_of_another_kind_are_told(given, message):
    line = told(PROSE, Splits(of_text(given), {"test": of_text(given)}))
    assert line.startswith(", split 'train': ")
    assert message in line


@pytest.mark.parametrize(
    ("test", "message"),
    [
        (replace(GOOD, targets=[0, 1]), "its targets are a list, not a tensor; give a tensor"),
        (replace(GOOD, groups=np.zeros(2)), "its groups are an ndarray, not a tensor"),
        (replace(GOOD, inputs=torch.zeros(2, 2)), "its inputs are a Tensor, not values by name"),
        (replace(GOOD, inputs={"x": np.zeros((2, 2))}), "its input 'x' is an ndarray, not a tenso"),
        ((torch.zeros(2, 2), TARGETS), "it is a tuple, not a Split; give `Split({input: values}"),
    ],
)
def test_a_split_of_another_kind_is_told(test, message):
    line = told(NUMBERS, Splits(GOOD, {"test": test}))
    assert line.startswith(", split 'test': ")
    assert message in line


def test_splits_of_another_kind_are_told():
    assert told(NUMBERS, {"train": GOOD}).startswith(": its load gives a dict, not Splits; return")
    assert told(NUMBERS, Splits(GOOD, [GOOD])).startswith(
        ": its `id` is a list, not splits by name"
    )


def test_an_input_that_nobody_promised_is_told_by_its_name():
    more = replace(GOOD, inputs={**GOOD.inputs, "y": torch.zeros(2)})
    line = told(NUMBERS, Splits(more, {"test": GOOD}))
    assert "its outline promises the inputs ['x'], its load gives ['x', 'y']" in line
