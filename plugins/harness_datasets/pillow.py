"""Image files through Pillow, which is an optional extra."""

from __future__ import annotations

from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from harness.api.errors import HarnessError

if TYPE_CHECKING:
    import numpy as np
    from PIL.Image import Image

    Array = np.ndarray[Any, np.dtype[Any]]


def opened(file: IO[bytes] | Path, where: str) -> Image:
    """A decoded image."""
    try:
        from PIL import Image, UnidentifiedImageError
    except ImportError:
        raise HarnessError(
            "reading image files needs Pillow", fix="pip install 'seedscape[images]'"
        ) from None
    try:
        image = Image.open(file)
        image.load()
    except (UnidentifiedImageError, OSError, SyntaxError) as error:
        raise HarnessError(f"this image cannot be read: {error}", where=where) from error
    return image


def grey_array(file: IO[bytes] | Path, where: str) -> Array:
    """A grey image as uint8 [h, w]."""
    import numpy as np

    return np.asarray(opened(file, where).convert("L"))
