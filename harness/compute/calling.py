"""A module called with weights that are not its own."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn
from torch.func import functional_call


def places(module: nn.Module) -> dict[str, str]:
    """Every place of a parameter or buffer, by name, with the first name of the tensor there.

    Tied weights have a place in each module that holds them. A module that itself stands in
    several places is named once: torch's `functional_call` would fill it twice and put back, the
    second time, what it had filled in (seen in torch 2.13).
    """
    first: dict[int, str] = {}
    found: dict[str, str] = {}
    for prefix, part in module.named_modules():
        own = (
            *part.named_parameters(prefix, recurse=False, remove_duplicate=False),
            *part.named_buffers(prefix, recurse=False, remove_duplicate=False),
        )
        for name, tensor in own:
            found[name] = first.setdefault(id(tensor), name)
    return found


def called(
    module: nn.Module,
    weights: Mapping[str, Tensor],
    inputs: Mapping[str, Tensor],
    *,
    lent: bool = False,
    where: Mapping[str, str] | None = None,
) -> Any:  # whatever the module returns
    """The module's output at `weights`, which go by the first name of each tensor.

    What `weights` does not name (buffers outside the state dict) is the module's own. The inputs
    are copied: a module may work in place, and they are often views of data that others read. When
    `lent`, it is the caller who sees to that. `where` are the module's `places`, if known.
    """
    named = places(module) if where is None else where
    given = {place: weights[name] for place, name in named.items() if name in weights}
    own = dict(inputs) if lent else {name: tensor.clone() for name, tensor in inputs.items()}
    return functional_call(module, given, (), own, tie_weights=False)
