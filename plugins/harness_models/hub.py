"""Files of a repository on the Hugging Face hub, at one commit; every trouble is one line.

What was fetched once is read from the cache and stays: a branch is looked up on the network only
where the cache does not know it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from harness.api.errors import HarnessError, OutOfReach

Whole = Callable[[Path], bool]
"""Whether a folder has all that is wanted: a cache may hold a part, from elsewhere or cut short."""

PATIENCE = 10
"""Seconds in which a hub that can be reached answers; its own library waits for minutes."""

_NO_MODEL = "check the name, or `hf auth login`; a folder begins with ./ or /"

_COMMIT = re.compile(r"[0-9a-f]{40}")


def commit_of(repository: str, revision: str) -> str:
    """The commit that a revision stands for ("" for the main branch): 40 hexadecimal digits.

    What the hub says is kept in its cache, so that all who ask later are told the same.

    Raises:
        HarnessError: there is none, or nobody can be asked.
    """
    known = known_commit(repository, revision)
    if known is not None:
        return known
    hub = _hub()
    with _in_one_line(repository, revision):
        asked = hub.HfApi().model_info(repository, revision=revision or None, timeout=PATIENCE)
    found: str = asked.sha
    cached = _reference(repository, revision)
    with suppress(OSError):  # a cache that may only be read
        cached.parent.mkdir(parents=True, exist_ok=True)
        cached.write_text(found, encoding="utf-8")
    return found


def known_commit(repository: str, revision: str) -> str | None:
    """The same, where it is known without asking the hub."""
    if _COMMIT.fullmatch(revision):
        return revision
    cached = _reference(repository, revision)
    return cached.read_text(encoding="utf-8").strip() if cached.is_file() else None


def snapshot(
    repository: str, commit: str, wanted: Sequence[str], whole: Whole, *, offline: bool = False
) -> Path | None:
    """The folder of a commit with the files that match `wanted`, fetched unless it is `whole`.

    None where the commit has no such file.

    Raises:
        HarnessError: the files are not in the cache, and cannot be fetched.
    """
    folder = cached(repository, commit)
    if not whole(folder):
        hub = _hub()
        with _in_one_line(repository, commit):
            if offline:
                raise hub.errors.OfflineModeIsEnabled("asked to stay offline")
            if not hub.constants.HF_HUB_OFFLINE:  # it knows what it has, and asks nobody
                hub.HfApi().model_info(repository, revision=commit, timeout=PATIENCE)
            hub.snapshot_download(repository, revision=commit, allow_patterns=list(wanted))
    return folder if any(True for pattern in wanted for _ in folder.glob(pattern)) else None


def cached(repository: str, commit: str) -> Path:
    """Where the cache keeps a commit, whether it does or not; asks no network."""
    return _storage(repository) / "snapshots" / commit


def _reference(repository: str, revision: str) -> Path:
    """Where the cache keeps the commit that a branch or tag stands for."""
    return _storage(repository) / "refs" / (revision or "main")


def _storage(repository: str) -> Path:
    """Where the cache keeps a repository."""
    return Path(_hub().constants.HF_HUB_CACHE) / f"models--{repository.replace('/', '--')}"


def _hub() -> Any:  # the package carries its types lazily
    try:
        import huggingface_hub
        import huggingface_hub.constants
        import huggingface_hub.errors  # both are loaded only when they are named
    except ImportError:
        raise missing("huggingface_hub") from None
    return huggingface_hub


def missing(package: str) -> HarnessError:
    """What to say where a package of the extra `text` is not installed."""
    return HarnessError(
        f"the package {package} is not installed", fix="pip install 'seedscape[text]'"
    )


@contextmanager
def _in_one_line(repository: str, revision: str) -> Iterator[None]:
    from huggingface_hub import errors

    client = errors.HfHubHTTPError.__bases__[0]  # the error of httpx or httpx2, as the version has
    named = f"{repository} at {revision}" if revision else repository
    try:
        yield
    except errors.GatedRepoError:
        fix = f"ask for access at https://huggingface.co/{repository}, then `hf auth login`"
        raise HarnessError(f"the model {repository} is gated", fix=fix) from None
    except errors.RepositoryNotFoundError:
        message = f"the hub has no model {repository}, or it is private"
        raise HarnessError(message, fix=_NO_MODEL) from None
    except errors.RevisionNotFoundError:
        raise HarnessError(f"the model {repository} has no revision {revision!r}") from None
    except errors.HFValidationError as error:
        message = f"{repository!r} is neither a folder nor the name of a model: {error}"
        raise HarnessError(message, fix="a folder begins with ./ or /") from None
    except (client, OSError) as error:  # OSError: a full disk, and what is not in the cache
        met = _met(error)
        if isinstance(met, errors.OfflineModeIsEnabled):
            why, fix = "the hub may not be asked", "fetch it where there is a network"
            raise OutOfReach(f"the model {named}", why, fix=fix) from None
        if isinstance(met, client) and not isinstance(met, errors.HfHubHTTPError):
            why = f"the hub cannot be reached ({_first_line(met)})"
            raise OutOfReach(f"the model {named}", why) from None
        message = f"the model {named} cannot be had from the hub: {_first_line(met)}"
        raise HarnessError(message) from None


def _met(error: BaseException) -> BaseException:
    """What the hub's library met before it looked into its cache in vain."""
    from huggingface_hub.errors import LocalEntryNotFoundError

    behind = error.__cause__ if isinstance(error, LocalEntryNotFoundError) else None
    return error if behind is None else _met(behind)


def _first_line(error: BaseException) -> str:
    return str(error).partition("\n")[0] or type(error).__name__
