"""Writing report files: whole or not at all."""

import os
from pathlib import Path


def write_whole(path: Path, text: str) -> Path:
    """Write a text file under a temporary name, then rename it; gives the path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        temporary.write_text(text, encoding="utf-8", newline="\n")
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    return path
