"""Block shuffle: the image's blocks in another order, so that only local features survive."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from harness.api.errors import HarnessError
from harness.api.offers import Shift
from harness.api.settings import Settings, setting
from harness_datasets.shifts.images import each_image

if TYPE_CHECKING:
    from torch import Tensor

    from harness.api.contexts import Draws


class BlockShuffleSettings(Settings):
    """How fine."""

    grid: int = setting(2, "blocks per side; height and width must be multiples of it", ge=1)


def apply(
    settings: BlockShuffleSettings, inputs: Mapping[str, Tensor], draws: Draws
) -> Mapping[str, Tensor]:
    """Images cut into grid x grid blocks, put together in an order drawn per example."""
    order = draws.permutation(settings.grid**2)

    def shuffle(images: Tensor) -> Tensor:
        n, channels, height, width = images.shape
        grid = settings.grid
        if height % grid or width % grid:
            raise HarnessError(
                f"an image of {height} x {width} pixels cannot be cut into {grid} x {grid} blocks",
                fix="choose a `grid` that divides both sides",
            )
        h, w = height // grid, width // grid
        blocks = images.reshape(n, channels, grid, h, grid, w).permute(0, 2, 4, 1, 3, 5)
        blocks = blocks.reshape(n, grid * grid, channels, h, w)
        where = order.to(images.device)[:, :, None, None, None].expand_as(blocks)
        moved = blocks.gather(1, where).reshape(n, grid, grid, channels, h, w)
        return moved.permute(0, 3, 1, 4, 2, 5).reshape(images.shape)

    return each_image(inputs, shuffle)


BLOCK_SHUFFLE = Shift(
    name="block-shuffle",
    about="blocks of the image in an order drawn per example; local features survive",
    source="https://arxiv.org/abs/2008.11687",
    settings=BlockShuffleSettings,
    kind="block-shuffle",
    apply=apply,
)
