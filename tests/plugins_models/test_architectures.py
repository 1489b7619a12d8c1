"""What models of many architectures say of themselves: layers, dropout, attention, positions."""

import pytest
import torch
from tiny_checkpoints import at, save_any, text_room

from harness.api.errors import HarnessError
from harness_models.transformer import TRANSFORMER

RATE = 0.37
EAGER = {"attention": "eager"}
KINDS = {
    "BertForMaskedLM": {},
    "DebertaV2ForMaskedLM": {"relative_attention": True, "norm_rel_ebd": "layer_norm"},
    "MPNetForMaskedLM": {},
    "ModernBertForMaskedLM": {},
    "XLMRobertaXLForMaskedLM": {},
    "GPT2LMHeadModel": {},
    "GPTNeoForCausalLM": {},
    "OPTForCausalLM": {},
    "MistralForCausalLM": {},
}


def built(tmp_path, name, settings=EAGER, **sizes):
    """The network of a class of transformers, without weights."""
    folder = save_any(tmp_path / name, name, **sizes)
    with torch.device("meta"):
        return TRANSFORMER.build(at(folder, **settings), text_room())


@pytest.mark.parametrize("name", KINDS)
def test_layers_hold_all_but_what_stands_behind_the_blocks(tmp_path, name):
    network = built(tmp_path, name, **KINDS[name])
    assert len(network.layers) == 3
    held = (*(prefix for layer in network.layers for prefix in layer), *network.head)
    loose = {n for n, _ in network.module.named_parameters() if not n.startswith(held)}
    behind = ("pooler.", "norm.", "ln_f.", "final_layer_norm.", "final_norm.", "encoder.LayerNorm.")
    assert not [n for n in loose if not any(part in n for part in behind)]
    assert not any(part in prefix for prefix in network.layers[0] for part in behind[:5])


@pytest.mark.parametrize("name", KINDS)
def test_every_dropout_rate_of_every_architecture_can_be_set(tmp_path, name):
    more = {"pooler_dropout": 0.2} if name.startswith("Deberta") else {}
    network = built(tmp_path, name, {**EAGER, "dropout": RATE}, **KINDS[name], **more)
    modules = list(network.module.modules())
    rates = {part.p for part in modules if isinstance(part, torch.nn.Dropout)}
    rates |= {part.drop_prob for part in modules if hasattr(part, "drop_prob")}
    assert rates <= {RATE}
    named = network.module.net.config.to_dict().items()
    assert {v for n, v in named if "dropout" in n and isinstance(v, float)} == {RATE}


@pytest.mark.parametrize("name", ["AlbertForMaskedLM", "XLNetLMHeadModel", "XLMWithLMHeadModel"])
def test_blocks_that_are_not_known_cannot_be_computed_again(tmp_path, name):
    network = built(tmp_path, name)
    assert network.layers == () == network.features
    with pytest.raises(HarnessError, match=r"not known, .*; leave out `gradient_checkpointing`"):
        built(tmp_path, name, {**EAGER, "gradient_checkpointing": True})


def test_a_decoder_behind_an_encoder_has_no_order_of_layers(tmp_path):
    sizes = {"d_model": 16, "encoder_layers": 2, "decoder_layers": 2}
    heads = {"encoder_attention_heads": 2, "decoder_attention_heads": 2}
    assert built(tmp_path, "BartForConditionalGeneration", **sizes, **heads).layers == ()


@pytest.mark.parametrize("name", ["DebertaV2ForMaskedLM", "MPNetForMaskedLM", "GPTNeoForCausalLM"])
def test_an_architecture_without_sdpa_is_told_which_attention_it_has(tmp_path, name):
    with pytest.raises(HarnessError, match="by `sdpa`; set `attention: eager`"):
        built(tmp_path, name, {})


def test_a_folder_beside_the_tokenizer_is_left_alone(tmp_path):
    folder = save_any(tmp_path / "bert", "BertForMaskedLM")
    before = TRANSFORMER.fingerprint(at(folder))
    (folder / "tokenizer_of_old").mkdir()
    assert TRANSFORMER.fingerprint(at(folder)) == before
