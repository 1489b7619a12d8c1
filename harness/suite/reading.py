"""Typed reading of nodes: what is expected, or one clear line with its place."""

import re
from collections.abc import Collection, Sequence
from pathlib import Path

from harness.api.errors import HarnessError
from harness.suite.nodes import Listing, Mark, Node, Scalar, Table, describe, is_null
from harness.suite.problems import Problems, unknown

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*", re.ASCII)


def wrong(node: Node, expected: str, what: str) -> HarnessError:
    """An error for a value of the wrong kind, or the fault that it has already."""
    if isinstance(node, Scalar) and node.fault is not None:
        return node.fault
    return HarnessError(f"{what} must be {expected}, not {describe(node)}", where=str(node.mark))


def table(node: Node, what: str, known: Collection[str], problems: Problems) -> Table:
    """A table; keys that are not known are noted as problems."""
    if is_null(node):
        return Table(node.mark, ())
    if not isinstance(node, Table):
        raise wrong(node, f"a table with {_list(sorted(known))}", what)
    for entry in node.entries:
        if entry.key not in known:
            problems.add(unknown("key", entry.key, known, entry.mark))
    return node


def needed(node: Table, key: str, what: str) -> Node:
    """The value of a key that must be there."""
    value = node.get(key)
    if value is None:
        entry = next((e for e in node.entries if e.key == key), None)
        where = node.mark if entry is None else entry.mark
        state = "missing" if entry is None else "empty"
        raise HarnessError(f"{what} needs the key {key!r}, which is {state}", where=str(where))
    return value


def items(node: Node | None) -> tuple[Node, ...]:
    """The items of a list; a single value stands for a list of one, nothing for an empty list."""
    if node is None or is_null(node):
        return ()
    return node.items if isinstance(node, Listing) else (node,)


def filled(node: Node, what: str) -> tuple[Node, ...]:
    """The items of a list that may not be empty."""
    found = items(node)
    if not found:
        raise HarnessError(f"{what} must name at least one", where=str(node.mark))
    return found


def text(node: Node, what: str) -> str:
    """One line of text; a number counts as the text it was written as (`version: 1.10`)."""
    if not isinstance(node, Scalar) or isinstance(node.value, bool) or node.value is None:
        raise wrong(node, "text", what)
    if node.fault is not None:
        raise node.fault
    value = node.value if isinstance(node.value, str) else node.raw
    if not value.strip() or not value.isprintable():
        raise HarnessError(f"{what} must be one line of text", where=str(node.mark))
    return value.strip()


def name(node: Node, what: str) -> str:
    """A short name that can stand in a file name."""
    return checked_name(text(node, what), what, node.mark)


def checked_name(value: str, what: str, where: object) -> str:
    """The value, if it is a short name that can stand in a file name."""
    if not _NAME.fullmatch(value) or len(value) > 80:
        fix = "use letters, digits and . _ + - (at most 80)"
        shown = value if len(value) <= 60 else value[:57] + "..."
        raise HarnessError(f"{what} cannot be {shown!r}", where=str(where), fix=fix)
    return value


def label(node: Node) -> str:
    """The name of a use in reports, after `as`."""
    value = text(node, "`as`")
    if len(value) > 200 or "·" in value:
        fix = "at most 200 characters, and no '·', which joins the parts of a procedure's name"
        raise HarnessError("this label cannot be used", where=str(node.mark), fix=fix)
    return value


def whole(node: Node, what: str, *, least: int, most: int = 2**63 - 1) -> int:
    """A whole number in a range."""
    if not isinstance(node, Scalar) or type(node.value) is not int:
        raise wrong(node, "a whole number", what)
    if not least <= node.value <= most:
        bound = f"at least {least}" if node.value < least else f"at most {most}"
        raise HarnessError(f"{what} must be {bound}, not {node.raw}", where=str(node.mark))
    return node.value


def choice(node: Node, what: str, choices: Collection[str]) -> str:
    """One of a few words."""
    value = text(node, what)
    if value not in choices:
        raise unknown(what, value, choices, node.mark)
    return value


def home(mark: Mark, folder: Path) -> Path:
    """Where a relative path starts: at the suite's folder, on the command line here."""
    return folder if mark.line else Path.cwd()


def is_file(path: Path) -> bool:
    """Whether a file is there; no file has a name that the file system cannot hold."""
    try:
        return path.is_file()
    except OSError:
        return False


def path_from(value: str, folder: Path) -> str:
    """An absolute path; a relative one starts at `folder`."""
    path = Path(value).expanduser() if value.startswith("~/") else Path(value)
    # `absolute` on purpose: a link keeps its name, which may be the stable one
    return str((folder / path).absolute())


def _list(words: Sequence[str]) -> str:
    return ", ".join(words)
