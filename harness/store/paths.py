"""Where everything lies in a store: every file name, once."""

import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

from harness.api.errors import HarnessError

RECORD = "record.json"
WEIGHTS = "weights.safetensors"
PREDICTIONS = "predictions.parquet"
LOG = "log.txt"
SUITE_TEXT = "suite.yaml"
PLAN = "plan.json"

CELLS = "cells"
FAILED = "failed"
LOCKS = "locks"
SUITES = "suites"
CACHE = "cache"
UNFINISHED = "unfinished"


def local_root(place: str | Path) -> Path:
    """The folder that `--store` names: a path, or a `file://` URL.

    >>> local_root("file:///data/my%20runs").as_posix()
    '/data/my runs'

    Raises:
        HarnessError: any other URL.
    """
    text = str(place)
    scheme = re.match(r"([A-Za-z][A-Za-z0-9+.-]+):/", text)
    if scheme is None:
        return Path(text).expanduser()
    parts = urlsplit(text)
    if scheme[1].lower() == "file" and parts.netloc in ("", "localhost"):
        return Path(unquote(parts.path))
    raise HarnessError(
        f"this version keeps its store in a local folder (or file:// URL), not at {text}",
        fix="give a folder, or mount the remote one",
    )


def stage_of(key: str) -> str:
    """The stage in a cell's key.

    >>> stage_of("finetune-d20018dd")
    'finetune'
    """
    return key.partition("-")[0]


def cell_folder(root: Path, key: str) -> Path:
    """The folder of a finished cell; 256 folders per stage keep listings short."""
    return root / CELLS / stage_of(key) / key.partition("-")[2][:2] / key


def checkpoint(step: int) -> str:
    """The file with the weights after so many steps.

    >>> checkpoint(100)
    'checkpoint-000100.safetensors'
    """
    return f"checkpoint-{step:06d}.safetensors"


def failure_note(root: Path, key: str) -> Path:
    """Why a cell could not be finished, as JSON."""
    return root / FAILED / f"{key}.json"


def failure_log(root: Path, key: str) -> Path:
    """The end of a failed cell's log, as text."""
    return root / FAILED / f"{key}.log"


def lock(root: Path, key: str) -> Path:
    """The file whose lock is the claim on a cell."""
    return root / LOCKS / f"{key}.lock"


def suite_folder(root: Path, suite: str, version: str, *, smoke: bool) -> Path:
    """Where the resolved suite, its plan and its reports are kept.

    >>> suite_folder(Path("runs"), "quick", "1", smoke=True).as_posix()
    'runs/suites/quick-1-smoke'
    """
    name = re.sub(r"[^\w.+-]", "_", f"{suite}-{version}")
    return root / SUITES / (f"{name}-smoke" if smoke else name)


def cache(root: Path) -> Path:
    """Datasets and calibrations: may be deleted at any time."""
    return root / CACHE


def unfinished(root: Path) -> Path:
    """Folders that are being written; a killed run leaves them behind."""
    return root / UNFINISHED
