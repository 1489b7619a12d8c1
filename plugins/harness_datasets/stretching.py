"""From numbers as they stand in a file to what the engine takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.api.errors import HarnessError

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, np.dtype[Any]]


def stretched(images: Array, span: tuple[float, float] | None, where: str) -> Array:
    """Pixels as uint8: as they are, or from `span` (dark, bright) stretched to 0..255."""
    import numpy as np

    if images.dtype == np.uint8:
        return images
    if span is None:
        raise HarnessError(
            f"pixels are {images.dtype}, not uint8",
            where=where,
            fix="set `span` to the darkest and the brightest value, for example [0, 1]",
        )
    low, high = span
    if images.size and not (images.min() >= low - 1e-6 and images.max() <= high + 1e-6):
        raise HarnessError(
            f"pixels run from {images.min():g} to {images.max():g}, not within {low:g}..{high:g}",
            where=where,
            fix="set `span` to the darkest and the brightest value",
        )
    return np.rint((images - low) * (255 / (high - low))).clip(0, 255).astype(np.uint8)


def standardized(inputs: Array, reference: Array | None) -> Array:
    """Float32 inputs less the mean of `reference` over its examples, divided by its sd.

    A number that is the same in all reference examples is only centred. Without a reference they
    stay as they are.
    """
    import numpy as np

    if reference is None:
        return inputs
    wide = reference.astype(np.float64)
    sd = wide.std(axis=0)
    moved = (inputs - wide.mean(axis=0)) / np.where(sd > 0, sd, 1)
    return np.asarray(moved.astype(np.float32))
