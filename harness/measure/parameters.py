"""A network's parameters as one vector: their names, their groups, and the way back."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from harness.api.contexts import Weights
from harness.api.errors import HarnessError
from harness.measure.scene import Scene


def parameter_names(scene: Scene) -> list[str]:
    """Names of the parameters that can train, in the module's order; tied ones once.

    What the model itself froze (fixed positions, say) is no direction of the landscape.
    """
    named = scene.network.module.named_parameters()
    return [name for name, parameter in named if parameter.requires_grad]


def flat(scene: Scene, weights: Weights) -> Tensor:
    """All parameters as one vector [P], in the module's order."""
    return torch.cat([weights[name].detach().reshape(-1) for name in parameter_names(scene)])


def at(scene: Scene, vector: Tensor, like: Weights) -> dict[str, Tensor]:
    """Weights with the parameters of a vector [P] and the buffers of `like`, of its types.

    Raises:
        HarnessError: where the vector has another length than the parameters.
    """
    names = parameter_names(scene)
    sizes = [like[name].numel() for name in names]
    if vector.shape != (sum(sizes),):
        raise HarnessError(
            f"a vector of shape {tuple(vector.shape)} is no point: the network has "
            f"{sum(sizes)} parameters"
        )
    parts = zip(names, torch.split(vector.detach(), sizes), strict=True)
    new = {name: part.reshape(like[name].shape).to(like[name]) for name, part in parts}
    return {name: new.get(name, tensor) for name, tensor in like.items()}


def modules(scene: Scene) -> tuple[str, ...]:
    """Names of the modules that hold parameters of their own ("" for the network itself)."""
    names = parameter_names(scene)
    return tuple(dict.fromkeys(name.rpartition(".")[0] for name in names))


def sums_by_module(scene: Scene) -> Callable[[Tensor], Tensor]:
    """Sums of a vector [P] over the parameters of each of `modules` (float64, on the CPU)."""
    owners = modules(scene)
    shapes = dict(scene.network.module.named_parameters())
    names = parameter_names(scene)
    sizes = [shapes[name].numel() for name in names]
    places = [owners.index(name.rpartition(".")[0]) for name in names]

    def sums(vector: Tensor) -> Tensor:
        total = torch.zeros(len(owners), dtype=torch.float64)
        for place, part in zip(places, torch.split(vector, sizes), strict=True):
            total[place] += float(part.double().sum() if part.device.type != "mps" else part.sum())
        return total

    return sums


def group(scene: Scene, which: str) -> Tensor:
    """Which parameters belong to a group, as booleans [P] on the CPU.

    "all"; "no-bias-and-norm" (neither a bias nor any parameter of a normalisation layer);
    "no-head"; or the name of a module: what it and its parts hold.

    Raises:
        HarnessError: where there is no such group, or nothing in it.
    """
    chosen = _chosen(scene, which)
    parts = [
        torch.full((parameter.numel(),), name in chosen)
        for name, parameter in scene.network.module.named_parameters()
        if parameter.requires_grad
    ]
    return torch.cat(parts)


def _chosen(scene: Scene, which: str) -> set[str]:
    names = parameter_names(scene)
    head = scene.network.head
    match which:
        case "all":
            chosen = set(names)
        case "no-bias-and-norm":
            norms = {name for name, part in scene.network.module.named_modules() if _norm(part)}
            chosen = {
                name
                for name in names
                if name.rpartition(".")[0] not in norms and "bias" not in name.rpartition(".")[2]
            }
        case "no-head":
            chosen = {name for name in names if head and not name.startswith(head)}
        case _:
            chosen = {name for name in names if name.startswith(f"{which}.")}
    if not chosen:
        raise HarnessError(
            f"no parameters in the group {which!r}",
            fix='groups are "all", "no-bias-and-norm", "no-head" (where the network names its '
            f"head) and modules: {', '.join(name for name in modules(scene) if name)}",
        )
    return chosen


def _norm(part: nn.Module) -> bool:
    """Layers of torch and of others: all of them say so in their class's name."""
    return "norm" in type(part).__name__.lower()
