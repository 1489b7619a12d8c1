"""Pretrained weights of a checkpoint: everything but the head, nothing missing, nothing over."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from harness.api.errors import HarnessError
from harness_models.checkpoints import weight_files
from harness_models.origins import Place
from harness_models.quiet import quiet

if TYPE_CHECKING:
    from torch import Tensor

SHOWN = 3
"""Names of weights that an error lists."""


def brought(
    auto: Callable[[], Any], config: Any, place: Place, head: Sequence[str], *, offline: bool
) -> Mapping[str, Tensor]:
    """The state dict of a checkpoint without its head, with "net." before every name.

    `auto` gives the class of transformers that loads it (`AutoModelFor...`), `config` is that of
    the model as it is built, `head` holds the prefixes of its head's names. Heads of another kind
    in the checkpoint (masked language modelling) are left out.

    Raises:
        HarnessError: weights are missing, left over or of another shape; or cannot be read.
    """
    import torch

    folder = weight_files(place, offline=offline)[0].parent
    with torch.random.fork_rng(devices=[]), quiet():
        try:
            net, told = auto().from_pretrained(
                folder,
                config=config,
                dtype=torch.float32,
                local_files_only=True,
                output_loading_info=True,
                ignore_mismatched_sizes=True,
            )
        except Exception as error:  # every kind of file fails in ways of its own
            reason = str(error).strip().partition("\n")[0] or type(error).__name__
            raise HarnessError(f"its weights cannot be read: {reason}", where=str(place)) from None
    inner = tuple(prefix.removeprefix("net.") for prefix in head)
    lacking = [name for name in told["missing_keys"] if not name.startswith(inner)]
    shaped = [name for name, *_ in told["mismatched_keys"] if not name.startswith(inner)]
    _refuse("the checkpoint lacks", lacking, place)
    _refuse("the checkpoint has in another shape", shaped, place)
    _refuse("the checkpoint has more than the model:", _left_over(net, told, inner), place)
    weights = net.state_dict().items()
    return {f"net.{name}": tensor for name, tensor in weights if not name.startswith(inner)}


def _left_over(net: Any, told: Mapping[str, Iterable[str]], head: tuple[str, ...]) -> list[str]:
    """Weights of the checkpoint's body that the model has no place for."""
    base = net.base_model_prefix
    parts = {base, *(name for name, _ in getattr(net, base).named_children())}
    return [
        name
        for name in told["unexpected_keys"]
        if name.partition(".")[0] in parts and not name.startswith(head)
    ]


def _refuse(what: str, names: list[str], place: Place) -> None:
    if not names:
        return
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    pooled = all(".pooler." in name for name in names)
    raise HarnessError(
        f"{what} {', '.join(sorted(names)[:SHOWN])}{more}",
        where=str(place),
        fix="set `pooler: fresh` to draw it" if pooled else "is it of this architecture and size?",
    )
