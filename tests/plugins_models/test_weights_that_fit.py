"""A checkpoint fills the whole body of a classifier: what is missing, left over, or left alone."""

import json

import pytest
import torch
from safetensors.torch import load_file, save_file
from tiny_checkpoints import at, changed, loaded, save_any, save_bert, text_room

from harness.api.data import DataRoom
from harness.api.errors import HarnessError
from harness_models.transformer import TRANSFORMER


def checked(folder, tmp_path):
    """What is said of the weights before anything is trained."""
    settings = at(folder)
    TRANSFORMER.pretrained.check(settings, str(folder), DataRoom(tmp_path, offline=True))


def save_shards(folder, *, pickled):
    """The same weights in two files and a table of them."""
    stored = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    stem, end = ("pytorch_model", "bin") if pickled else ("model", "safetensors")
    places = {name: 1 + place % 2 for place, name in enumerate(stored)}
    for part in (1, 2):
        half = {name: tensor for name, tensor in stored.items() if places[name] == part}
        file = folder / f"{stem}-0000{part}-of-00002.{end}"
        if pickled:
            torch.save(half, file)
        else:
            save_file(half, file, metadata={"format": "pt"})
    table = {name: f"{stem}-0000{part}-of-00002.{end}" for name, part in places.items()}
    index = {"metadata": {"total_size": 1}, "weight_map": table}
    (folder / f"{stem}.{end}.index.json").write_text(json.dumps(index))


BIAS = "bert.encoder.layer.1.output.dense.bias"


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda w: w.pop(BIAS), rf"lacks {BIAS}; is it of this"),
        (lambda w: w.update({"bert.encoder.x": torch.zeros(2)}), r"more than the model: bert"),
        (lambda w: w.update({BIAS: torch.zeros(3)}), rf"in another shape {BIAS}"),
        (lambda w: w.pop("bert.pooler.dense.bias"), r"lacks bert\.pooler.*; set `pooler: fresh`"),
        (lambda w: [w.pop(n) for n in list(w) if "layer.0" in n], r"lacks .* and 13 more;"),
    ],
)  # fmt: skip
def test_weights_that_do_not_fit_are_one_line(tmp_path, change, complaint):
    folder = save_bert(tmp_path / "bert")
    changed(folder, change)
    for look in (loaded, checked):
        with pytest.raises(HarnessError, match=complaint) as raised:
            look(folder, tmp_path)
        assert str(folder) in str(raised.value) and "\n" not in str(raised.value)


def test_weights_that_fit_are_passed_before_training(tmp_path):
    checked(save_bert(tmp_path / "bert"), tmp_path)


@pytest.mark.parametrize("kind", ["pytorch_model-*1*.bin", "model-*1*.safetensors"])
def test_a_shard_that_is_not_there_is_told_before_training(tmp_path, kind):
    folder = save_bert(tmp_path / "bert")
    save_shards(folder, pickled=kind.endswith("bin"))
    checked(folder, tmp_path)
    next(folder.glob(kind)).unlink()
    with pytest.raises(HarnessError, match=r"its weights cannot be read: .*00001-of"):
        checked(folder, tmp_path)


def test_of_weights_that_are_not_here_yet_nothing_is_said(tmp_path, monkeypatch):
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    settings = at("google/none", config=str(save_bert(tmp_path / "bert")))
    name = f"google/none@{'0' * 40}"
    TRANSFORMER.pretrained.check(settings, name, DataRoom(tmp_path, offline=True))


OLD = {
    "gpt2": ("GPT2LMHeadModel", "transformer.h.0.attn.bias", "transformer.h.1.attn.masked_bias"),
    "gpt_neo": ("GPTNeoForCausalLM", "transformer.h.0.attn.attention.masked_bias"),
    "gpt_neox": ("GPTNeoXForCausalLM", "gpt_neox.layers.0.attention.rotary_emb.inv_freq"),
    "bert": ("BertForPreTraining", "bert.embeddings.position_ids"),
    "roberta": (
        "RobertaForMaskedLM", "roberta.pooler.dense.weight", "roberta.pooler.dense.bias",
        "roberta.embeddings.position_ids",
    ),
    "xlm-roberta": (
        "XLMRobertaForMaskedLM", "roberta.pooler.dense.weight", "roberta.pooler.dense.bias",
    ),
    "camembert": (
        "CamembertForMaskedLM", "roberta.pooler.dense.weight", "roberta.pooler.dense.bias",
    ),
}  # fmt: skip
"""What published checkpoints hold beyond weights that a classifier has a place for."""


@pytest.mark.parametrize("kind", OLD)
def test_what_a_classifier_of_the_family_never_has_is_left_where_it_is(tmp_path, kind):
    name, *more = OLD[kind]
    folder = save_any(tmp_path / kind, name)
    plain = loaded(folder, tmp_path, attention="eager")
    changed(folder, lambda weights: weights.update({each: torch.zeros(16) for each in more}))
    assert loaded(folder, tmp_path, attention="eager").keys() == plain.keys()
    body = next(iter(plain)).removeprefix("net.").partition(".")[0]
    changed(folder, lambda weights: weights.update({f"{body}.attn.weird": torch.zeros(1)}))
    with pytest.raises(HarnessError, match=r"more than the model: .*weird; is it of this"):
        loaded(folder, tmp_path, attention="eager")


def test_heads_of_another_kind_are_left_where_they_are(tmp_path):
    folder = save_bert(tmp_path / "bert", kind="BertForSequenceClassification")
    assert not [name for name in loaded(folder, tmp_path) if "classifier" in name]


def test_a_pooler_that_no_checkpoint_has_is_drawn_with_the_head(tmp_path):
    folder = save_bert(tmp_path / "bert", kind="BertForMaskedLM")
    weights = loaded(folder, tmp_path, pooler="fresh")
    assert not [name for name in weights if "pooler" in name]
    with torch.random.fork_rng(devices=[]):
        network = TRANSFORMER.build(at(folder, pooler="fresh"), text_room())
    assert network.head == ("net.classifier.", "net.bert.pooler.")
