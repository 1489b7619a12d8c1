"""The weights that a model brings along: where they are, and how they are loaded."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor

    from harness.api.data import DataRoom


@dataclass(frozen=True)
class Source:
    """Weights that a model brings along: a name to load them by, and the hash of their bytes."""

    name: str
    fingerprint: str


@dataclass(frozen=True, kw_only=True)
class Pretrained:
    """The weights that a model brings along, where it was pretrained by others.

    `source(settings, seed)` says which stand for a pretraining seed, without loading them (a
    checkpoint's folder or pinned revision); it raises `HarnessError` where there are none. A model
    with one checkpoint gives the same source for every seed. `load(settings, name, room)` gives the
    module's state dict; what it leaves out has to belong to the head, which is drawn afresh.

    `check(settings, name, room)` raises `HarnessError` where these weights do not fit the model. It
    is asked of all of them before anything is trained, and by `seedscape check`: it has to be fast,
    should load nothing, and say nothing of weights that are not on this machine.
    """

    source: Callable[[Any, int], Source]
    load: Callable[[Any, str, DataRoom], Mapping[str, Tensor]]
    check: Callable[[Any, str, DataRoom], None] | None = None
