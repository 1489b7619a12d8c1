"""What a phase trains: parameters by name, and the mode of the modules that hold them."""

from typing import Literal

from torch import nn

from harness.api.errors import HarnessError
from harness.api.networks import Network

Trains = Literal["all", "head"] | tuple[str, ...]


def prefixes_of(network: Network, trains: Trains) -> tuple[str, ...]:
    """Prefixes of the names of what trains; `("",)` for everything."""
    if trains == "all":
        return ("",)
    if trains == "head":
        if not network.head:
            raise HarnessError("the method trains the head, but the model names none")
        return network.head
    names = [name for name, _ in network.module.named_parameters()]
    for prefix in trains:
        if not any(name.startswith(prefix) for name in names):
            raise HarnessError(f"the method trains {prefix!r}, but no parameter begins with it")
    return tuple(trains)


def set_modes(module: nn.Module, prefixes: tuple[str, ...]) -> None:
    """Training mode for the modules that train; the rest runs as in evaluation.

    What is frozen is frozen with its batch statistics, and drops nothing: a linear probe reads the
    same features at every step.
    """
    module.train(prefixes == ("",))
    for name, part in module.named_modules():
        if f"{name}.".startswith(prefixes):
            part.train()
