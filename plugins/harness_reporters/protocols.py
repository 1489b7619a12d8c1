"""How metrics were measured, in words."""

from collections.abc import Mapping

from harness.api.findings import MetricNote
from harness.api.settings import Json

KINDS = {"same-pretrain-seed": "same seed", "different-pretrain-seed": "different seeds"}


def facts(note: MetricNote | None) -> list[tuple[str, str]]:
    """How a metric was measured, in pairs of a word and what it says."""
    if note is None:
        return []
    told = [("formula", note.formula), ("source", note.source)]
    told += protocol_facts(note.protocol)
    told.append(("time", f"{note.seconds:,.1f} s over all readings"))
    return [(word, text) for word, text in told if text]


def protocol_facts(protocol: Mapping[str, Json]) -> list[tuple[str, str]]:
    """The entries of a protocol in words."""
    told = [(key.replace("_", " "), fact(value)) for key, value in protocol.items()]
    return [(word, text) for word, text in told if text]


def fact(value: Json) -> str:
    """A value of a protocol in words; what is the same for every split is said once."""
    if isinstance(value, dict):
        kinds = {key: fact(item) for key, item in value.items()}
        if len(set(kinds.values())) == 1:
            return next(iter(kinds.values()))
        return ", ".join(f"{item} ({key})" for key, item in kinds.items())
    if isinstance(value, list):
        return ", ".join(map(fact, value))
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: ""}[value]
    return f"{value:g}" if isinstance(value, float) else str(value)


def measured_on(note: MetricNote | None) -> str:
    """A sentence on how many examples it was measured."""
    protocol = note.protocol if note else {}
    examples, split = fact(protocol.get("examples")), fact(protocol.get("split"))
    of = f" of {split}" if split else ""
    return f" Measured on {examples} examples{of}." if examples else ""
