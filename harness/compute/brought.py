"""Weights that a model brings along."""

from typing import Any

from torch import Tensor

from harness.api.cells import Use
from harness.api.errors import HarnessError
from harness.api.offers import Model, Pretrained, Source
from harness.compute.workbench import Workbench


def brought_weights(model: Use, name: str, bench: Workbench) -> dict[str, Tensor]:
    """The weights that go by this name, without a head; on the CPU.

    Raises:
        HarnessError: the model cannot load them, or they are not all finite.
    """
    pretrained, settings = _pretrained(model, bench)
    weights = dict(pretrained.load(settings, name, bench.room))
    broken = [n for n, tensor in weights.items() if not bool(tensor.isfinite().all())]
    if broken:
        more = f" and {len(broken) - 1} more" if len(broken) > 1 else ""
        message = f"weights are NaN or infinite: {broken[0]}{more}"
        raise HarnessError(message, where=name, fix="choose another checkpoint")
    return weights


def check_brought(model: Use, seed: int, planned: Source, bench: Workbench) -> None:
    """Raise where a seed's weights are no longer those that the plan was made for."""
    pretrained, settings = _pretrained(model, bench)
    if pretrained.source(settings, seed) != planned:
        raise HarnessError(
            "the weights have changed since the plan was made",
            where=planned.name,
            fix="run the suite again to plan with the new ones",
        )


def _pretrained(model: Use, bench: Workbench) -> tuple[Pretrained, Any]:
    # Any: the settings class is the offer's own.
    offer, settings = bench.offer(model)
    if not isinstance(offer, Model) or offer.pretrained is None:
        raise HarnessError(f"the model {model.name!r} brings no weights")
    return offer.pretrained, settings
