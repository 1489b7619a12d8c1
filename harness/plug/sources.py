"""Hashes of the sources that an offer is made of, so that edited code makes new cells."""

import ast
import functools
import hashlib
import sys
from collections.abc import Iterable, Iterator
from dataclasses import fields
from pathlib import Path
from types import ModuleType

from harness.api.offers import Offer


def modules_of(offer: Offer) -> tuple[str, ...]:
    """Names of the modules that define the offer's functions and settings, sorted.

    What the harness itself defines is left out: it has a version of its own.
    """
    values = (getattr(offer, item.name) for item in fields(offer))
    names = {_home(value) for value in values if callable(value)}
    return tuple(sorted(name for name in names if name.partition(".")[0] not in ("", "harness")))


class Sources:
    """Reads each source file at most once while a catalogue lives.

    The digest of a set of modules covers each of them and, transitively, every module of the same
    top-level package that it imports, found by a static walk that imports nothing.
    """

    def __init__(self) -> None:
        self._read: dict[str, tuple[bytes, frozenset[str]]] = {}

    def digest(self, modules: tuple[str, ...]) -> str:
        """SHA-256 (16 hex digits) over the sources of the modules and of what they import.

        Names and places of the files do not count: the same code has the same digest everywhere.
        """
        seen: set[str] = set()
        waiting = list(modules)
        while waiting:
            module = waiting.pop()
            if module not in seen:
                seen.add(module)
                waiting.extend(self._of(module)[1])
        parts = sorted(self._of(module)[0] for module in seen)
        return hashlib.sha256(b"".join(parts)).hexdigest()[:16]

    def _of(self, module: str) -> tuple[bytes, frozenset[str]]:
        if module not in self._read:
            file = _file_of(module)
            text = b"" if file is None else file.read_bytes()
            imported: frozenset[str] = frozenset()
            if file is not None and file.suffix == ".py":
                imported = frozenset(_imported(text, module, package=file.stem == "__init__"))
            self._read[module] = hashlib.sha256(text).digest(), imported
        return self._read[module]


def _home(value: object) -> str:
    """The module that defines a function, a class, a partial or a callable object."""
    while isinstance(value, functools.partial):
        value = value.func
    defined: object = getattr(value, "__module__", None) or getattr(type(value), "__module__", "")
    return defined if isinstance(defined, str) else ""


def _imported(text: bytes, module: str, *, package: bool) -> Iterator[str]:
    """Modules of the same top-level package that a source text imports anywhere."""
    top = module.partition(".")[0]
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):  # whoever imports it will be told; its bytes count anyway
        return
    for name, members in _statements(tree, module, package=package):
        if name.partition(".")[0] != top:
            continue
        inner = [f"{name}.{member}" for member in members]
        found = [item for item in inner if _file_of(item) is not None]
        yield from found
        # a member that is no module of its own is defined by the module it is imported from
        if (len(found) < len(inner) or not inner) and _file_of(name) is not None:
            yield name


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


def _file_of(module: str) -> Path | None:
    """The file of a module whose top-level package is loaded; nothing is imported."""
    loaded = sys.modules.get(module)
    if loaded is not None:
        file = getattr(loaded, "__file__", None)
        return Path(file) if file and Path(file).is_file() else None
    top, *parts = module.split(".")
    for folder in _folders(sys.modules.get(top)):
        base = folder.joinpath(*parts)
        for file in (base.with_name(f"{base.name}.py"), base / "__init__.py"):
            if file.is_file():
                return file
    return None


def _folders(package: ModuleType | None) -> list[Path]:
    return [Path(folder) for folder in getattr(package, "__path__", ())]
