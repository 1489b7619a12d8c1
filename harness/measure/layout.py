"""Where the channels of images lie in memory: max pooling on a CPU is faster with them last.

There it runs over all channels of a place at once; with each channel's plane by itself it takes
half the time of a small network's pass. Convolutions follow the layout of their weights. Without
pooling neither layout is clearly the faster one.
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from harness.api.contexts import Weights
from harness.measure.data import Sample
from harness.measure.scene import Scene


def channels_last(scene: Scene, weights: Weights, sample: Sample) -> frozenset[str]:
    """Names of weights to lay out with channels last; none where it does not pay, or not work.

    It hangs on the network and the kind of device alone: numbers differ by rounding between
    layouts, and a reading must not hang on where it was made.
    """
    parts = list(scene.network.module.named_modules())
    if scene.device.type != "cpu" or sample.dtype != torch.float32:
        return frozenset()
    if not any(isinstance(part, nn.MaxPool2d) for _, part in parts):
        return frozenset()
    held = {f"{name}.weight" for name, part in parts if isinstance(part, nn.Conv2d)}
    names = frozenset(scene.places.get(place, "") for place in held) & weights.keys()
    try:
        with torch.no_grad():
            scene.outputs(laid_out(weights, names), sample.batch(0, 2).inputs)
    except RuntimeError:  # `view` joins no axes that lie apart in memory
        return frozenset()
    return names


def laid_out(weights: Weights, names: frozenset[str]) -> Mapping[str, Tensor]:
    """The weights, those of these names with their channels last in memory."""
    # not `contiguous`, which leaves a single channel's strides as they are: convolutions read those
    last = torch.channels_last
    return {
        name: tensor.to(memory_format=last) if name in names else tensor
        for name, tensor in weights.items()
    }
