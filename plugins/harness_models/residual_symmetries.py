"""Which channels of a residual network may change places.

Within a block the channels between the two convolutions are free. The channels of the residual
stream are shared by all blocks of a stage. A projection makes new ones for the next stage; an
option-A shortcut keeps them: there, a stage's channels are also the middle ones of every later
stage, and only the padded ones are new.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from torch import nn

from harness.api.symmetries import Axis, Symmetry
from harness_models.chain import group_of, norm_axes

STAGES = 3
Channel = tuple[int, int]  # the stage that it was new in, and its number there


@dataclass(frozen=True)
class _Stream:
    """The channels of every stage's stream, and what goes along them."""

    channels: tuple[tuple[Channel, ...], ...]
    axes: tuple[tuple[Axis, ...], ...]
    groups: tuple[int, ...]

    def places(self, new_in: int, stage: int) -> list[int]:
        """Where, at a stage, the channels lie that were new in another, in their order."""
        return [place for place, (born, _) in enumerate(self.channels[stage]) if born == new_in]


def residual_symmetries(body: nn.Sequential, *, blocks: int, project: bool) -> tuple[Symmetry, ...]:
    """Symmetries of `residual_body` called "body" before a linear "head"."""
    named = dict(body.named_modules())
    names = [
        [str(3 + stage * blocks + place) for place in range(blocks)] for stage in range(STAGES)
    ]
    inner = [_inside(f"body.{name}", named[name]) for stage in names for name in stage]
    stream = _stream(named, names, project)
    return (*inner, *(s for born in range(STAGES) for s in _born(stream, born)))


def _inside(name: str, block: nn.Module) -> Symmetry:
    norm = block.get_submodule("norm1")
    axes = (
        Axis(f"{name}.conv1.weight", 0),
        *norm_axes(f"{name}.norm1", norm),
        Axis(f"{name}.conv2.weight", 1),
    )
    return Symmetry(f"{name}.conv1", axes, group=group_of(norm))


def _stream(named: dict[str, nn.Module], names: Sequence[Sequence[str]], project: bool) -> _Stream:
    axes: list[list[Axis]] = [[] for _ in range(STAGES)]
    groups, channels = [], [_new(0, _width(named["1"]))]
    axes[0] += [Axis("body.0.weight", 0), *norm_axes("body.1", named["1"])]
    before = 0
    for stage, blocks in enumerate(names):
        norm = named[f"{blocks[0]}.norm2"]
        groups.append(group_of(norm))
        if stage > 0:
            new = _new(stage, _width(norm))
            channels.append(new if project else _padded(channels[-1], new))
        for block in blocks:
            name = f"body.{block}"
            axes[before].append(Axis(f"{name}.conv1.weight", 1))
            axes[stage].append(Axis(f"{name}.conv2.weight", 0))
            axes[stage] += norm_axes(f"{name}.norm2", named[f"{block}.norm2"])
            if f"{block}.projection" in named:
                axes[before].append(Axis(f"{name}.projection.0.weight", 1))
                axes[stage].append(Axis(f"{name}.projection.0.weight", 0))
                axes[stage] += norm_axes(f"{name}.projection.1", named[f"{block}.projection.1"])
            before = stage
    axes[-1].append(Axis("head.weight", 1))
    return _Stream(tuple(channels), tuple(map(tuple, axes)), tuple(groups))


def _width(norm: nn.Module) -> int:
    return len(next(norm.parameters()))


def _new(stage: int, width: int) -> tuple[Channel, ...]:
    return tuple((stage, number) for number in range(width))


def _padded(kept: Sequence[Channel], new: Sequence[Channel]) -> tuple[Channel, ...]:
    """A shortcut of option A: the channels so far in the middle of new ones."""
    more = len(new) - len(kept)
    return (*new[: more // 2], *kept, *new[more // 2 : more])


def _born(stream: _Stream, born: int) -> Iterator[Symmetry]:
    """Symmetries of the channels that are new in a stage, along all stages that keep them."""
    stages = [stage for stage in range(born, STAGES) if stream.places(born, stage)]
    at = {stage: stream.places(born, stage) for stage in stages}
    together: dict[tuple[int, ...], list[int]] = {}
    for unit in range(len(at[born])):
        norms = [at[s][unit] // stream.groups[s] if stream.groups[s] > 1 else 0 for s in stages]
        together.setdefault(tuple(norms), []).append(unit)
    classes = list(together.values())
    size = max(stream.groups[stage] for stage in stages)
    if all(len(units) == size for units in classes):  # whole groups of every norm
        yield _symmetry(stream, f"stage {born + 1}", at, [u for c in classes for u in c], size)
    elif len(classes) == 1:
        yield _symmetry(stream, f"stage {born + 1}", at, classes[0], 1)
    else:  # group norms that cut through a stage's channels leave these orders alone
        for number, units in enumerate(classes):
            if len(units) > 1:
                yield _symmetry(stream, f"stage {born + 1}, part {number}", at, units, 1)


def _symmetry(
    stream: _Stream, name: str, at: dict[int, list[int]], units: list[int], group: int
) -> Symmetry:
    axes = tuple(
        axis._replace(at=tuple(places[unit] for unit in units))
        for stage, places in at.items()
        for axis in stream.axes[stage]
    )
    return Symmetry(name, axes, group=group)
