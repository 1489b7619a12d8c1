"""What two identities differ in, path by path, in plain words."""

from collections.abc import Iterator, Mapping
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
    "seeds.pretrain": "the pretraining seed",
    "seeds.finetune": "the fine-tuning seed",
    "seeds.order": "the seed of the data order",
    "seeds.nested": "the nesting of seeds",
    "scoring.engine": "the version of the scoring",
}


@dataclass(frozen=True)
class Difference:
    """One path at which two identities differ; a value is None where the path is not there."""

    path: str
    planned: Json
    stored: Json

    def __str__(self) -> str:
        *above, last = self.path.split(".")
        place = f" of {_place(above)}" if above else ""
        planned, stored = _short(self.planned), _short(self.stored)
        match last:
            case "digest":
                return f"the source code{place} was changed ({stored} became {planned})"
            case "fingerprint":
                return f"the data{place} are others ({stored} became {planned})"
        what = _WORDS.get(self.path, f"{_part(last) if '[' in last else last}{place}")
        return f"{what}: {planned} here, {stored} there"

    @property
    def weight(self) -> int:
        """How far it sets two cells apart: another seed or parent is another run altogether."""
        return 3 if self.path.startswith(("seeds", "parents")) else 1


def differences(planned: Mapping[str, Json], stored: Mapping[str, Json]) -> tuple[Difference, ...]:
    """All paths at which two identities differ, in the order of the planned one.

    >>> [str(d) for d in differences({"model": {"settings": {"width": 8}}}, {"model": {}})]
    ['width of the model: 8 here, the default there']
    """
    ours, theirs = dict(_leaves(dict(planned))), dict(_leaves(dict(stored)))
    return tuple(
        Difference(path, ours.get(path), theirs.get(path))
        for path in [*ours, *(path for path in theirs if path not in ours)]
        if ours.get(path) != theirs.get(path)
    )


def _leaves(value: Json, path: str = "") -> Iterator[tuple[str, Json]]:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _leaves(inner, f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _leaves(inner, f"{path}[{number}]")
    else:
        yield path, value


def _place(above: list[str]) -> str:
    return " of ".join(_part(part) for part in reversed(above) if part != "settings")


def _part(part: str) -> str:
    name, _, number = part.removesuffix("]").partition("[")
    if not number:
        return f"the {part}"
    return f"{'shift' if name == 'by' else name.removesuffix('s')} {int(number) + 1}"


def _short(value: Json) -> str:
    if value is None:
        return "the default"
    text = value if isinstance(value, str) else str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
