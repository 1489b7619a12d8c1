"""What a phase trains: parameters by name, and the mode of the modules that hold them."""

from collections.abc import Mapping
from typing import Literal

from torch import Tensor, nn

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


def frozen_names(module: nn.Module) -> frozenset[str]:
    """Parameters that the model itself froze when it was built (fixed positions, say)."""
    return frozenset(name for name, p in module.named_parameters() if not p.requires_grad)


def select(
    parameters: Mapping[str, Tensor], prefixes: tuple[str, ...], frozen: frozenset[str]
) -> dict[str, Tensor]:
    """Let what trains in a phase, and nothing else, take gradients; gives what trains."""
    trained = {}
    for name, parameter in parameters.items():
        parameter.requires_grad_(name.startswith(prefixes) and name not in frozen)
        parameter.grad = None
        if parameter.requires_grad:
            trained[name] = parameter
    if not trained:
        raise HarnessError("the model itself froze all parameters that the method trains")
    return trained


def set_modes(module: nn.Module, prefixes: tuple[str, ...]) -> None:
    """Training mode for the modules that train; the rest runs as in evaluation.

    What is frozen is frozen with its batch statistics, and drops nothing: a linear probe reads the
    same features at every step.
    """
    module.train(prefixes == ("",))
    for name, part in module.named_modules():
        if f"{name}.".startswith(prefixes):
            part.train()
