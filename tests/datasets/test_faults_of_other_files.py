"""Tables, arrays and images that cannot be used are one line that says what to do."""

import numpy as np
import pytest

from harness.api.errors import HarnessError
from harness_datasets.arrays import ARRAYS, ArraysSettings
from harness_datasets.images import IMAGES, ImagesSettings
from harness_datasets.table import TABLE, TableSettings


def test_one_class_is_told_with_where_it_stands(tmp_path):
    save = {"x_train": np.zeros((8, 4)), "y_train": np.zeros(8, int)}
    np.savez(tmp_path / "a.npz", **save, x_test=save["x_train"], y_test=save["y_train"])
    arrays = ArraysSettings(path=tmp_path / "a.npz", kind="float")
    with pytest.raises(HarnessError, match="the array 'y_train' has only one class, '0'; a class"):
        ARRAYS.outline(arrays)
    rows = tmp_path / "t.csv"
    rows.write_text("a,kind\n" + "1,x\n" * 9)
    with pytest.raises(HarnessError, match="the column 'kind' has only one class, 'x'; a classif"):
        TABLE.outline(TableSettings(path=rows, target="kind"))
    (tmp_path / "p" / "train" / "cat").mkdir(parents=True)
    for number in range(6):
        (tmp_path / "p" / "train" / "cat" / f"{number}.png").touch()
    with pytest.raises(HarnessError, match="its folder `train` has only one class, 'cat'; a clas"):
        IMAGES.outline(ImagesSettings(path=tmp_path / "p", id={}, val=2))


def test_a_table_with_another_separator_and_a_folder_are_told(tmp_path):
    (tmp_path / "t.csv").write_text("a;kind\n1;x\n2;y\n")
    told = "no column 'kind', only a;kind; csv is separated by commas and tsv by tabs"
    with pytest.raises(HarnessError, match=told):
        TABLE.outline(TableSettings(path=tmp_path / "t.csv", target="kind"))
    with pytest.raises(HarnessError, match="this is a folder; name a file in it"):
        TABLE.outline(TableSettings(path=tmp_path, target="kind"))


def test_rows_of_a_broken_table_are_counted_from_1(tmp_path):
    (tmp_path / "t.jsonl").write_text('{"a": 1, "kind": "x"}\n{"a": 1,, "kind": "x"}\n')
    with pytest.raises(HarnessError, match="in row 2; correct it, or write it again"):
        TABLE.outline(TableSettings(path=tmp_path / "t.jsonl", target="kind"))
