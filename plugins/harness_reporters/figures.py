"""Figures as plain data for plotly.js: axes, rows of points, colours that follow the theme.

A colour is a token such as "@c0"; the page replaces it by the CSS variable `--c0` of the theme in
force. All text from outside goes through `plain`, because plotly reads a little HTML.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

COLOURS = 8
SYMBOLS = ("circle", "diamond-open", "square", "triangle-up-open", "cross", "star-open")

Trace = dict[str, Any]  # what plotly reads: JSON of its own making


@dataclass(frozen=True)
class Figure:
    """One drawing: `title` stands above it in the page, `height` is in pixels.

    Figures of a group that have a `choice` are shown where a reader chose that. `surface` is the
    same drawn in three dimensions: {"data": traces, "layout": more}; a trace "@0" there is given
    the numbers of trace 0 of `data`.
    """

    title: str
    data: list[Trace]
    layout: Trace
    height: int
    choice: str = ""
    surface: Trace | None = None


@dataclass(frozen=True)
class Key:
    """An entry of a legend: a colour token and a symbol of `SYMBOLS`, "line" or "block"."""

    text: str
    colour: str
    symbol: str = "circle"


@dataclass(frozen=True)
class Group:
    """Figures under one heading with one legend and one caption.

    `columns` is how many stand side by side on a wide screen: "one", "two" or "three". Where
    figures have choices, those of one are shown at a time; `choose` says what is chosen. `facts`
    say how it was measured.
    """

    title: str
    figures: list[Figure]
    caption: str
    legend: list[tuple[str, list[Key]]] = field(default_factory=list)
    columns: str = "two"
    facts: list[tuple[str, str]] = field(default_factory=list)
    choose: str = "show"

    @property
    def choices(self) -> list[str]:
        """What can be chosen, in the order of the figures."""
        return list(dict.fromkeys(figure.choice for figure in self.figures if figure.choice))

    @property
    def surfaces(self) -> bool:
        """Whether any figure can be drawn in three dimensions."""
        return any(figure.surface for figure in self.figures)


def plain(text: object) -> str:
    """Text that plotly shows as it is: its markup characters as entities."""
    return str(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def hover(*lines: str) -> str:
    """Lines of a hover label, each shown as it is."""
    return "<br>".join(plain(line) for line in lines)


def template(*lines: str, places: str = "") -> str:
    """A hover label of these lines, the same for all points, and a last line of their own."""
    own = (places,) if places else ()
    fixed = (plain(line).replace("%{", "%&#123;") for line in lines)
    return "<br>".join((*fixed, *own)) + "<extra></extra>"


def short(value: float, digits: int = 4) -> float:
    """A number as exact as a drawing shows, which keeps the page small.

    >>> short(0.123456789), short(float("inf"))
    (0.1235, inf)
    """
    return float(f"{value:.{digits}g}")


def known(values: Iterable[float | None]) -> list[float | None]:
    """Numbers for JSON, which has no NaN and no infinity: those are not drawn."""
    return [v if v is not None and math.isfinite(v) else None for v in values]


def colour(place: int) -> str:
    """The token of a category's colour; they repeat after eight."""
    return f"@c{place % COLOURS}"


def faint(place: int) -> str:
    """The token of the same colour, which lets through what lies below it."""
    return f"{colour(place)}_28"


def symbol(place: int) -> str:
    """The symbol of a procedure; they repeat after six."""
    return SYMBOLS[place % len(SYMBOLS)]


def points(x: Sequence[float], y: Sequence[float], texts: Sequence[str], **marker: Any) -> Trace:
    """Points with hover texts; filled ones have a rim that tells them apart where they overlap."""
    rim = {"width": 1.6} if "open" in str(marker.get("symbol")) else {"width": 1, "color": "@card"}
    return {
        "type": "scatter",
        "mode": "markers",
        "x": known(x),
        "y": known(y),
        "hovertext": list(texts),
        "hoverinfo": "text",
        "marker": {"size": 9, "line": rim, **marker},
    }


def mean_tick(x: float, y: float, half: float, text: str) -> list[Trace]:
    """A short upright line at a mean, drawn over its row."""
    return [
        {
            "type": "scatter",
            "mode": "lines",
            "x": known([x, x]),
            "y": [y - half, y + half],
            "hovertext": text,
            "hoverinfo": "text",
            "line": {"color": "@ink", "width": 2},
        }
    ]


def wrapped(label: str, width: int = 20) -> str:
    """A label on several short lines, broken between its parts, each shown as it is.

    >>> wrapped("cnn[width=64] · pretrained · lr=0.003, same")
    'cnn[width=64]<br>pretrained<br>lr=0.003, same'
    """
    if len(label) <= width:
        return plain(label)
    parts = [part.strip() for part in label.split(" · ")]
    lines = [parts[0]]
    for part in parts[1:]:
        if len(lines[-1]) + len(part) + 3 <= width:
            lines[-1] += f" · {part}"
        else:
            lines.append(part)
    cut = (line if len(line) <= 28 else f"{line[:27]}…" for line in lines)
    return "<br>".join(map(plain, cut))


def row_height(labels: Sequence[str], least: int) -> int:
    """Pixels that a row needs for its label, all rows alike."""
    lines = max((wrapped(label).count("<br>") + 1 for label in labels), default=1)
    return max(least, 10 + 15 * lines)


def rows_axis(labels: Sequence[str]) -> Trace:
    """A vertical axis of named rows at 0, -1, -2 and so on, the first one on top."""
    return {
        "tickvals": [-place for place in range(len(labels))],
        "ticktext": [wrapped(label) for label in labels],
        "range": [-len(labels) + 0.45, 0.55],
        "fixedrange": True,
        "showgrid": False,
        "zeroline": False,
        "automargin": True,
        "ticks": "",
        "tickfont": {"size": 12, "color": "@ink"},
    }


def bands(number: int) -> list[Trace]:
    """A faint ground under every other row."""
    return [
        {
            "type": "rect",
            "xref": "paper",
            "x0": 0,
            "x1": 1,
            "y0": -place - 0.5,
            "y1": -place + 0.5,
            "fillcolor": "@band",
            "line": {"width": 0},
            "layer": "below",
        }
        for place in range(0, number, 2)
    ]


def numbers_axis(title: str = "") -> Trace:
    """An axis of numbers with a faint grid."""
    axis: Trace = {
        "gridcolor": "@grid",
        "zerolinecolor": "@axis",
        "linecolor": "@axis",
        "automargin": True,
        "nticks": 6,
        "tickfont": {"size": 11},
    }
    if title:
        axis["title"] = {"text": plain(title), "font": {"size": 12}, "standoff": 8}
    return axis


def layout(x: Trace, y: Trace, **more: Any) -> Trace:
    """What all figures share: no frame, little margin, the page's own ground and font."""
    return {
        "xaxis": x,
        "yaxis": y,
        "showlegend": False,
        "hovermode": "closest",
        "margin": {"l": 8, "r": 12, "t": 6, "b": 8, "pad": 4},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"size": 12, "color": "@muted"},
        "hoverlabel": {
            "bgcolor": "@card",
            "bordercolor": "@axis",
            "align": "left",
            "font": {"size": 12, "color": "@ink"},
        },
        **more,
    }


def spread_within(place: int, number: int, width: float) -> float:
    """Where the place-th of so many things lies in a row of that width, around its middle.

    >>> spread_within(0, 3, 0.6), spread_within(1, 3, 0.6), spread_within(0, 1, 0.6)
    (0.3, 0.0, 0.0)
    """
    return 0.0 if number < 2 else width / 2 - width * place / (number - 1)
