"""Where plugins are looked for: entry points, and the files and modules that a user names."""

import functools
import hashlib
import importlib
import importlib.metadata
import importlib.util
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from harness.api.errors import HarnessError

GROUP = "harness"


@dataclass(frozen=True)
class Candidate:
    """A plugin that was found and not yet loaded; `load` gives the module or object."""

    name: str
    distribution: str
    version: str
    module: str
    load: Callable[[], object]

    def called(self, name: str) -> bool:
        """Whether `--without name` means this plugin.

        It may be called by its distribution, its own name, `distribution:name`, or its module.
        """
        own = {self.name, self.module, self.distribution, f"{self.distribution}:{self.name}"}
        return _plain(name) in {_plain(item) for item in own}


def announced() -> Iterator[Candidate]:
    """Plugins that installed distributions announce, in the order of distribution and name."""
    points = importlib.metadata.entry_points(group=GROUP)
    known: dict[int, tuple[str, str]] = {}
    found = []
    for point in points:
        dist = point.dist
        if id(dist) not in known:
            # reading a distribution's name parses all its metadata: once is enough
            known[id(dist)] = ("?", "?") if dist is None else _name_and_version(dist)
        name, version = known[id(dist)]
        found.append(Candidate(point.name, name, version, point.module, point.load))
    yield from sorted(found, key=lambda candidate: (candidate.distribution, candidate.name))


def mentions(candidate: Candidate, word: str) -> bool:
    """Whether the source of the candidate's module holds a word; True where it cannot be told.

    Reads the file instead of running it: a few microseconds against an import.
    """
    try:
        spec = importlib.util.find_spec(candidate.module)
        if spec is None or spec.origin is None:
            return True
        text = Path(spec.origin).read_text(encoding="utf-8")
    except (ImportError, OSError, ValueError):
        return True
    return word in text or "import *" in text


def named(extra: Iterable[str]) -> Iterator[Candidate]:
    """Plugins that the user names: paths of Python files, or modules that can be imported."""
    for name in dict.fromkeys(extra):
        yield _file(name) if is_path(name) else _module(name)


def is_path(name: str) -> bool:
    """Whether a plugin is named by the path of its file, not as a module."""
    return name.endswith(".py") or "/" in name or "\\" in name


def _file(name: str) -> Candidate:
    path = Path(name).expanduser().resolve()
    if not path.is_file():
        raise HarnessError(f"there is no plugin file {name!r}", fix="check the path")
    try:
        text = path.read_bytes()
    except OSError as error:
        raise HarnessError(f"plugin file {name!r} cannot be read: {error.strerror}") from None
    content = hashlib.sha256(str(path).encode() + b"\0" + text).hexdigest()[:12]
    # named by content: an unchanged file is run once per process, an edited one anew, and
    # every process has the same name for it
    module = f"harness_file_{re.sub(r'[^0-9A-Za-z]', '_', path.stem)}_{content}"
    return Candidate(name, path.name, "", module, functools.partial(_run, text, path, module))


def _run(text: bytes, path: Path, name: str) -> object:
    """The module made of a text that was read before: no cached bytecode can be mistaken for it."""
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None:
        raise ImportError(f"{path} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        exec(compile(text, str(path), "exec"), vars(module))
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _module(name: str) -> Candidate:
    top = name.partition(".")[0]
    try:
        known = importlib.util.find_spec(top) is not None
    except ValueError:  # an empty name, or a module without a spec
        known = top in sys.modules
    if not known:
        raise HarnessError(
            f"there is no plugin module {name!r}", fix=f"for a file, write ./{name}.py"
        )
    load = functools.partial(importlib.import_module, name)
    try:
        distribution = importlib.metadata.distribution(top)
    except importlib.metadata.PackageNotFoundError:
        return Candidate(name, name, "", name, load)
    return Candidate(name, *_name_and_version(distribution), name, load)


def _name_and_version(distribution: importlib.metadata.Distribution) -> tuple[str, str]:
    metadata = distribution.metadata
    return metadata["Name"], metadata["Version"]


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
