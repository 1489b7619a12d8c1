"""Decoders are read off at the last token of a text, whatever stands beside it in a batch."""

import pytest
import torch
from tiny_checkpoints import SIZES, at, save_any, text_room

from harness.api.errors import HarnessError
from harness_models.blocks import blocks_of
from harness_models.explicit import TextClassifier
from harness_models.transformer import TRANSFORMER

GROUPED = {"num_key_value_heads": 1}
SHORT = {"n_embd": 16, "n_layer": 2, "n_head": 2, "n_positions": 40}
WINDOWS = {"use_sliding_window": True, "sliding_window": 4, "max_window_layers": 1}
ENDLESS = {"max_position_embeddings": None}
DECODERS = {
    "llama": GROUPED,
    "gpt2": SHORT,
    "qwen2": {**GROUPED, **WINDOWS},
    "mistral": {**GROUPED, "sliding_window": 4},
    "gemma": {**GROUPED, "head_dim": 8},
    "phi3": GROUPED,
    "falcon": {},
    "bloom": {"n_layer": 2, "n_head": 2},
    "gptj": {**SHORT, "rotary_dim": 4},
    "gpt_neo": {"num_layers": 2, "num_heads": 2, "attention_types": [[["global", "local"], 1]]},
    "openai-gpt": SHORT,
    "ctrl": {**SHORT, "dff": 24},
    "modernbert-decoder": {},
    "biogpt": {},
    "xlnet": {"d_model": 16, "n_layer": 2, "n_head": 2, "d_inner": 24, **ENDLESS},
}
PAD = 3
TEXTS = [[6, 7, 8, 0], [9, 5], [11, 12, 13, 14, 15, 16, 17, PAD], [10]]
"""One text ends in the padding token of the configuration, one in that of the batch."""


def classifier(kind, **more):
    """A classifier with distinct numbers, its configuration's padding token 0."""
    from transformers import AutoConfig, AutoModelForSequenceClassification

    ends = {"pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2, "initializer_range": 0.5}
    sizes = {**SIZES, **ends, **more}
    config = AutoConfig.for_model(kind, **{k: v for k, v in sizes.items() if v is not None})
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(0)
        net = AutoModelForSequenceClassification.from_config(config).eval()
    body = getattr(net, net.base_model_prefix)
    return TextClassifier(net, [block.module for block in blocks_of(body, "")]).eval()


def batch_of(texts):
    """Token and mask, filled with `PAD`."""
    width = max(map(len, texts))
    rows = [text + [PAD] * (width - len(text)) for text in texts]
    mask = [[1] * len(text) + [0] * (width - len(text)) for text in texts]
    return torch.tensor(rows), torch.tensor(mask)


def read(module, texts):
    """Logits, and the features of every block."""
    seen = []
    handles = [
        part.register_forward_hook(lambda _part, _given, shown: seen.append(shown))
        for part in module.blocks
    ]
    with torch.no_grad():
        logits = module(*batch_of(texts))
    for handle in handles:
        handle.remove()
    return torch.stack([logits, *(shown[:, :2] for shown in seen)], dim=1)


@pytest.mark.parametrize("kind", DECODERS)
def test_what_a_decoder_says_of_a_text_does_not_hang_on_the_batch(kind):
    module = classifier(kind, **DECODERS[kind])
    alone = torch.cat([read(module, [text]) for text in TEXTS])
    torch.testing.assert_close(read(module, TEXTS), alone, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kind", DECODERS)
def test_a_decoder_is_read_off_at_its_last_token_even_if_that_token_pads(kind):
    module = classifier(kind, **DECODERS[kind])
    shortened, whole = read(module, [TEXTS[0][:-1]]), read(module, [TEXTS[0]])
    assert not torch.isclose(shortened, whole, atol=1e-4).all(dim=-1).any()
    net, (tokens, mask) = module.net, batch_of([TEXTS[0]])
    net.config.pad_token_id = 22  # in no text: transformers takes the last token of all
    with torch.no_grad():
        theirs = net(input_ids=tokens, attention_mask=mask).logits
    torch.testing.assert_close(whole[:, 0], theirs, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ["LlamaModel", "Qwen2Model", "OPTModel", "MistralModel"])
def test_no_token_is_taken_for_padding_where_the_configuration_has_none(tmp_path, name):
    folder = save_any(tmp_path / name, name, pad_token_id=None)
    network = TRANSFORMER.build(at(folder), text_room())
    table = network.module.net.get_input_embeddings()
    assert table.padding_idx is None and table.weight[0].any()
    tokens = torch.tensor([[0, 5, 0, 7]])
    network.logits(network.module(tokens, torch.ones_like(tokens))).sum().backward()
    assert table.weight.grad[[0, 5]].any(dim=1).all() and not table.weight.grad[6].any()


def test_a_classifier_that_reads_padding_is_refused():
    sizes = {"emb_dim": 16, "n_layers": 2, "n_heads": 2}
    with pytest.raises(HarnessError, match="'xlm' reads what a text is padded with"):
        classifier("xlm", summary_type="mean", **sizes)
    assert classifier("xlm", **sizes).tail == ()


@pytest.mark.parametrize("kind", ["convbert", "fnet", "nystromformer", "yoso"])
def test_an_encoder_that_mixes_padding_into_a_text_is_refused(kind, monkeypatch):
    sizes = {"embedding_size": 16} if kind == "convbert" else {}
    with pytest.raises(HarnessError, match=f"'{kind}' reads what a text is padded with"):
        classifier(kind, **sizes)
    monkeypatch.setattr("harness_models.tails._MIXES_PADDING", set())
    module = classifier(kind, **sizes)
    alone = torch.cat([read(module, [text]) for text in TEXTS])
    assert not torch.isclose(read(module, TEXTS), alone, atol=1e-2).all()
