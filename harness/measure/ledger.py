"""What a metric costs, in passes over one example.

One forward pass over n examples counts n forward. A gradient counts n forward and n backward. A
Hessian product by double backward through a graph that is kept counts 2n forward and 2n backward:
Pearlmutter's product repeats either pass once more on the tangents, at twice the arithmetic each
(a backward pass is worth two forward ones). Without a kept graph n and n are added.
"""

import time

from harness.api.readings import Cost


class Ledger:
    """Adds up the work of one metric at one subject; time runs from its making."""

    def __init__(self) -> None:
        self._started = time.perf_counter()
        self._forward = 0.0
        self._backward = 0.0
        self.products = 0

    def forward(self, examples: int, points: int = 1) -> None:
        """Forward passes over so many examples at so many points."""
        self._forward += examples * points

    def gradient(self, examples: int) -> None:
        """One forward and one backward pass."""
        self._forward += examples
        self._backward += examples

    def product(self, examples: int) -> None:
        """One Hessian-vector product through a graph that is there already."""
        self._forward += 2 * examples
        self._backward += 2 * examples
        self.products += 1

    def cost(self) -> Cost:
        """The sum so far."""
        return Cost(
            forward=self._forward,
            backward=self._backward,
            seconds=time.perf_counter() - self._started,
        )
