"""How fast each parameter trains in a phase, and how it decays."""

from collections.abc import Iterable
from typing import NamedTuple

from harness.api.errors import HarnessError
from harness.api.networks import Network
from harness.api.recipes import Group, Phase


class Pace(NamedTuple):
    """A multiple of the phase's learning rate, and a weight decay."""

    rate: float
    decay: float


def paces(phase: Phase, network: Network, names: Iterable[str]) -> dict[str, Pace]:
    """The pace of every named parameter that trains.

    Raises:
        HarnessError: the recipe wants layers that the model does not name, or a group is empty.
    """
    spec, names = phase.optimizer, list(names)
    if spec.layer_decay != 1.0 and not network.layers:
        raise HarnessError(
            "the method's `layer_decay` needs layers, and the model names none",
            fix="leave it out, or let the model's Network say its `layers`",
        )
    used: set[Group] = set()
    found = {}
    for name in names:
        group = next((g for g in phase.groups if name.startswith(g.names)), Group(()))
        used.add(group)
        rate = group.lr * spec.layer_decay ** _below_top(name, network.layers)
        decay = spec.weight_decay if group.weight_decay is None else group.weight_decay
        found[name] = Pace(rate, decay)
    for group in phase.groups:
        if group not in used:
            raise HarnessError(
                f"the method's group {list(group.names)} holds nothing that trains",
                fix="names begin as the model's parameters do; the first group that fits counts",
            )
    return found


def _below_top(name: str, layers: tuple[tuple[str, ...], ...]) -> int:
    """How many layers down a parameter lies: 0 is the head, or what belongs to no layer.

    >>> _below_top("low.weight", (("low.",), ("high.",))), _below_top("head.bias", (("low.",),))
    (2, 0)
    """
    places = (place for place, prefixes in enumerate(layers) if name.startswith(prefixes))
    return len(layers) - next(places, len(layers))
