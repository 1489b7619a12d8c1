"""`{sweep: [a, b]}` in a setting stands for one use per value."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

from harness.api.errors import HarnessError
from harness.suite.language import SWEEP
from harness.suite.nodes import Listing, Node, Table, is_null, plain
from harness.suite.problems import twice
from harness.suite.reading import wrong

_MOST_USES = 1000


@dataclass(frozen=True)
class Variant:
    """Settings without sweeps; `suffix` is `[width=32, lr=0.1]`, or "" where nothing is swept."""

    settings: Node
    suffix: str


def variants(settings: Node) -> list[Variant]:
    """Every combination of swept values, the first sweep varying slowest.

    Raises:
        HarnessError: a sweep that is empty, nested or doubled, or too many combinations.
    """
    sweeps = list(_sweeps(settings, ()))
    count = 1
    for _, values in sweeps:
        count *= len(values)
        if count > _MOST_USES:
            message = f"the sweeps stand for more than {_MOST_USES} combinations"
            raise HarnessError(message, where=str(settings.mark))
    found = []
    for values in product(*(values for _, values in sweeps)):
        changed = settings
        named = []
        for (path, _), value in zip(sweeps, values, strict=True):
            changed = _replaced(changed, path, value)
            named.append(f"{_dotted(path)}={_shown(value)}")
        found.append(Variant(changed, f"[{', '.join(named)}]" if named else ""))
    return found


def refuse_sweeps(settings: Node, where: str) -> None:
    """Raise where a sweep stands in a place that cannot be swept."""
    for path, values in _sweeps(settings, ()):
        message = f"{_dotted(path)} cannot be swept in {where}"
        fix = "only the settings of models and methods can"
        raise HarnessError(message, where=str(values[0].mark), fix=fix)


def _sweeps(
    node: Node, path: tuple[int | str, ...]
) -> Iterator[tuple[tuple[int | str, ...], tuple[Node, ...]]]:
    if isinstance(node, Table):
        if path and node.keys == (SWEEP,):
            yield path, _values(node.entries[0].value)
            return
        for entry in node.entries:
            yield from _sweeps(entry.value, (*path, entry.key))
    elif isinstance(node, Listing):
        for place, item in enumerate(node.items):
            yield from _sweeps(item, (*path, place))


def _values(node: Node) -> tuple[Node, ...]:
    if not isinstance(node, Listing):
        raise wrong(node, "a list of values", "a sweep")
    if not node.items:
        raise HarnessError("a sweep needs at least one value", where=str(node.mark))
    for item in node.items:
        for _ in _sweeps(item, ("",)):
            raise HarnessError("a sweep cannot stand inside a sweep", where=str(item.mark))
    again = twice([_shown(item) for item in node.items])
    if again is not None:
        raise HarnessError(f"the sweep lists {again} twice", where=str(node.mark))
    return node.items


def _replaced(node: Node, path: Sequence[int | str], value: Node) -> Node:
    if not path:
        return value
    step, *rest = path
    if isinstance(node, Table):
        entry = next(e for e in node.entries if e.key == step)
        return node.put(entry.key, entry.mark, _replaced(entry.value, rest, value))
    assert isinstance(node, Listing)  # paths come from this very tree
    items = [_replaced(i, rest, value) if n == step else i for n, i in enumerate(node.items)]
    return Listing(node.mark, tuple(items))


def _dotted(path: Sequence[int | str]) -> str:
    return ".".join(str(step) for step in path)


def _shown(node: Node) -> str:
    value = plain(node)
    if is_null(node):
        return "none"
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
