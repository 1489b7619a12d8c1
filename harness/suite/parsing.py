"""YAML text to a tree of nodes: no tags, no key twice, no surprise.

Built on PyYAML's events rather than its loader: a loader forgets where a value stood, takes the
last of two equal keys, and recurses as deep as the file wants.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from harness.api.errors import HarnessError
from harness.suite.nodes import Entry, Listing, Mark, Node, Scalar, Table, is_null
from harness.suite.scalars import value_of

_MOST_BYTES = 500_000
_MOST_NODES = 50_000
_DEEPEST = 40
_NO_TAG = "remove the tag: only plain values, lists and tables are read"


def parse_file(path: Path, shown: str) -> Table:
    """The suite file as a table; `shown` is how messages name it."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise HarnessError(f"cannot be read: {error.strerror}", where=shown) from error
    if len(content) > _MOST_BYTES:
        raise HarnessError(f"is larger than {_MOST_BYTES // 1000} kB", where=shown)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        fix = "save the file as UTF-8"
        raise HarnessError("is not UTF-8 text", where=f"{shown}:{line}", fix=fix) from error
    node = parse(text, shown)
    if is_null(node):
        raise HarnessError("is empty", where=shown, fix="a suite starts with `id:`")
    if not isinstance(node, Table):
        fix = "a suite starts with `id:`"
        raise HarnessError("is not a table of keys and values", where=str(node.mark), fix=fix)
    return node


def parse(text: str, source: str, *, lines: bool = True) -> Node:
    """One YAML document as a node; an empty one is null. `lines=False` leaves out line numbers."""
    builder = _Builder(source, lines)
    try:
        for event in yaml.parse(text, Loader=yaml.SafeLoader):
            builder.take(event)
    except HarnessError:
        raise
    except yaml.MarkedYAMLError as error:
        place = error.problem_mark
        where = source if place is None else str(builder.mark(place.line, place.column))
        raise HarnessError(f"is not YAML: {_reason(error)}", where=where) from error
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        where = str(Mark(source, line if lines else 0, 1))
        message = f"the character #x{ord(text[error.position]):04x} is not allowed"
        raise HarnessError(message, where=where) from error
    except (ValueError, OverflowError, IndexError, AttributeError) as error:
        # PyYAML lets a few malformed escapes through to Python ("\UFFFFFFFF", "%YAML 1.")
        raise HarnessError(f"is not YAML: {error}", where=source) from error
    return builder.root


def _reason(error: yaml.MarkedYAMLError) -> str:
    reason = error.problem or error.context or "it cannot be read"
    if "'\\t'" in reason:
        reason = "a tab is used for indentation, which only spaces can do"
    return reason


@dataclass
class _Open:
    """A list or a table whose end has not come yet."""

    mark: Mark
    anchor: str | None
    is_table: bool
    size_before: int
    items: list[Node] = field(default_factory=list)
    depth: int = 1


class _Builder:
    """Puts events together; `take` them in order, then `root` is the document."""

    def __init__(self, source: str, lines: bool) -> None:
        self.source = source
        self.lines = lines
        self.root: Node = Scalar(Mark(source), None, "")
        self._documents = 0
        self._open: list[_Open] = []
        self._anchors: dict[str, tuple[Node, int, int]] = {}
        self._nodes = 0

    def mark(self, line: int, column: int) -> Mark:
        """PyYAML's place (from 0) as ours."""
        return Mark(self.source, line + 1, column + 1) if self.lines else Mark(self.source)

    def take(self, event: yaml.Event) -> None:
        """The next event."""
        start = event.start_mark
        assert start is not None  # the parser marks every event
        mark = self.mark(start.line, start.column)
        if isinstance(event, yaml.DocumentStartEvent):
            self._documents += 1
            if self._documents > 1:
                fix = "a suite is one document: remove the `---`"
                raise HarnessError("a second document starts here", where=str(mark), fix=fix)
        elif isinstance(event, yaml.ScalarEvent):
            self._count(mark, 1)
            self._tag(event.tag, mark)
            self._add(_scalar(event, mark), event.anchor, (1, 0))
        elif isinstance(event, yaml.SequenceStartEvent | yaml.MappingStartEvent):
            self._count(mark, 1)
            self._tag(event.tag, mark)
            self._deepen(mark, 1)
            is_table = isinstance(event, yaml.MappingStartEvent)
            self._open.append(_Open(mark, event.anchor, is_table, self._nodes - 1))
        elif isinstance(event, yaml.SequenceEndEvent | yaml.MappingEndEvent):
            done = self._open.pop()
            closed = _table(done) if done.is_table else Listing(done.mark, tuple(done.items))
            self._add(closed, done.anchor, (self._nodes - done.size_before, done.depth))
        elif isinstance(event, yaml.AliasEvent):
            if event.anchor not in self._anchors:
                raise HarnessError(f"there is no anchor &{event.anchor} above", where=str(mark))
            node, size, depth = self._anchors[event.anchor]
            self._count(mark, size)
            self._deepen(mark, depth)
            self._add(node, None, (size, depth))

    def _count(self, mark: Mark, size: int) -> None:
        self._nodes += size
        if self._nodes > _MOST_NODES:
            fix = "use fewer aliases" if self._anchors else "is this a suite?"
            raise HarnessError(f"holds more than {_MOST_NODES} values", where=str(mark), fix=fix)

    def _deepen(self, mark: Mark, depth: int) -> None:
        if len(self._open) + depth > _DEEPEST:
            raise HarnessError(f"is nested deeper than {_DEEPEST} levels", where=str(mark))

    def _tag(self, tag: str | None, mark: Mark) -> None:
        if tag is not None:
            raise HarnessError(f"the tag {tag} is not read", where=str(mark), fix=_NO_TAG)

    def _add(self, node: Node, anchor: str | None, extent: tuple[int, int]) -> None:
        size, depth = extent
        if anchor is not None:
            self._anchors[anchor] = (node, size, depth)
        if self._open:
            self._open[-1].items.append(node)
            self._open[-1].depth = max(self._open[-1].depth, depth + 1)
        else:
            self.root = node


def _scalar(event: yaml.ScalarEvent, mark: Mark) -> Scalar:
    text: str = event.value
    for character in text:
        if (character < " " and character not in "\n\t") or "\ud800" <= character <= "\udfff":
            message = f"the character #x{ord(character):04x} is not allowed"
            raise HarnessError(message, where=str(mark))
    if event.style is not None:
        return Scalar(mark, text, text)
    return Scalar(mark, value_of(text, mark), text)


def _table(done: _Open) -> Table:
    """Pairs of nodes as a table; `<<` merges other tables beneath the keys written here."""
    entries: dict[str, Entry] = {}
    merged: list[Entry] = []
    for key, value in zip(done.items[::2], done.items[1::2], strict=True):
        if not isinstance(key, Scalar) or not isinstance(key.value, str):
            fix = "put it in quotes" if isinstance(key, Scalar) else None
            raise HarnessError("a key must be text", where=str(key.mark), fix=fix)
        if key.value in entries or (key.value == "<<" and merged):
            first = merged[0].mark if key.value == "<<" else entries[key.value].mark
            shown = key.value if len(key.value) <= 60 else key.value[:57] + "..."
            message = f"the key {shown!r} stands twice, first in line {first.line}"
            raise HarnessError(message, where=str(key.mark), fix="remove one of them")
        if key.value == "<<":
            merged = list(_merged(key, value))
        else:
            entries[key.value] = Entry(key.value, key.mark, value)
    for entry in merged:
        entries.setdefault(entry.key, entry)
    return Table(done.mark, tuple(entries.values()))


def _merged(key: Scalar, value: Node) -> Iterator[Entry]:
    for table in value.items if isinstance(value, Listing) else (value,):
        if not isinstance(table, Table):
            fix = "write `<<: *anchor`"
            raise HarnessError("`<<` merges tables only", where=str(key.mark), fix=fix)
        yield from table.entries
