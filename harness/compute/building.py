"""A network from a model offer, its weights drawn from a stream and nothing else touched."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import chain

import torch
from torch import Tensor

from harness.api.contexts import BuildRoom
from harness.api.data import Outline
from harness.api.errors import HarnessError
from harness.api.networks import Network
from harness.api.offers import Model
from harness.api.settings import Settings
from harness.compute.dropout import StreamDropout
from harness.compute.generators import global_generators
from harness.compute.hashing import key_of


def build_network(model: Model, settings: Settings, outline: Outline, derived: int) -> Network:
    """The model for the outline's task, on the CPU, drawn from the derived seed.

    torch's layers initialise themselves from the global CPU generator and offer no other way. This
    is the one place where it is seeded; it is put back bit for bit, whatever `build` does.
    """
    with torch.random.fork_rng(devices=[]):
        generator = torch.default_generator.manual_seed(derived)
        room = BuildRoom(task=outline.task, inputs=outline.inputs, generator=generator)
        network = model.build(settings, room)
    _check(model.name, network)
    return network


def draws_dropout(network: Network, inputs: Mapping[str, Tensor]) -> bool:
    """Whether a forward pass in training mode asks for dropout; tried once, on a network to spare.

    Models without dropout are spared the interception of every torch call.

    Raises:
        HarnessError: the model draws from a global generator, or draws anything in evaluation.
    """
    module = network.module
    mode = StreamDropout()
    mode.begin(key_of(0, next(module.parameters()).device))
    copies = [{name: tensor.clone() for name, tensor in inputs.items()} for _ in range(2)]
    with torch.no_grad():
        with _drawing_nothing("", "use torch.nn.functional.dropout, which is given a stream"), mode:
            module.train()(**copies[0])
        with _drawing_nothing(" in evaluation mode", "dropout wants `training=self.training`"):
            module.eval()(**copies[1])
    return mode.calls > 0


@contextmanager
def _drawing_nothing(when: str, fix: str) -> Iterator[None]:
    """Not all draws can be intercepted: that a global generator has moved tells of the others."""
    generators = list(global_generators())
    try:
        yield
    finally:
        moved = [name for name, put_back in generators if put_back()]
    if moved:
        raise HarnessError(f"the model changes {moved[0]}{when}", fix=fix)


def hollow(module: torch.nn.Module) -> None:
    """Let every parameter be a single zero, seen many times; it takes no memory then.

    For a module that is only ever called with weights that are not its own.

    >>> layer = torch.nn.Linear(1000, 1000)
    >>> hollow(layer)
    >>> layer.weight.shape, layer.weight.untyped_storage().nbytes()
    (torch.Size([1000, 1000]), 4)
    """
    for parameter in module.parameters():
        nothing = torch.zeros((), dtype=parameter.dtype, device=parameter.device)
        parameter.data = nothing.expand(parameter.shape)


def head_names(network: Network) -> list[str]:
    """Names of the head's parameters and buffers."""
    return [name for name in network.module.state_dict() if name.startswith(network.head)]


def with_head(
    network: Network, weights: Mapping[str, Tensor], drawn: Mapping[str, Tensor]
) -> dict[str, Tensor]:
    """The weights with a drawn head in the place of their own, whatever that consisted of."""
    body = {n: tensor for n, tensor in weights.items() if not n.startswith(network.head)}
    return {**body, **{name: drawn[name] for name in head_names(network)}}


def wants_fresh_head(network: Network, weights: Mapping[str, Tensor]) -> bool:
    """Whether the weights hold no head that fits the network (of other classes, say)."""
    own = network.module.state_dict()
    if any(name.startswith(network.head) and name not in own for name in weights):
        return True
    return any(
        name not in weights or weights[name].shape != own[name].shape
        for name in head_names(network)
    )


def _check(name: str, network: object) -> None:
    where = f"model {name!r}"
    if not isinstance(network, Network) or not isinstance(network.module, torch.nn.Module):
        raise HarnessError("its build must return a Network that holds a module", where=where)
    parameters = dict(network.module.named_parameters())
    if not parameters:
        raise HarnessError("its module has no parameters", where=where)
    named = {"head": network.head, "layer": tuple(chain.from_iterable(network.layers))}
    for what, prefixes in named.items():
        for prefix in prefixes:
            if not any(parameter.startswith(prefix) for parameter in parameters):
                raise HarnessError(f"no parameter begins with its {what} {prefix!r}", where=where)
    language = network.language
    if language is not None and language.objective == "masked-language":
        mask = f"{language.mask} of {language.tokens}"
        if not 0 <= language.mask < language.tokens:
            raise HarnessError(f"it hides tokens by none that it knows: {mask}", where=where)
    if not network.stackable and not network.why_not_stackable:
        raise HarnessError("it is not stackable but does not say why", where=where)
