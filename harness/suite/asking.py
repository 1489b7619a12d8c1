"""Asking an offer: a plugin that raises is named, and never takes the check down with it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from harness.api.data import InputSpec, Outline, Task
from harness.api.errors import HarnessError
from harness.plug import offer_from
from harness.suite.answering import answering
from harness.suite.uses import Context, Placed

NO_ID = "it has no in-domain evaluation split"


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
        fault = _fault(outline)
        if fault:
            message = f"dataset {placed.use.name!r}: {fault}"
            fix = "name one in its settings (`test`, `id`)" if fault == NO_ID else "tell its author"
            raise HarnessError(message, where=placed.mark, fix=fix)
        fingerprint = asked(placed, "fingerprint", context)
        if not isinstance(fingerprint, str) or not fingerprint:
            message = f"dataset {placed.use.name!r} gives no fingerprint"
            raise HarnessError(message, where=placed.mark, fix="tell its author")
        context.known[key] = outline, fingerprint
    return context.known[key]


def _fault(outline: object) -> str:
    if not isinstance(outline, Outline):
        return "its outline is not an Outline"
    names = [*outline.id, *outline.ood]
    language = outline.task.kind == "language"
    if not outline.id and not language:
        return NO_ID
    if len(set(names)) < len(names) or "train" in names:
        return "two of its splits share a name"
    if any(split.parent not in outline.id for split in outline.ood.values()):
        return "the parent of one of its OOD splits is no in-domain split"
    if language and any(spec.kind != "text" for spec in outline.inputs.values()):
        return "a language task is one of text"
    return _task_fault(outline.task)


def _task_fault(task: Task) -> str:
    match task.kind, len(task.classes):
        case "classification", 0 | 1:
            return "it has fewer than two classes"
        case "regression", number if number != 1:
            return "in regression its task names one number"
        case "language", number if number:
            return "a language task has no classes"
    return ""


def input_shapes(outline: Outline) -> str:
    """The inputs in words, to compare and to show: `image: image 1x28x28`."""
    return ", ".join(f"{name}: {_shape(spec)}" for name, spec in sorted(outline.inputs.items()))


def _shape(spec: InputSpec) -> str:
    return " ".join([spec.kind, *(["x".join(map(str, spec.shape))] if spec.shape else [])])
