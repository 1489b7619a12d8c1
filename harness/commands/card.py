"""An offer's card: everything that its record and its settings class say of it."""

import json
import types
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic.fields import FieldInfo
from pydantic_core import to_jsonable_python

from harness.api.offers import Dataset, Method, Metric, Offer, Score, Shift
from harness.api.settings import Settings
from harness.plug.provided import Provided

FACTS: Mapping[type[Offer], tuple[str, ...]] = MappingProxyType(
    {
        Dataset: ("license", "citation"),
        Shift: ("kind", "inputs"),
        Method: ("kind",),
        Score: ("higher_is_better", "needs", "groups", "field", "version"),
        Metric: (
            "formula",
            "of",
            "access",
            "direction",
            "invariances",
            "cost",
            "oracle",
        ),
    }
)
"""What a noun has to tell besides what every offer has, in the order of the card."""

_LIMITS = (
    ("gt", "> {}"),
    ("ge", ">= {}"),
    ("lt", "< {}"),
    ("le", "<= {}"),
    ("multiple_of", "a multiple of {}"),
    ("min_length", "at least {} long"),
    ("max_length", "at most {} long"),
    ("pattern", "matches {}"),
)


@dataclass(frozen=True)
class SettingCard:
    """One setting: its default is JSON as a suite would write it, or "required"."""

    name: str
    type: str
    default: str
    limits: str
    about: str
    source: str


@dataclass(frozen=True)
class Card:
    """An offer in words; `facts` are (heading, text) and leave out what the offer leaves empty."""

    noun: str
    name: str
    about: str
    facts: tuple[tuple[str, str], ...]
    settings: tuple[SettingCard, ...]


def card_of(provided: Provided[Any]) -> Card:
    """The card of an offer (`Any`: of whatever noun)."""
    offer: Offer = provided.offer
    facts = [
        ("provided by", provided.provider),
        ("digest", provided.digest),
        ("source", offer.source),
    ]
    for kind, names in FACTS.items():
        if isinstance(offer, kind):
            facts.extend((name.replace("_", " "), _fact(getattr(offer, name))) for name in names)
    return Card(
        noun=offer.noun,
        name=offer.name,
        about=offer.about,
        facts=tuple((heading, text) for heading, text in facts if text),
        settings=tuple(_settings(offer.settings)),
    )


def _fact(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


def _settings(settings: type[Settings]) -> list[SettingCard]:
    return [_setting(name, field) for name, field in settings.model_fields.items()]


def _setting(name: str, field: FieldInfo) -> SettingCard:
    extra = field.json_schema_extra
    source = extra.get("source", "") if isinstance(extra, dict) else ""
    return SettingCard(
        name=name,
        type=type_name(field.annotation),
        default="required" if field.is_required() else _default(field),
        limits=", ".join(_limits(field)),
        about=field.description or "",
        source=str(source),
    )


def _default(field: FieldInfo) -> str:
    value = field.get_default(call_default_factory=True, validated_data={})
    return json.dumps(to_jsonable_python(value, fallback=str))


def _limits(field: FieldInfo) -> list[str]:
    return [
        words.format(getattr(limit, name))
        for limit in field.metadata
        for name, words in _LIMITS
        if getattr(limit, name, None) is not None
    ]


def type_name(annotation: Any) -> str:
    """A type as a reader of YAML would say it (`Any`: an annotation is any object).

    >>> type_name(tuple[int, ...]), type_name(float | None), type_name(Literal["a", "b"])
    ('list of int', 'float or null', '"a" or "b"')
    """
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return type_name(inner[0])
    if origin is Literal:
        return " or ".join(json.dumps(choice) for choice in inner)
    if origin in (Union, types.UnionType):
        return " or ".join(type_name(item) for item in inner)
    if origin is tuple and inner[-1:] != (...,):
        return f"[{', '.join(type_name(item) for item in inner)}]"
    if origin in (tuple, list, frozenset, set):
        return f"list of {type_name(inner[0])}"
    if origin is dict:
        return f"map of {type_name(inner[0])} to {type_name(inner[1])}"
    words = {type(None): "null", str: "text", bool: "true or false", Any: "anything"}
    return words.get(annotation) or str(getattr(annotation, "__name__", annotation))
