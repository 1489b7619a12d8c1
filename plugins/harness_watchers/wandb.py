"""The watcher `wandb`: a Weights & Biases run for each run of a procedure, when the suite ends."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from harness.api.cells import Cell
from harness.api.contexts import WatchRoom
from harness.api.errors import HarnessError
from harness.api.offers import Watcher
from harness.api.results import CellRecord
from harness.api.settings import Settings, setting
from harness_watchers.tracked import name_of, news_of, run_of, seeds_of, tags_of

SENT = "wandb.json"
"""In the suite's folder: by run, what was sent, so that nothing is sent twice."""


class WandbSettings(Settings):
    """Where runs are tracked; WANDB_MODE=offline keeps them here until `wandb sync`."""

    project: str | None = setting(None, "its name; null: the suite's id")
    entity: str | None = setting(None, "user or team; null: the user's own")


class WandbWatch:
    """Sends each run whole, which takes a second or more: after the suite, not between cells."""

    def __init__(self, settings: WandbSettings, room: WatchRoom) -> None:
        try:
            import wandb
        except ImportError as error:
            raise HarnessError(
                f"cannot be used: {error}",
                where="watcher wandb",
                fix="pip install 'seedscape[wandb]'",
            ) from error
        self._wandb: Any = wandb  # its types differ from version to version
        self._settings = settings
        self._room = room

    def started(self, cell: Cell) -> None:
        """Nothing is said of what has only begun."""

    def finished(self, cell: Cell, record: CellRecord) -> None:
        """What has a result is told at the end."""

    def close(self, *, interrupted: bool) -> None:
        """Send what is new of every run; what was finished before, or by others, as well."""
        sent = _read(self._room.folder / SENT)
        runs: dict[str, list[tuple[Cell, CellRecord]]] = {}
        for cell, record in self._room.finished():
            if (key := run_of(cell)) is not None:
                runs.setdefault(key, []).append((cell, record))
        try:
            for key, cells in runs.items():
                digest = hashlib.sha256("".join(cell.key for cell, _ in cells).encode()).hexdigest()
                if sent.get(key, "") != digest:
                    self._send(key, cells, again=key in sent)
                    sent[key] = digest
        finally:
            _write(self._room.folder / SENT, sent)

    def _send(self, key: str, cells: list[tuple[Cell, CellRecord]], *, again: bool) -> None:
        first, plan = cells[0][0], self._room.plan
        news = [news_of(cell, record) for cell, record in cells]
        config = dict(seeds_of(first))
        for each in news:
            config |= each.settings
        run = self._wandb.init(
            project=self._settings.project or plan.suite_id,
            entity=self._settings.entity,
            id=hashlib.sha256(f"{plan.suite_id}\n{key}".encode()).hexdigest()[:16],
            name=name_of(first),
            group=first.procedure,
            config=config | tags_of(first, key, plan),
            tags=["trial"] if plan.smoke else [],
            dir=str(self._room.folder),
            resume="allow",
            reinit=True,
        )
        for each in news:
            for step, loss in () if again else each.losses:  # a history cannot be written twice
                run.log({"train/loss": loss}, step=step)
        for each in news:
            for name, number in each.numbers.items():
                run.summary[name] = number
        run.finish()


def _read(path: Path) -> dict[str, str]:
    try:
        known = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}


def _write(path: Path, sent: dict[str, str]) -> None:
    temporary = path.with_name(f".{path.name}")
    temporary.write_text(json.dumps(sent, indent=1) + "\n", encoding="utf-8")
    temporary.replace(path)


WANDB = Watcher(
    name="wandb",
    about="One Weights & Biases run for each run of a procedure, sent when the suite ends.",
    settings=WandbSettings,
    source="https://wandb.ai",
    open=WandbWatch,
)
