"""The symmetries that a network declares, checked against its parameters and buffers."""

from harness.api.errors import HarnessError
from harness.api.symmetries import Symmetry, places
from harness.measure.scene import Scene


def declared(scene: Scene) -> tuple[Symmetry, ...]:
    """The network's symmetries.

    Raises:
        HarnessError: two of one name, or one that does not fit the shapes of the weights.
    """
    network = scene.network
    weights = {**dict(network.module.named_parameters()), **dict(network.module.named_buffers())}
    seen: set[str] = set()
    for symmetry in network.symmetries:
        if symmetry.name in seen:
            raise HarnessError(f"the model declares two symmetries named {symmetry.name!r}")
        seen.add(symmetry.name)
        places(symmetry, weights)
    return network.symmetries
