"""Inputs for a network that may work in place on them: copies, unless it is known not to.

Copying takes an eighth of the time of a small network.
"""

from collections.abc import Mapping

import torch
from torch import Tensor

from harness.api.contexts import Weights
from harness.api.errors import HarnessError
from harness.measure.data import Sample
from harness.measure.scene import Scene


def leaves_alone(scene: Scene, weights: Weights, sample: Sample) -> bool:
    """Whether the network gives two examples back as it got them."""
    inputs = sample.batch(0, 2).inputs
    copies = {name: tensor.clone() for name, tensor in inputs.items()}
    with torch.no_grad():
        scene.outputs(dict(weights), copies, lent=True)
    return all(torch.equal(copies[name], tensor) for name, tensor in inputs.items())


def lent_outputs(
    scene: Scene, weights: Weights, inputs: Mapping[str, Tensor], *, lent: bool
) -> Tensor:
    """The network's logits, of the inputs themselves if they can be `lent` to it.

    Raises:
        HarnessError: where it changed them after all.
    """
    before = [tensor._version for tensor in inputs.values()] if lent else []
    found = scene.outputs(weights, inputs, lent=lent)
    if lent and [tensor._version for tensor in inputs.values()] != before:
        raise HarnessError(
            "the network changes some of its inputs in place and others not",
            fix="let its forward() work on a copy of what it changes",
        )
    return found
