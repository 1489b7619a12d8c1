"""A use names an offer: `cnn`, `{cnn: {width: 32}}`, or `{cnn: {width: 32}, as: wide}`."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from harness.api.cells import Use
from harness.api.data import Outline
from harness.api.errors import HarnessError, OutOfReach
from harness.api.settings import Json, Settings, identity, not_identity
from harness.plug import Catalogue, fingerprint_of, offer_from
from harness.plug.needs import Need
from harness.suite.answering import answering
from harness.suite.language import USE
from harness.suite.nodes import Node, Scalar, Table, is_null, plain
from harness.suite.problems import Problems, unknown
from harness.suite.reach import Reach
from harness.suite.reading import items, label, wrong
from harness.suite.settings import settings_of
from harness.suite.sweeps import refuse_sweeps, variants


@dataclass(frozen=True)
class Context:
    """What reading a suite needs: the offers, the suite's folder, and where problems go.

    `reach` remembers what may have to be fetched, and `known` what datasets said of themselves, so
    that each is asked once; `notes` are what of it is strange and yet no fault.
    """

    catalogue: Catalogue
    folder: Path
    problems: Problems
    reach: Reach
    known: dict[str, tuple[Outline, str]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Written:
    """A use as written: the offer's name, its settings, and the keys that stand beside it."""

    name: str
    settings: Node
    label: str | None
    mark: str
    beside: Table


@dataclass(frozen=True)
class Placed:
    """A use, and where it stands (for what is found out later)."""

    use: Use
    mark: str
    beside: Table


def written(node: Node, noun: str, context: Context, beside: Sequence[str] = ()) -> Written:
    """The parts of a use; `beside` are keys that may stand next to the offer's name."""
    if isinstance(node, Scalar) and node.fault is not None:
        raise node.fault
    if isinstance(node, Scalar) and isinstance(node.value, str):
        nothing = Table(node.mark, ())
        return Written(node.value, nothing, None, str(node.mark), nothing)
    if not isinstance(node, Table):
        raise wrong(node, "a name or {name: {setting: value}}", f"a {noun}")
    extra = (USE, *beside)
    names = [entry for entry in node.entries if entry.key not in extra]
    if len(names) > 1:
        known = {provided.offer.name for provided in context.catalogue.all(noun)}
        offered = [entry for entry in names if entry.key in known]
        if len(offered) > 1:
            message = f"{offered[0].key!r} and {offered[1].key!r} cannot share one use"
            fix = "start a new list item with `- `"
            raise HarnessError(message, where=str(offered[1].mark), fix=fix)
        strange = next(entry for entry in names if entry not in offered)
        if offered:
            raise unknown("key", strange.key, extra, strange.mark)
        names = names[:1]
    if not names:
        fix = f"write {{name: {{}}}} with the name of a {noun}"
        raise HarnessError(f"this names no {noun}", where=str(node.mark), fix=fix)
    entry = names[0]
    called = node.get(USE)
    return Written(
        name=entry.key,
        settings=Table(entry.mark, ()) if is_null(entry.value) else entry.value,
        label=None if called is None else label(called),
        mark=str(entry.mark),
        beside=node,
    )


def one_use(node: Node, noun: str, context: Context, beside: Sequence[str] = ()) -> Placed:
    """A use in a place that cannot be swept."""
    parts = written(node, noun, context, beside)
    refuse_sweeps(parts.settings, f"a {noun}" if noun != "method" else "this place")
    return _placed(parts, parts.settings, noun, "", context)


def use_list(node: Node | None, noun: str, context: Context) -> list[Placed]:
    """Uses that may be swept or not, from a list or a single one; problems are noted."""
    found: list[Placed] = []
    for item in items(node):
        found += context.problems.attempt(partial(_swept, item, noun, context)) or []
    return found


def single_uses(
    node: Node | None, noun: str, context: Context, beside: Sequence[str] = ()
) -> list[Placed]:
    """Uses in a place that cannot be swept, from a list or a single one; problems are noted."""
    found: list[Placed] = []
    for item in items(node):
        placed = context.problems.attempt(partial(one_use, item, noun, context, beside))
        found += [] if placed is None else [placed]
    return found


def distinct(placed: Sequence[Placed], context: Context) -> None:
    """Note uses that share a label, or that are the same under two labels."""
    labels: dict[str, Placed] = {}
    contents: dict[str, Placed] = {}
    for each in placed:
        use = each.use
        splits = each.beside.get("splits")
        content = repr((use.name, use.settings, None if splits is None else plain(splits)))
        if use.label in labels:
            fix = "give one of them a name with `as:`"
            error = HarnessError(f"{use.label!r} stands twice", where=each.mark, fix=fix)
            context.problems.add(error)
        elif content in contents:
            first = contents[content].use.label
            message = f"{use.label!r} has the same settings as {first!r}"
            context.problems.add(HarnessError(message, where=each.mark, fix="remove one of them"))
        labels.setdefault(use.label, each)
        contents.setdefault(content, each)


def _swept(node: Node, noun: str, context: Context) -> list[Placed]:
    parts = written(node, noun, context)
    found: list[Placed] = []
    for variant in variants(parts.settings):
        read = partial(_placed, parts, variant.settings, noun, variant.suffix, context)
        placed = context.problems.attempt(read)
        found += [] if placed is None else [placed]
    return found


def _placed(parts: Written, settings: Node, noun: str, suffix: str, context: Context) -> Placed:
    try:
        provided = context.catalogue.find(noun, parts.name)
    except HarnessError as error:
        raise HarnessError(error.message, where=parts.mark, fix=error.fix) from error
    offer = provided.offer
    parsed = settings_of(settings, offer.settings, f"{noun} {parts.name!r}", context.folder)
    use = Use(
        noun=noun,
        name=parts.name,
        label=(parts.label or parts.name) + suffix,
        settings=_stored(parsed, parts),
        digest=provided.digest,
        hidden=tuple(sorted(not_identity(offer.settings))),
    )
    try:
        again = offer_from(use, context.catalogue)[1]
    except Exception as error:  # what is stored must read back in a worker
        raise _lost(parts, str(error)) from error
    if again != parsed:
        raise _lost(parts, "they read back as other values")
    need = Need(use, where=parts.mark)
    context.reach.needs.append(need)
    if not (context.problems.cut_off and context.reach.lacks(need)):
        asked = partial(fingerprint_of, offer, parsed)
        provider = f"{noun} {parts.name!r} of {provided.provider}"
        use = replace(use, fingerprint=_answered(asked, provider, parts.mark, context))
    return Placed(use, parts.mark, parts.beside)


def _answered(asked: Callable[[], str], provider: str, mark: str, context: Context) -> str:
    """A fingerprint; "" where it is out of reach, which is noted, so that no plan is made of it."""
    try:
        with answering(provider, mark):
            return asked()
    except OutOfReach as error:
        context.problems.add(error)
        return ""


def _stored(settings: Settings, parts: Written) -> dict[str, Json]:
    try:
        values = identity(settings)
        json.dumps(values, allow_nan=False)
    except Exception as error:  # a serializer of the plugin's own may raise anything
        raise _lost(parts, f"{type(error).__name__}: {error}") from error
    return values


def _lost(parts: Written, reason: str) -> HarnessError:
    message = f"the settings of {parts.name!r} cannot be stored as JSON: {reason}"
    return HarnessError(message, where=parts.mark, fix="tell its author")
