"""Lines of curves: means, bands and single runs, in colours that a legend explains."""

from collections.abc import Sequence
from dataclasses import dataclass

from harness.api.numbers import count
from harness.api.pictures import Line, MeanCurve
from harness_reporters.figures import Key, Trace, colour, known, plain, short, template
from harness_reporters.protocols import KINDS
from harness_reporters.values import kinds

DASHES = ("solid", "dash", "dot", "dashdot")
THRESHOLD = "threshold"  # a quantity of this name is drawn with those it is the threshold of
CROWD = 6  # procedures, beyond which single runs are not drawn
_AT = "at %{x:.3~g}: %{y:.3~g}"


@dataclass(frozen=True)
class Paints:
    """What has a colour: procedures, and pretraining seeds where procedures stand apart."""

    names: Sequence[str]
    seeds: Sequence[int]

    def place(self, one: MeanCurve) -> int:
        """Where a curve's procedure stands among all."""
        return self.names.index(one.procedure)

    def seed(self, line: Line, otherwise: str) -> str:
        """The colour of a run's pretraining seed."""
        first = line.runs[0].split("/")[0]
        known_one = first.isdigit() and int(first) in self.seeds
        return colour(self.seeds.index(int(first))) if known_one else otherwise


def runs_alone(one: MeanCurve) -> bool:
    """Whether all there is are lines of several single runs."""
    return one.of != "pair" and not one.mean and one.subjects > 1


def subject_word(of: str) -> str:
    """What one curve belongs to."""
    return {"pair": "pair", "point": "run", "trajectory": "run"}.get(of, "group")


def legend_of(found: Sequence[MeanCurve], paints: Paints) -> list[tuple[str, list[Key]]]:
    """Colours and dashes of the lines."""
    if found[0].of == "pair":
        lines = [Key(n, "@muted", DASHES[i % len(DASHES)]) for i, n in enumerate(paints.names)]
        return [("pairs of runs with", kinds()), ("procedure", lines)]
    if any(runs_alone(one) for one in found):
        return [("pretraining seed", [Key(str(s), colour(i)) for i, s in enumerate(paints.seeds)])]
    return [
        (
            "procedure",
            [
                Key(name, colour(i), DASHES[i // 8 % len(DASHES)])
                for i, name in enumerate(paints.names)
            ],
        )
    ]


def of_pairs(one: MeanCurve, paints: Paints) -> list[Trace]:
    """The mean over pairs in a band from least to greatest; single pairs where there is none."""
    paint = list(KINDS).index(one.pair_kind) if one.pair_kind in KINDS else 2
    dash = DASHES[paints.place(one) % len(DASHES)]
    kind = KINDS.get(one.pair_kind or "", one.pair_kind or "")
    if not one.mean:
        return [
            _line(line, one, f"@k{paint}", width=1, dash=dash, opacity=0.5) for line in one.lines
        ]
    edge = {"hoverinfo": "skip", "line": {"width": 0, "color": f"@k{paint}"}}
    band: list[Trace] = [
        drawn_line(one.x, one.maximum) | edge,
        drawn_line(one.x, one.minimum) | edge | {"fill": "tonexty", "fillcolor": f"@b{paint}"},
    ]
    told = template(f"{one.procedure}, {kind}, {count(one.subjects, 'pair')}", places=_AT)
    mean = {"line": {"color": f"@k{paint}", "width": 2, "dash": dash}, "hovertemplate": told}
    return [*band, _mean(one) | mean]


def of_runs(one: MeanCurve, paints: Paints) -> list[Trace]:
    """The mean over faint single runs; runs in the colours of their seeds where there is none."""
    paint, dash = colour(paints.place(one)), DASHES[paints.place(one) // 8 % len(DASHES)]
    if not one.mean:
        return [
            _line(line, one, paints.seed(line, paint), width=1.4, dash="solid", opacity=0.8)
            for line in one.lines
        ]
    data: list[Trace] = []
    if one.subjects > 1 and len(paints.names) <= CROWD:
        data = [_line(line, one, paint, width=1.2, dash=dash, opacity=0.3) for line in one.lines]
    what = subject_word(one.of)
    who = f"mean of {one.subjects} {what}s" if one.subjects > 1 else f"one {what}"
    told = template(f"{one.procedure}, {who}", places=_AT)
    bold = {"line": {"color": paint, "width": 2.4, "dash": dash}, "hovertemplate": told}
    return [*data, _mean(one) | bold]


def is_threshold(one: MeanCurve, found: Sequence[MeanCurve]) -> bool:
    """Whether a curve is a threshold for the other quantities of its path."""
    others = (other for other in found if other.curve == one.curve)
    return one.quantity == THRESHOLD and any(other.quantity != THRESHOLD for other in others)


def threshold_line(one: MeanCurve, paints: Paints) -> Trace:
    """A threshold, dotted; where runs have different places, that of the first run."""
    x, y = (one.x, one.mean) if one.mean else (one.lines[0].x, one.lines[0].y)
    return drawn_line(x, y) | {
        "line": {"color": colour(paints.place(one)), "width": 1.6, "dash": "dot"},
        "hovertemplate": template(f"{one.procedure}, threshold", places=_AT),
    }


def _mean(one: MeanCurve) -> Trace:
    """The mean; points are marked where they are few or where places are things."""
    trace = drawn_line(one.x, one.mean)
    if one.labels or len(one.x) <= 25:
        trace |= {"mode": "lines+markers", "marker": {"size": 5}}
    if one.labels and len(one.labels) == len(one.x):
        trace["text"] = [plain(label) for label in one.labels]
    return trace


def drawn_line(x: Sequence[float], y: Sequence[float]) -> Trace:
    """A line through points, without a look of its own."""
    return {
        "type": "scatter",
        "mode": "lines",
        "x": known(short(value, 5) for value in x),
        "y": known(short(value, 5) for value in y),
    }


def _line(line: Line, one: MeanCurve, paint: str, **look: object) -> Trace:
    runs = f"{'runs' if len(line.runs) > 1 else 'run'} {' and '.join(line.runs[:3])}"
    width, dash = look["width"], look["dash"]
    return drawn_line(line.x, line.y) | {
        "line": {"color": paint, "width": width, "dash": dash},
        "opacity": look["opacity"],
        "hovertemplate": template(f"{one.procedure}, {runs}", places=_AT),
    }
