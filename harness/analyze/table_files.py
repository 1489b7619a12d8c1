"""Files that hold tables: opened whatever their form, and refused in one line."""

import csv
import hashlib
import io
import json
from collections.abc import Callable, Mapping
from pathlib import Path

import pandas as pd

from harness.api.errors import HarnessError
from harness.api.numbers import count, words


def open_frame(path: Path) -> tuple[pd.DataFrame, str]:
    """The table in a file, all text where its form knows no types, and the file's SHA-256.

    Raises:
        HarnessError: a suffix that is no table's, a file that cannot be read, is empty or broken,
            or has two columns of one name.
    """
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        fix = f"give a table that ends with {words(READERS, 'or')}"
        raise HarnessError(f"'{path.suffix}' is no format of a table", where=str(path), fix=fix)
    content, digest = read_bytes(path)
    frame = parsed(path, lambda: reader(content))
    names = [str(name) for name in frame.columns]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise HarnessError(f"two columns are called '{twice[0]}'", where=str(path))
    frame.columns = pd.Index(names)
    if frame.empty:
        raise HarnessError("has no rows", where=str(path))
    return frame.reset_index(drop=True), digest


def read_bytes(path: Path) -> tuple[bytes, str]:
    """What is in a file, and its SHA-256.

    Raises:
        HarnessError: it cannot be read, or is empty.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        reason = error.strerror or str(error)
        raise HarnessError(f"cannot be read: {reason}", where=str(path)) from None
    if not content.strip():
        raise HarnessError("is empty", where=str(path))
    return content, hashlib.sha256(content).hexdigest()


def parsed(path: Path, parse: Callable[[], pd.DataFrame]) -> pd.DataFrame:
    """What `parse` gives; whatever it raises on a stranger's bytes is the file's fault."""
    try:
        return parse()
    except HarnessError as error:
        raise HarnessError(
            error.message, where=f"{path}{error.where or ''}", fix=error.fix
        ) from None
    except UnicodeDecodeError as error:
        raise HarnessError(
            f"is not UTF-8 text (byte {error.start + 1})",
            where=str(path),
            fix="save it as UTF-8",
        ) from None
    except Exception as error:  # parsers raise nearly anything
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise HarnessError(f"is no such table: {reason}", where=str(path)) from None


def _separated(mark: str) -> Callable[[bytes], pd.DataFrame]:
    def read(content: bytes) -> pd.DataFrame:
        # pandas would rename a second column of one name and pad or cut rows of another length
        text = io.StringIO(content.decode("utf-8-sig"), newline="")
        reader = csv.reader(text, delimiter=mark, strict=True)
        header: list[str] = []
        rows: list[list[str]] = []
        for row in reader:
            if not row:
                continue
            if header and len(row) != len(header):
                given = count(len(row), "value")
                raise HarnessError(
                    f"{given} where the header names {len(header)}", where=f":{reader.line_num}"
                )
            if header:
                rows.append(row)
            else:
                header = [name.strip() for name in row]
        return pd.DataFrame(rows, columns=header, dtype=object)

    return read


def _lines(content: bytes) -> pd.DataFrame:
    rows = []
    for number, line in enumerate(content.decode("utf-8-sig").splitlines(), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            raise HarnessError(f"is no JSON: {error}", where=f":{number}") from None
        if not isinstance(row, dict):
            raise HarnessError(
                "is no object of columns", where=f":{number}", fix='a row is {"column": value, ...}'
            )
        rows.append(row)
    return pd.DataFrame(rows, dtype=object)


READERS: Mapping[str, Callable[[bytes], pd.DataFrame]] = {
    ".csv": _separated(","),
    ".tsv": _separated("\t"),
    ".parquet": lambda content: pd.read_parquet(io.BytesIO(content)),
    ".jsonl": _lines,
}


def joined_json(path: Path, runs: str) -> tuple[pd.DataFrame, str]:
    """A JSON file of `{run: {column: value}}` as a table whose column `runs` names the run.

    Raises:
        HarnessError: the file is something else.
    """
    content, digest = read_bytes(path)

    def parse() -> pd.DataFrame:
        nested = json.loads(content.decode("utf-8-sig"))
        if not isinstance(nested, dict) or not all(isinstance(v, dict) for v in nested.values()):
            raise HarnessError("is no object of runs", fix="it must read {run: {column: value}}")
        return pd.DataFrame([{runs: run, **of} for run, of in nested.items()], dtype=object)

    frame = parsed(path, parse)
    if frame.empty:
        raise HarnessError("has no rows", where=str(path))
    return frame, digest
