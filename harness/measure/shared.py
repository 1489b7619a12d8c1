"""What the metrics of a pack share: end points, their evaluations, Krylov spaces.

Everything here is a function of what it is called by, so sharing saves work and changes no number.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from torch import Tensor

from harness.measure.scene import Scene

T = TypeVar("T")


@dataclass
class Shelf:
    """Values by name, the least lately used thrown away beyond so many bytes.

    A value is weighed whenever another comes: a Krylov space grows while it is used.
    """

    room: int
    _values: "OrderedDict[Hashable, tuple[Any, Callable[[Any], int]]]" = field(
        default_factory=OrderedDict
    )

    def get(self, name: Hashable, make: Callable[[], T], size: Callable[[T], int]) -> T:
        """The value of that name, made now if it is not there."""
        if name in self._values:
            self._values.move_to_end(name)
            value: T = self._values[name][0]
            return value
        made = make()
        self._values[name] = (made, size)
        self._make_room()
        return made

    def _make_room(self) -> None:
        sizes = [size(value) for value, size in self._values.values()]
        taken = sum(sizes)
        for each in sizes[:-1]:
            if taken <= self.room:
                return
            self._values.popitem(last=False)
            taken -= each


class Shared:
    """The shelves of one pack on one scene."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.forget()

    def forget(self) -> None:
        """Start anew, as when a metric has tampered with the points."""
        self.points = Shelf(self.scene.budget.cache)
        self.evaluations = Shelf(self.scene.budget.cache)
        self.samples = Shelf(self.scene.budget.cache)
        self.spaces = Shelf(self.scene.budget.graph)


def tensors_size(weights: Mapping[str, Tensor]) -> int:
    """Bytes of a mapping of tensors."""
    return sum(tensor.nbytes for tensor in weights.values())
