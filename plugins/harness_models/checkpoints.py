"""Which files stand for a model at a pretraining seed: a folder, or a repository at a commit."""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path

from harness.api.errors import HarnessError
from harness.api.offers import Source
from harness.api.settings import PathOrName, Settings, setting
from harness_models.origins import Origin, Place

CONFIG = "config.json"
DESCRIPTION = (
    CONFIG, "tokenizer*", "special_tokens_map.json", "added_tokens.json", "vocab*", "merges.txt",
    "*.model", "preprocessor_config.json",
)  # fmt: skip
"""What says how a model is built and how it reads."""

VOCABULARIES = ("tokenizer.json", "vocab.*", "*.model")
"""What a model that reads text cannot do without, one of them."""

WEIGHTS = (
    ("model.safetensors", "model.safetensors.index.json", "model-*.safetensors"),
    ("pytorch_model.bin", "pytorch_model.bin.index.json", "pytorch_model-*.bin"),
)
"""Where weights lie, the best kind first."""

_VOLATILE = {"_name_or_path", "transformers_version", "torch_dtype", "dtype", "architectures"}
"""What a configuration says that does not change the model."""


class CheckpointSettings(Settings):
    """Where a model's files lie."""

    checkpoint: PathOrName | tuple[PathOrName, ...] = setting(
        ..., "a model of the hub (owner/name) or a folder (./name), or one per pretraining seed in "
        "a list; {seed} stands for the pretraining seed, {step} for `step`", identity=False,
    )  # fmt: skip
    revision: str | tuple[str, ...] = setting(
        "", "commit of the hub (or one per pretraining seed in a list); by default the one that "
        "the main branch stands for, which is recorded", identity=False,
    )  # fmt: skip
    step: int | None = setting(None, "what {step} in the checkpoint's name stands for", ge=0)
    config: PathOrName = setting(
        "", "where configuration and tokenizer come from, if not from the checkpoint of "
        "pretraining seed 0", identity=False,
    )  # fmt: skip


def origin_of(settings: CheckpointSettings, seed: int) -> Origin:
    """Where the checkpoint of a pretraining seed is said to lie; asks no network.

    Raises:
        HarnessError: there is none for this seed.
    """
    name = _of_seed(settings.checkpoint, seed, "checkpoint")
    if "{step}" in name and settings.step is None:
        raise HarnessError(f"the checkpoint {name} wants a step", fix="set `step`")
    if settings.step is not None and "{step}" not in name:
        raise HarnessError(f"`step` is set, but the checkpoint {name} has no {{step}}")
    named = name.replace("{seed}", str(seed)).replace("{step}", str(settings.step))
    return Origin(named, _of_seed(settings.revision, seed, "revision"))


def description_origin(settings: CheckpointSettings) -> Origin:
    """Where the configuration and the tokenizer are said to lie."""
    return Origin(settings.config) if settings.config else origin_of(settings, 0)


def description_of(
    settings: CheckpointSettings, *, reads: bool = False, offline: bool = False
) -> Path:
    """The folder with the configuration and, of a model that reads text, the tokenizer.

    Raises:
        HarnessError: it has no configuration.
    """
    place = description_origin(settings).place()
    whole = described_with_tokenizer if reads else described
    folder = place.folder(DESCRIPTION, whole, offline=offline)
    if folder is None or not (folder / CONFIG).is_file():
        raise HarnessError(f"there is no {CONFIG}", where=str(place), fix=_FIX)
    return folder


def described(folder: Path) -> bool:
    """Whether a folder has a configuration."""
    return (folder / CONFIG).is_file()


def described_with_tokenizer(folder: Path) -> bool:
    """Whether a folder has a configuration and a vocabulary."""
    return described(folder) and any(True for p in VOCABULARIES for _ in folder.glob(p))


def source_of(settings: CheckpointSettings, seed: int) -> Source:
    """The checkpoint of a pretraining seed: its commit, or the hash of its files of weights."""
    place = origin_of(settings, seed).place()
    if place.commit:
        return Source(str(place), place.commit)
    return Source(str(place), _hash_of(weight_files(place)))


def weight_files(place: Place, *, offline: bool = False) -> list[Path]:
    """The files that hold the weights.

    Raises:
        HarnessError: there are none.
    """
    kinds: tuple[tuple[str, ...], ...] = WEIGHTS
    if place.commit:  # what the cache has is taken: older repositories lack the best kind
        kinds = tuple(sorted(WEIGHTS, key=lambda kind: not place.here(partial(weighed, kind))))
    for wanted in kinds:
        folder = place.folder(wanted, partial(weighed, wanted), offline=offline)
        if folder is not None:
            found = {path for pattern in wanted for path in folder.glob(pattern)}
            return sorted(path for path in found if path.is_file())
    names = " or ".join(wanted[0] for wanted in WEIGHTS)
    raise HarnessError(f"there are no weights ({names})", where=str(place))


def weighed(kind: Sequence[str], folder: Path) -> bool:
    """Whether a folder has weights of a kind, all shards of them."""
    single, index, _ = kind
    if (folder / single).is_file() or not (folder / index).is_file():
        return (folder / single).is_file()
    shards = read_json(folder / index).get("weight_map")
    return isinstance(shards, dict) and all((folder / name).is_file() for name in shards.values())


def hash_of_description(folder: Path) -> str:
    """Stands for configuration and tokenizer, whatever they are called and wherever they lie."""
    config = {
        name: value for name, value in read_json(folder / CONFIG).items() if name not in _VOLATILE
    }
    digest = hashlib.sha256(json.dumps(config, sort_keys=True).encode())
    digest.update(hash_of_tokenizer(folder).encode())
    return digest.hexdigest()


def hash_of_tokenizer(folder: Path) -> str:
    """Stands for the files that say how a model reads."""
    patterns = [pattern for pattern in DESCRIPTION if pattern != CONFIG]
    found = {path for pattern in patterns for path in folder.glob(pattern)}
    files = sorted(path for path in found if path.is_file())
    digest = hashlib.sha256()
    for path in files:
        digest.update(f"{path.name} {hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return digest.hexdigest()


def read_json(path: Path) -> dict[str, object]:
    """A JSON table.

    Raises:
        HarnessError: it is none.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise HarnessError(f"cannot be read as JSON: {error}", where=str(path)) from None
    if not isinstance(found, dict):
        raise HarnessError("is no JSON table", where=str(path))
    return found


_FIX = "name a folder that transformers saved, or a model of the hub; set `config` to another one"


def _of_seed(values: str | tuple[str, ...], seed: int, what: str) -> str:
    if isinstance(values, str):
        return values
    if seed >= len(values):
        raise HarnessError(
            f"pretraining seed {seed} has no {what}: the list has {len(values)}, from seed 0 on"
        )
    return values[seed]


def _hash_of(files: Iterable[Path]) -> str:
    hashes = [_hashed(path, path.stat().st_size, path.stat().st_mtime_ns) for path in files]
    return hashes[0] if len(hashes) == 1 else hashlib.sha256("".join(hashes).encode()).hexdigest()


@functools.cache
def _hashed(path: Path, _size: int, _changed: int) -> str:
    """The hash of a file's bytes, read once for every state of the file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
