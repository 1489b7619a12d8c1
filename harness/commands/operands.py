"""What is compared, as the command line names it: `[STORE//]SUITE[:PROCEDURE]`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import TYPE_CHECKING

from harness.api.errors import HarnessError
from harness.api.numbers import some
from harness.commands.options import SuiteOptions

if TYPE_CHECKING:
    from harness.analyze.contenders import Contender
    from harness.api.cells import Plan


@dataclass(frozen=True)
class Operand:
    """One argument of `compare`; without a procedure, all of the suite's are meant."""

    suite: str
    procedure: str | None = None
    store: str | None = None

    @staticmethod
    def parse(text: str) -> Operand:
        """The parts of an operand; the label may hold spaces, dots, colons and slashes.

        >>> Operand.parse("quick"), Operand.parse("quick:random · full[lr=0.1]")
        (Operand(suite='quick', procedure=None, store=None), \
Operand(suite='quick', procedure='random · full[lr=0.1]', store=None))
        >>> Operand.parse("old/runs//./my.yaml:random")
        Operand(suite='./my.yaml', procedure='random', store='old/runs')
        >>> Operand.parse("file:///data/runs///my.yaml")
        Operand(suite='/my.yaml', procedure=None, store='file:///data/runs')
        """
        found = re.search(r":(?!//)", text)  # not the colon of file://
        head, label = (text[: found.start()], text[found.end() :]) if found else (text, None)
        elsewhere = re.fullmatch(r"((?:\w+://)?.+?)//(.+)", head)
        store, suite = elsewhere.groups() if elsewhere else (None, head)
        if not suite or label == "" or suite.endswith("//"):
            raise HarnessError(f"cannot read {text!r}", fix="write [STORE//]SUITE[:PROCEDURE]")
        return Operand(suite, label, store)


def contenders_of(
    texts: Sequence[str], store: str, asked: SuiteOptions, precision: str
) -> list[Contender]:
    """The procedures that are named, each suite opened once; labels tell them apart.

    Raises:
        HarnessError: a suite or a procedure does not exist, or one is named twice.
    """
    from harness.analyze.contenders import Contender
    from harness.plan import expand
    from harness.store import Store

    plans = {}
    found: list[Contender] = []
    for operand in map(Operand.parse, texts):
        if operand.suite not in plans:
            suite, catalogue = replace(asked, name=operand.suite).open(operand.store or store)
            plans[operand.suite] = suite, catalogue, expand(suite, catalogue, precision=precision)
        suite, catalogue, plan = plans[operand.suite]
        place = Store(operand.store or store)
        for label in _labels(operand, plan):
            found.append(Contender(label, label, suite, plan, catalogue, place))
    return _told_apart(found)


def _labels(operand: Operand, plan: Plan) -> list[str]:
    known = [procedure.label for procedure in plan.procedures]
    if operand.procedure is None:
        return known
    if operand.procedure in known:
        return [operand.procedure]
    alike = [label for label in known if _plain(label) == _plain(operand.procedure)]
    if len(alike) == 1:
        return alike
    close = get_close_matches(operand.procedure, known, n=1)
    fix = f"did you mean '{close[0]}'?" if close else f"it has {some(known, 10)}"
    raise HarnessError(
        f"there is no procedure {operand.procedure!r}", where=f"suite {plan.suite_id}", fix=fix
    )


def _plain(label: str) -> str:
    """A label without the middle dots, which not every keyboard has."""
    return " ".join(label.replace("\u00b7", " ").split())


def _told_apart(found: list[Contender]) -> list[Contender]:
    """Labels with the suite, its version and the store, as far as these differ."""
    suites = {each.plan.suite_id for each in found}
    versions = {(each.plan.suite_id, each.plan.version) for each in found}
    stores = {str(each.store.root) for each in found}
    told = []
    for each in found:
        label = each.procedure
        if len(versions) > 1:
            version = f" {each.plan.version}" if len(versions) > len(suites) else ""
            label = f"{each.plan.suite_id}{version}: {label}"
        if len(stores) > 1:
            label = f"{label} ({each.store.root})"
        told.append(replace(each, label=label))
    labels = [each.label for each in told]
    twice = [label for label in dict.fromkeys(labels) if labels.count(label) > 1]
    if twice:
        raise HarnessError(f"{some(twice)} is named twice", fix="name every procedure once")
    return told
