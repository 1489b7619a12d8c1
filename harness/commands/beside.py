"""What `seedscape report A B` shows: findings of several suites or stores as one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from harness.api.errors import HarnessError
from harness.commands.operands import contenders_of
from harness.commands.options import SuiteOptions

if TYPE_CHECKING:
    from harness.analyze.contenders import Contender
    from harness.api.findings import Findings
    from harness.plug.catalogue import Catalogue

FOLDER = "side-by-side"
"""Where such a report is written unless a folder is asked for: it is of no one suite."""


def is_several(operands: Sequence[str]) -> bool:
    """Whether they ask for more than a suite of the store at hand."""
    return len(operands) > 1 or "//" in operands[0].removeprefix("file://")


def beside(
    operands: Sequence[str], store: str, asked: SuiteOptions, precision: str
) -> tuple[list[Contender], Catalogue]:
    """The procedures of all operands, and the catalogue of the first.

    An operand that ends with `//` is a store: every suite that was run on it.

    Raises:
        HarnessError: a suite, a procedure or a store does not exist.
    """
    named = [each for text in operands for each in _suites_of(text, asked)]
    contenders = contenders_of(named, store, asked, precision)
    return contenders, contenders[0].catalogue


def find_beside(contenders: Sequence[Contender], *, common_seeds: bool) -> Findings:
    """The findings of all of them."""
    from harness.analyze.comparison_design import Asked
    from harness.analyze.contest import REPLICATES
    from harness.analyze.side_by_side import side_by_side

    return side_by_side(contenders, Asked(replicates=REPLICATES, common_seeds=common_seeds))


def _suites_of(text: str, asked: SuiteOptions) -> Iterator[str]:
    """The operand itself, or one for each suite that a store has saved."""
    from harness.store import Store
    from harness.store.paths import SUITE_TEXT
    from harness.store.saved import saved_suites

    if not text.endswith("//"):
        yield text
        return
    place = text.removesuffix("//")
    root = Path(Store(place).root)
    trial = asked.smoke or asked.limit is not None
    saved = [each for each in saved_suites(root) if each.smoke == trial]
    if not saved:
        kind = "trial run" if trial else "suite"
        raise HarnessError(f"no {kind} was run on the store {place}", fix="see what --store names")
    for each in saved:
        yield f"{place}//{each.folder.absolute() / SUITE_TEXT}"
