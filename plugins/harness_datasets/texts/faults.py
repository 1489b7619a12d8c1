"""What is told of a file that cannot be read: which row or line, and what mends it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from harness.api.errors import HarnessError
from harness_datasets.files import AGAIN, EMPTY
from harness_datasets.texts import json_faults, separated
from harness_datasets.texts.layout import (
    TOO_LONG,
    Columns,
    Layout,
    kind_of,
    spellings,
)

ENCODING = "name the file's `encoding`, for example latin-1"
SEPARATORS = {
    ",": "`format: csv`",
    "\t": "`format: tsv`",
    ";": '`separator: ";"`',
    "|": '`separator: "|"`',
}


def unreadable(
    error: Exception, path: Path, layout: Layout, wanted: Sequence[Columns]
) -> HarnessError:
    """The error for whatever reading raised; the file may be read again to find the place."""
    kind = kind_of(path, layout)
    told = str(error).splitlines()[0] if str(error) else type(error).__name__
    message, fix = _of_any_kind(told, path, layout) or (None, None)
    if message is None and kind == "jsonl":
        message, fix = json_faults.first(path, layout, wanted) or (None, None)
    if message is None and (isinstance(error, UnicodeError) or "invalid utf8" in told.lower()):
        message = f"cannot read this file: these bytes are not {layout.encoding}"
        fix = ENCODING if kind != "parquet" else "write its texts in utf-8, as parquet has them"
    if message is None and kind == "parquet" and not isinstance(error, PermissionError):
        more = "" if "magic bytes" in told else f" ({told[:200]})"
        message = f"this is no parquet file, or not all of one{more}"
        fix = "write it again, or say what it is: `format: csv`"
    if message is None and "Expected" in told and "columns" in told:
        message = separated.ragged(path, layout)
        fix = "set `separator` and `quoting` as the file has them, or `ragged: drop`"
    return HarnessError(message or f"cannot read this file: {told}", where=str(path), fix=fix)


def _of_any_kind(told: str, path: Path, layout: Layout) -> tuple[str, str | None] | None:
    if "straddl" in told or told == TOO_LONG:
        never = "a quote that is never closed makes a row of all that follows"
        fix = never if separated.quoted(path, layout) else None
        return f"cannot read this file: {TOO_LONG}", fix
    if "Empty CSV" in told:
        return EMPTY, AGAIN
    if re.search("inflate|compressed stream", told):
        message = f"cannot unpack this file: it is not gzipped, or not all of it is there ({told})"
        return message, "write it again, or name it without `.gz`"
    return None


def other_separator(
    wanted: Columns, names: Sequence[str], path: Path, layout: Layout
) -> str | None:
    """What to set where a header was read as one column and would have the wanted one as more."""
    if len(names) != 1 or kind_of(path, layout) not in ("csv", "tsv"):
        return None
    for mark, fix in SEPARATORS.items():
        parts = [part.strip().strip('"') for part in names[0].split(mark)]
        if len(parts) > 1 and any(name in parts for name in spellings(wanted)):
            return f"is it separated otherwise? Set {fix}"
    return None
