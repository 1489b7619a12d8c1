"""Data sets of the Hugging Face hub: parquet files at a pinned revision, in the hub's own cache."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.api.downloads import Download
from harness.api.errors import HarnessError, OutOfReach

if TYPE_CHECKING:
    import numpy as np

    from harness.api.data import DataRoom

    Array = np.ndarray[Any, np.dtype[Any]]

PATIENCE = 10
"""Seconds in which a hub that can be reached answers; its own library waits for minutes."""

PARQUET = ("*.parquet",)


def hub_fingerprint(repository: str, revision: str | None) -> str:
    """The pinned revision; a branch or tag can move and is refused."""
    if not revision or not re.fullmatch("[0-9a-f]{40}", revision):
        raise HarnessError(
            f"`revision` must pin a commit of {repository} (40 hexadecimal digits)",
            fix=f"see https://huggingface.co/datasets/{repository}/commits/main",
        )
    return f"hub:{repository}@{revision}"


def hub_folder(
    repository: str, revision: str | None, room: DataRoom, patterns: Sequence[str] = PARQUET
) -> Path:
    """The repository's files that match a pattern, in a local folder; fetched if need be."""
    hub_fingerprint(repository, revision)
    folder = _cached(repository, str(revision))
    if not _complete(folder, patterns):
        if room.offline:
            raise _out_of_reach(repository, "the hub may not be asked")
        fetch(repository, str(revision), patterns)
    return folder


def hub_download(
    repository: str, revision: str | None, patterns: Sequence[str] = PARQUET, part: str = ""
) -> Download:
    """The same files as something to fetch beforehand; `part` says which they are."""
    name = hub_fingerprint(repository, revision).removeprefix("hub:")
    return Download(
        name=f"data set {name}" + (f" {part}" if part else ""),
        here=lambda: _complete(_cached(repository, str(revision)), patterns),
        fetch=lambda: fetch(repository, str(revision), patterns),
    )


def fetch(repository: str, revision: str, patterns: Sequence[str]) -> None:
    """Fetch the files that match a pattern into the hub's cache.

    Raises:
        HarnessError: the hub cannot be reached, or has no such thing, or does not give it.
    """
    from huggingface_hub import HfApi, constants, errors, snapshot_download

    client = errors.HfHubHTTPError.__bases__[0]  # the error of httpx or httpx2, as the version has
    page = f"https://huggingface.co/datasets/{repository}"
    try:
        if not constants.HF_HUB_OFFLINE:
            HfApi().dataset_info(repository, revision=revision, timeout=PATIENCE)
        snapshot_download(
            repository, repo_type="dataset", revision=revision, allow_patterns=list(patterns)
        )
    except errors.GatedRepoError:
        fix = f"ask for access at {page}, then `hf auth login`"
        raise HarnessError(f"the data set {repository} is gated", fix=fix) from None
    except errors.RevisionNotFoundError:
        message = f"the data set {repository} has no revision {revision!r}"
        raise HarnessError(message, fix=f"see {page}/commits/main") from None
    except errors.RepositoryNotFoundError:
        message = f"the hub has no data set {repository}, or it is private"
        raise HarnessError(message, fix="give a `path` to files on disk") from None
    except (client, OSError) as error:  # OSError: a full disk, and what is not in the cache
        met = _met(error)
        if isinstance(met, errors.OfflineModeIsEnabled):
            raise _out_of_reach(repository, "the hub may not be asked") from None
        if isinstance(met, client) and not isinstance(met, errors.HfHubHTTPError):
            why = f"the hub cannot be reached ({_first_line(met)})"
            raise _out_of_reach(repository, why) from None
        message = f"cannot fetch {repository} from the hub: {_first_line(met)}"
        raise HarnessError(message, fix="give a `path` to files on disk") from None
    if not _complete(_cached(repository, revision), patterns):
        message = f"{repository} has no files {', '.join(patterns)} at {revision}"
        raise HarnessError(message, fix="choose another `revision`")


def _out_of_reach(repository: str, why: str) -> OutOfReach:
    fix = "`seedscape fetch` it where there is a network, or give a `path` to files on disk"
    return OutOfReach(f"the data set {repository}", why, fix=fix)


def _met(error: BaseException) -> BaseException:
    """What the hub's library met before it looked into its cache in vain."""
    from huggingface_hub.errors import LocalEntryNotFoundError

    behind = error.__cause__ if isinstance(error, LocalEntryNotFoundError) else None
    return error if behind is None else _met(behind)


def _first_line(error: BaseException) -> str:
    return str(error).partition("\n")[0] or type(error).__name__


def _cached(repository: str, revision: str) -> Path:
    from huggingface_hub import constants

    storage = f"datasets--{repository.replace('/', '--')}"
    return Path(constants.HF_HUB_CACHE) / storage / "snapshots" / revision


def _complete(folder: Path, patterns: Sequence[str]) -> bool:
    """Whether every pattern has its files: `train-00000-of-00002` names two."""
    for pattern in patterns:
        names = [file.name for file in folder.rglob(pattern) if file.is_file()]
        counts = {int(m[1]) for name in names if (m := re.search(r"-of-(\d+)\.", name))}
        if not names or any(
            sum(f"-of-{count:05d}." in name for name in names) < count for count in counts
        ):
            return False
    return True


def parquet_files(folder: Path, split: str) -> list[Path]:
    """The parquet files of a split, as the hub names them: `train-00000-of-00001.parquet`."""
    found = sorted(folder.rglob(f"{split}-*.parquet")) or sorted(folder.rglob(f"{split}.parquet"))
    if not found:
        raise HarnessError(f"no parquet file of the split {split!r}", where=str(folder))
    return found


def parquet_rows(folder: Path, split: str) -> int:
    """The number of rows, from the files' footers."""
    import pyarrow.parquet as pq

    return sum(pq.read_metadata(file).num_rows for file in parquet_files(folder, split))


def parquet_images(folder: Path, split: str) -> tuple[Array, Array]:
    """Grey images [n, h, w] (uint8) and labels from the columns `image` and `label`."""
    import numpy as np
    import pyarrow.parquet as pq

    from harness_datasets.pillow import grey_array

    images, labels = [], []
    for file in parquet_files(folder, split):
        table = pq.read_table(file)
        if not {"image", "label"} <= set(table.column_names):
            raise HarnessError("the columns `image` and `label` are missing", where=str(file))
        for row, image in enumerate(table["image"].to_pylist()):
            images.append(grey_array(io.BytesIO(image["bytes"]), f"{file}, row {row}"))
        labels.append(table["label"].to_numpy())
    return np.stack(images), np.concatenate(labels)
