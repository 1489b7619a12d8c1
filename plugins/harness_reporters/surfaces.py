"""What heat maps and surfaces of a grid share: colours, marks, and the third dimension."""

import math

from harness.api.numbers import figures
from harness.api.readings import Grid
from harness_reporters.axes import TITLES
from harness_reporters.figures import Trace, hover, known, plain, short

RAMP = ("#33236b", "#30568c", "#24838e", "#2faf7f", "#90d543", "#fbe723")  # dark: low


def colours() -> Trace:
    """The scale of colours from low to high, and its bar."""
    return {
        "colorscale": [[place / (len(RAMP) - 1), tint] for place, tint in enumerate(RAMP)],
        "colorbar": {"thickness": 10, "outlinewidth": 0, "nticks": 5, "tickfont": {"size": 11}},
    }


def marks(grid: Grid) -> list[Trace]:
    """The marks of a plane as points, if it has any."""
    if not grid.marks:
        return []
    found = grid.marks
    return [
        {
            "type": "scatter",
            "mode": "markers",
            "x": known(x for x, _ in found.values()),
            "y": known(y for _, y in found.values()),
            "hovertext": [
                hover(name, f"({figures(x)}, {figures(y)})") for name, (x, y) in found.items()
            ],
            "hoverinfo": "text",
            "marker": {"size": 9, "color": "#ffffff", "line": {"width": 1.5, "color": "#1d1f24"}},
        }
    ]


def names(grid: Grid) -> list[Trace]:
    """Names above the marks, on a ground of their own: they stand on dark and bright areas."""
    return [
        {
            "x": x,
            "y": y,
            "text": plain(name),
            "showarrow": False,
            "yshift": 17,
            "bgcolor": "rgba(29,31,36,0.7)",
            "borderpad": 2,
            "font": {"size": 11, "color": "#ffffff"},
        }
        for name, (x, y) in grid.marks.items()
        if math.isfinite(x) and math.isfinite(y)
    ]


def surface(grid: Grid, quantity: str, scale: tuple[float, float]) -> Trace:
    """The grid as a surface over the plane; heights beyond the scale are cut off, not flattened."""
    low, high = scale
    solid: Trace = {
        "type": "surface",
        "cmin": low,
        "cmax": high,
        **colours(),
        "contours": {"z": {"show": True, "start": low, "end": high, "size": (high - low) / 12,
                           "color": "rgba(255,255,255,0.35)", "width": 1}},
        "lighting": {"ambient": 0.75, "diffuse": 0.5, "specular": 0.05, "roughness": 0.9},
        "hovertemplate": "(%{x:.3~g}, %{y:.3~g}): %{z:.3~g}<extra></extra>",
        "numbers": "@0",
    }  # fmt: skip
    wide, deep = max(grid.x) - min(grid.x), max(grid.y) - min(grid.y)
    ratio = deep / wide if grid.axes is None and wide > 0 and deep > 0 else 1.0
    first, second = grid.axes or ("", "")
    scene = {
        "xaxis": _axis(TITLES.get(first, first)),
        "yaxis": _axis(TITLES.get(second, second)),
        "zaxis": _axis(quantity) | {"range": [low - 0.02 * (high - low), high]},
        "aspectmode": "manual",
        "aspectratio": {"x": 1.2, "y": 1.2 * min(1.5, max(0.5, ratio)), "z": 0.8},
        "camera": {
            "eye": {"x": -1.0, "y": -1.2, "z": 0.85},
            "center": {"x": 0, "y": 0, "z": -0.15},
        },
        "dragmode": "orbit",
    }  # fmt: skip
    return {"data": [solid, *_posts(grid, quantity, scale)], "layout": {"scene": scene}}


def _axis(title: str) -> Trace:
    return {
        "title": {"text": plain(title), "font": {"size": 11}},
        "tickfont": {"size": 10},
        "nticks": 5,
        "gridcolor": "@grid",
        "zerolinecolor": "@grid",
        "linecolor": "@axis",
        "showbackground": False,
        "showspikes": False,
    }


def _posts(grid: Grid, quantity: str, scale: tuple[float, float]) -> list[Trace]:
    """Marks on the surface, each at the height of the nearest point of the grid."""
    low, high = scale
    found = {}
    for name, (x, y) in grid.marks.items():
        if math.isfinite(x) and math.isfinite(y):
            column = min(range(len(grid.x)), key=lambda place: abs(grid.x[place] - x))
            row = min(range(len(grid.y)), key=lambda place: abs(grid.y[place] - y))
            height = grid.z[quantity][row][column]
            if math.isfinite(height):
                found[name] = (x, y, min(height, high) + 0.02 * (high - low))
    if not found:
        return []
    return [
        {
            "type": "scatter3d",
            "mode": "markers+text",
            "x": [x for x, _, _ in found.values()],
            "y": [y for _, y, _ in found.values()],
            "z": [short(z) for _, _, z in found.values()],
            "text": [plain(name) for name in found],
            "textposition": "top center",
            "textfont": {"size": 11, "color": "@ink"},
            "hoverinfo": "text",
            "marker": {"size": 4, "color": "#ffffff", "line": {"width": 1, "color": "#1d1f24"}},
        }
    ]
