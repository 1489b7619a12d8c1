import subprocess
import sys

import numpy as np
import pytest
import torch

from harness.api.data import DataRoom
from harness.api.errors import HarnessError
from harness_datasets.digits import DIGITS, DigitsSettings


def test_every_digit_stands_in_exactly_one_split(tmp_path):
    from sklearn.datasets import load_digits

    splits = DIGITS.load(DigitsSettings(), DataRoom(cache=tmp_path, offline=True))
    parts = [splits.train, splits.id["val"], splits.id["test"]]
    ours = torch.cat([part.inputs["image"].flatten(1) for part in parts])
    labels = torch.cat([part.targets for part in parts])
    theirs = load_digits()
    found = {(label, tuple(row)) for label, row in zip(labels.tolist(), ours.tolist(), strict=True)}
    expected = {
        (label, tuple(round(v * 255 / 16) for v in row))
        for label, row in zip(theirs.target.tolist(), theirs.data.tolist(), strict=True)
    }
    assert len(ours) == 1797
    assert found == expected


def test_the_outline_agrees_with_what_is_loaded(tmp_path):
    settings = DigitsSettings(val=100, test=0.25, size=16)
    outline = DIGITS.outline(settings)
    splits = DIGITS.load(settings, DataRoom(cache=tmp_path, offline=True))
    assert len(splits.train.targets) == outline.train
    assert {name: len(split.targets) for name, split in splits.id.items()} == outline.id
    assert outline.id == {"val": 100, "test": 449}
    assert splits.train.inputs["image"].shape == (outline.train, 1, 16, 16)
    assert splits.train.inputs["image"].dtype == torch.uint8


def test_splits_are_stratified(tmp_path):
    splits = DIGITS.load(DigitsSettings(), DataRoom(cache=tmp_path, offline=True))
    shares = np.array([174, 177, 178, 179, 180, 181, 181, 182, 182, 183]) / 1797
    test = splits.id["test"].targets
    found = sorted((torch.bincount(test) / len(test)).tolist())
    assert found == pytest.approx(shares.tolist(), abs=1 / len(test))


def test_the_split_never_moves(tmp_path):
    splits = DIGITS.load(DigitsSettings(), DataRoom(cache=tmp_path, offline=True))
    assert splits.id["test"].targets[:10].tolist() == [1, 2, 3, 4, 8, 3, 4, 5, 6, 9]
    assert int(splits.id["test"].inputs["image"].long().sum()) == 2_673_852


def test_the_stated_mean_and_standard_deviation_are_those_of_the_images(tmp_path):
    spec = DIGITS.outline(DigitsSettings()).inputs["image"]
    train = DIGITS.load(DigitsSettings(), DataRoom(cache=tmp_path, offline=True)).train
    pixels = train.inputs["image"].double() / 255
    assert pixels.mean().item() == pytest.approx(spec.mean[0], abs=0.002)
    assert pixels.std().item() == pytest.approx(spec.std[0], abs=0.002)


def test_val_can_be_left_out():
    assert DIGITS.outline(DigitsSettings(val=0)).id == {"test": 539}


def test_nothing_left_to_train_on_is_refused():
    with pytest.raises(HarnessError, match="nothing is left to train on"):
        DIGITS.outline(DigitsSettings(val=0.5, test=0.6))


def test_outline_and_fingerprint_import_nothing_heavy():
    script = (
        "import sys, harness_datasets\n"
        "from harness_datasets.digits import DIGITS, DigitsSettings\n"
        "DIGITS.outline(DigitsSettings()); print(DIGITS.fingerprint(DigitsSettings()))\n"
        "print(sorted({'torch', 'sklearn', 'pandas', 'numpy', 'datasets'} & set(sys.modules)))"
    )
    answer = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    assert answer[0].startswith("sha256:")
    assert answer[1] == "[]"
