"""Symmetries of networks that are one chain of layers: each layer's outputs in any order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from torch import nn

from harness.api.errors import HarnessError
from harness.api.symmetries import Axis, Symmetry

Named = Iterable[tuple[str, nn.Module]]
Layer = nn.Linear | nn.modules.conv._ConvNd


@dataclass
class _Units:
    """Outputs of a layer on their way to the next."""

    name: str
    count: int
    axes: list[Axis] = field(default_factory=list)
    group: int = 1


def chain_symmetries(layers: Named) -> tuple[Symmetry, ...]:
    """One symmetry per linear or convolutional layer but the last, named after it.

    `layers` are (name, module) pairs in the order of the forward pass, the head last; containers
    are opened. What stands between two layers must treat all units alike: an element-wise
    activation, pooling over places, dropout, flattening (channels before places), batch, layer or
    group norm.

    Raises:
        HarnessError: a module with parameters of another kind, or a convolution in groups.
    """
    found: list[Symmetry] = []
    units: _Units | None = None
    for name, layer in _leaves(layers):
        if isinstance(layer, Layer):
            if units is not None:
                found.append(_read_by(units, name, layer))
            units = _made_by(name, layer)
        elif any(True for _ in layer.parameters()):
            if units is None:  # of the inputs, whose order is fixed
                continue
            units.axes += norm_axes(name, layer)
            units.group = max(units.group, group_of(layer))
    return tuple(found)


def norm_axes(name: str, norm: nn.Module) -> list[Axis]:
    """Along what a normalisation layer holds numbers per unit.

    Raises:
        HarnessError: for any other module that has parameters.
    """
    known = nn.modules.batchnorm._BatchNorm | nn.GroupNorm | nn.LayerNorm
    if not isinstance(norm, known) or (
        isinstance(norm, nn.LayerNorm) and len(norm.normalized_shape) != 1
    ):
        raise HarnessError(
            f"no symmetries can be told for {name!r}: {type(norm).__name__} is not known",
            fix="write the model's symmetries by hand",
        )
    parts: Mapping[str, object] = {**norm._parameters, **norm._buffers}
    return [
        Axis(f"{name}.{part}", 0)
        for part, tensor in parts.items()
        if tensor is not None and part != "num_batches_tracked"
    ]


def group_of(norm: nn.Module) -> int:
    """How many channels a norm takes together; 1 where any order of all of them will do."""
    if isinstance(norm, nn.GroupNorm) and norm.num_groups > 1:
        return norm.num_channels // norm.num_groups
    return 1


def _leaves(layers: Named) -> Iterable[tuple[str, nn.Module]]:
    for name, layer in layers:
        inner = list(layer.named_children())
        if inner:
            yield from _leaves((f"{name}.{part}", module) for part, module in inner)
        else:
            yield name, layer


def _made_by(name: str, layer: Layer) -> _Units:
    if isinstance(layer, nn.modules.conv._ConvNd) and (layer.groups != 1 or layer.transposed):
        raise HarnessError(
            f"no symmetries can be told for {name!r}: a convolution in groups, or a transposed one",
            fix="write the model's symmetries by hand",
        )
    axes = [Axis(f"{name}.weight", 0)]
    if layer.bias is not None:
        axes.append(Axis(f"{name}.bias", 0))
    return _Units(name, layer.weight.shape[0], axes)


def _read_by(units: _Units, name: str, layer: Layer) -> Symmetry:
    """Flattened channels are read in blocks: one column for every place."""
    columns = layer.weight.shape[1]
    if columns % units.count:
        raise HarnessError(f"{name!r} reads {columns} inputs, not the {units.count} units before")
    read = Axis(f"{name}.weight", 1, repeat=columns // units.count)
    return Symmetry(units.name, (*units.axes, read), group=units.group)
