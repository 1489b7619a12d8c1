"""Which tokens a small model of one's own reads: bytes, or those of a tokenizer that is there."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from harness.api.errors import HarnessError
from harness.api.settings import PathOrName, Settings, setting
from harness.api.texts import Reader
from harness_models.byte_reader import MASK, PAD, SPECIAL, TOKENS, ByteReader
from harness_models.checkpoints import hash_of_tokenizer
from harness_models.minilm import folder as minilm_folder
from harness_models.tokenizing import TokenizerReader, fast_tokenizer


class VocabularySettings(Settings):
    """How a model reads."""

    tokenizer: PathOrName = setting(
        "bytes", "`bytes`, `minilm`, or a folder (./name) with a tokenizer of transformers",
        identity=False,
    )  # fmt: skip
    longest: int = setting(128, "tokens kept of an example; the rest is cut off", ge=4)


@dataclass(frozen=True)
class Vocabulary:
    """Numbers of tokens, and which of them have a meaning of their own; `mask` is -1 for none."""

    tokens: int
    padding: int
    mask: int
    special: tuple[int, ...]


def vocabulary_of(settings: VocabularySettings) -> Vocabulary:
    """The tokens that the settings name."""
    folder = _folder(settings)
    if folder is None:
        return Vocabulary(TOKENS, PAD, MASK, SPECIAL)
    found = fast_tokenizer(folder)
    mask = -1 if found.mask_token_id is None else int(found.mask_token_id)
    special = tuple(sorted(found.all_special_ids))
    return Vocabulary(len(found), found.pad_token_id or 0, mask, special)


def reader_of(settings: VocabularySettings) -> Reader:
    """Reads texts into these tokens."""
    folder = _folder(settings)
    if folder is None:
        return ByteReader(settings.longest)
    return TokenizerReader(folder, settings.longest)


def fingerprint_of(settings: VocabularySettings) -> str:
    """Stands for the tokenizer's files; for bytes a word will do."""
    folder = _folder(settings)
    return "bytes" if folder is None else hash_of_tokenizer(folder)


def _folder(settings: VocabularySettings) -> Path | None:
    if settings.tokenizer == "bytes":
        return None
    if settings.tokenizer == "minilm":
        return minilm_folder()
    folder = Path(settings.tokenizer)
    if not (folder / "tokenizer.json").is_file():
        raise HarnessError(
            f"there is no tokenizer.json in {folder}",
            fix="name a folder with one, `minilm`, or `bytes`",
        )
    return folder
