"""Settings of an offer, checked by its own pydantic model; each error finds its line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from types import UnionType
from typing import Annotated, Literal, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from harness.api.errors import HarnessError
from harness.api.settings import Settings, may_be_path
from harness.suite.nodes import (
    Listing,
    Mark,
    Node,
    Scalar,
    Table,
    describe,
    faults_of,
    is_null,
    plain,
)
from harness.suite.problems import SuiteError, unknown
from harness.suite.reading import home, path_from

_MOST_ERRORS = 20


def settings_of(node: Node, settings: type[Settings], offer: str, folder: Path) -> Settings:
    """The parsed settings.

    Relative paths (fields of type `pathlib.Path`) start at `folder`.

    Raises:
        SuiteError: one problem for each thing that the settings class does not accept.
    """
    if is_null(node):
        node = Table(node.mark, ())
    if not isinstance(node, Table):
        fix = "write them as a table, {name: value}"
        raise HarnessError(
            f"the settings of {offer} cannot be {describe(node)}", where=str(node.mark), fix=fix
        )
    faults = faults_of(node)
    node = _absolute(node, settings, folder)
    values = plain(node)
    assert isinstance(values, dict)  # a table's bare values
    try:
        parsed = settings.model_validate(values)
    except ValidationError as error:
        known = {fault.where for fault in faults}
        found = [each for each in _explained(error, node, settings) if each.where not in known]
        raise SuiteError.of([*faults, *found]) from error
    except Exception as error:
        if not faults:
            raise _of_plugin(error, node, offer) from error
    if faults:
        raise SuiteError.of(faults)
    _refuse_truths(node, parsed, ())
    return parsed


def _of_plugin(error: Exception, node: Node, offer: str) -> HarnessError:
    """What a validator of the plugin's own raised, which may be anything."""
    if isinstance(error, HarnessError):
        return HarnessError(error.message, where=str(node.mark), fix=error.fix)
    message = f"the settings of {offer} raised {type(error).__name__}: {error}"
    return HarnessError(message, where=str(node.mark))


def _refuse_truths(node: Node, value: object, path: tuple[str, ...]) -> None:
    """Raise where `true` or `false` would stand for 1 or 0, as pydantic takes them."""
    if isinstance(node, Scalar):
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if isinstance(node.value, bool) and number:
            message = f"{'.'.join(path)}: must be a number, not {describe(node)}"
            raise HarnessError(message, where=str(node.mark))
    elif isinstance(node, Table):
        for entry in node.entries:
            get = value.get if isinstance(value, Mapping) else partial(getattr, value)
            _refuse_truths(entry.value, get(entry.key, None), (*path, entry.key))
    elif isinstance(value, list | tuple) and len(value) == len(node.items):
        for place, (item, inner) in enumerate(zip(node.items, value, strict=True)):
            _refuse_truths(item, inner, (*path, str(place)))


def _explained(
    error: ValidationError, node: Table, settings: type[BaseModel]
) -> list[HarnessError]:
    """One problem per place; the branches of a union that all failed are joined by "or"."""
    by_place: dict[tuple[str, str], list[ErrorDetails]] = {}
    told = error.errors(include_url=False)[: 5 * _MOST_ERRORS]
    for detail in told:
        if detail["type"] == "too_short" and any(_inside(other, detail) for other in told):
            continue  # pydantic counts the sound items alone
        place, path = _place(node, detail["loc"])
        by_place.setdefault((str(place.mark), path), []).append(detail)
    found = []
    for (where, path), details in list(by_place.items())[:_MOST_ERRORS]:
        found.append(_problem(where, path, details, node, settings))
    return found


def _inside(inner: ErrorDetails, outer: ErrorDetails) -> bool:
    depth = len(outer["loc"])
    return len(inner["loc"]) > depth and inner["loc"][:depth] == outer["loc"]


def _problem(
    where: str,
    path: str,
    details: list[ErrorDetails],
    node: Table,
    settings: type[BaseModel],
) -> HarnessError:
    first = details[0]
    if first["type"] == "extra_forbidden":
        key = str(first["loc"][-1])
        parent, _ = _place(node, first["loc"][:-1])
        mark = _key_mark(parent, key)
        return unknown("key", key, _known_keys(settings, first["loc"][:-1]), mark)
    if first["type"] == "missing":
        return HarnessError(f"the setting {_dotted(first['loc'])!r} is missing", where=where)
    reasons = dict.fromkeys(_reason(detail) for detail in details)
    head = f"{path}: " if path else ""
    return HarnessError(head + " or ".join(reasons), where=where)


def _reason(detail: ErrorDetails) -> str:
    message = detail["msg"].removeprefix("Value error, ").removeprefix("Assertion failed, ")
    message = message.removeprefix("Input should be ")
    if message == detail["msg"]:
        return message
    if not detail["msg"].startswith("Input should be "):
        return message
    value = repr(detail["input"])
    return f"must be {message}, not {value if len(value) <= 60 else value[:57] + '...'}"


def _place(node: Node, location: tuple[int | str, ...]) -> tuple[Node, str]:
    """The deepest node on the way to an error, and its dotted path.

    Pydantic's locations name keys and positions, and between them branches of unions, which have
    no place in the file and are passed over.
    """
    path: list[str] = []
    for step in location:
        if isinstance(node, Table):
            entry = next((e for e in node.entries if e.key == step), None)
            if entry is not None:
                node = entry.value if not is_null(entry.value) else Scalar(entry.mark, None, "")
                path.append(str(step))
        elif isinstance(node, Listing) and isinstance(step, int) and 0 <= step < len(node.items):
            node = node.items[step]
            path.append(str(step))
    return node, ".".join(path)


def _key_mark(node: Node, key: str) -> Mark:
    if isinstance(node, Table):
        return next((e.mark for e in node.entries if e.key == key), node.mark)
    return node.mark


def _dotted(location: tuple[int | str, ...]) -> str:
    return ".".join(str(step) for step in location)


def _known_keys(settings: type[BaseModel], location: tuple[int | str, ...]) -> list[str]:
    """The keys that are known where an unknown one stands."""
    models: list[type[BaseModel]] = [settings]
    for step in location:
        inner = [
            model
            for known in models
            if isinstance(step, str) and step in known.model_fields
            for model in _models(known.model_fields[step].annotation)
        ]
        models = inner or models
    return [key for model in models for key in model.model_fields]


def _models(annotation: object) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models(argument)


def _absolute(node: Table, settings: type[BaseModel], folder: Path) -> Table:
    """The table with relative paths made absolute, wherever a field is a path."""
    for entry in node.entries:
        field = settings.model_fields.get(entry.key)
        if field is not None:
            value = _absolute_value(entry.value, field.annotation, folder)
            if may_be_path(field.metadata):
                value = _absolute_if_path(value, folder)
            if value is not entry.value:
                node = node.put(entry.key, entry.mark, value)
    return node


def _absolute_value(node: Node, annotation: object, folder: Path) -> Node:
    if annotation is Path:
        if isinstance(node, Scalar) and isinstance(node.value, str) and node.value:
            return Scalar(node.mark, path_from(node.value, home(node.mark, folder)), node.raw)
        return node
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return _absolute(node, annotation, folder) if isinstance(node, Table) else node
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated and may_be_path(arguments[1:]):
        return _absolute_if_path(node, folder)
    if origin is Annotated:
        return _absolute_value(node, arguments[0], folder)
    if origin in (Union, UnionType):
        if str in arguments or any(
            isinstance(node, Scalar) and get_origin(a) is Literal and node.value in get_args(a)
            for a in arguments
        ):
            return node  # a word, not a path
        for argument in arguments:
            node = _absolute_value(node, argument, folder)
    elif isinstance(node, Listing) and arguments and origin in (list, tuple, set, frozenset):
        kinds = [a for a in arguments if a is not Ellipsis]
        found = tuple(
            _absolute_value(item, kinds[min(i, len(kinds) - 1)], folder)
            for i, item in enumerate(node.items)
        )
        node = Listing(node.mark, found)
    elif isinstance(node, Table) and origin in (dict, Mapping) and len(arguments) == 2:
        for entry in node.entries:
            value = _absolute_value(entry.value, arguments[1], folder)
            node = node.put(entry.key, entry.mark, value)
    return node


def _absolute_if_path(node: Node, folder: Path) -> Node:
    path = isinstance(node, Scalar) and isinstance(node.value, str) and node.value
    if path and path.startswith(("./", "../", "~/")):
        return _absolute_value(node, Path, folder)
    return node
