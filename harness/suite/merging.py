"""The key `classes` of an OOD split: which of the model's classes stand for another dataset's."""

from __future__ import annotations

from harness.api.cells import MergedClass
from harness.api.data import Outline, Task
from harness.api.errors import HarnessError
from harness.suite.nodes import Node, Table
from harness.suite.problems import unknown
from harness.suite.reading import filled, text, wrong
from harness.suite.scalars import quoted

MOST = 62
"""Classes that a model may have where some are merged: sets of them are stored as one number."""


SHOWN = 6
"""Classes that a message names."""


def unlike(other: Task, own: Task) -> tuple[str, str | None]:
    """Why targets of `other` are no targets of a model of `own`, or "", and what to write.

    Classes are compared by name and place: a number alone does not say which is meant.
    """
    theirs, ours = other.classes, own.classes
    if other.kind != own.kind:
        return f"its task is {other.kind}, not {own.kind}", None
    if len(theirs) != len(ours):
        fewer = len(theirs) < len(ours)
        fix = "merge classes with `classes: {CLASS: [...]}`" if fewer else None
        return f"it has {len(theirs)} classes, not {len(ours)}", fix
    if theirs == ours or own.kind != "classification":
        return "", None
    pairs = [
        f"{quoted(name)}: {quoted(name) if name in ours else '...'}" for name in theirs[:SHOWN]
    ]
    more = ", ..." if len(theirs) > SHOWN else ""
    fix = f"say which is which: `classes: {{{', '.join(pairs)}{more}}}`"
    if len(ours) > MOST:
        fix = "give its classes the names and the order of the suite's"
    if set(theirs) == set(ours):
        return "its classes stand in another order", fix
    return f"its classes are {_some(theirs)}, not {_some(ours)}", fix


def _some(names: tuple[str, ...]) -> str:
    return ", ".join(names[:SHOWN]) + (", ..." if len(names) > SHOWN else "")


def merged_of(node: Node, other: Outline, own: Outline) -> tuple[MergedClass, ...]:
    """For each class of the other dataset the own classes that stand for it, each exactly once.

    Raises:
        HarnessError: an unknown class, one that stands twice or nowhere, or nothing that is merged.
    """
    theirs, ours = other.task.classes, own.task.classes
    if not isinstance(node, Table):
        raise wrong(node, "a table with a list of classes for each class", "`classes`")
    if (own.task.kind, other.task.kind) != ("classification", "classification"):
        raise HarnessError("only classes can be merged", where=str(node.mark))
    if len(ours) > MOST:
        message = f"of {len(ours)} classes none can be merged, of at most {MOST} they can"
        raise HarnessError(message, where=str(node.mark))
    found: dict[str, tuple[int, ...]] = {}
    for entry in node.entries:
        if entry.key not in theirs:
            raise unknown("class", entry.key, theirs, entry.mark)
        names = [(text(item, "a class"), item.mark) for item in filled(entry.value, entry.key)]
        for name, mark in names:
            if name not in ours:
                raise unknown("class of the model:", name, ours, mark)
        found[entry.key] = tuple(sorted(ours.index(name) for name, _ in names))
    _each_once(found, theirs, ours, str(node.mark))
    return tuple(MergedClass(name, found[name]) for name in theirs)


def _each_once(
    found: dict[str, tuple[int, ...]], theirs: tuple[str, ...], ours: tuple[str, ...], where: str
) -> None:
    missing = [name for name in theirs if name not in found]
    if missing:
        raise HarnessError(f"`classes` does not say what {missing[0]!r} is made of", where=where)
    used = [place for members in found.values() for place in members]
    for place, name in enumerate(ours):
        if used.count(place) != 1:
            stands = "twice" if place in used else "nowhere"
            raise HarnessError(f"the class {name!r} stands {stands} in `classes`", where=where)
