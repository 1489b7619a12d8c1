"""What two identities differ in, path by path, in plain words."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from harness.api.settings import Json

_WORDS = {
    "engine": "the version of the engine for this stage",
    "precision": "the precision",
    "batch": "the batch size",
    "init": "the starting point",
    "checkpoint": "the bytes of the checkpoint",
    "limit.examples": "the limit on examples",
    "limit.steps": "the limit on steps",
    "part": "which part of the work (number, of how many)",
    "seeds.pretrain": "the pretraining seed",
    "seeds.finetune": "the fine-tuning seed",
    "seeds.order": "the seed of the data order",
    "seeds.nested": "the nesting of seeds",
    "scoring.engine": "the version of the scoring",
    "branch.step": "the step of the branching",
    "branch.copy": "the number of the branch",
}
BRIEF = 19
"""Characters of a hash that are shown: twelve digits after "sha256:"."""

_OF_DATA = re.compile(r"train|splits?\b")


@dataclass(frozen=True)
class Difference:
    """One path at which two identities differ; a value is None where the path is not there.

    In a path `by[rotation]` is the list entry of that name; an entry that only one of the two has
    is one difference, whatever it holds.
    """

    path: str
    planned: Json
    stored: Json

    def __str__(self) -> str:
        *above, last = _parts(self.path)
        place = f" of {_place(above)}" if above else ""
        if last.endswith("]") and None in (self.planned, self.stored):
            return f"{_part(last)}{place}: only {'there' if self.planned is None else 'here'}"
        absent = "the default" if "settings" in above else "none"
        planned, stored = _short(self.planned, absent), _short(self.stored, absent)
        here = f"{_brief(planned)} here, {_brief(stored)} there"
        match last:
            case "digest":
                return f"the source code{place} was changed (its hash: {here})"
            case "fingerprint" if not above or _OF_DATA.match(above[-1]):
                return f"the data{place} are others (their fingerprint: {here})"
            case "fingerprint":
                what = f"the files that {place.removeprefix(' of ')} reads"
                return f"{what} are others (their fingerprint: {here})"
        what = _WORDS.get(self.path, f"{_part(last) if '[' in last else last}{place}")
        return f"{what}: {planned} here, {stored} there"

    @property
    def weight(self) -> int:
        """How far it sets two cells apart: another seed or parent is another run altogether."""
        return 3 if self.path.startswith(("seeds", "parents")) else 1


def differences(planned: Mapping[str, Json], stored: Mapping[str, Json]) -> tuple[Difference, ...]:
    """All paths at which two identities differ, in the order of the planned one.

    >>> ours = {"batch": 64, "model": {"name": "cnn", "settings": {"width": 8}}}
    >>> [str(d) for d in differences(ours, {"batch": 32, "model": {"name": "cnn"}})]
    ['the batch size: 64 here, 32 there', 'width of the model: 8 here, the default there']
    >>> [str(d) for d in differences({"scores": [{"name": "nll"}]}, {"scores": [{"name": "ece"}]})]
    ["score 'nll': only here", "score 'ece': only there"]
    """
    ours, theirs = dict(_leaves(dict(planned))), dict(_leaves(dict(stored)))
    if ours == theirs:
        return ()
    found: dict[str, Difference] = {}
    for path, value in ours.items():
        if path not in theirs:
            entry = _lone_entry(path, theirs)
            found.setdefault(entry, Difference(entry, value, None))
        elif theirs[path] != value:
            found[path] = Difference(path, value, theirs[path])
    for path, value in theirs.items():
        if path not in ours:
            entry = _lone_entry(path, ours)
            found.setdefault(entry, Difference(entry, None, value))
    return tuple(each for each in found.values() if not _of_other_offer(each, found))


def _of_other_offer(difference: Difference, found: Mapping[str, Difference]) -> bool:
    """Whether it is the source of two offers that differ in their names already."""
    place, dot, last = difference.path.rpartition(".")
    return last == "digest" and f"{place}{dot}name" in found


def _leaves(value: Json, path: str = "") -> Iterator[tuple[str, Json]]:
    if isinstance(value, Mapping) and (value or not path):
        for name, inner in value.items():
            yield from _leaves(inner, f"{path}.{name}" if path else name)
    elif isinstance(value, list) and not _is_setting(value, path):
        for name, inner in zip(_entries(value), value, strict=True):
            yield from _leaves(inner, f"{path}[{name}]")
    else:
        yield path, value


def _is_setting(values: list[Json], path: str) -> bool:
    """Whether a list is one value: a setting like `hidden: [32, 32]`, or empty."""
    return not values or (
        "settings" in _parts(path) and not any(isinstance(value, Mapping) for value in values)
    )


def _entries(values: list[Json]) -> Sequence[str]:
    """What the entries of a list are called: by their names, if these tell them apart."""
    names = [str(value.get("name", "")) if isinstance(value, Mapping) else "" for value in values]
    if all(names) and len(set(names)) == len(names):
        return names
    return [str(number) for number in range(1, len(values) + 1)]


def _lone_entry(path: str, others: Iterable[str]) -> str:
    """The outermost list entry on the path that the other side does not have; else the path."""
    for end in (match.end() for match in re.finditer(r"\]", path)):
        if not any(other.startswith(path[:end]) for other in others):
            return path[:end]
    return path


def _parts(path: str) -> list[str]:
    """A path at its dots, but for those inside brackets.

    >>> _parts("split.by[my.shift].degrees")
    ['split', 'by[my.shift]', 'degrees']
    """
    return re.findall(r"(?:[^.\[]|\[[^\]]*\])+", path)


def _place(above: Sequence[str]) -> str:
    return " of ".join(_part(part) for part in reversed(above) if part != "settings")


def _part(part: str) -> str:
    name, bracket, entry = part.removesuffix("]").partition("[")
    if not bracket:
        return "the training split" if part == "train" else f"the {part}"
    kind = "shift" if name == "by" else name.removesuffix("s")
    return f"{kind} {entry}" if entry.isdigit() else f"{kind} '{entry}'"


def _brief(text: str) -> str:
    """The beginning of a hash; a word such as "bytes", which stands for no files, is left whole."""
    return text if len(text) <= BRIEF else f"{text[:BRIEF]}…"


def _short(value: Json, absent: str) -> str:
    text = absent if value is None else str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
