"""What the metrics of a pack share: end points, lines, their evaluations, Krylov spaces.

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

    On a `growing` shelf values are weighed whenever another comes: a Krylov space grows while it
    is used. On others they are weighed once.
    """

    room: int
    growing: bool = False
    _values: "OrderedDict[Hashable, tuple[Any, Callable[[Any], int], int]]" = field(
        default_factory=OrderedDict
    )
    _taken: int = 0

    def get(self, name: Hashable, make: Callable[[], T], size: Callable[[T], int]) -> T:
        """The value of that name, made now if it is not there."""
        if name in self._values:
            self._values.move_to_end(name)
            value: T = self._values[name][0]
            return value
        made = make()
        self._values[name] = (made, size, size(made))
        self._taken += self._values[name][2]
        if self.growing:
            self._weigh()
        while self._taken > self.room and len(self._values) > 1:
            self._taken -= self._values.popitem(last=False)[1][2]
        return made

    def _weigh(self) -> None:
        for name, (value, size, _) in self._values.items():
            self._values[name] = (value, size, size(value))
        self._taken = sum(weight for _, _, weight in self._values.values())


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
        self.lines = Shelf(self.scene.budget.cache)  # apart: they are many, end points few
        self.spaces = Shelf(self.scene.budget.graph + self.scene.budget.basis, growing=True)


def tensors_size(weights: Mapping[str, Tensor]) -> int:
    """Bytes of a mapping of tensors."""
    return sum(tensor.nbytes for tensor in weights.values())
