"""Figures of landscape metrics: one section per metric."""

from collections.abc import Iterator
from dataclasses import dataclass

from harness.api.findings import Findings, MetricNote
from harness_reporters.crossings import against
from harness_reporters.curves import curves
from harness_reporters.figures import Group
from harness_reporters.matrices import is_row, matrices, of_curves, of_pairs
from harness_reporters.planes import planes
from harness_reporters.values import values


@dataclass(frozen=True)
class Section:
    """What a report shows of one metric; `of` says what it is measured on."""

    metric: str
    of: str
    about: str
    groups: list[Group]


OF = {
    "pair": "pairs of runs",
    "point": "single runs",
    "trajectory": "trainings",
    "group": "groups of runs",
}


def sections(findings: Findings) -> list[Section]:
    """Per metric that was read its values, matrices, curves and grids, as far as it has any."""
    of = {reading.metric: reading.of for reading in findings.readings}
    of |= {curve.metric: curve.of for curve in findings.curves}
    of |= {picture.metric: picture.of for picture in findings.pictures}
    found = []
    for metric, kind in of.items():
        note = next((n for n in findings.metrics if n.metric == metric), None)
        groups = [group for group in _groups(findings, metric, note) if group.figures]
        found.append(Section(metric, OF.get(kind, kind), note.about if note else "", groups))
    return found


def landscape(findings: Findings) -> Iterator[Group]:
    """All figures of all metrics."""
    for section in sections(findings):
        yield from section.groups


def _groups(findings: Findings, metric: str, note: MetricNote | None) -> Iterator[Group]:
    readings = [r for r in findings.readings if r.metric == metric]
    drawn = [c for c in findings.curves if c.metric == metric]
    rows = [c for c in drawn if is_row(c)]
    lines = [c for c in drawn if not is_row(c)]
    if readings:
        yield values(findings, readings, note)
    pairs = [r for r in readings if r.of == "pair"]
    found = matrices(findings, [*of_pairs(findings, pairs), *of_curves(rows)], note)
    if found is not None:
        yield found
    if lines:
        yield curves(findings, lines, note)
        crossed = against(findings, lines, note)
        if crossed is not None:
            yield crossed
    yield from planes(findings, metric, note)
