"""A checkpoint fills the whole body of a classifier: what is missing, left over, or left alone."""

import pytest
import torch
from tiny_checkpoints import at, changed, loaded, save_any, save_bert, text_room

from harness.api.errors import HarnessError
from harness_models.transformer import TRANSFORMER

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
    with pytest.raises(HarnessError, match=complaint) as raised:
        loaded(folder, tmp_path)
    assert str(folder) in str(raised.value) and "\n" not in str(raised.value)


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
