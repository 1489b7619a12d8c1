"""Where a model's files come from: folders, the hub's cache, and what is said when they are not."""

import json
import shutil
from pathlib import Path

import pytest
import torch
from hub_http import http
from safetensors.torch import load_file
from tiny_checkpoints import at, edit_json, loaded, save_bert, save_tokenizer, text_room, texts

from harness.api.data import DataRoom
from harness.api.errors import HarnessError
from harness_models.origins import Place
from harness_models.transformer import TRANSFORMER, TransformerSettings

COMMIT = "0123456789abcdef0123456789abcdef01234567"
PRETRAINED = TRANSFORMER.pretrained


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """The hub's cache, as `huggingface_hub` lays it out, and no network."""
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    return tmp_path / "hub"


def put(cache, name, seed=0, commit=COMMIT):
    storage = cache / f"models--{name.replace('/', '--')}"
    save_bert(storage / "snapshots" / commit, seed)
    (storage / "refs").mkdir(exist_ok=True)
    (storage / "refs" / "main").write_text(commit)


def hub_that_raises(monkeypatch, error):
    from huggingface_hub import HfApi

    def model_info(*_arguments, **_named):
        raise error

    monkeypatch.setattr(HfApi, "model_info", model_info)


def test_everything_but_the_head_is_brought_under_the_models_own_names(tmp_path):
    folder = save_bert(tmp_path / "bert", seed=5)
    weights = loaded(folder, tmp_path)
    with torch.random.fork_rng(devices=[]):
        network = TRANSFORMER.build(at(folder), text_room())
    own = network.module.state_dict()
    assert {name for name in own if name not in weights} == {
        "net.classifier.weight", "net.classifier.bias",
    }  # fmt: skip
    stored = load_file(folder / "model.safetensors")
    name = "bert.encoder.layer.1.output.dense.weight"
    assert torch.equal(weights[f"net.{name}"], stored[name])


def test_loading_leaves_the_global_generator_alone(tmp_path):
    folder = save_bert(tmp_path / "bert")
    before = torch.get_rng_state()
    loaded(folder, tmp_path)
    assert torch.equal(before, torch.get_rng_state())


def test_weights_saved_by_pickle_and_under_old_names_are_read_alike(tmp_path):
    new = save_bert(tmp_path / "new", kind="BertModel")
    old = tmp_path / "old"
    shutil.copytree(new, old)
    stored = load_file(old / "model.safetensors")
    (old / "model.safetensors").unlink()
    renamed = {
        name.replace("Norm.weight", "Norm.gamma").replace("Norm.bias", "Norm.beta"): tensor
        for name, tensor in stored.items()
    }
    torch.save(renamed, old / "pytorch_model.bin")
    one, two = loaded(new, tmp_path), loaded(old, tmp_path)
    assert one.keys() == two.keys() and all(torch.equal(one[name], two[name]) for name in one)


@pytest.mark.parametrize(
    ("damage", "complaint"),
    [
        (lambda f: (f / "model.safetensors").write_bytes(b"junk"), "weights cannot be read"),
        (lambda f: (f / "model.safetensors").unlink(), "no weights .model.safetensors or pytorch"),
        (lambda f: (f / "config.json").write_text("{"), "cannot be read as JSON"),
        (lambda f: (f / "config.json").unlink(), r"there is no config\.json"),
        (lambda f: edit_json(f / "config.json", model_type="none-such"), "cannot be used"),
        (lambda f: edit_json(f / "config.json", vocab_size=9), "gives token 22, and the model has"),
    ],
)
def test_damaged_folders_are_one_line(tmp_path, damage, complaint):
    folder = save_bert(tmp_path / "bert")
    damage(folder)
    with pytest.raises(HarnessError, match=complaint) as raised:
        TRANSFORMER.fingerprint(at(folder))
        loaded(folder, tmp_path)
    assert "\n" not in str(raised.value)


def test_a_folder_without_a_tokenizer_is_one_line(tmp_path):
    folder = save_bert(tmp_path / "bert")
    for path in folder.glob("tokenizer*"):
        path.unlink()
    with pytest.raises(HarnessError, match="there is no tokenizer"):
        TRANSFORMER.reader(at(folder), DataRoom(tmp_path, True))
    with pytest.raises(HarnessError, match="there is no tokenizer"):
        TRANSFORMER.fingerprint(at(folder))


def test_a_reader_counts_what_it_cuts_and_refuses_what_is_not_there(tmp_path):
    save_bert(tmp_path / "bert")
    reader = TRANSFORMER.reader(at(tmp_path / "bert", longest=6), DataRoom(tmp_path, True))
    tokens = reader.read(texts(a=["the cat", "the cat sat on the mat ."], b=["a dog", "a"]))
    assert tokens.offsets.tolist() == [0, 6, 12] and tokens.cut == 2
    assert tokens.columns["token_type_ids"].tolist()[6:] == [0, 0, 0, 0, 1, 1]
    with pytest.raises(HarnessError, match="example 1 has no a"):
        reader.read(texts(a=["the", None]))
    longer = TRANSFORMER.reader(at(tmp_path / "bert", longest=7), DataRoom(tmp_path, True))
    assert reader.fingerprint != longer.fingerprint


def test_what_is_read_does_not_hang_on_chunks(tmp_path, monkeypatch):
    save_bert(tmp_path / "bert")
    reader = TRANSFORMER.reader(at(tmp_path / "bert", longest=6), DataRoom(tmp_path, True))
    many = texts(a=["the cat " * (n % 4 + 1) for n in range(11)])
    whole = reader.read(many)
    monkeypatch.setattr("harness_models.tokenizing.CHUNK", 3)
    parts = reader.read(many)
    assert torch.equal(whole.columns["input_ids"], parts.columns["input_ids"])
    assert torch.equal(whole.offsets, parts.offsets) and whole.cut == parts.cut > 0


def test_a_name_without_a_revision_is_the_commit_that_the_cache_has(cache, tmp_path):
    put(cache, "google/multiberts-seed_3")
    settings = TransformerSettings(checkpoint="google/multiberts-seed_{seed}", longest=32)
    source = PRETRAINED.source(settings, 3)
    assert source.name == f"google/multiberts-seed_3@{COMMIT}" and source.fingerprint == COMMIT
    assert Place.read(source.name) == Place("google/multiberts-seed_3", COMMIT)
    pinned = settings.model_copy(update={"revision": COMMIT})
    assert PRETRAINED.source(pinned, 3) == source
    own = settings.model_copy(update={"config": "google/multiberts-seed_3"})
    weights = PRETRAINED.load(own, source.name, DataRoom(tmp_path, offline=True))
    assert "net.bert.pooler.dense.weight" in weights


def test_what_is_not_in_the_cache_is_one_line_without_a_network(cache, tmp_path):
    settings = TransformerSettings(checkpoint="google/none")
    with pytest.raises(HarnessError, match="google/none is not here, and the hub may not"):
        PRETRAINED.source(settings, 0)
    pinned = settings.model_copy(update={"revision": COMMIT})
    with pytest.raises(HarnessError, match=f"google/none at {COMMIT} is not here"):
        PRETRAINED.load(pinned, f"google/none@{COMMIT}", DataRoom(tmp_path, offline=True))


def test_what_the_hub_answers_is_one_line(cache, monkeypatch):
    from huggingface_hub import errors

    request = http.Request("GET", "https://huggingface.co")
    answer = http.Response(403, request=request)
    settings = TransformerSettings(checkpoint="google/none")
    in_vain = errors.LocalEntryNotFoundError("not in the cache")
    in_vain.__cause__ = errors.HfHubHTTPError("403 Forbidden", response=answer)
    for error, complaint in (
        (in_vain, "from the hub: 403 Forbidden"),
        (errors.GatedRepoError("no", response=answer), "is gated; ask for access"),
        (errors.RepositoryNotFoundError("no", response=answer), "no model google/none, or it is"),
        (errors.RevisionNotFoundError("no", response=answer), "has no revision"),
        (errors.HfHubHTTPError("500 Server Error", response=answer), "from the hub: 500 Server"),
        (
            http.ConnectError("name not known"),
            "is not here, and the hub cannot be reached .name not known",
        ),
    ):
        hub_that_raises(monkeypatch, error)
        with pytest.raises(HarnessError, match=complaint) as raised:
            PRETRAINED.source(settings, 0)
        assert "\n" not in str(raised.value)


def test_a_word_that_is_no_name_is_one_line(cache, monkeypatch):
    with pytest.raises(HarnessError, match="neither a folder nor the name of a model"):
        PRETRAINED.source(TransformerSettings(checkpoint="a/b/c"), 0)


def test_what_is_to_be_fetched_is_named_and_told_when_it_is_here(cache, tmp_path):
    put(cache, "google/multiberts-seed_0")
    put(cache, "google/multiberts-seed_1")
    settings = TransformerSettings(checkpoint="google/multiberts-seed_{seed}")
    found = TRANSFORMER.downloads(settings, [0, 1], DataRoom(tmp_path, False))
    assert [each.name.partition("@")[0][-1] for each in found] == ["0", "0", "1"]
    assert all(each.here() for each in found)
    shutil.rmtree(cache / "models--google--multiberts-seed_1" / "snapshots")
    assert [each.here() for each in found] == [True, True, False]
    folder = save_bert(tmp_path / "bert")
    assert TRANSFORMER.downloads(at(folder), [0], DataRoom(tmp_path, False)) == ()


def test_without_transformers_a_line_says_what_to_install(tmp_path, monkeypatch):
    folder = save_bert(tmp_path / "bert")
    monkeypatch.setitem(__import__("sys").modules, "transformers", None)
    with pytest.raises(
        HarnessError, match=r"transformers is not installed; pip install 'seedscape\[text\]'"
    ):
        TRANSFORMER.build(at(folder), text_room())


def test_a_tokenizer_of_another_model_is_found_before_training(tmp_path):
    folder = save_bert(tmp_path / "bert")
    save_tokenizer(folder, words=[f"word{n}" for n in range(100)])
    assert json.loads((folder / "config.json").read_text())["vocab_size"] == 23
    with pytest.raises(HarnessError, match="does not match the model: it gives token 104"):
        TRANSFORMER.fingerprint(at(Path(folder)))


def test_a_token_that_the_model_has_no_embedding_of_is_one_line(tmp_path):
    from transformers import AutoTokenizer

    folder = save_bert(tmp_path / "bert")
    tokenizer = AutoTokenizer.from_pretrained(folder)
    tokenizer.add_tokens(["[NEW]"])
    tokenizer.save_pretrained(folder)
    reader = TRANSFORMER.reader(at(folder), DataRoom(tmp_path, True))
    assert len(reader.read(texts(a=["the cat", "a dog"]))) == 2
    with pytest.raises(HarnessError, match="gives token 23, and the model has embeddings of 23"):
        reader.read(texts(a=["the cat", "a [NEW] dog"]))
