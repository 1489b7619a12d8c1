"""Folders as transformers saves them: a few words, a few thousand weights, drawn by seed."""

import json
from pathlib import Path

import pyarrow as pa
import torch

from harness.api.contexts import BuildRoom
from harness.api.data import InputSpec, Task
from harness.api.texts import Texts

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
