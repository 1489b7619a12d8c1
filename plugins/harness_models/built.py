"""Models of transformers as networks: built from a configuration, filled from a checkpoint."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from harness.api.contexts import BuildRoom
from harness.api.errors import HarnessError
from harness.api.networks import Network
from harness_models.blocks import (
    Block,
    attention_of,
    blocks_of,
    layers_of,
    stream_end,
    symmetries_of,
)
from harness_models.brought import Checkpoint
from harness_models.hub import missing
from harness_models.origins import Place
from harness_models.quiet import quiet
from harness_models.tokenizing import text_of

if TYPE_CHECKING:
    from pathlib import Path

    from harness_models.transformer import TextSettings

POOLER = "pooler."

_ITS_OWN_MASKS = "transformers makes the masks of {!r} from the data"


def text_network(name: str, settings: TextSettings, folder: Path, room: BuildRoom) -> Network:
    """A classifier for the task, its weights drawn from the room.

    Raises:
        HarnessError: the task is language, or the folder describes no such model.
    """
    from harness_models.explicit import TextClassifier

    where = f"model {name!r}"
    text_of(room.inputs, name)
    if room.task.kind == "language":
        message = f"it predicts labels or numbers; it cannot be trained on {room.task.kind!r}"
        raise HarnessError(message, where=where, fix="tiny-bert and tiny-lm learn language")
    net = _drawn(_config(settings, folder, len(room.task.classes)), where)
    body, prefix = getattr(net, net.base_model_prefix), f"net.{net.base_model_prefix}."
    blocks = blocks_of(body, prefix)
    again = again_of(blocks, net.config.model_type, asked=settings.gradient_checkpointing)
    module = TextClassifier(net, [block.module for block in blocks])
    why_not = "" if module.family.known else _ITS_OWN_MASKS.format(net.config.model_type)
    return Network(
        module,
        head=head_of(net, pooled=settings.pooler == "fresh"),
        features=tuple(f"blocks.{place}" for place in range(len(blocks))),
        attention=attention_of(body, blocks),
        symmetries=symmetries_of(body, prefix, module, stream_end(net, prefix)),
        stackable=not why_not,
        why_not_stackable=why_not,
        layers=layers_of(body, prefix, blocks),
        recomputed=again,
    )


def text_checkpoint(settings: TextSettings, folder: Path, place: Place) -> Checkpoint:
    """A checkpoint by the names of `text_network`'s module, and what its head is."""
    import torch

    config = _config(settings, folder, 2)
    with torch.device("meta"):
        head = head_of(_drawn(config, str(folder)), pooled=settings.pooler == "fresh")
    return Checkpoint(_classifier, config, place, head)


def _classifier() -> Any:
    from transformers import AutoModelForSequenceClassification

    return AutoModelForSequenceClassification


def _config(settings: TextSettings, folder: Path, classes: int) -> Any:
    return settled(read_config(folder), settings, classes, str(folder))


def read_config(folder: Path) -> Any:
    """The configuration of a folder (`Any`: every architecture has a class of its own).

    Raises:
        HarnessError: transformers does not know it, or is not installed.
    """
    try:
        from transformers import AutoConfig
    except ImportError:
        raise missing("transformers") from None
    with quiet():
        try:
            return AutoConfig.from_pretrained(folder, local_files_only=True)
        except (OSError, ValueError, KeyError) as error:
            reason = str(error).strip().partition("\n")[0]
            message = f"its configuration cannot be used: {reason}"
            raise HarnessError(message, where=str(folder)) from None


def with_dropout(config: Any, dropout: float | None) -> Any:
    """The configuration with every dropout rate that it has set to one.

    A rate that it leaves open (BERT's `classifier_dropout`) follows one of the others.
    """
    for name, value in config.to_dict().items() if dropout is not None else ():
        named = "dropout" in name or name.endswith("pdrop")
        if named and isinstance(value, int | float) and not isinstance(value, bool):
            setattr(config, name, dropout)
    return config


def again_of(blocks: Sequence[Block], kind: str, *, asked: bool) -> tuple[str, ...]:
    """The blocks to compute again in the backward pass, if that is asked for.

    Raises:
        HarnessError: it is, and the architecture (`kind`) has no blocks that are known.
    """
    if asked and not blocks:
        message = f"the blocks of {kind!r} are not known, and so cannot be computed again"
        raise HarnessError(message, fix="leave out `gradient_checkpointing`")
    return tuple(block.name for block in blocks) if asked else ()


def settled(config: Any, settings: TextSettings, classes: int, where: str) -> Any:
    """A configuration with what the settings and the task say."""
    from harness_models.explicit import longest_of

    most = longest_of(config)
    if most is not None and settings.longest > most:
        message = f"it has positions for {most} tokens, and `longest` is {settings.longest}"
        raise HarnessError(message, where=where)
    config.num_labels = classes
    config._attn_implementation = settings.attention
    return with_dropout(config, settings.dropout)


def body_of(kind: str, config: dict[str, Any], attention: str) -> Any:
    """A body of transformers from a configuration, its weights drawn; without a pooler.

    Raises:
        HarnessError: transformers is not installed.
    """
    try:
        from transformers import AutoConfig, AutoModel
    except ImportError:
        raise missing("transformers") from None
    with quiet():
        settled = AutoConfig.for_model(kind, **config, attn_implementation=attention)
        more = {"add_pooling_layer": False} if kind == "bert" else {}
        return AutoModel.from_config(settled, **more)


def _drawn(config: Any, where: str) -> Any:
    import torch

    with quiet():
        try:
            return _classifier().from_config(config, dtype=torch.float32)
        except (ValueError, ImportError) as error:
            if config._attn_implementation == "sdpa" and "scaled_dot_product" in str(error):
                message = f"{config.model_type!r} cannot compute attention by `sdpa`"
                raise HarnessError(message, where=where, fix="set `attention: eager`") from None
            reason = str(error).strip().partition("\n")[0]
            raise HarnessError(f"no classifier can be made: {reason}", where=where) from None


def head_of(net: Any, *, pooled: bool) -> tuple[str, ...]:
    """Prefixes of what stands outside the body, and of its pooler if that belongs to the head."""
    base = net.base_model_prefix
    parts = [
        f"net.{name}."
        for name, part in net.named_children()
        if name != base and any(True for _ in part.parameters())
    ]
    if pooled and getattr(getattr(net, base), POOLER[:-1], None) is not None:
        parts.append(f"net.{base}.{POOLER}")
    return tuple(parts)
