"""Models of the hub: looked up once, held whole in the cache, and told of in one line."""

import json
import shutil
import socket

import pytest
from tiny_checkpoints import save_bert

from harness.api.data import DataRoom
from harness.api.errors import HarnessError, OutOfReach
from harness_models import hub
from harness_models.transformer import TRANSFORMER, TransformerSettings

NAME = "google/multiberts-seed_0"
COMMIT = "0123456789abcdef0123456789abcdef01234567"
SETTINGS = TransformerSettings(checkpoint=NAME, longest=32)
PINNED = SETTINGS.model_copy(update={"revision": COMMIT})


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The folder of one commit in the hub's cache; a network that refuses all."""
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    storage = tmp_path / "hub" / "models--google--multiberts-seed_0"
    return save_bert(storage / "snapshots" / COMMIT)


def load(folder):
    room = DataRoom(folder, offline=True)
    return TRANSFORMER.pretrained.load(PINNED, f"{NAME}@{COMMIT}", room)


def pickled(folder):
    """Weights as older repositories have them."""
    import torch
    from safetensors.torch import load_file

    torch.save(load_file(folder / "model.safetensors"), folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()


def test_a_hub_that_cannot_be_reached_is_one_line(folder):
    with pytest.raises(
        OutOfReach, match=f"{NAME} is not here, and the hub cannot be rea"
    ) as raised:
        TRANSFORMER.pretrained.source(SETTINGS, 0)
    assert "\n" not in str(raised.value)


def test_what_lies_on_an_unreachable_hub_is_tried_once(folder, monkeypatch, caplog):
    for file in folder.glob("*token*"):
        file.unlink()
    (description, _) = TRANSFORMER.downloads(PINNED, [0], DataRoom(None, False))
    with pytest.raises(OutOfReach, match=f"{NAME} at {COMMIT} is not here, and the hub cannot"):
        description.fetch()
    assert not caplog.records  # its library tells of every new try


def test_a_hub_that_never_answers_is_given_up(folder, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        from huggingface_hub import constants

        monkeypatch.setattr(constants, "ENDPOINT", f"http://127.0.0.1:{silent.getsockname()[1]}")
        monkeypatch.setattr(hub, "PATIENCE", 0.1)
        with pytest.raises(OutOfReach, match=r"the hub cannot be reached \(timed out\)"):
            TRANSFORMER.pretrained.source(SETTINGS, 0)


def test_what_is_missing_is_named_without_asking_the_hub(tmp_path, folder):
    many = SETTINGS.model_copy(update={"checkpoint": "google/multiberts-seed_{seed}"})
    found = TRANSFORMER.downloads(many, [0, 7], DataRoom(tmp_path, False))
    assert [(each.name, each.here()) for each in found] == [
        (f"{NAME} (configuration and tokenizer)", False),
        (f"{NAME} (weights)", False),
        ("google/multiberts-seed_7 (weights)", False),
    ]
    (tmp_path / "hub" / "models--google--multiberts-seed_0" / "refs").mkdir()
    (tmp_path / "hub" / "models--google--multiberts-seed_0" / "refs" / "main").write_text(COMMIT)
    assert [each.here() for each in found] == [True, True, False]


def test_weights_in_the_cache_need_no_network_whichever_kind_they_are(folder):
    pickled(folder)
    assert "net.bert.pooler.dense.weight" in load(folder)


def test_a_branch_is_looked_up_once(folder, monkeypatch):
    from huggingface_hub import HfApi
    from huggingface_hub.hf_api import ModelInfo

    asked = []

    def model_info(*_arguments, **_named):
        asked.append(1)
        return ModelInfo(id=NAME, sha=COMMIT, private=False, downloads=0, likes=0, tags=[])

    monkeypatch.setattr(HfApi, "model_info", model_info)
    assert {hub.commit_of(NAME, "") for _ in range(2)} == {COMMIT} and len(asked) == 1
    assert hub.commit_of(NAME, "main") == COMMIT and len(asked) == 1


def here(seeds):
    return [each.here() for each in TRANSFORMER.downloads(PINNED, seeds, DataRoom(None, False))]


def test_a_cache_without_a_tokenizer_is_not_complete(folder):
    assert here([0]) == [True, True]
    for file in folder.glob("*token*"):
        file.unlink()
    assert here([0]) == [False, True]


def test_a_cache_without_one_of_the_shards_is_not_complete(folder):
    shutil.move(folder / "model.safetensors", folder / "model-00001-of-00002.safetensors")
    assert here([0]) == [True, False]
    files = {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": files}))
    assert here([0]) == [True, False]
    (folder / files["b"]).write_bytes(b"")
    assert here([0]) == [True, True]


def test_a_name_of_the_hub_never_means_a_folder_of_the_current_directory(
    folder, tmp_path, monkeypatch
):
    (folder.parents[1] / "refs").mkdir()
    (folder.parents[1] / "refs" / "main").write_text(COMMIT)
    decoy = tmp_path / "elsewhere" / NAME
    decoy.mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert TRANSFORMER.pretrained.source(SETTINGS, 0).name == f"{NAME}@{COMMIT}"
    named = TransformerSettings(checkpoint=f"./{NAME}", longest=32)
    with pytest.raises(HarnessError, match="there is no config"):
        TRANSFORMER.fingerprint(named)
    assert TRANSFORMER.downloads(named, [0], DataRoom(tmp_path, False)) == ()
