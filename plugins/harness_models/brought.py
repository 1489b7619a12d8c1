"""Pretrained weights of a checkpoint: everything but the head, nothing missing, nothing over."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from harness.api.errors import HarnessError
from harness_models.checkpoints import WEIGHTS, weighed, weight_files
from harness_models.origins import Place
from harness_models.quiet import quiet

if TYPE_CHECKING:
    from torch import Tensor

FIX = "is it of this architecture and size?"

SHOWN = 3
"""Names of weights that an error lists."""

_NO_WEIGHTS = (
    ".attn.bias", ".attn.masked_bias", ".attention.bias", ".attention.masked_bias",
    ".rotary_emb.inv_freq", ".embeddings.position_ids", ".embeddings.token_type_ids",
)  # fmt: skip
"""Masks, frequencies and positions that older versions of transformers wrote beside the weights."""


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint, and the model that it is to fill.

    `auto` gives the class of transformers that loads it (`AutoModelFor...`), `config` is that of
    the model as it is built, `head` holds the prefixes of its head's names.
    """

    auto: Callable[[], Any]  # transformers' classes share no type for this, nor for the next
    config: Any
    place: Place
    head: tuple[str, ...]


def brought(checkpoint: Checkpoint, *, offline: bool) -> Mapping[str, Tensor]:
    """The state dict of a checkpoint without its head, with "net." before every name.

    Heads of another kind in the checkpoint (masked language modelling) are left out.

    Raises:
        HarnessError: weights are missing, left over or of another shape; or cannot be read.
    """
    net = _filled(checkpoint, offline=offline)
    weights = {f"net.{name}": tensor for name, tensor in net.state_dict().items()}
    return {name: weights[name] for name in weights if not name.startswith(checkpoint.head)}


def check_fit(checkpoint: Checkpoint) -> None:
    """Raise where a checkpoint does not fill the model; only names and shapes are read.

    Of one that is not on this machine yet nothing can be told, nor without `accelerate`, by which
    transformers makes a model without weights.

    Raises:
        HarnessError: weights are missing, left over or of another shape; or cannot be read.
    """
    place = checkpoint.place
    here = not place.commit or any(place.here(partial(weighed, kind)) for kind in WEIGHTS)
    if here and find_spec("accelerate") is not None:
        _filled(checkpoint, offline=True, device="meta")


def _filled(checkpoint: Checkpoint, *, offline: bool, device: str | None = None) -> Any:
    """The model of transformers, filled; "meta" stands for names and shapes without weights."""
    import torch

    place = checkpoint.place
    folder = weight_files(place, offline=offline)[0].parent
    with torch.random.fork_rng(devices=[]), quiet():
        try:
            net, told = checkpoint.auto().from_pretrained(
                folder,
                config=checkpoint.config,
                dtype=torch.float32,
                device_map=device,
                local_files_only=True,
                output_loading_info=True,
                ignore_mismatched_sizes=True,
            )
        except Exception as error:  # every kind of file fails in ways of its own
            reason = str(error).strip().partition("\n")[0] or type(error).__name__
            raise HarnessError(f"its weights cannot be read: {reason}", where=str(place)) from None
    inner = tuple(prefix.removeprefix("net.") for prefix in checkpoint.head)
    lacking = [name for name in told["missing_keys"] if not name.startswith(inner)]
    shaped = [name for name, *_ in told["mismatched_keys"] if not name.startswith(inner)]
    pooled = all(".pooler." in name for name in lacking + shaped)
    fix = "set `pooler: fresh` to draw it" if pooled else FIX
    _refuse("the checkpoint lacks", lacking, place, fix)
    _refuse("the checkpoint has in another shape", shaped, place, fix)
    _refuse("the checkpoint has more than the model:", _left_over(net, told, inner), place)
    return net


def _left_over(net: Any, told: Mapping[str, Iterable[str]], head: tuple[str, ...]) -> list[str]:
    """Weights of the checkpoint's body that the model has no place for.

    A pooler is none of them where the classifier is made without one, as RoBERTa's is.
    """
    base = net.base_model_prefix
    body = getattr(net, base)
    parts = {base, *(name for name, _ in body.named_children())}
    if getattr(body, "pooler", None) is None:
        head = (*head, "pooler.", f"{base}.pooler.")
    return [
        name
        for name in told["unexpected_keys"]
        if name.partition(".")[0] in parts
        and not name.startswith(head)
        and not name.endswith(_NO_WEIGHTS)
    ]


def _refuse(what: str, names: list[str], place: Place, fix: str = FIX) -> None:
    if not names:
        return
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    shown = ", ".join(sorted(names)[:SHOWN])
    raise HarnessError(f"{what} {shown}{more}", where=str(place), fix=fix)
