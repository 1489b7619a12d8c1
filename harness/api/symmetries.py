"""Orders of units that a network does not care about: hidden units, channels, attention heads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from harness.api.errors import HarnessError

if TYPE_CHECKING:
    from torch import Tensor


class Axis(NamedTuple):
    """Where the units of a symmetry lie along one dimension of a parameter or buffer.

    Each unit takes `repeat` entries in a row (times the symmetry's `block`): a channel that is
    flattened before a linear layer takes as many columns of it as it has places. Units follow one
    another from the first entry on, unless `at` gives the first entry of each.
    """

    name: str
    dimension: int
    repeat: int = 1
    at: tuple[int, ...] = ()


@dataclass(frozen=True)
class Symmetry:
    """Units whose order is free: permuted along all `axes` at once, the function stays the same.

    `axes` are (name, dimension) pairs or `Axis` records, of all parameters *and buffers* that
    the units have a share in: what makes them, what normalises them, what reads them. A `block`
    is the number of entries that a unit takes along every axis (an attention head's size). With a
    `group` of more than one, units permute within each run of so many, and such groups as
    wholes: channels that group norm normalises together.
    """

    name: str
    axes: tuple[Axis | tuple[str, int], ...]
    block: int = 1
    group: int = 1


@dataclass(frozen=True)
class Places:
    """One axis of a symmetry, resolved: `entries[u]` are unit u's along the dimension."""

    name: str
    dimension: int
    entries: tuple[tuple[int, ...], ...]


def places(symmetry: Symmetry, weights: Mapping[str, Tensor]) -> tuple[Places, ...]:
    """Where the units lie along each axis, in weights of these shapes.

    Raises:
        HarnessError: an axis that is not there, or whose units do not fit it or each other.
    """
    if not symmetry.axes:
        raise _wrong(symmetry, "has no axes")
    found = tuple(_places(symmetry, Axis(*axis), weights) for axis in symmetry.axes)
    units = len(found[0].entries)
    for each in found:
        if len(each.entries) != units:
            raise _wrong(
                symmetry,
                f"has {units} units along {found[0].name!r} "
                f"and {len(each.entries)} along {each.name!r}",
            )
    if units % symmetry.group:
        raise _wrong(symmetry, f"has {units} units, which are no groups of {symmetry.group}")
    return found


def _places(symmetry: Symmetry, axis: Axis, weights: Mapping[str, Tensor]) -> Places:
    if axis.name not in weights:
        raise _wrong(symmetry, f"names {axis.name!r}, which is no parameter or buffer")
    shape = tuple(weights[axis.name].shape)
    if not 0 <= axis.dimension < len(shape):
        raise _wrong(
            symmetry, f"names dimension {axis.dimension} of {axis.name!r}, whose shape is {shape}"
        )
    size, length = shape[axis.dimension], symmetry.block * axis.repeat
    if not axis.at and size % length:
        raise _wrong(
            symmetry, f"has units of {length}, and {axis.name!r} has {size} along its dimension"
        )
    firsts = axis.at or tuple(range(0, size, length))
    entries = tuple(tuple(range(first, first + length)) for first in firsts)
    taken = [entry for unit in entries for entry in unit]
    if len(set(taken)) < len(taken) or min(taken) < 0 or max(taken) >= size:
        raise _wrong(symmetry, f"has units that overlap or lie outside {axis.name!r}")
    return Places(axis.name, axis.dimension, entries)


def _wrong(symmetry: Symmetry, what: str) -> HarnessError:
    return HarnessError(
        f"the model's symmetry {symmetry.name!r} {what}", fix="mend the model's `symmetries`"
    )
