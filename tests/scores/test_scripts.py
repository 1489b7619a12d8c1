"""Where the script of a metric is found, and what stands for it."""

import pytest

from harness.api.errors import HarnessError
from harness_scores.hub import HUB, HubSettings
from harness_scores.scripts import digest_of, script_of

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def written(folder, name, text="one"):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.py").write_text(text)
    return folder


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty cache of the hub, and nobody to ask."""
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    return tmp_path / "hub"


def cached(cache, space, text="one"):
    """A space at a commit, as the hub's own library lays it out."""
    storage = cache / f"spaces--{space.replace('/', '--')}"
    written(storage / "snapshots" / COMMIT, space.rpartition("/")[2], text)
    (storage / "refs").mkdir()
    (storage / "refs" / "main").write_text(COMMIT)


def test_a_script_may_be_named_or_its_folder(tmp_path):
    folder = written(tmp_path / "hits", "hits")
    assert script_of(str(folder), None) == folder / "hits.py"
    assert script_of(str(folder / "hits.py"), None) == folder / "hits.py"


@pytest.mark.parametrize(
    ("name", "space"), [("f1", "evaluate-metric/f1"), ("jane/hits", "jane/hits")]
)
@pytest.mark.parametrize("revision", [None, COMMIT])
def test_what_was_fetched_once_is_found_without_a_network(cache, name, space, revision):
    cached(cache, space)
    script = script_of(name, revision)
    assert script.name == f"{name.rpartition('/')[2]}.py"
    assert script.read_text() == "one"


def test_a_metric_that_is_nowhere_is_one_line(cache):
    with pytest.raises(HarnessError, match=r"f1\) is not here, and the hub may not be asked"):
        script_of("f1", None)
    cached(cache, "evaluate-metric/f1")
    with pytest.raises(HarnessError, match="is not here"):
        script_of("f1", "another-branch")


def test_a_name_that_the_hub_would_not_take_is_one_line(cache):
    with pytest.raises(HarnessError, match="no metric 'a/b/c'"):
        script_of("a/b/c", None)


def test_a_folder_without_its_script_says_what_is_missing(tmp_path):
    with pytest.raises(HarnessError, match=r"there is no metric script .*hits/hits\.py"):
        script_of(str(written(tmp_path / "hits", "other")), None)
    with pytest.raises(HarnessError, match=r"there is no metric script .*none\.py"):
        script_of(str(tmp_path / "none.py"), None)


def test_a_space_without_the_script_says_so(cache):
    cached(cache, "jane/hits")
    (cache / "spaces--jane--hits" / "snapshots" / COMMIT / "hits.py").rename(cache / "gone.py")
    with pytest.raises(HarnessError, match=r"space jane/hits holds no hits\.py"):
        script_of("jane/hits", None)


def test_what_stands_for_a_script_is_its_text_wherever_it_lies(tmp_path, cache):
    folder = written(tmp_path / "hits", "hits")
    cached(cache, "jane/hits")
    here, there = (HubSettings(path=path) for path in (str(folder), "jane/hits"))
    assert HUB.fingerprint(here) == HUB.fingerprint(there)
    written(folder, "hits", "two")
    assert HUB.fingerprint(here) != HUB.fingerprint(there)


def test_files_that_a_script_imports_count_and_others_do_not(tmp_path):
    script = written(tmp_path / "hits", "hits", "from .words import fold\n") / "hits.py"
    before = digest_of(script)
    written(script.parent, "words", "fold = str.lower")
    imported = digest_of(script)
    assert imported != before
    script.write_text("import words\n")
    alone = digest_of(script)
    written(script.parent, "words", "fold = str.upper")
    assert digest_of(script) == alone


def test_a_suite_that_names_a_metric_that_is_nowhere_is_told_when_it_is_checked(
    suite_file, capfd, cache
):
    from harness.cli import main

    text = """
id: tiny
version: "1"
model: mlp
data: {dataset: digits, batch: 16, ood: {noise: {by: {noise: {sd: 0.3}}}}}
inits: [random]
methods: [full]
seeds: {pretrain: 2, finetune: 2}
scores: [accuracy, {hub: {path: no-such-metric}}]
"""
    assert main(["check", str(suite_file(text))]) == 2
    assert ":9:21: the metric 'no-such-metric' (a script of " in capfd.readouterr().err


def test_an_edited_script_makes_new_scores_and_keeps_the_predictions(suite_file, tmp_path):
    from harness.plan import expand, predictions_prefix
    from harness.suite import open_suite

    folder = written(tmp_path / "hits", "hits")
    text = """
id: tiny
version: "1"
model: mlp
data: {dataset: digits, batch: 16, ood: {noise: {by: {noise: {sd: 0.3}}}}}
inits: [random]
methods: [full]
seeds: {pretrain: 2, finetune: 2}
scores: [{hub: {path: ./hits}, as: hits}]
"""
    path = str(suite_file(text))

    def keys():
        return [cell.key for cell in expand(*open_suite(path)).cells]

    before = keys()
    assert keys() == before
    written(folder, "hits", "two")
    for old, new in zip(before, keys(), strict=True):
        assert (old != new) is old.startswith("evaluate")
        assert predictions_prefix(old) == predictions_prefix(new) or old == new
