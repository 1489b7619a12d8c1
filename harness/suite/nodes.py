"""A suite as written: a tree of values that know where they stand."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from harness.api.errors import HarnessError
from harness.api.settings import Json


@dataclass(frozen=True, slots=True)
class Mark:
    """A place: a file with a line and a column (from 1), or an option of the command line (0, 0).

    >>> print(Mark("s.yaml", 4, 3)), print(Mark("--set a=1"))
    s.yaml:4:3
    --set a=1
    (None, None)
    """

    source: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.source}:{self.line}:{self.column}" if self.line else self.source


@dataclass(frozen=True, slots=True)
class Scalar:
    """One value; `raw` is the text it was written as.

    `fault` is why its variables could not be filled in: it is raised where the value is needed.
    """

    mark: Mark
    value: str | int | float | bool | None
    raw: str
    fault: HarnessError | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Listing:
    """A list."""

    mark: Mark
    items: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """One key of a table with its value; `mark` is where the key stands."""

    key: str
    mark: Mark
    value: "Node"


@dataclass(frozen=True, slots=True)
class Table:
    """Keys with values, in the order of the file; no key twice."""

    mark: Mark
    entries: tuple[Entry, ...]

    def entry(self, key: str) -> Entry | None:
        """The entry of a key, or None. A key without a value (null) counts as not written."""
        for entry in self.entries:
            if entry.key == key:
                return None if is_null(entry.value) else entry
        return None

    def get(self, key: str) -> "Node | None":
        """The value of a key, or None where it is not written."""
        entry = self.entry(key)
        return None if entry is None else entry.value

    @property
    def keys(self) -> tuple[str, ...]:
        """All keys, in the order of the file."""
        return tuple(entry.key for entry in self.entries)

    def put(self, key: str, mark: Mark, value: "Node") -> "Table":
        """The same table with one key set anew, in its old place or at the end."""
        new = Entry(key, mark, value)
        if key in self.keys:
            return Table(self.mark, tuple(new if e.key == key else e for e in self.entries))
        return Table(self.mark, (*self.entries, new))


Node = Scalar | Listing | Table


def is_null(node: Node) -> bool:
    """Whether a node is `null` or empty."""
    return isinstance(node, Scalar) and node.value is None


def faults_of(node: Node) -> list[HarnessError]:
    """Why values in a tree could not be filled in."""
    if isinstance(node, Scalar):
        return [] if node.fault is None else [node.fault]
    inner = node.items if isinstance(node, Listing) else [e.value for e in node.entries]
    return [fault for each in inner for fault in faults_of(each)]


def plain(node: Node) -> Json:
    """The bare values."""
    if isinstance(node, Scalar):
        return node.value
    if isinstance(node, Listing):
        return [plain(item) for item in node.items]
    return {entry.key: plain(entry.value) for entry in node.entries}


def node_of(value: Json, mark: Mark) -> Node:
    """A tree of bare values, all of which stand at one place."""
    if isinstance(value, list):
        return Listing(mark, tuple(node_of(item, mark) for item in value))
    if isinstance(value, Mapping):
        return Table(mark, tuple(Entry(k, mark, node_of(v, mark)) for k, v in value.items()))
    return Scalar(mark, value, str(value))


def describe(node: Node) -> str:
    """What a node is, for messages: `a list`, `a table`, `'text'`, `5`."""
    if isinstance(node, Listing):
        return "a list"
    if isinstance(node, Table):
        return "a table"
    if node.value is None:
        return "nothing"
    if isinstance(node.value, bool):
        return "true" if node.value else "false"
    shown = repr(node.value) if isinstance(node.value, str) else node.raw
    return shown if len(shown) <= 60 else shown[:57] + "..."
