"""Where the script of a metric lies: in a local folder, or in a space of the hub, fetched once."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from harness.api.errors import HarnessError, OutOfReach

CANONICAL = "evaluate-metric"
"""Who owns the metrics that `evaluate` knows by a bare name."""

PATIENCE = 10
"""Seconds in which a hub that can be reached answers; its own library waits for minutes."""

_LOCAL = ("/", "./", "../", "~")
_BESIDE = re.compile(r"^\s*(?:from|import)\s+\.", re.MULTILINE)


def script_of(path: str, revision: str | None) -> Path:
    """The script of a metric, as `evaluate` lays it out: `NAME.py` in a folder NAME.

    `path` is a script, its folder, or a name on the hub (`f1`, `owner/metric`). What was fetched
    once is read from the hub's cache, and a name without a revision stays what it was then.

    Raises:
        HarnessError: there is none, or the hub cannot be asked.
    """
    here = Path(path).expanduser()
    if here.is_file():
        return here
    name = f"{here.name}.py"
    if (here / name).is_file():
        return here / name
    if path.startswith(_LOCAL) or path.endswith(".py"):
        raise HarnessError(
            f"there is no metric script {here / name if here.suffix != '.py' else here}",
            fix="a folder NAME holds its script as NAME.py",
        )
    return _fetched(path, revision) / name


def digest_of(script: Path) -> str:
    """The hash of a script; where it imports files beside it, of all that lie there."""
    text = script.read_bytes()
    files = [script]
    if _BESIDE.search(text.decode("utf-8", "replace")):
        files = sorted(script.parent.rglob("*.py"))
    names = [path.relative_to(script.parent).as_posix() for path in files]
    hashes = [hashlib.sha256(path.read_bytes()).hexdigest() for path in files]
    lines = "".join(f"{name} {found}\n" for name, found in zip(names, hashes, strict=True))
    return hashlib.sha256(lines.encode()).hexdigest()[:16]


def _fetched(name: str, revision: str | None) -> Path:
    """The folder of a metric's space at a revision, out of the cache where it is there."""
    from huggingface_hub import HfApi, constants, errors, snapshot_download

    client = errors.HfHubHTTPError.__bases__[0]  # the error of httpx or httpx2, as the version has
    space = name if "/" in name else f"{CANONICAL}/{name}"
    script = f"{space.rpartition('/')[2]}.py"
    try:
        for local in (True, False):
            try:
                if not local and not constants.HF_HUB_OFFLINE:
                    HfApi().space_info(space, revision=revision, timeout=PATIENCE)
                found = snapshot_download(
                    space,
                    repo_type="space",
                    revision=revision,
                    allow_patterns=["*.py"],
                    local_files_only=local,
                )
            except errors.LocalEntryNotFoundError:
                if not local:
                    raise
                continue
            if (Path(found) / script).is_file():
                return Path(found)
        raise HarnessError(f"what there is of the space {space} holds no {script}")
    except errors.RepositoryNotFoundError:
        reason = f"the hub has no space {space}, or it is private"
    except errors.RevisionNotFoundError:
        reason = f"the space {space} has no revision {revision!r}"
    except errors.HFValidationError as error:
        reason = str(error).partition("\n")[0]
    except (errors.LocalEntryNotFoundError, client, OSError):
        raise OutOfReach(
            f"the metric {name!r} (a script of the space {space})",
            f"the hub {'may not be asked' if constants.HF_HUB_OFFLINE else 'cannot be reached'}",
            fix="check the name; without a network give the folder of its script",
        ) from None
    raise HarnessError(
        f"no metric {name!r}, neither a local script nor to be had from the hub: {reason}",
        fix="check the name; without a network give the folder of its script",
    )
