"""Tables of what predicts OOD scores: predictors, pairs of runs, and lines."""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from harness.api.findings import Findings
from harness.api.numbers import NOTHING, count, figures, fixed
from harness.api.predictors import LadderStep, LineFit, PairTest, PredictorTest
from harness_reporters.page import Row, Table
from harness_reporters.predictors import who

T = TypeVar("T", PairTest, LineFit, LadderStep)


KINDS = {
    (False, False): "fair",
    (False, True): "baseline",
    (True, False): "saw OOD data",
    (True, True): "baseline that saw OOD data",
}


def predictor_tables(findings: Findings) -> list[Table]:
    """All predictors, a table per target and procedure; the ladder, pairs of runs, the lines."""
    groups = dict.fromkeys((t.target, t.procedure) for t in findings.predictors)
    tables = [
        _predictor_table([t for t in findings.predictors if (t.target, t.procedure) == group])
        for group in groups
    ]
    return [
        table
        for table in (*tables, _ladder(findings), _pair_table(findings), _line_table(findings))
        if table.rows
    ]


def _predictor_table(tests: Sequence[PredictorTest]) -> Table:
    first = tests[0]
    rows = []
    for (ood, baseline), kind in KINDS.items():
        here = [t for t in tests if (t.uses_ood, t.baseline) == (ood, baseline)]
        tried = max((t.tried for t in here), default=0)
        told = sorted((t for t in here if t.tau is not None), key=lambda t: t.rank)
        lines = [([t.predictor, *_numbers(t)], t.note) for t in told]
        lines += _untested([t for t in here if t.tau is None])
        for place, (cells, note) in enumerate(lines):
            head = kind if place == 0 else None
            rows.append(Row(head, len(lines), cells, ood, note, f"{tried} tried"))
    columns = ["kind", "quantity", "tau", "p", "best of all", "partial", "p", "best of all"]
    runs = f"{first.runs}/{first.planned} runs, {count(first.clusters, first.unit)}"
    title = f"Predictors of {first.target}, {who(first.procedure)} ({runs})"
    return Table(title, [*columns, "adds to R²", "95 %"], 2, rows)


def _untested(tests: Sequence[PredictorTest]) -> Iterator[tuple[list[str], str]]:
    """One line for all that were not tested for the same reason; the note names them."""
    reasons: dict[str, list[PredictorTest]] = {}
    for test in tests:
        reasons.setdefault(test.note, []).append(test)
    for reason, here in reasons.items():
        if len(here) == 1:
            yield [here[0].predictor, *_numbers(here[0])], reason
        else:
            names = ", ".join(test.predictor for test in here)
            yield [f"{len(here)} not tested", *_numbers(here[0])], f"{reason}: {names}"


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


def _ladder(findings: Findings) -> Table:
    rows = []
    for head, number, s in _headed(findings.ladder, lambda s: f"{s.target}, {who(s.procedure)}"):
        around = NOTHING if s.r2_low is None else f"{fixed(s.r2_low, 2)} to {fixed(s.r2_high, 2)}"
        cells = [s.step + " (saw OOD data)" * s.uses_ood, fixed(s.r2, 2), around]
        cells += [str(s.runs), count(s.clusters, s.unit)]
        rows.append(Row(head, number, cells, s.uses_ood, s.note))
    columns = ["of", "known", "out-of-fold R²", "95 %", "runs", "seeds"]
    return Table("The ladder of baselines", columns, 2, rows)


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
