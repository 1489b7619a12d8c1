"""Published text data sets, as their authors' files have them (made up and small here)."""

import gzip
import json
import os
from pathlib import Path

import pytest

from harness.api.data import DataRoom
from harness.api.errors import HarnessError
from harness.compute.agreement import check_dataset
from harness_datasets.hans import HANS, SUBCASES, HansSettings
from harness_datasets.imdb import IMDB, ImdbSettings
from harness_datasets.mnli import MNLI, MnliSettings
from harness_datasets.paws import PAWS, PawsSettings
from harness_datasets.qqp import QQP, QqpSettings
from harness_datasets.rte import RTE, RteSettings
from harness_datasets.sst2 import SST2, Sst2Settings

FOLDER = os.environ.get("SEEDSCAPE_DATA")
real_data = pytest.mark.skipif(
    not FOLDER or not Path(FOLDER).is_dir(), reason="SEEDSCAPE_DATA names no folder with real data"
)


def room(tmp_path):
    return DataRoom(cache=tmp_path / "cache", offline=True)


def loaded(offer, settings, tmp_path):
    """What it gives, which agrees with what it says of itself."""
    splits = offer.load(settings, room(tmp_path))
    check_dataset(offer.name, offer.outline(settings), splits)
    return splits


def tsv(path, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join("\t".join(row) for row in rows) + "\n")
    return path


def texts(split, field):
    return split.inputs["text"].columns[field].to_pylist()


def multinli(path, n, strange=()):
    labels = ["entailment", "neutral", "contradiction"]
    rows = [
        {
            "gold_label": labels[i % 3],
            "pairID": f"{i}",
            "sentence1": f"p {i}",
            "sentence2": f"h {i}",
        }
        for i in range(n)
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(json.dumps(row) for row in [*rows, *strange]) + "\n")
    return path


def test_multinli_is_read_as_its_authors_publish_it(tmp_path):
    folder = tmp_path / "multinli_1.0"
    multinli(folder / "multinli_1.0_train.jsonl", 6)
    unsure = {"gold_label": "-", "pairID": "x", "sentence1": "a", "sentence2": "b"}
    multinli(folder / "multinli_1.0_dev_matched.jsonl", 3, [unsure])
    multinli(folder / "multinli_1.0_dev_mismatched.jsonl", 4)
    settings = MnliSettings(path=folder)
    outline, splits = MNLI.outline(settings), loaded(MNLI, settings, tmp_path)
    assert outline.task.classes == ("entailment", "neutral", "contradiction")
    assert outline.inputs["text"].fields == ("premise", "hypothesis")
    assert (outline.train, outline.id) == (6, {"matched": 3})  # without the pair labelled `-`
    far = outline.ood["mismatched"]
    assert (far.shift, far.parent, far.examples) == ("genre", "matched", 4)
    assert splits.ood["mismatched"].targets.tolist() == [0, 1, 2, 0]
    assert texts(splits.train, "hypothesis")[5] == "h 5"


def test_glues_folder_of_mnli_is_read_too(tmp_path):
    for name, n in (("train", 3), ("dev_matched", 2), ("dev_mismatched", 2)):
        head = ["index", "sentence1", "sentence2", "label1", "gold_label"]
        rows = [[str(i), f'a "{i}', "b", "neutral", "entailment"] for i in range(n)]
        tsv(tmp_path / f"{name}.tsv", [head, *rows])
    outline = MNLI.outline(MnliSettings(path=tmp_path, val=1))
    assert (outline.train, outline.id) == (2, {"val": 1, "matched": 2})


def test_mnli_from_single_files_has_the_splits_that_are_named(tmp_path):
    train = tmp_path / "train.csv"
    train.write_text(
        'premise,hypothesis,label\n"a, b",n/a,neutral\nc,d,entailment\nc,d,entailment\n'
    )
    rows = [["index", "premise", "hypothesis", "gold_label"], ["0", "a", "b", "contradiction"]]
    dev = tsv(tmp_path / "dev.txt", rows)
    settings = MnliSettings(path=train, matched=dev, duplicates="drop")
    outline, splits = MNLI.outline(settings), loaded(MNLI, settings, tmp_path)
    assert (outline.train, outline.id, outline.ood) == (2, {"matched": 1}, {})
    assert texts(splits.train, "hypothesis") == ["n/a", "d"]
    with pytest.raises(HarnessError, match="needs evaluation pairs beside it; name their file"):
        MNLI.outline(MnliSettings(path=train))


def test_a_folder_without_multinlis_files_says_what_it_looked_for(tmp_path):
    with pytest.raises(HarnessError, match=r"none of multinli_1\.0_train\.jsonl, train\.tsv"):
        MNLI.outline(MnliSettings(path=tmp_path))


def hans_rows(each=2):
    head = "gold_label sentence1_parse sentence1 sentence2 pairID heuristic subcase template"
    rows = [head.split()]
    for heuristic, subcases in SUBCASES.items():
        for case in subcases.split():
            label = "entailment" if case[1] == "e" else "non-entailment"
            rows += [
                [label, "( )", f"{case} {i} .", "b .", "ex0", heuristic, case, "temp1"]
                for i in range(each)
            ]
    return rows


def test_hans_has_splits_per_heuristic_class_and_subcase(tmp_path):
    path = tsv(tmp_path / "heuristics_evaluation_set.txt", hans_rows())
    outline = HANS.outline(HansSettings(path=path))
    assert outline.task.classes == ("entailment", "non-entailment")
    assert (outline.train, len(outline.id)) == (0, 30 + 6 + 3 + 1)
    assert outline.id["all"] == 60
    assert outline.id["subsequence"] == 20
    assert outline.id["subsequence-non-entailment"] == 10
    assert outline.id["sn_NP/Z"] == 2
    assert outline.groups == ("constituent", "lexical_overlap", "subsequence")
    assert len(HANS.outline(HansSettings(path=path, group="subcase")).groups) == 30
    splits = loaded(HANS, HansSettings(path=path), tmp_path)
    assert texts(splits.id["sn_NP/Z"], "premise") == ["sn_NP/Z 0 .", "sn_NP/Z 1 ."]
    assert splits.id["subsequence-non-entailment"].targets.tolist() == [1] * 10
    assert splits.id["all"].groups.bincount().tolist() == [20, 20, 20]
    assert len(splits.train.targets) == 0


def test_hans_without_a_subcase_says_which(tmp_path):
    path = tsv(tmp_path / "h.txt", [row for row in hans_rows() if row[6] != "ce_adverb"])
    with pytest.raises(HarnessError, match="no row is left for 'ce_adverb'"):
        HANS.outline(HansSettings(path=path))


def test_hans_can_be_trained_on_where_its_training_pairs_are_named(tmp_path):
    path, train = (tsv(tmp_path / name, hans_rows(n)) for name, n in (("e.txt", 1), ("t.txt", 3)))
    outline = HANS.outline(HansSettings(path=path, train=train, val=10))
    assert (outline.train, outline.id["val"]) == (80, 10)


def test_glues_qqp_drops_its_broken_rows_and_keeps_empty_questions(tmp_path):
    head = ["id", "qid1", "qid2", "question1", "question2", "is_duplicate"]
    rows = [["1", "2", "3", 'Who "is', "Who?", "1"], ["broken"], ["4", "5", "6", "", "Why?", "0"]]
    for name in ("train", "dev"):
        tsv(tmp_path / f"{name}.tsv", [head, *rows])
    settings = QqpSettings(path=tmp_path)
    outline, splits = QQP.outline(settings), loaded(QQP, settings, tmp_path)
    assert outline.task.classes == ("not-duplicate", "duplicate")
    assert (outline.train, outline.id) == (2, {"dev": 2})
    assert texts(splits.id["dev"], "question1") == ['Who "is', ""]
    with pytest.raises(HarnessError, match="has an empty 'question1'"):
        QQP.outline(QqpSettings(path=tmp_path, empty="refuse"))


def test_quoras_own_file_is_cut_by_a_fixed_hash(tmp_path):
    head = '"id"\t"qid1"\t"qid2"\t"question1"\t"question2"\t"is_duplicate"\n'
    rows = [f'"{i}"\t"1"\t"2"\t"Who\nis {i}?"\t"Why?"\t"{i % 2}"\n' for i in range(10)]
    path = tmp_path / "quora_duplicate_questions.tsv"
    path.write_text(head + "".join(rows))
    outline = QQP.outline(QqpSettings(path=path, test=4))
    assert (outline.train, outline.id) == (6, {"test": 4})


def test_paws_goes_with_qqp(tmp_path):
    head = ["id", "sentence1", "sentence2", "label"]
    for name in ("train", "dev_and_test"):
        tsv(tmp_path / f"{name}.tsv", [head, ["1", "a b", "b a", "0"], ["2", "a b", "b a", "1"]])
    outline = PAWS.outline(PawsSettings(path=tmp_path))
    assert (outline.train, outline.id) == (2, {"test": 2})
    assert outline.task.classes == QQP.outline(QqpSettings()).task.classes


def test_sst2_and_rte_are_read_from_glues_folders(tmp_path):
    for name in ("train", "dev"):
        rows = [["sentence", "label"], ['"good ', "1"], ["bad", "0"]]
        tsv(tmp_path / "SST-2" / f"{name}.tsv", rows)
        head = ["index", "sentence1", "sentence2", "label"]
        pairs = [["0", "a", "b", "not_entailment"], ["1", "a", "b", "entailment"]]
        tsv(tmp_path / "RTE" / f"{name}.tsv", [head, *pairs])
    films = loaded(SST2, Sst2Settings(path=tmp_path / "SST-2"), tmp_path)
    assert films.id["dev"].targets.tolist() == [1, 0]
    assert texts(films.id["dev"], "sentence") == ['"good ', "bad"]
    pairs = loaded(RTE, RteSettings(path=tmp_path / "RTE"), tmp_path)
    assert pairs.id["dev"].targets.tolist() == [1, 0]
    assert RTE.outline(RteSettings(path=tmp_path / "RTE")).inputs["text"].fields[0] == "premise"


def test_imdbs_reviews_are_files_in_folders(tmp_path):
    root = tmp_path / "aclImdb"
    for split, n in (("train", 3), ("test", 2)):
        for label in ("neg", "pos"):
            (root / split / label).mkdir(parents=True)
            for i in range(n):
                (root / split / label / f"{i}_7.txt").write_text(f"{label}\nfilm {i}")
    settings = ImdbSettings(path=root, val=2)
    outline, splits = IMDB.outline(settings), loaded(IMDB, settings, tmp_path)
    assert outline.task.classes == ("negative", "positive")
    assert (outline.train, outline.id) == (4, {"val": 2, "test": 4})
    assert splits.id["test"].targets.tolist() == [0, 0, 1, 1]
    assert texts(splits.id["test"], "text")[3] == "pos\nfilm 1"
    before = IMDB.fingerprint(settings)
    root = root.rename(tmp_path / "moved")
    assert IMDB.fingerprint(ImdbSettings(path=root, val=2)) == before
    (root / "train" / "pos" / "0_7.txt").write_bytes(b"\xff\xfe")
    assert IMDB.fingerprint(ImdbSettings(path=root, val=2)) != before
    with pytest.raises(HarnessError, match=r"0_7\.txt: these bytes are not utf-8"):
        loaded(IMDB, ImdbSettings(path=root), tmp_path)
    with pytest.raises(HarnessError, match=r"neg: no such file or folder"):
        IMDB.outline(ImdbSettings(path=tmp_path))


@real_data
def test_the_real_pairs_of_mnli_have_their_sizes(tmp_path):
    settings = MnliSettings(
        path=Path(FOLDER) / "mnli_subset" / "mnli_train_10k.csv.gz",
        matched=Path(FOLDER)
        / "feather_berts"
        / "mnli_development_set_number_of_correct_responses.txt",
        duplicates="drop",
    )
    outline, splits = MNLI.outline(settings), loaded(MNLI, settings, tmp_path)
    assert (outline.train, outline.id) == (9_888, {"matched": 9_815})
    assert splits.id["matched"].targets.bincount().tolist() == [3_479, 3_123, 3_213]
    assert "n/a" in texts(splits.train, "hypothesis")  # a hypothesis, which pandas takes for a gap


@real_data
def test_the_real_pairs_of_hans_have_their_sizes():
    path = Path(FOLDER) / "hans_regenerated" / "hans_regenerated_seed20190603.tsv.gz"
    outline = HANS.outline(HansSettings(path=path))
    assert outline.id == HANS.outline(HansSettings()).id  # the published sizes


@real_data
def test_the_real_pairs_of_paws_have_their_sizes():
    outline = PAWS.outline(PawsSettings(path=Path(FOLDER) / "paws_qqp"))
    assert (outline.train, outline.id) == (11_988, {"test": 677})


def test_a_hans_file_may_be_gzipped(tmp_path):
    plain = tsv(tmp_path / "h.tsv", hans_rows()).read_bytes()
    packed = tmp_path / "h.tsv.gz"
    packed.write_bytes(gzip.compress(plain))
    assert HANS.outline(HansSettings(path=packed)).id["all"] == 60
