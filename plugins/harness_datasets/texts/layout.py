"""How the rows of files of texts are written, and how such files are opened."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from harness.api.errors import HarnessError
from harness_datasets.tabular import SUFFIXES

Column = str | int
"""A column by its name, or in a file without a header by its number, counted from 1."""

Columns = Column | tuple[str, ...]
"""A column, or the names that it has in one publication or another."""

BLOCK = 32 * 1024**2  # bytes read at a time: no row may be longer
TOO_LONG = f"a row is longer than {BLOCK // 1024**2} MiB"


def spellings(wanted: Columns) -> tuple[str, ...]:
    """The names that a column may have."""
    return wanted if isinstance(wanted, tuple) else (str(wanted),)


@dataclass(frozen=True)
class Layout:
    """How the rows of a file are written; "" and None mean: as the file's suffix says.

    csv is separated by commas and quoted, tsv is separated by tabs and not quoted. `ragged` says
    what happens to rows with another number of columns than the first.
    """

    format: Literal["", "csv", "tsv", "jsonl", "parquet"] = ""
    separator: str = ""
    quoting: Literal["", "double", "none"] = ""
    header: bool = True
    encoding: str = "utf-8"
    ragged: Literal["refuse", "drop"] = "refuse"


def kind_of(path: Path, layout: Layout) -> str:
    """csv, tsv, jsonl or parquet; raises `HarnessError` where neither layout nor suffix says."""
    if layout.format:
        return layout.format
    suffix = Path(path.name.removesuffix(".gz")).suffix.lower()
    if suffix not in SUFFIXES:
        what = f"unknown kind of file {suffix!r}" if suffix else "its name has no suffix"
        raise HarnessError(what, where=str(path), fix="say what it is: `format: tsv`")
    return suffix.removeprefix(".")


def opened(path: Path, layout: Layout) -> Any:  # a stream of pyarrow, which has no types
    """The file's bytes as utf-8, unpacked where it is gzipped."""
    import pyarrow as pa

    stream = pa.input_stream(path, compression="detect")
    if layout.encoding.lower().replace("_", "-") in ("utf-8", "utf8"):
        return stream
    return pa.transcoding_input_stream(stream, layout.encoding, "utf-8")
