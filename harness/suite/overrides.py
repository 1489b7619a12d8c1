"""`--set data.batch=64`: values from the command line, put in before anything is checked."""

from collections.abc import Sequence

from harness.api.errors import HarnessError
from harness.suite.nodes import Listing, Mark, Node, Scalar, Table, describe, is_null
from harness.suite.parsing import parse

_DEEPEST = 40


def override(suite: Table, settings: Sequence[str]) -> Table:
    """The suite with each `path=value` put in, in order; values are read as YAML.

    A path names keys and positions: `methods.0.full.steps`. A use that is only a name becomes a
    table when a setting is put in. Keys that are not there yet are made; `check` knows if they
    may be.

    Raises:
        HarnessError: the path is not a path, the value is not YAML, or a position is not there.
    """
    for text in settings:
        mark = Mark(f"--set {text if len(text) <= 100 else text[:97] + '...'}")
        path, equals, value = text.partition("=")
        parts = path.strip().split(".")
        if not equals or not all(parts):
            fix = "write --set data.batch=64"
            raise HarnessError("is not a path and a value", where=str(mark), fix=fix)
        if len(parts) > _DEEPEST:
            raise HarnessError(f"is deeper than {_DEEPEST} keys", where=str(mark))
        changed = _put(suite, parts, parse(value, mark.source, lines=False), mark)
        assert isinstance(changed, Table)  # a table stays one
        suite = changed
    return suite


def _put(node: Node, path: Sequence[str], value: Node, mark: Mark) -> Node:
    if not path:
        return value
    if isinstance(node, Listing):
        return _put_in_list(node, path, value, mark)
    if isinstance(node, Scalar):
        node = _opened(node, path, mark)
    size = _key_length(node, path)
    key = ".".join(path[:size])
    old = next((entry.value for entry in node.entries if entry.key == key), None)
    under = old if old is not None else Scalar(mark, None, "")
    return node.put(key, mark, _put(under, path[size:], value, mark))


def _put_in_list(node: Listing, path: Sequence[str], value: Node, mark: Mark) -> Node:
    count = len(node.items)
    word = path[0]
    if not (word.isascii() and word.isdigit()) or len(word) > 9 or int(word) >= count:
        fix = f"positions go from 0 to {count - 1}" if count else "the list is empty"
        raise HarnessError(f"{word!r} is not a position of this list", where=str(mark), fix=fix)
    place = int(word)
    items = list(node.items)
    items[place] = _put(items[place], path[1:], value, mark)
    return Listing(node.mark, tuple(items))


def _opened(node: Scalar, path: Sequence[str], mark: Mark) -> Table:
    """A table in the place of nothing, or of a use that was only a name."""
    if is_null(node):
        return Table(mark, ())
    if node.value == path[0]:
        empty = Scalar(node.mark, None, "")
        return Table(node.mark, ()).put(path[0], node.mark, empty)
    message = f"{path[0]!r} cannot be put into {describe(node)}"
    raise HarnessError(message, where=str(mark))


def _key_length(node: Table, path: Sequence[str]) -> int:
    """How many parts of the path make the next key: the longest key that is there, else one."""
    for size in range(len(path), 1, -1):
        if ".".join(path[:size]) in node.keys:
            return size
    return 1
