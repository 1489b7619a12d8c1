"""What a run found: findings and reports, made anew only where something has changed."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.api.errors import HarnessError
from harness.api.findings import Findings
from harness.api.offers import Reporter
from harness.plug.check import describe
from harness.plug.version import harness_version
from harness.store.disk import plain_refusals, write_text

if TYPE_CHECKING:
    from harness.api.cells import Plan
    from harness.api.suites import Suite
    from harness.plug.catalogue import Catalogue
    from harness.run.outcome import Outcome
    from harness.store.store import Store

FINDINGS = "findings.json"
LISTED = 6  # files of one folder that are named one by one


@dataclass(frozen=True)
class Subject:
    """A suite with its plan, and where its results are."""

    suite: Suite
    plan: Plan
    catalogue: Catalogue
    store: Store


@dataclass(frozen=True)
class Written:
    """The files of reports, and a line for each reporter that failed."""

    files: tuple[Path, ...]
    complaints: tuple[str, ...] = ()

    def tell(self) -> int:
        """Say it on the terminal; gives the exit code, 2 where something failed."""
        for line in _places(self.files):
            click.echo(f"report: {line}")
        for complaint in self.complaints:
            click.echo(f"error: {complaint}", err=True)
        return 2 if self.complaints else 0


@dataclass(frozen=True)
class Conclusion:
    """Findings, and the reports that show them."""

    findings: Findings
    written: Written


def _places(files: Sequence[Path]) -> Iterator[str]:
    """Every file, or one line for a folder of many."""
    of: dict[Path, list[Path]] = {}
    for path in files:
        of.setdefault(path.parent, []).append(path)
    for folder, here in of.items():
        if len(here) > LISTED:
            yield f"{folder}{os.sep} ({len(here)} files)"
        else:
            yield from map(str, here)


def conclude(subject: Subject, outcome: Outcome, reporters: Sequence[str]) -> Conclusion:
    """Findings and reports of a run.

    Where the run had nothing to do and nothing that findings depend on has changed, the stored ones
    are given back: that takes milliseconds and imports neither pandas nor a plotting library.
    """
    state = _state(subject, outcome, reporters)
    path = outcome.folder / FINDINGS
    if outcome.idle and (kept := _kept(path, state)) is not None:
        return kept
    from harness.analyze.find import find
    from harness.analyze.load import load_results

    results = load_results(subject.plan, subject.store)
    findings = find(results, subject.plan, subject.suite, subject.catalogue)
    written = write_reports(findings, subject.catalogue, outcome.folder, reporters)
    if not written.complaints:  # the next run tries again
        _keep(path, state, findings, written)
    return Conclusion(findings, written)


def write_reports(
    findings: Findings,
    catalogue: Catalogue,
    folder: Path,
    reporters: Sequence[str],
    option: str = "--store",
) -> Written:
    """Write the findings in every form that is named; a form that fails stops no other.

    `option` is what chooses the folder, for those whose disk refuses it.
    """
    files: list[Path] = []
    complaints: list[str] = []
    for name in reporters:
        provided = catalogue.find("reporter", name)
        offer: Reporter = provided.offer
        try:
            with plain_refusals(folder, option):
                files += offer.write(offer.settings(), findings, folder)
        except HarnessError as error:
            complaints.append(str(error))
        except Exception as error:  # of a stranger's plugin: anything
            who = f"the reporter {name!r} of {provided.provider}"
            complaints.append(f"{who} failed: {describe(error)}")
    return Written(tuple(files), tuple(complaints))


def _keep(path: Path, state: str, findings: Findings, written: Written) -> None:
    names = [str(file.relative_to(path.parent)) for file in written.files]
    head = json.dumps({"state": state, "reports": names})
    write_text(path, f"{head}\n{findings.model_dump_json()}\n")


def _state(subject: Subject, outcome: Outcome, reporters: Sequence[str]) -> str:
    """A hash of all that findings depend on, the cells' contents aside: these have keys."""
    what = {
        "plan": subject.plan.digest,
        "suite": subject.suite.text,
        "version": harness_version(),
        "code": _code(Path(__file__).parents[1] / "analyze"),
        "missing": sorted(outcome.missing),
        "failed": {key: failure.reason for key, failure in outcome.failed.items()},
        "reporters": [
            [name, subject.catalogue.find("reporter", name).digest] for name in reporters
        ],
    }
    return hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()


def _code(folder: Path) -> list[list[object]]:
    """Which statistics made the findings, also between two versions."""
    files = sorted(folder.glob("*.py"))
    return [
        [file.name, status.st_size, status.st_mtime_ns]
        for file in files
        for status in [file.stat()]
    ]


def _kept(path: Path, state: str) -> Conclusion | None:
    try:
        head, _, findings = path.read_text(encoding="utf-8").partition("\n")
        known = json.loads(head)
        reports = tuple(path.parent / name for name in known["reports"])
        if known["state"] != state or not all(report.is_file() for report in reports):
            return None
        return Conclusion(Findings.model_validate_json(findings), Written(reports))
    except (OSError, ValueError, KeyError, TypeError):
        return None  # not there, or not readable: it is made anew
