"""Texts read once by a model's tokenizer, and kept on disk for whoever reads them again."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from pathlib import Path

import torch
from filelock import FileLock
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from harness.api.errors import HarnessError
from harness.api.texts import Reader, Texts, Tokens
from harness.store.disk import plain_refusals

FOLDER = "tokens"
OFFSETS = "offsets"
FACTS = "facts"


def read_tokens(texts: Texts, reader: Reader, identity: str, cache: Path) -> Tokens:
    """The tokens of the texts that `identity` stands for; a second time from the cache.

    Processes that want the same wait for the one that reads.
    """
    name = hashlib.sha256(f"{reader.fingerprint}\n{identity}".encode()).hexdigest()[:32]
    path = cache / FOLDER / f"{name}.safetensors"
    with plain_refusals(path):
        known = _stored(path)
        if known is not None:
            return known
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(path.with_suffix(".lock")):
            known = _stored(path)
            if known is None:
                for left in path.parent.glob(f".{path.name}.*"):  # by one that was killed
                    left.unlink(missing_ok=True)
                _store(path, _checked(reader.read(texts), texts))
                known = _stored(path)
    if known is None:
        raise HarnessError("tokens that were just written cannot be read", where=str(path))
    return known


def _checked(tokens: Tokens, texts: Texts) -> Tokens:
    """What any reader has to keep to."""
    total = int(tokens.offsets[-1]) if len(tokens.offsets) else -1
    wrong = [name for name, column in tokens.columns.items() if tuple(column.shape) != (total,)]
    if len(tokens) != len(texts) or wrong or not tokens.columns:
        raise HarnessError(
            f"the model's reader gives {len(tokens)} sequences for {len(texts)} texts, "
            f"or columns of other lengths ({', '.join(wrong) or 'none'})",
            fix="tell its author",
        )
    if bool((tokens.offsets.diff() < 1).any()):
        place = int((tokens.offsets.diff() < 1).long().argmax())
        raise HarnessError(
            f"the model's reader makes no token of example {place}", fix="remove empty texts"
        )
    return tokens


def _store(path: Path, tokens: Tokens) -> None:
    facts = {FACTS: json.dumps({"padding": dict(tokens.padding), "cut": tokens.cut})}
    tensors: dict[str, Tensor] = {
        name: column.to(torch.int32).contiguous() for name, column in tokens.columns.items()
    }
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        save_file({**tensors, OFFSETS: tokens.offsets.long().contiguous()}, temporary, facts)
        temporary.replace(path)
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()


def _stored(path: Path) -> Tokens | None:
    """The tokens, their columns mapped from the file; None where there are none to be read."""
    try:
        with safe_open(path, framework="pt") as file:
            facts = json.loads((file.metadata() or {})[FACTS])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        offsets = tensors.pop(OFFSETS)
        return Tokens(tensors, offsets, dict(facts["padding"]), int(facts["cut"]))
    except (FileNotFoundError, SafetensorError, KeyError, ValueError):
        return None  # not there, or cut short: it is read anew
