"""Asking an offer: a plugin that raises is named, and never takes the check down with it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from harness.api.data import InputSpec, Outline
from harness.api.errors import HarnessError
from harness.plug import offer_from
from harness.suite.answering import answering
from harness.suite.outlines import fault_of
from harness.suite.uses import Context, Placed


def asked(placed: Placed, function: str, context: Context, *more: object) -> Any:
    """What one of the offer's functions answers (`Any`: the function decides).

    Raises:
        HarnessError: with the place of the use, whatever the function raised.
    """
    use = placed.use
    offer, settings = offer_from(use, context.catalogue)
    call: Callable[..., object] = getattr(offer, function)
    provider = context.catalogue.find(use.noun, use.name).provider
    with answering(f"{use.noun} {use.name!r} of {provider}", placed.mark):
        return call(settings, *more)


def outline_of(placed: Placed, context: Context) -> tuple[Outline, str]:
    """What a dataset says of itself, and the fingerprint of its bytes; asked once per use.

    Raises:
        HarnessError: the data are not there, or the outline contradicts itself.
    """
    key = repr((placed.use.name, placed.use.settings))
    if key not in context.known:
        outline = asked(placed, "outline", context)
        found = fault_of(outline)
        if found is not None:
            provider = context.catalogue.find("dataset", placed.use.name).provider
            message = f"dataset {placed.use.name!r} of {provider}: {found[0]}"
            raise HarnessError(message, where=placed.mark, fix=found[1])
        fingerprint = asked(placed, "fingerprint", context)
        if not isinstance(fingerprint, str) or not fingerprint:
            message = f"dataset {placed.use.name!r} gives no fingerprint"
            raise HarnessError(message, where=placed.mark, fix="tell its author")
        context.known[key] = outline, fingerprint
        name = placed.use.label
        context.notes.extend(f"{placed.mark}: dataset {name!r}: {note}" for note in outline.notes)
    return context.known[key]


def input_shapes(outline: Outline) -> str:
    """The inputs in words, to compare and to show: `image: image 1x28x28`."""
    return ", ".join(f"{name}: {_shape(spec)}" for name, spec in sorted(outline.inputs.items()))


def _shape(spec: InputSpec) -> str:
    return " ".join([spec.kind, *(["x".join(map(str, spec.shape))] if spec.shape else [])])
