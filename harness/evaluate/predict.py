"""From stored weights to predictions on one split."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from harness.api.cells import Cell, EvaluateWork
from harness.api.errors import HarnessError
from harness.compute.calling import called
from harness.compute.device import autocast
from harness.evaluate.predictions import Predictions

if TYPE_CHECKING:
    from harness.api.cells import SplitUse
    from harness.compute.workbench import Workbench

BATCH = 512
TOKENS = (4096, 131072)  # padded tokens at once: on a CPU few enough for its caches


def predict(cell: Cell, bench: Workbench) -> Predictions:
    """Predictions of the cell's only parent on the cell's split, in evaluation mode.

    The network is the workbench's shared one; the parent's weights are put in its place for each
    call and nothing is changed but its mode. bfloat16 applies to the pass, the logits are float32.
    """
    work = cell.work
    if not isinstance(work, EvaluateWork):
        raise TypeError(f"an evaluate cell is needed, not {cell.stage}")
    network = bench.blank(work.model, work.train)
    split = bench.split(work.split, cell.limit, work.model).seen_as(
        bench.outline(work.train).inputs
    )
    weights = bench.weights(cell.parents[0])
    network.module.eval()
    parts, places = [], []
    everything = torch.arange(len(split))
    # Not inference mode: the split keeps its floats, and others take gradients through them.
    with torch.no_grad(), autocast(cell.precision, bench.device):
        for where in split.batches(BATCH, TOKENS[bench.device.type != "cpu"]):
            output = called(network.module, weights, split.model_inputs(where))
            parts.append(network.logits(output).float())
            places.append(everything[where])
        logits = torch.cat(parts) if parts else torch.empty(0, _classes(work.train, bench))
    if logits.ndim != 2 or logits.shape[1] != _classes(work.train, bench):
        raise HarnessError(
            f"expected logits [n, {_classes(work.train, bench)}], got {list(logits.shape)}",
            where=f"model {work.model.label!r}",
        )
    logits = logits.cpu()[torch.cat(places).argsort()] if parts else logits
    groups = None if split.groups is None else split.groups.cpu().numpy()
    return Predictions(
        logits=logits.numpy(),
        targets=split.targets.cpu().numpy(),
        groups=groups,
        examples=split.examples.cpu().numpy(),
        merged=tuple(each.members for each in work.split.merged),
        truncated=split.truncated,
    )


def _classes(train: SplitUse, bench: Workbench) -> int:
    return len(bench.outline(train).task.classes)
