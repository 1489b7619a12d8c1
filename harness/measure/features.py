"""What a network holds of its examples: the outputs of the modules that it names as features."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from harness.api.contexts import Weights
from harness.api.errors import HarnessError
from harness.api.networks import Network
from harness.measure.data import Sample
from harness.measure.ledger import Ledger
from harness.measure.scene import Scene

PENULTIMATE = "penultimate"


def features(
    scene: Scene, weights: Weights, sample: Sample, bytes_each: int, ledger: Ledger
) -> dict[str, Tensor]:
    """Features [n, d] by module name, each example's flattened, on the CPU.

    Where the network names no modules it is what goes into its head, as "penultimate".
    """
    ledger.forward(sample.size)
    held = dict(weights)
    parts: dict[str, list[Tensor]] = {}
    at_once = max(1, scene.budget.batch // bytes_each)
    with torch.no_grad():
        for batch in sample.batches(at_once):
            with _caught(scene.network) as caught:
                scene.outputs(held, batch.inputs)
            for name, tensor in caught.items():
                if tensor.shape[:1] != (batch.size,):
                    raise HarnessError(f"the features {name!r} are not one row per example")
                parts.setdefault(name, []).append(tensor.flatten(1).cpu())
    return {name: torch.cat(some) for name, some in parts.items()}


@contextmanager
def _caught(network: Network) -> Iterator[Mapping[str, Tensor]]:
    """The features of what runs inside: the last output of each module, the head's first input."""
    caught: dict[str, Tensor] = {}
    module = network.module
    if network.features:
        hooks = [
            module.get_submodule(name).register_forward_hook(_output(name, caught))
            for name in network.features
        ]
    else:
        hooks = [part.register_forward_pre_hook(_input(caught)) for part in _heads(network)]
    try:
        yield caught
    finally:
        for hook in hooks:
            hook.remove()


def _heads(network: Network) -> list[nn.Module]:
    """The modules that hold the head's parameters."""
    named = network.module.named_parameters()
    head = network.head
    owners = {name.rpartition(".")[0] for name, _ in named if head and name.startswith(head)}
    if not owners:
        raise HarnessError(
            "the network names neither features nor a head",
            fix="its model's `build` names them in its Network",
        )
    return [network.module.get_submodule(name) for name in sorted(owners)]


def _output(name: str, caught: dict[str, Tensor]) -> Callable[[nn.Module, object, object], None]:
    def hook(module: nn.Module, inputs: object, output: object) -> None:
        caught[name] = _tensor(output).clone()

    return hook


def _input(caught: dict[str, Tensor]) -> Callable[[nn.Module, object], None]:
    def hook(module: nn.Module, inputs: object) -> None:
        caught.setdefault(PENULTIMATE, _tensor(inputs).clone())

    return hook


def _tensor(given: object) -> Tensor:
    """The first tensor of what a module takes or gives."""
    if isinstance(given, Tensor):
        return given
    parts = tuple(given.values()) if isinstance(given, Mapping) else given
    found = (
        [part for part in parts if isinstance(part, Tensor)]
        if isinstance(parts, tuple | list)
        else []
    )
    if not found:
        raise HarnessError(f"features are tensors, not {type(given).__name__}")
    return found[0]
