import gzip
import json

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from harness.api.data import DataRoom
from harness.api.errors import HarnessError
from harness_datasets.arrays import ARRAYS, ArraysSettings
from harness_datasets.images import IMAGES, ImagesSettings
from harness_datasets.table import TABLE, TableSettings


def room(tmp_path):
    return DataRoom(cache=tmp_path / "cache", offline=True)


def write_pictures(root, counts, size=(6, 6)):
    image_module = pytest.importorskip("PIL.Image")
    for place, n in counts.items():
        folder = root / place
        folder.mkdir(parents=True)
        for i in range(n):
            colour = (10 * i, 100, 200 if place.endswith("dog") else 0)
            image_module.new("RGB", size, colour).save(folder / f"{i}.png")


def write_rows(path, rows):
    header = list(rows[0])
    if path.suffix == ".jsonl":
        path.write_text("\n".join(json.dumps(row) for row in rows))
    elif path.suffix == ".parquet":
        import pyarrow as pa
        import pyarrow.parquet as pq

        pq.write_table(pa.Table.from_pylist(rows), path)
    else:
        mark = "\t" if ".tsv" in path.name else ","
        lines = [mark.join(header), *(mark.join(str(row[h]) for h in header) for row in rows)]
        text = "\n".join(lines) + "\n"
        path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return path


def flowers(n=30):
    kinds = ("rose", "iris", "tulip")
    return [{"a": i, "b": 0.5 * i, "flat": 3, "kind": kinds[i % 3]} for i in range(n)]


def test_folders_of_images_become_splits_and_classes(tmp_path):
    counts = {"train/cat": 6, "train/dog": 4, "test/cat": 2, "test/dog": 1, "fog/dog": 3}
    write_pictures(tmp_path / "pets", counts)
    fog = {"fog": {"source": "fog", "shift": "weather"}}
    settings = ImagesSettings(path=tmp_path / "pets", ood=fog, val=2, size=4)
    outline, splits = IMAGES.outline(settings), IMAGES.load(settings, room(tmp_path))
    assert outline.task.classes == ("cat", "dog")
    assert (outline.train, outline.id) == (8, {"val": 2, "test": 3})
    assert (outline.ood["fog"].shift, outline.ood["fog"].examples) == ("weather", 3)
    assert splits.id["test"].targets.tolist() == [0, 0, 1]
    assert splits.ood["fog"].inputs["image"][2, :, 0, 0].tolist() == [20, 100, 200]
    assert splits.train.inputs["image"].shape == (8, 3, 4, 4)
    assert outline.inputs["image"].shape == (3, 4, 4)


def test_a_class_that_the_training_images_do_not_have_is_named(tmp_path):
    write_pictures(tmp_path, {"train/cat": 2, "train/dog": 2, "test/cow": 1})
    with pytest.raises(HarnessError, match="unknown label 'cow'; the training data know cat, dog"):
        IMAGES.load(ImagesSettings(path=tmp_path), room(tmp_path))


def test_a_file_that_is_no_image_is_named(tmp_path):
    write_pictures(tmp_path, {"train/cat": 2, "train/dog": 2, "test/dog": 1})
    (tmp_path / "test" / "dog" / "bad.png").write_bytes(b"\x89PNG and then nothing")
    with pytest.raises(HarnessError, match=r"bad\.png: this image cannot be read"):
        IMAGES.load(ImagesSettings(path=tmp_path), room(tmp_path))


def test_a_missing_folder_and_one_without_images_are_named(tmp_path):
    write_pictures(tmp_path, {"train/cat": 1, "train/dog": 1})
    with pytest.raises(HarnessError, match="test: no such file or folder"):
        IMAGES.outline(ImagesSettings(path=tmp_path))
    (tmp_path / "test").mkdir()
    with pytest.raises(HarnessError, match="no images in folders of classes here"):
        IMAGES.outline(ImagesSettings(path=tmp_path))


def test_renaming_the_folder_keeps_an_image_fingerprint_and_moving_an_image_does_not(tmp_path):
    write_pictures(tmp_path / "a", {"train/cat": 2, "train/dog": 2, "test/dog": 1})
    before = IMAGES.fingerprint(ImagesSettings(path=tmp_path / "a"))
    (tmp_path / "a").rename(tmp_path / "b")
    assert IMAGES.fingerprint(ImagesSettings(path=tmp_path / "b")) == before
    root = tmp_path / "b" / "train"
    (root / "cat" / "1.png").rename(root / "dog" / "9.png")
    assert IMAGES.fingerprint(ImagesSettings(path=tmp_path / "b")) != before


def test_named_arrays_of_an_npz_file_become_splits(tmp_path):
    rng = np.random.default_rng(0)
    pixels = {name: rng.integers(0, 256, (n, 5, 5), dtype=np.uint8) for name, n in
              (("train", 12), ("test", 6), ("far", 4))}  # fmt: skip
    arrays = {f"x_{name}": array for name, array in pixels.items()}
    arrays |= {f"y_{name}": np.array(["b", "a"] * (len(a) // 2)) for name, a in pixels.items()}
    arrays |= {f"g_{name}": np.arange(len(a)) % 2 + 7 for name, a in pixels.items()}
    np.savez_compressed(tmp_path / "data.npz", **arrays)
    settings = ArraysSettings(
        path=tmp_path / "data.npz", groups="g_{split}", ood={"far": {"source": "far"}}
    )
    outline, splits = ARRAYS.outline(settings), ARRAYS.load(settings, room(tmp_path))
    assert outline.task.classes == ("a", "b")
    assert outline.groups == ("7", "8")
    assert (outline.train, outline.id, outline.ood["far"].examples) == (12, {"test": 6}, 4)
    assert splits.ood["far"].inputs["image"][:, 0].tolist() == pixels["far"].tolist()
    assert splits.ood["far"].targets.tolist() == [1, 0, 1, 0]
    assert splits.ood["far"].groups.tolist() == [0, 1, 0, 1]


def test_a_folder_of_npy_files_with_float_inputs_is_standardized_by_the_training_split(tmp_path):
    rng = np.random.default_rng(0)
    train, test = rng.normal(5, 3, (40, 2)), rng.normal(5, 3, (20, 2))
    train[:, 1] = test[:, 1] = 9
    for name, array in {"x_train": train, "x_test": test}.items():
        np.save(tmp_path / f"{name}.npy", array)
        np.save(tmp_path / f"{name.replace('x', 'y')}.npy", np.arange(len(array)) % 2)
    settings = ArraysSettings(path=tmp_path, kind="float")
    splits = ARRAYS.load(settings, room(tmp_path))
    assert ARRAYS.outline(settings).inputs["x"].shape == (2,)
    expected = (test[:, 0] - train[:, 0].mean()) / train[:, 0].std()
    assert np.allclose(splits.id["test"].inputs["x"][:, 0], expected, atol=1e-5)
    assert not splits.id["test"].inputs["x"][:, 1].any()
    raw = ArraysSettings(path=tmp_path, kind="float", standardize=False)
    found = ARRAYS.load(raw, room(tmp_path)).train.inputs["x"]
    assert torch.equal(found, torch.from_numpy(train.astype(np.float32)))


def save_pair(path, x, y, **more):
    arrays = {"x_train": x, "y_train": y, "x_test": x, "y_test": y, **more}
    np.savez(path, **{name: array for name, array in arrays.items() if array is not None})
    return ArraysSettings(path=path)


GREY, LABELS = np.zeros((4, 3, 3), np.uint8), np.array([0, 1, 0, 1])


@pytest.mark.parametrize(
    ("x", "y", "more", "message"),
    [
        (GREY, LABELS, {"y_test": None}, "no array 'y_test', only x_test, x_train, y_train"),
        (GREY, LABELS[:3], {}, "4 inputs and 3 labels"),
        (GREY, LABELS, {"y_test": np.array([0, 1, 2, 1])}, "unknown label '2'"),
        (GREY, LABELS + 0.5, {}, "labels must be whole numbers or text"),
        (GREY, LABELS.reshape(2, 2), {}, "labels must be one list"),
        (GREY[:0], LABELS[:0], {}, "there are no examples to train on"),
        (GREY + 0.5, LABELS, {}, "pixels are float64, not uint8.*set `span`"),
        (np.zeros((4, 5, 5, 2), np.uint8), LABELS, {}, "1 or 3 channels first or last"),
        (GREY, LABELS, {"x_test": GREY[:, :2]}, r"'test' have the shape \[2, 3\]"),
        (np.zeros((4, 9), np.uint8), LABELS, {}, r"an image must be \[height, width\]"),
        (GREY, np.array([None, 1, 0, 1]), {}, "cannot read: Object arrays"),
    ],
)
def test_arrays_that_do_not_fit_are_one_clear_line(tmp_path, x, y, more, message):
    settings = save_pair(tmp_path / "data.npz", x, y, **more)
    with pytest.raises(HarnessError, match=message):
        ARRAYS.outline(settings)
        ARRAYS.load(settings, room(tmp_path))


def test_float_pixels_are_stretched_from_their_span(tmp_path):
    save_pair(tmp_path / "data.npz", np.linspace(-1, 1, 36).reshape(4, 3, 3), LABELS)
    settings = ArraysSettings(path=tmp_path / "data.npz", span=(-1, 1))
    found = ARRAYS.load(settings, room(tmp_path)).train.inputs["image"].flatten()
    assert found.tolist() == [round(255 * i / 35) for i in range(36)]


def test_channels_may_stand_first_or_last(tmp_path):
    first = np.random.default_rng(0).integers(0, 256, (4, 3, 5, 6), dtype=np.uint8)
    save_pair(tmp_path / "first.npz", first, LABELS)
    save_pair(tmp_path / "last.npz", first.transpose(0, 2, 3, 1), LABELS)
    for name in ("first", "last"):
        settings = ArraysSettings(path=tmp_path / f"{name}.npz")
        assert ARRAYS.outline(settings).inputs["image"].shape == (3, 5, 6)
        found = ARRAYS.load(settings, room(tmp_path)).train.inputs["image"]
        assert found.tolist() == first.tolist()


def test_a_truncated_npz_file_is_one_clear_line(tmp_path):
    save_pair(tmp_path / "data.npz", GREY, LABELS)
    data = (tmp_path / "data.npz").read_bytes()
    (tmp_path / "data.npz").write_bytes(data[: len(data) // 2])
    with pytest.raises(HarnessError, match="this is no npz file"):
        ARRAYS.outline(ArraysSettings(path=tmp_path / "data.npz"))


def test_a_split_name_is_used_once():
    with pytest.raises(ValidationError, match="'test' is used twice"):
        ArraysSettings(path="x", ood={"test": {"source": "far"}})
    with pytest.raises(ValidationError, match="'val' is used twice"):
        ArraysSettings(path="x", id={"val": "val"}, val=0.1)


@pytest.mark.parametrize("name", ["f.csv", "f.tsv", "f.jsonl", "f.parquet", "f.csv.gz"])
def test_a_table_loads_from_every_kind_of_file(tmp_path, name):
    path = write_rows(tmp_path / name, flowers())
    settings = TableSettings(path=path, target="kind", val=3, test=6)
    outline, splits = TABLE.outline(settings), TABLE.load(settings, room(tmp_path))
    assert outline.task.classes == ("iris", "rose", "tulip")
    assert (outline.train, outline.id) == (21, {"val": 3, "test": 6})
    assert outline.inputs["x"].shape == (3,)
    assert splits.id["test"].targets.bincount().tolist() == [2, 2, 2]
    x = splits.train.inputs["x"]
    assert x.mean(dim=0).tolist() == pytest.approx([0, 0, 0], abs=1e-6)
    assert x.std(dim=0, unbiased=False).tolist() == pytest.approx([1, 1, 0], abs=1e-6)


def test_further_files_are_id_and_ood_splits_scaled_and_labelled_like_the_training_rows(tmp_path):
    path = write_rows(tmp_path / "train.csv", flowers())
    more = write_rows(tmp_path / "more.csv", flowers(5))
    far = [{**row, "a": row["a"] + 100} for row in flowers(4)]
    ood = {"far": {"source": str(write_rows(tmp_path / "far.csv", far)), "shift": "time"}}
    settings = TableSettings(
        path=path, target="kind", features=["a"], group="flat", val=0, test=0,
        id={"test": more}, ood=ood,
    )  # fmt: skip
    outline, splits = TABLE.outline(settings), TABLE.load(settings, room(tmp_path))
    assert (outline.train, outline.id, outline.ood["far"].shift) == (30, {"test": 5}, "time")
    assert outline.groups == ("3",)
    scale = np.arange(30).std()
    assert np.allclose(splits.ood["far"].inputs["x"][:, 0], (np.arange(4) + 85.5) / scale)
    assert splits.ood["far"].targets.tolist() == [1, 0, 2, 1]
    assert splits.id["test"].groups.tolist() == [0] * 5


@pytest.mark.parametrize(
    ("rows", "settings", "message"),
    [
        (flowers(), {"target": "sort"}, "no column 'sort', only a, b, flat, kind"),
        (flowers(), {"target": "kind", "features": ["c"]}, "no column 'c'"),
        (flowers(), {"target": "a", "features": ["kind"]}, "'kind' holds string, not numbers"),
        (flowers(), {"target": "b"}, "labels must be whole numbers"),
        (flowers(), {"target": "kind", "features": ["kind"]}, "is also a feature"),
        (flowers(), {"target": "kind", "group": "sort"}, "no column 'sort'"),
        ([{**r, "a": ""} for r in flowers()], {"target": "kind"}, "'a' has 30 empty cells"),
        ([*flowers(), {**flowers()[0], "b": ""}], {"target": "kind"}, "'b' has 1 empty cells"),
        ([*flowers(), {**flowers()[0], "b": "inf"}], {"target": "kind"}, "not finite"),
        (flowers()[:1], {"target": "kind"}, "of 1 examples nothing is left"),
    ],
)
def test_a_table_that_does_not_fit_is_one_clear_line(tmp_path, rows, settings, message):
    path = write_rows(tmp_path / "t.csv", rows)
    made = TableSettings(path=path, **settings)
    if len(rows) == 1:
        made = TableSettings(path=path, val=1, **settings)
    with pytest.raises(HarnessError, match=message):
        TABLE.outline(made)
        TABLE.load(made, room(tmp_path))


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("t.csv", "", "the file is empty; write it again"),
        ("t.csv", "a,kind\n", "the file has no rows; add rows"),
        ("t.csv", "a,kind\n1,x,2\n", "cannot read this table"),
        ("t.csv", "a,a,kind\n1,2,x\n", "two columns have the same name"),
        ("t.jsonl", '{"a": 1', "cannot read this table"),
        ("t.parquet", "PAR1", "cannot read this table"),
        ("t.xlsx", "", "unknown kind of file '.xlsx'; use .csv"),
    ],
)
def test_a_file_that_is_no_table_is_one_clear_line(tmp_path, name, text, message):
    (tmp_path / name).write_text(text)
    with pytest.raises(HarnessError, match=message):
        TABLE.outline(TableSettings(path=tmp_path / name, target="kind"))


def test_an_unknown_label_in_a_further_file_is_named(tmp_path):
    path = write_rows(tmp_path / "t.csv", flowers())
    other = write_rows(tmp_path / "u.csv", [{**flowers()[0], "kind": "daisy"}])
    settings = TableSettings(path=path, target="kind", ood={"u": {"source": str(other)}})
    with pytest.raises(HarnessError, match=r"u\.csv: unknown label 'daisy'"):
        TABLE.load(settings, room(tmp_path))
