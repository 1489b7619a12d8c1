"""A frame as a file of another program: CSV, Parquet, JSON or LaTeX, whole or not at all."""

import json
import math
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pandas as pd
from pandas.api.types import is_bool_dtype, is_numeric_dtype

from harness.api.errors import HarnessError
from harness.api.latex import latex_text
from harness.api.numbers import NOTHING, figures

SUFFIXES = {".csv": "csv", ".parquet": "parquet", ".json": "json", ".tex": "latex"}


def form_of(path: Path, otherwise: str = "") -> str:
    """The form that the suffix of a file's name says.

    Raises:
        HarnessError: it says none; `otherwise` is what else the user can do.
    """
    form = SUFFIXES.get(path.suffix.lower())
    if form is None:
        fix = f"end it with one of {', '.join(SUFFIXES)}{otherwise}"
        raise HarnessError(f"the name of {path} does not say which format", fix=fix)
    return form


def as_text(frame: pd.DataFrame, form: str) -> str:
    """The frame as text in the form "csv", "json" (records) or "latex" (booktabs)."""
    if form == "csv":
        return str(frame.to_csv(index=False, lineterminator="\n"))
    if form == "json":
        rows = [
            {str(name): _plain(value) for name, value in row.items()}
            for row in frame.astype(object).to_dict("records")
        ]
        return json.dumps(rows, indent=1, default=str) + "\n"
    return latex(frame)


def _hole(value: object) -> bool:
    return value is None or (not isinstance(value, str) and str(value) in ("nan", "<NA>", "NaT"))


def _plain(value: object) -> object:
    """A value for JSON, which knows no NaN (None then) and no infinity (a word then)."""
    if _hole(value):
        return None
    return str(value) if value in (math.inf, -math.inf) else value


def latex(frame: pd.DataFrame) -> str:
    r"""A booktabs table: words to the left, numbers to the right with three figures.

    Needs `\usepackage{booktabs}`. Empty cells show as a dash.
    """
    words = [is_bool_dtype(kind) or not is_numeric_dtype(kind) for kind in frame.dtypes]
    lines = [
        rf"\begin{{tabular}}{{{''.join('l' if word else 'r' for word in words)}}}",
        r"\toprule",
        _row([str(name).replace("_", " ") for name in frame.columns]),
        r"\midrule",
        *(_row([_cell(value) for value in row]) for row in frame.itertuples(index=False)),
        r"\bottomrule",
        r"\end{tabular}",
    ]
    return "\n".join(lines) + "\n"


def _row(cells: list[str]) -> str:
    return " & ".join(latex_text(cell) for cell in cells) + r" \\"


def _cell(value: object) -> str:
    if _hole(value):
        return NOTHING
    return figures(value) if isinstance(value, float) else str(value)


def write_frame(frame: pd.DataFrame, path: Path, form: str, *, force: bool = False) -> None:
    """Write the frame to the path.

    Raises:
        HarnessError: the path exists and `force` is not given, or cannot be written.
    """
    if path.exists() and not force:
        raise HarnessError(f"{path} exists", fix="add --force to overwrite it")

    def parquet(place: Path) -> None:
        frame.to_parquet(place, index=False)

    def text(place: Path) -> None:
        place.write_text(as_text(frame, form), encoding="utf-8", newline="\n")

    _whole(path, parquet if form == "parquet" else text)


def _whole(path: Path, write: Callable[[Path], None]) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write(temporary)
        temporary.replace(path)
    except OSError as error:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise HarnessError(f"cannot write {path}: {error.strerror or error}") from error
