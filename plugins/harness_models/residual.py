"""Residual blocks for small images."""

import torch.nn.functional as F
from torch import Tensor, nn

from harness_models.modules import IMAGE_NORMS, image_norm


class Block(nn.Module):
    """Two 3 x 3 convolutions beside a shortcut; `stride` 2 halves the image."""

    def __init__(
        self, channels: int, width: int, stride: int, norm: IMAGE_NORMS, project: bool
    ) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, width, 3, stride, padding=1, bias=False)
        self.norm1 = image_norm(norm, width)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.norm2 = image_norm(norm, width)
        self.stride = stride
        self.more = width - channels
        self.projection: nn.Module | None = None
        if project and (stride > 1 or self.more):
            self.projection = nn.Sequential(
                nn.Conv2d(channels, width, 1, stride, bias=False), image_norm(norm, width)
            )

    def forward(self, x: Tensor) -> Tensor:
        """[n, channels, h, w] to [n, width, h / stride, w / stride]."""
        out = F.relu(self.norm1(self.conv1(x)))
        out = self.norm2(self.conv2(out))
        return F.relu(out + self._shortcut(x))

    def _shortcut(self, x: Tensor) -> Tensor:
        if self.projection is not None:
            projected: Tensor = self.projection(x)
            return projected
        if self.stride > 1 or self.more:  # option A: every second pixel, new channels are zero
            x = x[:, :, :: self.stride, :: self.stride]
            return F.pad(x, (0, 0, 0, 0, self.more // 2, self.more - self.more // 2))
        return x


def residual_body(
    *, channels: int, blocks: int, width: int, norm: IMAGE_NORMS, project: bool
) -> nn.Sequential:
    """The network without its head: features [n, 4 * width]."""
    layers: list[nn.Module] = [
        nn.Conv2d(channels, width, 3, padding=1, bias=False),
        image_norm(norm, width),
        nn.ReLU(),
    ]
    before = width
    for stage in range(3):
        for place in range(blocks):
            stride = 2 if stage > 0 and place == 0 else 1
            layers.append(Block(before, width * 2**stage, stride, norm, project))
            before = width * 2**stage
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten())
