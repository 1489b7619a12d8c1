"""Text data sets of the hub, without a network: a cache of the hub's own layout, and none."""

import pytest
from hub_http import http
from pydantic import ValidationError

from harness.api.data import DataRoom
from harness.api.errors import HarnessError
from harness.compute.agreement import check_dataset
from harness_datasets import harness_datasets, hub
from harness_datasets.cola import COLA, ColaSettings
from harness_datasets.hans import HANS, HansSettings
from harness_datasets.hub_text import HUB_TEXT, HubTextSettings
from harness_datasets.imdb import IMDB, ImdbSettings
from harness_datasets.mnist import MNIST, MnistSettings
from harness_datasets.mnli import MNLI, MnliSettings
from harness_datasets.qqp import QQP, QqpSettings
from harness_datasets.rte import RTE, RteSettings

COMMIT = "0123456789abcdef0123456789abcdef01234567"
ENTAILS = {"premise": ["a", "c"], "hypothesis": ["b", "d"]}


@pytest.fixture
def cache(tmp_path, monkeypatch):
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    return tmp_path / "hub"


def stored(cache, repository, revision, name, columns, classes=()):
    """One parquet file, as `snapshot_download` leaves it and `datasets` wrote it."""
    import datasets

    storage = cache / f"datasets--{repository.replace('/', '--')}"
    path = storage / "snapshots" / revision / name
    path.parent.mkdir(parents=True, exist_ok=True)
    made = datasets.Dataset.from_dict(columns)
    if classes:
        made = made.cast_column("label", datasets.ClassLabel(names=list(classes)))
    blob = storage / "blobs" / name.replace("/", "-")
    blob.parent.mkdir(exist_ok=True)
    datasets.disable_progress_bars()
    made.to_parquet(str(blob))
    path.symlink_to(blob)


def texts(split, field):
    return split.inputs["text"].columns[field].to_pylist()


def loaded(offer, settings, tmp_path):
    """What it gives, which agrees with what it says of itself."""
    splits = offer.load(settings, DataRoom(tmp_path, offline=True))
    check_dataset(offer.name, offer.outline(settings), splits)
    return splits


def test_sizes_are_known_of_the_pinned_commit_only_and_where_no_row_is_dropped():
    outline = COLA.outline(ColaSettings(val=551))
    assert (outline.train, outline.id) == (8_000, {"val": 551, "mixed-dev": 1_043})
    assert outline.ood == {}
    assert COLA.outline(ColaSettings(revision=COMMIT)).id == {"mixed-dev": None}
    assert MNLI.outline(MnliSettings()).ood["mismatched"].examples == 9_832
    assert MNLI.outline(MnliSettings(duplicates="drop")).train is None


def test_cola_comes_from_glue_with_its_two_parts_mixed(cache, tmp_path):
    settings = ColaSettings(revision=COMMIT)
    for split, n in (("train", 4), ("validation", 2)):
        columns = {"sentence": [f"{split} {i}" for i in range(n)], "label": [1, 0] * (n // 2)}
        name = f"cola/{split}-00000-of-00001.parquet"
        stored(cache, "nyu-mll/glue", COMMIT, name, columns, ["unacceptable", "acceptable"])
    splits = loaded(COLA, settings, tmp_path)
    assert texts(splits.id["mixed-dev"], "sentence") == ["validation 0", "validation 1"]
    assert splits.train.targets.tolist() == [1, 0, 1, 0]


def test_mnli_and_hans_come_from_their_repositories(cache, tmp_path):
    for split in ("train", "validation_matched", "validation_mismatched"):
        name = f"data/{split}-00000-of-00001.parquet"
        stored(cache, "nyu-mll/multi_nli", COMMIT, name, {**ENTAILS, "label": [2, 0]})
    settings = MnliSettings(revision=COMMIT)
    assert loaded(MNLI, settings, tmp_path).ood["mismatched"].targets.tolist() == [2, 0]
    columns: dict[str, list] = {name: [] for name in ("premise", "hypothesis", "label")}
    columns |= {"heuristic": [], "subcase": []}
    from harness_datasets.hans import SUBCASES

    for heuristic, cases in SUBCASES.items():
        for case in cases.split():
            row = ("a", "b", int(case[1] == "n"), heuristic, case)
            for column, value in zip(columns.values(), row, strict=True):
                column.append(value)
    stored(cache, "jhu-cogsci/hans", COMMIT, "plain_text/validation/0000.parquet", columns)
    splits = HANS.load(HansSettings(revision=COMMIT), DataRoom(tmp_path, offline=True))
    assert splits.id["constituent-entailment"].targets.tolist() == [0] * 5


def test_imdb_in_two_files_is_whole_only_with_both(cache, tmp_path):
    columns = {"text": ["one", "two"], "label": [0, 1]}
    stored(cache, "stanfordnlp/imdb", COMMIT, "plain_text/test-00000-of-00001.parquet", columns)
    stored(cache, "stanfordnlp/imdb", COMMIT, "plain_text/train-00000-of-00002.parquet", columns)
    settings, room = ImdbSettings(revision=COMMIT), DataRoom(tmp_path, offline=True)
    assert [each.here() for each in IMDB.downloads(settings, room)] == [False, True]
    stored(cache, "stanfordnlp/imdb", COMMIT, "plain_text/train-00001-of-00002.parquet", columns)
    assert [each.here() for each in IMDB.downloads(settings, room)] == [True, True]
    assert texts(loaded(IMDB, settings, tmp_path).train, "text") == ["one", "two"] * 2


def test_a_column_that_the_hub_does_not_have_is_named(cache, tmp_path):
    name = "rte/train-00000-of-00001.parquet"
    stored(cache, "nyu-mll/glue", COMMIT, name, {"sentence1": ["a"], "text": ["b"], "label": [0]})
    message = r"nyu-mll/glue, rte/train: no column 'sentence2', only sentence1, text, label"
    with pytest.raises(HarnessError, match=message):
        RTE.load(RteSettings(revision=COMMIT), DataRoom(tmp_path, offline=True))


def test_what_is_missing_is_named_with_the_commit(cache, tmp_path):
    names = [each.name for each in QQP.downloads(QqpSettings(revision=COMMIT), None)]
    where = f"data set nyu-mll/glue@{COMMIT} qqp"
    assert names == [f"{where}/train", f"{where}/validation"]
    assert MNIST.downloads(MnistSettings(), None) == []
    (digits,) = MNIST.downloads(MnistSettings(source="hub"), None)
    assert digits.name.startswith("data set ylecun/mnist@77f3")
    for room in (DataRoom(tmp_path, offline=True), DataRoom(tmp_path, offline=False)):
        with pytest.raises(
            HarnessError, match="the hub may not be asked; `seedscape fetch` it where"
        ):
            QQP.load(QqpSettings(revision=COMMIT), room)


def test_a_branch_is_no_pinned_revision():
    for offer in harness_datasets():
        if offer.downloads is not None and offer.name not in ("mnist", "hub-text"):
            settings = offer.settings(revision="main", source="hub")
            with pytest.raises(HarnessError, match="`revision` must pin a commit"):
                offer.fingerprint(settings)


def failing(error, monkeypatch):
    import huggingface_hub

    def snapshot_download(*args, **options):
        raise error

    monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot_download)
    with pytest.raises(HarnessError) as caught:
        hub.fetch("some/thing", COMMIT, ["*.parquet"])
    return str(caught.value)


def test_every_trouble_with_the_hub_is_one_clear_line(cache, monkeypatch):
    from huggingface_hub import errors

    answer = http.Response(404, request=http.Request("GET", "https://huggingface.co"))
    told = failing(errors.GatedRepoError("no\nway", response=answer), monkeypatch)
    assert told.startswith("the data set some/thing is gated; ask for access at https://")
    told = failing(errors.RepositoryNotFoundError("gone", response=answer), monkeypatch)
    assert told.startswith("the hub has no data set some/thing, or it is private")
    told = failing(errors.RevisionNotFoundError("gone", response=answer), monkeypatch)
    assert told.startswith(f"the data set some/thing has no revision '{COMMIT}'")
    in_vain = errors.LocalEntryNotFoundError("not here")
    in_vain.__cause__ = errors.HfHubHTTPError("403 Forbidden", response=answer)
    told = failing(in_vain, monkeypatch)
    assert told.startswith("cannot fetch some/thing from the hub: 403 Forbidden; give a `path`")
    in_vain.__cause__ = errors.OfflineModeIsEnabled("no network")
    told = failing(in_vain, monkeypatch)
    assert told.startswith("the data set some/thing is not here, and the hub may not be asked")
    told = failing(http.ConnectError("no route\nto host"), monkeypatch)
    assert told.startswith(
        "the data set some/thing is not here, and the hub cannot be reached (no route); "
    )


def test_a_commit_without_the_files_is_told(cache, monkeypatch):
    import huggingface_hub

    monkeypatch.setattr(huggingface_hub, "snapshot_download", lambda *args, **options: None)
    with pytest.raises(HarnessError, match=r"some/thing has no files x/\*\.parquet at 0123"):
        hub.fetch("some/thing", COMMIT, ["x/*.parquet"])


def test_any_repository_of_texts_is_read_as_its_settings_say(cache, tmp_path):
    columns = {"premise": ["a", "b", "c"], "hypothesis": ["d", "e", "f"], "label": [1, -1, 0]}
    for split in ("train", "dev", "far"):
        stored(cache, "some/pairs", COMMIT, f"plain/{split}/0000.parquet", columns)
    settings = HubTextSettings(
        repository="some/pairs",
        revision=COMMIT,
        folder="plain",
        nested=True,
        text=("premise", "hypothesis"),
        label="label",
        labels={"0": "yes", "1": "no", "-1": None},
        id={"test": "dev"},
        ood={"away": {"source": "far", "shift": "genre"}},
    )
    outline = HUB_TEXT.outline(settings)
    assert outline.task.classes == ("yes", "no")
    assert (outline.train, outline.id) == (None, {"test": None})
    assert outline.ood["away"].parent == "test"
    splits = loaded(HUB_TEXT, settings, tmp_path)
    assert splits.ood["away"].targets.tolist() == [1, 0]
    assert texts(splits.id["test"], "hypothesis") == ["d", "f"]
    with pytest.raises(HarnessError, match="`revision` must pin a commit of some/pairs"):
        HUB_TEXT.fingerprint(settings.model_copy(update={"revision": "main"}))


def test_labels_have_to_be_written_before_anything_is_fetched():
    with pytest.raises(ValidationError, match="write `labels`"):
        HubTextSettings(repository="some/pairs", revision=COMMIT, label="label")
    with pytest.raises(ValidationError):
        HubTextSettings(repository="pairs", revision=COMMIT)


def test_similarities_as_glue_has_them_are_a_regression(cache, tmp_path):
    columns = {"sentence1": ["a", "b"], "sentence2": ["c", "d"], "label": [3.8, 0.0]}
    for split in ("train", "validation"):
        name = f"stsb/{split}-00000-of-00001.parquet"
        stored(cache, "nyu-mll/glue", COMMIT, name, columns)
    settings = HubTextSettings(
        repository="nyu-mll/glue",
        revision=COMMIT,
        folder="stsb",
        text=("sentence1", "sentence2"),
        number="label",
        id={"dev": "validation"},
    )
    splits = loaded(HUB_TEXT, settings, tmp_path)
    assert splits.id["dev"].targets.tolist() == pytest.approx([3.8, 0.0])
