"""Folders as transformers saves them: a few words, a few thousand weights, drawn by seed."""

import json
from pathlib import Path

import pyarrow as pa
import torch
from safetensors.torch import load_file, save_file

from harness.api.contexts import BuildRoom
from harness.api.data import DataRoom, InputSpec, Task
from harness.api.texts import Texts
from harness_models.transformer import TRANSFORMER, TransformerSettings

WORDS = [
    "the", "a", "cat", "dog", "sat", "ran", "on", "under", "mat",
    "tree", "quickly", "not", "good", "bad", "film", "was", ",", ".",
]  # fmt: skip
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
SIZES = {
    "vocab_size": len(SPECIAL) + len(WORDS),
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 24,
    "max_position_embeddings": 40,
}


def save_tokenizer(folder: Path, words=WORDS):
    """A lower-case word tokenizer, as BERT's."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    vocabulary = {word: place for place, word in enumerate([*SPECIAL, *words])}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]",
        sep_token="[SEP]", mask_token="[MASK]",
        model_input_names=["input_ids", "token_type_ids", "attention_mask"],
    )  # fmt: skip
    fast.save_pretrained(folder)


def save_bert(folder: Path, seed=0, kind="BertForPreTraining", **sizes):
    """A BERT with its tokenizer; gives the folder."""
    import transformers

    config = transformers.BertConfig(**{**SIZES, **sizes})
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        net = getattr(transformers, kind)(config)
    net.save_pretrained(folder)
    save_tokenizer(folder)
    return folder


TINY = {
    "gpt2": {"n_embd": 16, "n_layer": 2, "n_head": 2, "n_positions": 40},
    "gpt_neo": {"num_layers": 2, "num_heads": 2, "attention_types": [[["global", "local"], 1]]},
    "llama": {"num_key_value_heads": 1},
    "mistral": {"num_key_value_heads": 1},
    "qwen2": {"num_key_value_heads": 1},
    "qwen3": {"num_key_value_heads": 1, "head_dim": 8},
    "opt": {"ffn_dim": 24, "word_embed_proj_dim": 16},
    "albert": {"embedding_size": 8},
    "xlnet": {"d_model": 16, "n_layer": 2, "n_head": 2, "d_inner": 24, "vocab_size": 23},
    "xlm": {"emb_dim": 16, "n_layers": 2, "n_heads": 2, "vocab_size": 23},
}
"""Sizes of architectures that call them otherwise, by `model_type`."""


def save_any(folder: Path, kind: str, **sizes):
    """A model by the name of its class, with BERT's tokenizer; gives the folder."""
    import transformers

    known = getattr(transformers, kind).config_class
    ends = {"pad_token_id": 0, "bos_token_id": 2, "eos_token_id": 3}
    common = {} if known.model_type in ("xlnet", "xlm") else SIZES
    config = known(**{**common, **ends, **TINY.get(known.model_type, {}), **sizes})
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(0)
        net = getattr(transformers, kind)(config)
    net.save_pretrained(folder)
    save_tokenizer(folder)
    return folder


def edit_json(path: Path, **fields):
    """Change fields of a JSON file."""
    path.write_text(json.dumps({**json.loads(path.read_text()), **fields}))


def text_room(*fields, classes=2, kind="classification", seed=0):
    """The room that a model of text is built in."""
    spec = InputSpec((), "text", fields=fields or ("sentence",))
    task = Task(kind, tuple(f"class-{place}" for place in range(classes)))
    generator = torch.default_generator.manual_seed(seed)
    return BuildRoom(task, {"text": spec}, generator)


def texts(**columns):
    """Texts from lists of strings, in two Arrow chunks each."""
    return Texts({n: pa.chunked_array([v[:1], v[1:]], pa.string()) for n, v in columns.items()})


def padded(tokens, length=None):
    """All examples of `Tokens` as the engine pads them: what a module is called with."""
    sizes = tokens.offsets.diff()
    width = length or int(sizes.max())
    batch = {"attention_mask": (torch.arange(width) < sizes[:, None]).long()}
    for name, column in tokens.columns.items():
        rows = torch.full((len(tokens), width), tokens.padding.get(name, 0))
        for place, start in enumerate(tokens.offsets[:-1].tolist()):
            rows[place, : sizes[place]] = column[start : start + sizes[place]].long()
        batch[name] = rows
    return batch


def at(folder, **settings):
    """Settings of a model in a folder."""
    return TransformerSettings(checkpoint=str(folder), **{"longest": 32, **settings})


def loaded(folder, tmp_path, **settings):
    """The weights that a model in a folder brings."""
    chosen = at(folder, **settings)
    name = TRANSFORMER.pretrained.source(chosen, 0).name
    return TRANSFORMER.pretrained.load(chosen, name, DataRoom(tmp_path, offline=True))


def changed(folder, change):
    """Weights as `change` leaves them."""
    stored = load_file(folder / "model.safetensors")
    change(stored)
    save_file(stored, folder / "model.safetensors", metadata={"format": "pt"})
