"""From labels as they stand in a file to class indices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from harness.api.errors import HarnessError

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, np.dtype[Any]]


def class_names(labels: Array, where: str) -> tuple[str, ...]:
    """The distinct labels as text: numbers in their order, text in alphabetical order."""
    import numpy as np

    return tuple(str(label) for label in np.unique(_plain(labels, where)).tolist())


def must_be_several(classes: Sequence[str], what: str, where: str) -> None:
    """Raise `HarnessError` where training data have one class; `what` has it ("the column 'y'")."""
    if len(classes) == 1:
        message = f"{what} has only one class, {classes[0]!r}"
        fix = "a classification needs examples of two at least"
        raise HarnessError(message, where=where, fix=fix)


def class_indices(labels: Array, classes: Sequence[str], where: str) -> Array:
    """The place of each label among the classes, int64 [n]; an unknown label is an error."""
    import numpy as np

    known, inverse = np.unique(_plain(labels, where), return_inverse=True)
    places = {name: place for place, name in enumerate(classes)}
    unknown = [str(label) for label in known.tolist() if str(label) not in places]
    if unknown:
        raise HarnessError(
            f"unknown label {unknown[0]!r}; the training data know {', '.join(classes[:20])}",
            where=where,
        )
    table = np.array([places[str(label)] for label in known.tolist()], dtype=np.int64)
    return np.asarray(table[inverse.reshape(-1)])


def _plain(labels: Array, where: str) -> Array:
    import numpy as np

    if labels.ndim != 1:
        raise HarnessError(f"labels must be one list, not {list(labels.shape)}", where=where)
    if not len(labels):
        raise HarnessError("there are no examples", where=where)
    if labels.dtype.kind == "O" and all(isinstance(label, str) for label in labels):
        return labels.astype(np.str_)
    if labels.dtype.kind not in "iuUb":
        raise HarnessError(
            f"labels must be whole numbers or text without gaps, not {labels.dtype}", where=where
        )
    return labels
