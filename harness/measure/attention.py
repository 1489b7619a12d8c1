"""Attention logits of the blocks that a network names, before any softmax."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from harness.api.attention import Attention, AttentionLogits
from harness.api.contexts import Weights
from harness.api.errors import HarnessError
from harness.api.networks import Network
from harness.measure.data import Sample
from harness.measure.ledger import Ledger
from harness.measure.scene import Scene

MASK = "attention_mask"
COPIES = 3  # logits stand in memory so often while they are looked at


def attention_logits(
    scene: Scene, weights: Weights, sample: Sample, bytes_each: int, ledger: Ledger
) -> dict[str, AttentionLogits]:
    """Largest and mean logit per example, by block."""
    blocks = scene.network.attention
    if not blocks:
        raise HarnessError(
            "the model exposes no attention",
            fix="its `build` names it: Network(..., attention=(Attention(...), ...))",
        )
    ledger.forward(sample.size)
    held = dict(weights)
    found: dict[str, list[tuple[Tensor, Tensor]]] = {block.name: [] for block in blocks}
    with torch.no_grad():
        for batch in sample.batches(max(1, scene.budget.batch // bytes_each)):
            with _caught(scene.network) as caught:
                scene.outputs(held, batch.inputs)
            for block in blocks:
                mask = batch.inputs.get(MASK)
                found[block.name].append(_block(block, caught, mask, scene.budget.batch))
    return {
        name: AttentionLogits(*(torch.cat(part) for part in zip(*parts, strict=True)))
        for name, parts in found.items()
    }


@contextmanager
def _caught(network: Network) -> Iterator[Mapping[str, list[Tensor]]]:
    """What the modules that make queries and keys give, call by call."""
    names = {name for block in network.attention for name in (block.query, block.key)}
    caught: dict[str, list[Tensor]] = {name: [] for name in names}
    hooks = []
    try:
        for name in sorted(names):
            part = _module(network.module, name)
            hooks.append(part.register_forward_hook(_keep(name, caught[name])))
        yield caught
    finally:
        for hook in hooks:
            hook.remove()


def _module(module: nn.Module, name: str) -> nn.Module:
    try:
        return module.get_submodule(name)
    except AttributeError as error:
        raise HarnessError(f"the model's attention names {name!r}, which it has not") from error


def _keep(name: str, kept: list[Tensor]) -> Callable[[nn.Module, object, object], None]:
    def hook(module: nn.Module, inputs: object, output: object) -> None:
        if not isinstance(output, Tensor) or output.ndim != 3:
            raise HarnessError(f"attention: {name!r} gives no [batch, positions, heads x d]")
        kept.append(output.clone())

    return hook


def _block(
    block: Attention, caught: Mapping[str, list[Tensor]], mask: Tensor | None, budget: int
) -> tuple[Tensor, Tensor]:
    """Largest and mean logit [b] of a block; of all its calls, where a model repeats it."""
    calls = list(zip(caught[block.query], caught[block.key], strict=True))
    if not calls:
        raise HarnessError(f"attention: {block.query!r} and {block.key!r} did not run")
    largest, means = zip(*(_call(block, *call, mask, budget) for call in calls), strict=True)
    return torch.stack(largest).amax(0), torch.stack(means).mean(0)


def _call(
    block: Attention, query: Tensor, key: Tensor, mask: Tensor | None, budget: int
) -> tuple[Tensor, Tensor]:
    queries, keys = _heads(block, query, key)  # [b, heads, s, d] and [b, heads, t, d]
    count, heads, places, size = queries.shape
    scale = size**-0.5 if block.scale is None else block.scale
    each = COPIES * heads * places * keys.shape[2] * queries.element_size()
    parts = []
    for start in range(0, count, max(1, budget // each)):
        some = slice(start, start + max(1, budget // each))
        logits = scale * queries[some] @ keys[some].transpose(-1, -2)
        may = _may_look(block, logits, None if mask is None else mask[some])
        pairs = may.expand_as(logits).sum((1, 2, 3), dtype=torch.float64)
        total = logits.masked_fill(~may, 0.0).sum((1, 2, 3), dtype=torch.float64)
        top = logits.masked_fill(~may, -torch.inf).amax((1, 2, 3)).double()
        parts.append((torch.where(pairs > 0, top, torch.nan).cpu(), (total / pairs).cpu()))
    largest, means = zip(*parts, strict=True)
    return torch.cat(largest), torch.cat(means)


def _heads(block: Attention, query: Tensor, key: Tensor) -> tuple[Tensor, Tensor]:
    size, left = divmod(query.shape[-1], block.heads)
    if left or key.shape[-1] % size or block.heads % (key.shape[-1] // size):
        raise HarnessError(
            f"attention {block.name!r}: {block.heads} heads do not fit queries of "
            f"{query.shape[-1]} and keys of {key.shape[-1]} numbers"
        )
    wide = torch.promote_types(query.dtype, torch.float32)
    queries, keys = (
        torch.unflatten(x, -1, (-1, size)).transpose(1, 2).to(wide) for x in (query, key)
    )
    return queries, keys.repeat_interleave(block.heads // keys.shape[1], dim=1)


def _may_look(block: Attention, logits: Tensor, mask: Tensor | None) -> Tensor:
    """Which pairs count, to be broadcast to [b, heads, s, t]."""
    count, _, places, others = logits.shape
    may = torch.ones(count, 1, places, others, dtype=torch.bool, device=logits.device)
    if block.causal:
        may = may.tril(others - places)
    if mask is None:
        return may
    if mask.ndim == 2:  # padding neither looks nor is looked at
        real = mask != 0
        if len(real[0]) == others:
            may = may & real[:, None, None, :]
        if len(real[0]) == places:
            may = may & real[:, None, :, None]
        return may
    if mask.dtype != torch.bool or mask.ndim != 4:
        raise HarnessError(f"attention: `{MASK}` is neither [batch, positions] nor boolean")
    return may & mask
