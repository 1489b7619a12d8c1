import os
from pathlib import Path

import pytest

from harness.api.data import DataRoom
from harness.api.errors import HarnessError
from harness_datasets.cola import COLA, ColaSettings

FOLDER = os.environ.get("SEEDSCAPE_DATA")
real_data = pytest.mark.skipif(
    not FOLDER or not Path(FOLDER).is_dir(), reason="SEEDSCAPE_DATA names no folder with real data"
)


def write_cola(folder):
    folder.mkdir()
    for name, n in (("in_domain_train", 8), ("in_domain_dev", 3), ("out_of_domain_dev", 2)):
        lines = [f'gj04\t{i % 2}\t{"*"[: i % 2]}\tThe "{name} {i}.' for i in range(n)]
        (folder / f"{name}.tsv").write_text("\n".join(lines) + "\n")
    return folder


def test_the_published_files_become_splits(tmp_path):
    settings = ColaSettings(path=write_cola(tmp_path / "raw"), val=2)
    outline, splits = COLA.outline(settings), COLA.load(settings, DataRoom(tmp_path, True))
    assert outline.task.classes == ("unacceptable", "acceptable")
    assert (outline.train, outline.id) == (6, {"val": 2, "dev": 3})
    far = outline.ood["out-of-domain"]
    assert (far.shift, far.parent, far.examples) == ("domain", "dev", 2)
    assert splits.id["dev"].targets.tolist() == [0, 1, 0]
    dev = splits.id["dev"].inputs["text"].columns["sentence"].to_pylist()
    assert dev[0] == 'The "in_domain_dev 0.'  # quotes are part of sentences


def test_a_folder_without_the_files_is_one_line(tmp_path):
    with pytest.raises(HarnessError, match=r"in_domain_train\.tsv: no such file or folder"):
        COLA.outline(ColaSettings(path=tmp_path))


@real_data
def test_the_real_files_have_the_published_sizes(tmp_path):
    settings = ColaSettings(path=Path(FOLDER) / "cola")
    outline, splits = COLA.outline(settings), COLA.load(settings, DataRoom(tmp_path, True))
    assert (outline.train, outline.id) == (8551, {"dev": 527})
    assert outline.ood["out-of-domain"].examples == 516
    assert splits.train.targets.float().mean().item() == pytest.approx(0.704, abs=5e-4)


@real_data
def test_publications_of_the_real_splits_are_apart_but_not_all_sentences(tmp_path):
    settings = ColaSettings(path=Path(FOLDER) / "cola")
    splits = COLA.load(settings, DataRoom(tmp_path, True))
    parts = {"train": splits.train, "dev": splits.id["dev"], "ood": splits.ood["out-of-domain"]}
    told = {
        name: list(
            zip(
                split.inputs["text"].columns["sentence"].to_pylist(),
                split.targets.tolist(),
                strict=True,
            )
        )
        for name, split in parts.items()
    }
    assert COLA.about.startswith(f"{sum(map(len, told.values())):,} English sentences")
    seen, alike = {sentence for sentence, _ in told["train"]}, set(told["train"])
    for name, known, agreeing in (("dev", 6, 4), ("ood", 12, 12)):
        assert sum(sentence in seen for sentence, _ in told[name]) == known
        assert sum(each in alike for each in told[name]) == agreeing
    sources = {
        name: {line.split("\t")[0] for line in (settings.path / file).read_text().splitlines()}
        for name, file in (("train", "in_domain_train.tsv"), ("ood", "out_of_domain_dev.tsv"))
    }
    assert (len(sources["ood"]), sources["ood"] & sources["train"]) == (6, set())
