"""JSON Schema of a suite with the settings of all offers, so that editors complete and check."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from harness.api.offers import Offer
from harness.api.settings import Json
from harness.plug import Catalogue
from harness.suite import language as words

Schema = dict[str, Any]
"""A piece of JSON Schema (`Any`: its shape is the standard's business, not ours)."""

_TEXT: Schema = {"type": "string"}
_NUMBER_OR_TEXT: Schema = {"type": ["string", "number"]}
_COUNT: Schema = {"type": "integer", "minimum": 1}
_NOUNS = ("model", "dataset", "shift", "method", "score", "metric")
_SWEPT = ("model", "method")


def schema_of(catalogue: Catalogue) -> dict[str, Json]:
    """The JSON Schema (2020-12) of a suite that uses the offers of this catalogue."""
    definitions: Schema = {}
    for noun in _NOUNS:
        definitions[noun] = _use(noun, catalogue, definitions)
    definitions["ood-split"] = _ood_split()
    definitions["data"] = _table(_data(), words.DATA_KEYS, ("dataset", "batch"))
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Seedscape suite",
        **_table(_suite(), words.SUITE_KEYS, words.NEEDED_KEYS),
        "oneOf": [{"required": ["model"]}, {"required": ["models"]}],
        "$defs": definitions,
    }


def _suite() -> Schema:
    return {
        "id": _NUMBER_OR_TEXT,
        "version": _NUMBER_OR_TEXT,
        "title": _TEXT,
        "sources": _one_or_many(_TEXT),
        "plugins": _one_or_many(_TEXT),
        "without": _one_or_many(_TEXT),
        "model": _ref("model"),
        "models": _one_or_many(_ref("model"), least=1),
        "pretrain": _pretrain(),
        "data": _ref("data"),
        "inits": _one_or_many(_init(), least=1),
        "methods": _one_or_many(_ref("method"), least=1),
        "seeds": _seeds(),
        "scores": _one_or_many(_ref("score"), least=1),
        "metrics": _one_or_many(_ref("metric")),
        "primary": _table(
            {"score": _TEXT, "id": _TEXT, "ood": _one_or_many(_TEXT)}, words.PRIMARY_KEYS
        ),
        "limit": _table({"examples": _COUNT, "steps": _COUNT}, words.LIMIT_KEYS),
    }


def _data() -> Schema:
    return {
        "dataset": _ref("dataset"),
        "train": _table({"by": _one_or_many(_ref("shift"))}, words.TRAIN_KEYS),
        "batch": _COUNT,
        "augment": _one_or_many(_ref("shift")),
        "ood": {"type": "object", "additionalProperties": _ref("ood-split")},
    }


def _ood_split() -> Schema:
    keys: Schema = {
        "by": _one_or_many(_ref("shift")),
        "of": _TEXT,
        "dataset": _ref("dataset"),
        "split": _TEXT,
        "classes": {"type": "object", "additionalProperties": _one_or_many(_TEXT, least=1)},
        "shift": _TEXT,
    }
    return _table(keys, words.OOD_KEYS)


def _pretrain() -> Schema:
    data = {key: value for key, value in _data().items() if key != "ood"}
    keys: Schema = {
        "data": _table(data, words.DATA_KEYS, ("dataset",)),
        "method": _ref("method"),
    }
    return _table(keys, words.PRETRAIN_KEYS, words.PRETRAIN_KEYS)


def _seeds() -> Schema:
    seeds = _one_or_many({"type": "integer", "minimum": 0}, least=1)
    keys: Schema = dict.fromkeys(("pretrain", "finetune", "order"), seeds)
    keys["design"] = {"enum": list(words.DESIGNS)}
    return _table(keys, words.SEED_KEYS, ("pretrain", "finetune"))


def _ref(name: str) -> Schema:
    return {"$ref": f"#/$defs/{name}"}


def _table(keys: Schema, about: Mapping[str, str], required: Iterable[str] = ()) -> Schema:
    described = {key: {"description": about[key], **value} for key, value in keys.items()}
    made: Schema = {"type": "object", "properties": described, "additionalProperties": False}
    needed = list(required)
    return made | ({"required": needed} if needed else {})


def _one_or_many(item: Schema, *, least: int = 0) -> Schema:
    return {"anyOf": [item, {"type": "array", "items": item, "minItems": least}]}


def _init() -> Schema:
    tables: list[Schema] = []
    for kind, about in words.INITS.items():
        value = _TEXT if kind == "checkpoint" else {"type": ["object", "null"], "maxProperties": 0}
        tables.append(
            _table({kind: value, words.USE: _TEXT}, {kind: about, words.USE: words.LABEL}, (kind,))
        )
    return {"anyOf": [{"enum": ["pretrained", "random"]}, *tables]}


def _use(noun: str, catalogue: Catalogue, definitions: Schema) -> Schema:
    """A use of an offer: its name, or a table with its settings."""
    offers: dict[str, Offer] = {p.offer.name: p.offer for p in catalogue.all(noun)}
    properties: Schema = {words.USE: {"description": words.LABEL, **_TEXT}}
    if noun == "metric":
        about = words.METRIC_KEYS
        pairs = [
            {"enum": ["all", "within-pretrain-seed"]},
            _COUNT,
            _table({"sample": _COUNT}, words.PAIR_KEYS, ("sample",)),
        ]
        properties["splits"] = {"description": about["splits"], **_one_or_many(_TEXT)}
        properties["pairs"] = {"description": about["pairs"], "anyOf": pairs}
    for name, offer in offers.items():
        definitions[f"{noun}.{name}"] = _settings(noun, offer, definitions)
        settings = {"anyOf": [_ref(f"{noun}.{name}"), {"type": "null"}]}
        properties[name] = {"description": offer.about, **settings}
    return {
        "anyOf": [
            {"oneOf": [{"const": name, "description": o.about} for name, o in offers.items()]}
            if offers
            else False,
            {
                "type": "object",
                "properties": properties,
                "additionalProperties": False,
                "oneOf": [{"required": [name]} for name in offers] or [False],
            },
        ]
    }


def _settings(noun: str, offer: Offer, definitions: Schema) -> Schema:
    """The schema of an offer's settings; models inside it become definitions of their own."""
    prefix = f"{noun}.{offer.name}."
    try:
        made: Schema = offer.settings.model_json_schema(
            ref_template=f"#/$defs/{prefix}{{model}}", mode="validation"
        )
    except Exception:  # a setting that only Python can describe: the editor cannot help there
        return {"type": "object", "description": offer.about}
    for name, inner in made.pop("$defs", {}).items():
        definitions[prefix + name] = _swept(inner) if noun in _SWEPT else inner
    made["description"] = offer.about
    return _swept(made) if noun in _SWEPT else made


def _swept(settings: Schema) -> Schema:
    """The settings where each value may also be `{sweep: [...]}`."""
    if "properties" not in settings:
        return settings
    return settings | {
        "properties": {
            key: {
                **{name: value[name] for name in ("description", "default") if name in value},
                "anyOf": [value, _sweep(value)],
            }
            for key, value in settings["properties"].items()
        }
    }


def _sweep(value: Schema) -> Schema:
    return {
        "type": "object",
        "properties": {words.SWEEP: {"type": "array", "items": value, "minItems": 1}},
        "required": [words.SWEEP],
        "additionalProperties": False,
    }
