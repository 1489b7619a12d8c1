"""Built-in reporters: a self-contained HTML page, Markdown, JSON and CSV."""

from collections.abc import Iterable

from harness.api.hooks import hookimpl
from harness.api.offers import Reporter
from harness_reporters.html import HTML
from harness_reporters.markdown import MARKDOWN
from harness_reporters.tables import CSV, JSON


@hookimpl
def harness_reporters() -> Iterable[Reporter]:
    """Every form that findings can be written in."""
    return (HTML, MARKDOWN, JSON, CSV)
