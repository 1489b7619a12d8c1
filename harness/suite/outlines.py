"""Is what a dataset says of itself whole? It is asked when a suite is checked."""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Integral

from harness.api.data import InputSpec, OodOutline, Outline, Task

AUTHOR = "tell its author"
IMAGE = 3
"""Axes of an image: channels, height, width."""


def fault_of(outline: object) -> tuple[str, str] | None:
    """What is wrong with an outline, and what mends it; None where nothing is."""
    if not isinstance(outline, Outline):
        return "its outline is not an Outline", AUTHOR
    found = _types(outline) or _splits(outline) or _task(outline.task)
    if found:
        return found
    for name, spec in outline.inputs.items():
        found = _input(name, spec)
        if found:
            return found
    if outline.task.kind == "language" and any(s.kind != "text" for s in outline.inputs.values()):
        return "a language task is one of text", AUTHOR
    return None


def _types(outline: Outline) -> tuple[str, str] | None:
    if not isinstance(outline.task, Task):
        return "the `task` of its outline is no Task", "write `Task(kind, classes)`"
    classes = outline.task.classes
    if not isinstance(classes, tuple) or not all(isinstance(name, str) for name in classes):
        return "its classes are no tuple of text", 'write `Task(kind, ("CLASS", "CLASS"))`'
    if not _named(outline.inputs, InputSpec) or not outline.inputs:
        return (
            "the `inputs` of its outline are no InputSpecs by name",
            "write `{NAME: InputSpec(...)}`",
        )
    if not _named(outline.id, Integral | None):
        return "the `id` of its outline are no sizes by name", "write `{NAME: size}`, or None"
    if not _named(outline.ood, OodOutline):
        return (
            "the `ood` of its outline are no OodOutlines by name",
            "write `{NAME: OodOutline(...)}`",
        )
    return None


def _named(values: object, kind: object) -> bool:
    return isinstance(values, Mapping) and all(
        isinstance(name, str) and isinstance(value, kind)  # type: ignore[arg-type]
        for name, value in values.items()
    )


def _splits(outline: Outline) -> tuple[str, str] | None:
    names = [*outline.id, *outline.ood]
    if not outline.id and outline.task.kind != "language":
        return "it has no in-domain evaluation split", "name one in its settings (`test`, `id`)"
    if len(set(names)) < len(names) or "train" in names:
        return "two of its splits share a name", AUTHOR
    if any(split.parent not in outline.id for split in outline.ood.values()):
        return "the parent of one of its OOD splits is no in-domain split", AUTHOR
    return None


def _task(task: Task) -> tuple[str, str] | None:
    match task.kind, len(task.classes):
        case "classification", 0 | 1:
            return "it has fewer than two classes", AUTHOR
        case "classification", number if number > len(set(task.classes)):
            return "two of its classes share a name", AUTHOR
        case "regression", number if number != 1:
            return "in regression its task names one number", AUTHOR
        case "language", number if number:
            return "a language task has no classes", AUTHOR
    return None


def _input(name: str, spec: InputSpec) -> tuple[str, str] | None:
    if spec.kind == "text":
        if not spec.fields or spec.shape:
            fix = 'write `InputSpec((), "text", fields=("FIELD",))` with the fields of its texts'
            return f"its text input {name!r} names no fields, or has a shape", fix
        return None
    if not _whole(spec.shape):
        return f"the shape of its input {name!r} is no tuple of sizes", "write `(3, 32, 32)`"
    if spec.kind == "image" and len(spec.shape) != IMAGE:
        fix = 'write `(channels, height, width)`, or `InputSpec(shape, "float")`'
        return f"its image {name!r} has the shape {spec.shape}", fix
    return None


def _whole(shape: object) -> bool:
    return isinstance(shape, tuple) and all(isinstance(n, Integral) and int(n) > 0 for n in shape)
