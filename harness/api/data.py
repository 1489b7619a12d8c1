"""What a dataset says of itself (without loading anything) and what it gives when it is loaded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor

    from harness.api.texts import Texts


@dataclass(frozen=True)
class Task:
    """What is predicted: decides the loss family and what scores can be computed.

    "regression" predicts one number: `classes` holds its name, the logits are [batch, 1] and the
    loss is the squared error. "language" is text without labels, which a model can be pretrained
    on: it has no classes, and what is predicted is the text itself (`Network.language`). Its
    targets are zeros.
    """

    kind: Literal["classification", "regression", "language"]
    classes: tuple[str, ...]


@dataclass(frozen=True)
class InputSpec:
    """One named input of the model: shape of one example and how it becomes a float.

    `image` inputs are stored as uint8 [n, channels, height, width]; the engine hands the model
    `(x / 255 - mean) / std` per channel. `float` inputs are handed on as they are. `text` inputs
    have the shape () and name their `fields` in order; the model's own reader makes tokens of them.
    """

    shape: tuple[int, ...]
    kind: Literal["image", "float", "text"] = "image"
    mean: tuple[float, ...] = (0.0,)
    std: tuple[float, ...] = (1.0,)
    fields: tuple[str, ...] = ()


@dataclass(frozen=True)
class OodOutline:
    """An OOD split before it is loaded: its kind of shift, its ID parent, its size if known."""

    shift: str
    parent: str
    examples: int | None = None


@dataclass(frozen=True)
class Outline:
    """A dataset before it is loaded; making one imports nothing heavy. Sizes are None if unknown.

    `id` maps the names of the in-domain evaluation splits (`val`, `test`) to their sizes. `notes`
    are lines on what is strange and yet no fault; `seedscape check` tells them.
    """

    task: Task
    inputs: Mapping[str, InputSpec]
    train: int | None
    id: Mapping[str, int | None]
    ood: Mapping[str, OodOutline] = field(default_factory=dict)
    groups: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Split:
    """Examples of one split, as CPU tensors.

    `inputs[name]` has the example as its first dimension, or is text; `targets` is int64 [n]
    (float32 [n] in regression); `groups` is int64 [n] (an index into the outline's `groups`), or
    None.
    """

    inputs: Mapping[str, Tensor | Texts]
    targets: Tensor
    groups: Tensor | None = None


@dataclass(frozen=True)
class Splits:
    """A loaded dataset; the names agree with its outline."""

    train: Split
    id: Mapping[str, Split]
    ood: Mapping[str, Split] = field(default_factory=dict)


@dataclass(frozen=True)
class DataRoom:
    """What a dataset may use while loading: a folder for its cache; whether to stay offline."""

    cache: Path
    offline: bool
