"""Built-in reporters: a self-contained HTML page, Markdown, LaTeX, JSON, CSV and Parquet."""

from collections.abc import Iterable

from harness.api.hooks import hookimpl
from harness.api.offers import Reporter
from harness_reporters.html import HTML
from harness_reporters.latex import LATEX
from harness_reporters.markdown import MARKDOWN
from harness_reporters.parquet import PARQUET
from harness_reporters.tables import CSV, JSON


@hookimpl
def harness_reporters() -> Iterable[Reporter]:
    """Every form that findings can be written in."""
    return (HTML, MARKDOWN, LATEX, JSON, CSV, PARQUET)
