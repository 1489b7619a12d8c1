"""A model's own tokenizer over Arrow columns: chunk by chunk, truncation counted."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.api.data import InputSpec
from harness.api.errors import HarnessError
from harness.api.texts import Texts, Tokens
from harness_models.checkpoints import CONFIG, VOCABULARIES, hash_of_tokenizer, read_json
from harness_models.hub import missing

if TYPE_CHECKING:
    import numpy as np

CHUNK = 4096
"""Examples that are Python objects at one time."""

MOST_FIELDS = 2


class TokenizerReader:
    """Reads with the fast tokenizer of a folder; at most `longest` tokens of an example.

    Pairs lose tokens from the longer text first. `known` is how many tokens the model has
    embeddings of: a file of the tokenizer does not tell all that it may give.

    Raises:
        HarnessError: there is no such tokenizer, or it knows more tokens than the model.
    """

    def __init__(self, folder: Path, longest: int, known: int | None = None) -> None:
        self.fingerprint = hashlib.sha256(
            f"{hash_of_tokenizer(folder)} {longest} {_library()}".encode()
        ).hexdigest()
        self._longest = longest
        self._known = known
        self._folder = folder
        self._tokenizer = fast_tokenizer(folder)

    def read(self, texts: Texts) -> Tokens:
        """Tokens of every example.

        Raises:
            HarnessError: an example has no text, or no token, or one that the model does not
                know; or there are too many fields.
        """
        import numpy as np
        import torch

        check_fields(tuple(texts.columns))
        kept: dict[str, list[np.ndarray[Any, np.dtype[np.int32]]]] = {}
        lengths: list[int] = []
        cut = 0
        for chunk in _chunks(texts):
            read = self._tokenizer(
                *chunk, truncation=True, max_length=self._longest, return_attention_mask=False
            )
            cut += sum(bool(encoding.overflowing) for encoding in read.encodings)
            lengths += _lengths(read["input_ids"], len(lengths))
            for name, rows in read.items():
                kept.setdefault(name, []).append(np.fromiter(chain.from_iterable(rows), np.int32))
            self._check(kept["input_ids"][-1])
        offsets = np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)]).astype(np.int64)
        columns = {}
        for name in list(kept):  # one column after the other is held twice
            columns[name] = torch.from_numpy(np.concatenate(kept.pop(name)))
        return Tokens(
            columns=columns,
            offsets=torch.from_numpy(offsets),
            padding={"input_ids": self._padding()},
            cut=cut,
        )

    def _padding(self) -> int:
        """The token that pads; it is never looked at, but must have an embedding."""
        token: int = self._tokenizer.pad_token_id or 0
        return token if self._known is None or token < self._known else 0

    def _check(self, tokens: np.ndarray[Any, np.dtype[np.int32]]) -> None:
        if self._known is not None and int(tokens.max(initial=0)) >= self._known:
            raise _mismatch(int(tokens.max()), self._known, str(self._folder))


def text_of(inputs: Mapping[str, InputSpec], model: str) -> InputSpec:
    """The task's only input, which must be text of one or two fields.

    Raises:
        HarnessError: it is none.
    """
    spec = next(iter(inputs.values())) if len(inputs) == 1 else None
    if spec is None or spec.kind != "text":
        kinds = ", ".join(f"{name} ({spec.kind})" for name, spec in inputs.items())
        message = f"it takes text, but the data have {kinds}"
        raise HarnessError(message, where=f"model {model!r}")
    check_fields(spec.fields)
    return spec


def _library() -> str:
    """Another version of the library may read otherwise: what it has read is not taken over."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("tokenizers")
    except PackageNotFoundError:
        raise missing("transformers") from None


def check_fields(fields: tuple[str, ...]) -> None:
    """Raise where there are not one or two fields."""
    if not 1 <= len(fields) <= MOST_FIELDS:
        message = f"a model reads one text or a pair, but the data have {len(fields)} fields"
        raise HarnessError(message, fix=f"choose among {', '.join(fields)}")


def check_vocabulary(folder: Path, where: str) -> None:
    """Raise where there is no tokenizer, or one whose tokens the model has no embedding of.

    Looks at the files alone, as far as they tell.
    """
    check_files(folder)
    size, largest = vocabulary_size(folder), _largest(folder)
    if size is not None and largest is not None and largest >= size:
        raise _mismatch(largest, size, where)


def vocabulary_size(folder: Path) -> int | None:
    """How many tokens the model of a folder has embeddings of, if its configuration tells."""
    size = read_json(folder / CONFIG).get("vocab_size")
    return size if isinstance(size, int) else None


def _mismatch(token: int, size: int, where: str) -> HarnessError:
    return HarnessError(
        f"the tokenizer does not match the model: it gives token {token}, and the model has "
        f"embeddings of {size}",
        where=where,
    )


def check_files(folder: Path) -> None:
    """Raise where a folder holds no vocabulary: transformers would make up an empty one."""
    if not any(True for pattern in VOCABULARIES for _ in folder.glob(pattern)):
        names = ", ".join(VOCABULARIES)
        raise HarnessError(f"there is no tokenizer ({names})", where=str(folder))


def _largest(folder: Path) -> int | None:
    """The largest token of the vocabulary; tokens that only training adds are left out."""
    if not (folder / "tokenizer.json").is_file():
        return None
    vocabulary = (read_json(folder / "tokenizer.json").get("model") or {}).get("vocab")  # type: ignore[attr-defined]
    if isinstance(vocabulary, dict):
        return max(vocabulary.values(), default=None)
    return len(vocabulary) - 1 if isinstance(vocabulary, list) else None


def fast_tokenizer(folder: Path) -> Any:
    """The fast tokenizer of a folder (`Any`: transformers types it loosely).

    Raises:
        HarnessError: there is none.
    """
    check_files(folder)
    try:
        from transformers import AutoTokenizer
    except ImportError:
        raise missing("transformers") from None
    try:
        found = AutoTokenizer.from_pretrained(folder, use_fast=True, local_files_only=True)
    except (OSError, ValueError, KeyError, ImportError, json.JSONDecodeError) as error:
        reason = str(error).partition("\n")[0]
        raise HarnessError(f"there is no tokenizer: {reason}", where=str(folder)) from None
    if not found.is_fast:
        raise HarnessError("its tokenizer has no fast version", where=str(folder))
    return found


def _chunks(texts: Texts) -> Iterator[list[list[str]]]:
    for start in range(0, len(texts), CHUNK):
        chunk = []
        for name, column in texts.columns.items():
            part = column.slice(start, CHUNK)
            if part.null_count:
                at = start + part.is_null().to_pylist().index(True)
                raise HarnessError(f"example {at} has no {name}")
            chunk.append(part.to_pylist())
        yield chunk


def _lengths(rows: list[list[int]], before: int) -> list[int]:
    lengths = [len(row) for row in rows]
    if 0 in lengths:
        at = before + lengths.index(0)
        raise HarnessError(f"example {at} is empty: no token could be read")
    return lengths
