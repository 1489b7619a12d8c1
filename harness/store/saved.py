"""Suites that were run on a store: their text, their plan, and the folder of their reports.

The folder is `suites/<id>-<version>[-smoke]`, the same whatever `--set` changed: the latest plan
stands for the suite, `earlier` lists the digests of those before. Garbage collection keeps what the
latest plan of every saved suite refers to, so cells that only an overridden plan needed are let go
after that suite was run as written; to keep such a variant, give it an `id` of its own.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from harness.api.cells import Cell, Plan
from harness.api.errors import HarnessError
from harness.store import paths
from harness.store.disk import plain_refusals, write_text

FORMAT = 1


@dataclass(frozen=True)
class SavedSuite:
    """What the folder of a saved suite says. `keys` are all cells of its latest plan."""

    folder: Path
    suite: str
    version: str
    smoke: bool
    digest: str
    earlier: tuple[str, ...]
    saved: str
    keys: tuple[str, ...]

    @property
    def name(self) -> str:
        """The folder's name, which tells saved suites apart."""
        return self.folder.name


def save(root: Path, plan: Plan, text: str) -> Path:
    """Save a suite's resolved text and its plan; gives the folder. Rewrites nothing in vain.

    Raises `HarnessError` where the folder is another suite's: `a-1` and `2` are spelled as `a` and
    `1-2` are.
    """
    folder = paths.suite_folder(root, plan.suite_id, plan.version, smoke=plan.smoke)
    before = _before(folder)
    _refuse_another(before, plan)
    if before is None or before.digest != plan.digest:
        earlier = [] if before is None else [*before.earlier, before.digest]
        write_text(folder / paths.PLAN, _written(plan, earlier))
    with plain_refusals(folder):
        path = folder / paths.SUITE_TEXT
        same = path.is_file() and path.read_text(encoding="utf-8") == text
    if not same:
        write_text(path, text)
    return folder


def saved_suites(root: Path) -> tuple[SavedSuite, ...]:
    """All saved suites by name.

    Raises:
        HarnessError: a plan is lost or cannot be read, so that nobody knows what it refers to.
    """
    with plain_refusals(root):
        place = root / paths.SUITES
        files = [*place.glob(f"*/{paths.PLAN}"), *place.glob(f"*/{paths.SUITE_TEXT}")]
    return tuple(_read(folder) for folder in sorted({file.parent for file in files}))


def _before(folder: Path) -> SavedSuite | None:
    try:
        return _read(folder) if (folder / paths.PLAN).exists() else None
    except HarnessError:
        return None  # unreadable: the new plan takes its place


def _refuse_another(before: SavedSuite | None, plan: Plan) -> None:
    ours = (plan.suite_id, plan.version, plan.smoke)
    if before is not None and (before.suite, before.version, before.smoke) != ours:
        trial = " (a trial)" if before.smoke else ""
        raise HarnessError(
            f"{before.folder} holds suite {before.suite}, version {before.version}{trial}",
            fix=f"give suite {plan.suite_id}, version {plan.version}, another id or version",
        )


def _read(folder: Path) -> SavedSuite:
    path = folder / paths.PLAN
    try:
        with plain_refusals(path):
            fields = json.loads(path.read_bytes() if path.exists() else b"")
        if fields["format"] > FORMAT:
            raise HarnessError(f"{path} was written by a later version", fix="update seedscape")
        return SavedSuite(
            folder=folder,
            suite=str(fields["suite"]),
            version=str(fields["version"]),
            smoke=bool(fields["smoke"]),
            digest=str(fields["digest"]),
            earlier=tuple(fields["earlier"]),
            saved=str(fields["saved"]),
            keys=tuple(str(cell[0]) for cell in fields["cells"]),
        )
    except (ValueError, KeyError, TypeError, IndexError):
        raise HarnessError(
            f"{path} is lost or damaged, so nobody can tell which cells it refers to",
            fix="run the suite again (that writes it anew), or delete the folder",
        ) from None


def _written(plan: Plan, earlier: Iterable[str]) -> str:
    procedures = [known.label for known in plan.procedures]
    families = [cell.procedure for cell in plan.cells if cell.procedure]  # and of sweeps of them
    listed = list(dict.fromkeys([*procedures, *families]))
    places = {"": -1} | {label: place for place, label in enumerate(listed)}
    fields = {
        "format": FORMAT,
        "suite": plan.suite_id,
        "version": plan.version,
        "title": plan.title,
        "smoke": plan.smoke,
        "digest": plan.digest,
        "earlier": list(earlier),
        "saved": datetime.now(UTC).isoformat(timespec="seconds"),
        "procedures": listed,
        "columns": ["key", "procedure", "seeds (pretrain, fine-tune, order)"],
        "cells": [[cell.key, places[cell.procedure], _seeds(cell)] for cell in plan.cells],
    }
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":")) + "\n"


def _seeds(cell: Cell) -> list[list[int | None]]:
    return [[seeds.pretrain, seeds.finetune, seeds.order] for seeds in cell.seeds]
