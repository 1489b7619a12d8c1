"""The reporter `html`: one self-contained file that opens without a network.

plotly.js stands in the file compressed and is unpacked by the browser, which keeps a report near
two megabytes. Everything from suites, plugins and errors passes jinja's escaping on its way into
the page, `plain` on its way into figures, and a content security policy forbids both the network
and any script but the report's own.
"""

from __future__ import annotations

import base64
import gzip
import json
import re
import secrets
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.api.findings import Findings
from harness.api.offers import Reporter
from harness.api.settings import NoSettings
from harness_reporters.files import write_whole

if TYPE_CHECKING:
    from harness_reporters.figures import Group

NAME = "report.html"
SCRIPTS = ("packed.js", "filters.js", "runs.js", "sorting.js", "page.js")


def write(_settings: NoSettings, findings: Findings, folder: Path) -> list[Path]:
    """Write `report.html` into the folder."""
    return [write_whole(folder / NAME, render(findings))]


def render(findings: Findings) -> str:
    """The whole page as text."""
    import jinja2

    from harness_reporters import page
    from harness_reporters.comparison_tables import comparison_tables
    from harness_reporters.contest import contests
    from harness_reporters.landscape import sections
    from harness_reporters.learning import learning
    from harness_reporters.predictor_tables import predictor_tables
    from harness_reporters.predictors import predictors
    from harness_reporters.runs import run_table
    from harness_reporters.scatters import scatters
    from harness_reporters.scores import strips
    from harness_reporters.shares import shares
    from harness_reporters.standing_tables import standing_tables

    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(_asset),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["spaced"] = _spaced
    template = environment.get_template("page.html")
    every = run_table(findings)
    drawn, tables = sections(findings), page.metric_tables(findings)
    failed = sum(problem.state in ("failed", "damaged") for problem in findings.problems)
    return template.render(
        f=findings,
        nonce=secrets.token_urlsafe(16),
        css=_asset("page.css"),
        js="".join(map(_asset, SCRIPTS)),
        library=_library(),
        data=_data,
        failed=failed,
        incomplete=any(problem.state == "missing" for problem in findings.problems),
        run_table=every,
        run_data=_packed(every.packed().encode()) if every else "",
        runs=sum(note.planned for note in findings.procedures),
        splits=len({spread.split for spread in findings.spreads}),
        tiles=page.tiles(findings),
        strips=strips(findings) if findings.runs else None,
        scatters=scatters(findings),
        shares=shares(findings),
        contests=contests(findings),
        standing_tables=standing_tables(findings),
        learning=learning(findings),
        predictors=predictors(findings),
        predictor_tables=predictor_tables(findings),
        sections=drawn,
        spread_tables=page.spread_tables(findings),
        comparison_tables=comparison_tables(findings),
        share_table=page.share_table(findings),
        metric_tables=tables,
        metrics=list(dict.fromkeys((*(section.metric for section in drawn), *tables))),
        troubles=page.troubles(findings),
        facts=page.facts(findings),
    )


def _asset(name: str) -> str:
    return (files("harness_reporters") / "assets" / name).read_text("utf-8")


def _library() -> str:
    """plotly.js, compressed and in base64."""
    return _packed((files("plotly") / "package_data" / "plotly.min.js").read_bytes())


def _packed(content: bytes) -> str:
    return base64.b64encode(gzip.compress(content, 6, mtime=0)).decode("ascii")


def _data(group: Group) -> str:
    """The figures of a group as JSON, compressed and in base64: it is mostly digits."""
    told = [
        {"data": figure.data, "layout": figure.layout}
        | ({"surface": figure.surface} if figure.surface else {})
        for figure in group.figures
    ]
    return _packed(json.dumps(told, allow_nan=False, separators=(",", ":")).encode())


def _spaced(text: str) -> Any:  # markupsafe comes with jinja2
    """Escaped text whose numbers stay with their units at line ends."""
    import markupsafe

    escaped = str(markupsafe.escape(text))
    return markupsafe.Markup(re.sub(r"(?<=\d) (?=%)|(?<=n) (?=\d)", "&nbsp;", escaped))


HTML = Reporter(
    name="html",
    about="One self-contained page with tables and interactive figures; opens without a network.",
    write=write,
)
