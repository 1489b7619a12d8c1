"""The shape that the built-in networks share: a body that makes features, a linear head."""

from typing import Literal

from torch import Tensor, nn

IMAGE_NORMS = Literal["group", "batch"]
GROUP = 8  # channels that GroupNorm normalises together


class OneInput(nn.Module):
    """`head(body(x))` for the only input, whatever the data call it."""

    def __init__(self, body: nn.Module, head: nn.Linear) -> None:
        super().__init__()
        self.body = body
        self.head = head

    def forward(self, **inputs: Tensor) -> Tensor:
        """Logits [n, classes]."""
        (only,) = inputs.values()
        logits: Tensor = self.head(self.body(only))
        return logits


def image_norm(kind: IMAGE_NORMS, channels: int) -> nn.Module:
    """BatchNorm, or GroupNorm (Wu & He 2018) in groups of 8 channels (one group if uneven)."""
    if kind == "batch":
        return nn.BatchNorm2d(channels)
    return nn.GroupNorm(channels // GROUP if channels % GROUP == 0 else 1, channels)
