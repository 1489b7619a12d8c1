"""Image data sets of the Hugging Face hub: parquet files at a pinned revision."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.api.errors import HarnessError

if TYPE_CHECKING:
    import numpy as np

    from harness.api.data import DataRoom

    Array = np.ndarray[Any, np.dtype[Any]]


def hub_fingerprint(repository: str, revision: str | None) -> str:
    """The pinned revision; a branch or tag can move and is refused."""
    if not revision or not re.fullmatch("[0-9a-f]{40}", revision):
        raise HarnessError(
            f"`revision` must pin a commit of {repository} (40 hexadecimal digits)",
            fix=f"see https://huggingface.co/datasets/{repository}/commits/main",
        )
    return f"hub:{repository}@{revision}"


def hub_folder(repository: str, revision: str | None, room: DataRoom) -> Path:
    """The repository's parquet files in a local folder, fetched if need be."""
    hub_fingerprint(repository, revision)
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    try:
        folder = snapshot_download(
            repository,
            repo_type="dataset",
            revision=revision,
            allow_patterns=["*.parquet"],
            cache_dir=room.cache / "hub",
            local_files_only=room.offline,
        )
    except (LocalEntryNotFoundError, HfHubHTTPError, OSError) as error:
        raise HarnessError(
            f"cannot fetch {repository} from the hub ({type(error).__name__})",
            fix="without a network give a `path` to files on disk",
        ) from error
    return Path(folder)


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
