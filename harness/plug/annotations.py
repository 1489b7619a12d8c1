"""What the fields of offers are annotated with, without importing what they name."""

import builtins
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, get_type_hints

from harness.api import offers
from harness.api.offers import NOUNS, Offer


class _Dotted(type):
    def __getattr__(cls, name: str) -> type:
        if name.startswith("_"):
            raise AttributeError(name)
        return cls


class _Anything(metaclass=_Dotted):
    """Stands for a class whose module is not imported, or for the module itself."""


class _Lenient(dict[str, Any]):
    """Names that offers are annotated with; those of heavy modules stand for anything."""

    def __missing__(self, key: str) -> type:
        return _Anything


def _annotations(kind: type[Offer]) -> dict[str, object]:
    names = _Lenient({**vars(builtins), **vars(offers)})
    hints = get_type_hints(kind, localns=names)
    return {name: hint for name, hint in hints.items() if name != "noun"}


HINTS: Mapping[type[Offer], Mapping[str, object]] = MappingProxyType(
    {kind: _annotations(kind) for kind in NOUNS}
)
"""What the fields of each kind of offer are annotated with."""
