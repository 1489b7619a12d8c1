"""Tables of what predicts OOD scores: predictors, pairs of runs, and lines."""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from harness.api.findings import Findings
from harness.api.numbers import NOTHING, count, figures, fixed
from harness.api.predictors import LineFit, PairTest, PredictorTest
from harness_reporters.page import Row, Table
from harness_reporters.predictors import who

T = TypeVar("T", PairTest, LineFit)


KINDS = {
    (False, False): "fair",
    (False, True): "baseline",
    (True, False): "saw OOD data",
    (True, True): "baseline that saw OOD data",
}


def predictor_tables(findings: Findings) -> list[Table]:
    """All predictors, a table per target and procedure, then those of pairs, and the lines."""
    groups = dict.fromkeys((t.target, t.procedure) for t in findings.predictors)
    tables = [
        _predictor_table([t for t in findings.predictors if (t.target, t.procedure) == group])
        for group in groups
    ]
    return [
        table for table in (*tables, _pair_table(findings), _line_table(findings)) if table.rows
    ]


def _predictor_table(tests: Sequence[PredictorTest]) -> Table:
    first = tests[0]
    rows = []
    for (ood, baseline), kind in KINDS.items():
        here = [t for t in tests if (t.uses_ood, t.baseline) == (ood, baseline)]
        here.sort(key=lambda t: (t.tau is None, t.rank))
        tried = max((t.tried for t in here), default=0)
        for place, t in enumerate(here):
            head = kind if place == 0 else None
            cells = [t.predictor, *_numbers(t)]
            rows.append(Row(head, len(here), cells, ood, t.note, f"{tried} tried"))
    columns = ["kind", "quantity", "tau", "p", "best of all", "partial", "p", "best of all"]
    runs = f"{first.runs}/{first.planned} runs, {count(first.clusters, first.unit)}"
    title = f"Predictors of {first.target}, {who(first.procedure)} ({runs})"
    return Table(title, [*columns, "adds to R²", "95 %"], 2, rows)


def _numbers(test: PredictorTest) -> list[str]:
    ends = NOTHING
    if test.gain_low is not None:
        ends = f"{fixed(test.gain_low, 2)} to {fixed(test.gain_high, 2)}"
    return [
        fixed(test.tau, 2),
        figures(test.p, 2),
        figures(test.p_family, 2),
        fixed(test.partial, 2),
        figures(test.partial_p, 2),
        figures(test.partial_p_family, 2),
        fixed(test.gain, 2),
        ends,
    ]


def _pair_table(findings: Findings) -> Table:
    tests = sorted(findings.mantel, key=lambda t: (t.target, t.procedure, t.uses_ood))
    rows = []
    for head, number, t in _headed(tests, lambda t: f"{t.target}, {t.procedure}"):
        cells = [t.quantity, "saw OOD data" if t.uses_ood else "fair", fixed(t.rho, 2)]
        cells += [figures(t.p, 2), figures(t.p_family, 2), str(t.tried), str(t.pairs), str(t.runs)]
        lost = f"{count(t.holes, 'pair')} not finite left out" if t.holes else ""
        rows.append(Row(head, number, cells, t.uses_ood, "; ".join(filter(None, (t.note, lost)))))
    columns = ["of", "quantity of a pair", "kind", "rho", "p", "best of all", "tried", "pairs"]
    title = "Pairs of runs against how far they lie apart in the score (Mantel)"
    return Table(title, [*columns, "runs"], 3, rows)


def _line_table(findings: Findings) -> Table:
    rows = []
    for head, number, t in _headed(findings.lines, lambda t: f"{t.target} over {t.in_domain}"):
        ends = NOTHING
        if t.slope_low is not None:
            ends = f"{fixed(t.slope_low, 2)} to {fixed(t.slope_high, 2)}"
        cells = [t.procedure, t.scale, fixed(t.slope, 2), ends, fixed(t.r2, 2)]
        cells += [fixed(t.reliability, 2), str(t.models)]
        left = f"{count(t.left_out, 'run')} at 0 or 1 left out" if t.left_out else ""
        note = "; ".join(filter(None, (t.warning, left)))
        rows.append(Row(head, number, cells, bool(t.warning), note))
    columns = ["of", "procedure", "scale", "slope", "95 %", "R²", "reliability of ID", "runs"]
    return Table("Accuracy on the line through the runs of each procedure", columns, 3, rows)


def _headed(found: Sequence[T], head: Callable[[T], str]) -> Iterator[tuple[str | None, int, T]]:
    """Every record with the head above its group (None below the first), and the group's size."""
    groups: dict[str, list[T]] = {}
    for each in found:
        groups.setdefault(head(each), []).append(each)
    for name, group in groups.items():
        for place, each in enumerate(group):
            yield (name if place == 0 else None), len(group), each
