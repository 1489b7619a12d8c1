"""Hashes of the sources that an offer is made of, so that edited code makes new cells."""

import ast
import functools
import hashlib
import inspect
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields
from pathlib import Path

from harness.api.offers import Metric, Offer, Parts

Module = tuple[str, Path]
"""A module's name and its file."""

INSTALLED = ("site-packages", "dist-packages")
"""Folders of installed packages: what lies side by side there has nothing to do with each other."""


def modules_of(offer: Offer, plugin: str) -> tuple[str, ...]:
    """Names of the modules that define the offer's functions and settings, sorted.

    A function that carries values along (a partial, a closure, a method of an object) may have got
    them anywhere in the plugin, so the module `plugin` that makes the offers counts too. What the
    harness itself defines is left out: it has a version of its own.
    """
    values = [getattr(offer, item.name) for item in fields(offer)]
    if isinstance(offer, Metric) and isinstance(offer.parts, Parts):
        values += [getattr(offer.parts, item.name) for item in fields(offer.parts)]
    made = [value for value in values if callable(value)]
    names = {_home(value) for value in made}
    if any(_carries_values(value) for value in made):
        names.add(plugin)
    return tuple(sorted(name for name in names if _counts(name)))


class Sources:
    """Reads each source file at most once while a catalogue lives.

    The digest of a set of modules covers each of them and, transitively, every module that it
    imports of the same top-level package, or from beside it where it is not installed; found by a
    static walk that imports nothing.
    """

    def __init__(self) -> None:
        self._read: dict[str, tuple[bytes, frozenset[Module]]] = {}

    def digest(self, modules: tuple[str, ...]) -> str:
        """SHA-256 (16 hex digits) over the sources of the modules and of what they import.

        Names, places and line endings of the files do not count: the same code has the same digest
        everywhere.
        """
        seen: set[str] = set()
        parts = []
        waiting = [(module, _file_of(module)) for module in modules]
        while waiting:
            module, file = waiting.pop()
            if module not in seen:
                seen.add(module)
                part, imported = self._of(module, file)
                parts.append(part)
                waiting.extend(imported)
        return hashlib.sha256(b"".join(sorted(parts))).hexdigest()[:16]

    def _of(self, module: str, file: Path | None) -> tuple[bytes, frozenset[Module]]:
        if module not in self._read:
            text = b"" if file is None else file.read_bytes().replace(b"\r\n", b"\n")
            imported: frozenset[Module] = frozenset()
            if file is not None and file.suffix == ".py":
                imported = frozenset(_imported(text, module, file))
            self._read[module] = hashlib.sha256(text).digest(), imported
        return self._read[module]


def _counts(module: str) -> bool:
    return module.partition(".")[0] not in ("", "harness")


def _carries_values(value: object) -> bool:
    """Whether it does more than its source says: not a plain function or a class of a module."""
    if isinstance(value, type):
        return "<locals>" in value.__qualname__
    return not inspect.isfunction(value) or value.__closure__ is not None


def _home(value: object) -> str:
    """The module that defines a function, a class, a partial or a callable object."""
    while isinstance(value, functools.partial):
        value = value.func
    defined: object = getattr(value, "__module__", None) or getattr(type(value), "__module__", "")
    return defined if isinstance(defined, str) else ""


def _imported(text: bytes, module: str, file: Path) -> Iterator[Module]:
    """Modules that a source text imports anywhere, of the same package or from beside it."""
    package = file.stem == "__init__"
    folder = file.parents[module.count(".") + package]
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):  # whoever imports it will be told; its bytes count anyway
        return
    for name, members in _statements(tree, module, package=package):
        first = name.partition(".")[0]
        if first != module.partition(".")[0] and not _lies_beside(first, folder):
            continue
        inner = [f"{name}.{member}" for member in members]
        found = [(item, place) for item in inner if (place := _file_of(item, folder)) is not None]
        yield from found
        # a member that is no module of its own is defined by the module it is imported from
        own = _file_of(name, folder)
        if (len(found) < len(inner) or not inner) and own is not None:
            yield name, own


def _lies_beside(package: str, folder: Path) -> bool:
    """Whether a top-level package is found in the folder, and is not one of those installed."""
    if folder.name in INSTALLED or not _counts(package) or _inside(folder, [package]) is None:
        return False
    file = _file_of(package, folder)
    return file is not None and file.resolve().is_relative_to(folder.resolve())


def _statements(
    tree: ast.Module, module: str, *, package: bool
) -> Iterator[tuple[str, Iterable[str]]]:
    """(module, members) of every import statement, relative ones made absolute."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, ()) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            name = node.module or ""
            if node.level:
                base = module.split(".")[: None if package else -1]
                base = base[: len(base) - node.level + 1]
                name = ".".join([*base, name] if name else base)
            yield name, [alias.name for alias in node.names]


def _file_of(module: str, folder: Path | None = None) -> Path | None:
    """The file of a module; nothing is imported.

    Its top-level package is looked for where it was loaded from, else in the folder.
    """
    loaded = sys.modules.get(module)
    if loaded is not None:
        file = getattr(loaded, "__file__", None)
        return Path(file) if file and Path(file).is_file() else None
    top, *parts = module.split(".")
    package = sys.modules.get(top)
    if package is None:
        return None if folder is None else _inside(folder, [top, *parts])
    files = (_inside(Path(path), parts) for path in getattr(package, "__path__", ()))
    return next((file for file in files if file is not None), None)


def _inside(folder: Path, parts: Sequence[str]) -> Path | None:
    base = folder.joinpath(*parts)
    files = (base.with_name(f"{base.name}.py"), base / "__init__.py")
    return next((file for file in files if file.is_file()), None)
