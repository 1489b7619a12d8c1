"""Findings read back from a file: `harness.load_findings`."""

import json
from pathlib import Path

from pydantic import ValidationError

from harness.api.errors import HarnessError
from harness.api.findings import SCHEMA_VERSION, Findings

NAMES = ("report.json", "findings.json")
"""What the reporter `json` writes, and what a run keeps."""


def load_findings(path: str | Path) -> Findings:
    """The findings in a file, or in a folder of reports.

    Args:
        path: `report.json` of the reporter `json`, `findings.json` of a suite's folder in a store,
            or a folder that holds one of them.

    Raises:
        HarnessError: there is no such file, it is damaged, or its schema is of another version.
    """
    file = _file(Path(path))
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no text"
        raise HarnessError(f"cannot read {file}: {reason}") from error
    head, _, rest = text.partition("\n")
    if '"reports"' in head and '"state"' in head:  # `findings.json`: a line for the next run first
        text = rest
    try:
        fields = json.loads(text)
    except ValueError as error:
        raise _damaged(file, "it ends early or is no JSON") from error
    if not isinstance(fields, dict) or not isinstance(fields.get("schema_version"), int):
        raise HarnessError(f"{file} holds no findings", fix="name a report.json or findings.json")
    version = fields["schema_version"]
    if version != SCHEMA_VERSION:
        way = "a later" if version > SCHEMA_VERSION else "an earlier"
        raise HarnessError(
            f"{file} was written by {way} seedscape: its schema is version {version}, "
            f"and this one reads version {SCHEMA_VERSION}",
            fix="write it again from its store: seedscape report SUITE --format json",
        )
    try:
        return Findings.model_validate_json(text)
    except ValidationError as error:
        raise _unlike(file, error) from error


def _file(path: Path) -> Path:
    if not path.is_dir():
        return path
    for name in NAMES:
        if (path / name).is_file():
            return path / name
    raise HarnessError(
        f"the folder {path} holds neither {' nor '.join(NAMES)}",
        fix="write one: seedscape report SUITE --format json",
    )


def _damaged(file: Path, what: str) -> HarnessError:
    fix = "write it again: seedscape report SUITE --format json"
    return HarnessError(f"{file} is damaged: {what}", fix=fix)


def _unlike(file: Path, error: ValidationError) -> HarnessError:
    first = error.errors()[0]
    place = ".".join(map(str, first["loc"]))
    if first["type"] == "extra_forbidden":
        what = f"{file} has {place}, which this version does not know"
        return HarnessError(what, fix="update seedscape")
    return _damaged(file, f"{place}: {first['msg']}")
