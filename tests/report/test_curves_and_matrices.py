"""Figures of metrics: curves, one split against another, matrices of runs, surfaces, densities."""

import json
import math
import re

import made_up
import plotly.graph_objects
import pytest

from harness.api.pictures import Clusters, Line, MeanCurve
from harness.api.readings import Curve, Reading, Value
from harness_reporters.axes import axis_of
from harness_reporters.crossings import against
from harness_reporters.curves import curves
from harness_reporters.landscape import landscape, sections
from harness_reporters.matrices import matrices, of_curves, of_pairs

RUNS = ("0/0", "0/1", "1/0", "1/1")


def small():
    return made_up.plan(pretrain=2, finetune=2, procedures=("pretrained",), splits=("test",))


def curve(**more):
    given = {
        "procedure": "pretrained",
        "metric": "m",
        "curve": "line",
        "quantity": "error",
        "split": "test",
        "pair_kind": None,
        "subjects": 2,
        "x": (0.0, 0.5, 1.0),
        "mean": (0.6, 0.3, 0.1),
        "minimum": (0.5, 0.2, 0.1),
        "maximum": (0.7, 0.4, 0.1),
        "of": "point",
        "axis": "alpha",
        "lines": tuple(
            Line(runs=(run,), x=(0.0, 0.5, 1.0), y=(0.5, 0.2, 0.1)) for run in ("0/0", "1/0")
        ),
    }
    return MeanCurve(**(given | more))


def accepted(group):
    """Whether plotly takes every figure of the group, as it stands in the page."""
    for figure in group.figures:
        text = json.dumps([figure.data, figure.layout, figure.surface], allow_nan=False)
        data, layout, solid = json.loads(re.sub(r'"@\w+"', '"#123456"', text))
        plotly.graph_objects.Figure(data=data, layout=layout)
        if solid:
            traces = [{k: v for k, v in one.items() if k != "numbers"} for one in solid["data"]]
            plotly.graph_objects.Figure(data=traces, layout=solid["layout"])
    return True


def test_a_curve_over_steps_says_steps_and_speaks_of_no_line_between_runs():
    steps = curve(axis="step", curve="instability", x=(0.0, 50.0, 100.0))

    group = curves(made_up.findings(small()), [steps], None)

    assert group.title == "Curves over step"
    assert group.figures[0].layout["xaxis"]["title"]["text"] == "training step"
    assert "between" not in group.caption
    assert "two runs" not in group.caption
    assert "Mean over runs at each point (n 2 per procedure)" in group.caption
    assert accepted(group)


def test_a_curve_between_two_runs_says_so():
    plan = small()
    findings = made_up.findings(plan)
    found = [one.model_copy(update={"axis": "alpha"}) for one in findings.curves]

    group = curves(findings, found, None)

    assert "At 0 and 1 stand the two runs themselves" in group.caption
    assert "Mean over pairs" in group.caption
    assert accepted(group)


def test_single_runs_stand_faint_behind_their_mean():
    (figure,) = curves(made_up.findings(small()), [curve()], None).figures

    faint, bold = figure.data[:2], figure.data[2]
    assert [trace["opacity"] for trace in faint] == [0.3, 0.3]
    assert bold["y"] == [0.6, 0.3, 0.1]


def test_densities_are_drawn_run_by_run_on_a_logarithmic_axis_that_hides_no_peak():
    lines = tuple(
        Line(runs=(run,), x=tuple(range(9)), y=(9.0, 1.0, 1e-3, 1e-4, 0.0, 1e-4, 1e-6, 2e-3, 1e-9))
        for run in RUNS
    )
    none = dict.fromkeys(("x", "mean", "minimum", "maximum"), ())
    density = curve(axis="eigenvalue", quantity="density", subjects=20, lines=lines, **none)
    both = [density, density.model_copy(update={"procedure": "random"})]

    group = curves(made_up.findings(), both, None)

    assert [f.title for f in group.figures] == [
        "pretrained: density on test",
        "random: density on test",
    ]
    for figure in group.figures:
        assert figure.layout["yaxis"]["type"] == "log"
        low, high = figure.layout["yaxis"]["range"]
        assert high > math.log10(9)
        assert low < math.log10(2e-3)
        assert figure.layout["xaxis"]["title"]["text"] == "eigenvalue"
    colours = [trace["line"]["color"] for trace in group.figures[0].data]
    assert colours == ["@c0", "@c0", "@c1", "@c1"]  # by pretraining seed
    assert "4 of 20, spread over the seeds" in group.caption
    assert "there is no mean (n 20 per procedure)" in group.caption
    assert "logarithmic" in group.caption
    assert accepted(group)


def test_a_sweep_over_powers_of_ten_has_a_logarithmic_axis():
    assert axis_of("lr", [1e-3, 1e-2, 1e-1])["type"] == "log"
    assert "type" not in axis_of("alpha", [0.0, 0.5, 1.0])


def test_places_that_are_things_have_their_names_as_markup_safe_ticks():
    axis = axis_of("module", [0.0, 1.0], ["<b>body</b>", "head"])

    assert axis["ticktext"] == ["&lt;b&gt;body&lt;/b&gt;", "head"]


def test_out_of_distribution_stands_over_in_domain_where_a_curve_asks_for_it():
    ood = curve(split="noise", against="test", mean=(0.9, 0.5, 0.6))

    group = against(made_up.findings(small()), [curve(), ood], None)

    (figure,) = group.figures
    assert figure.title == "error: noise against test"
    line = figure.data[-1]
    assert (line["x"], line["y"]) == ([0.6, 0.3, 0.1], [0.9, 0.5, 0.6])
    assert line["customdata"][0] == "alpha 0"
    assert accepted(group)
    assert against(made_up.findings(small()), [curve()], None) is None


def barrier_matrices(plan, **more):
    findings = made_up.findings(plan).model_copy(update=more)
    readings = [r for r in findings.readings if r.metric == "barrier" and r.name == "lerp-loss"]
    return findings, of_pairs(findings, readings)


def test_a_matrix_holds_each_pair_twice_and_blanks_where_nothing_was_measured():
    findings, (matrix,) = barrier_matrices(small())

    assert matrix.runs == RUNS
    rows = matrix.rows(RUNS)
    assert all(math.isnan(rows[i][i]) for i in range(4))
    assert all(rows[i][j] == rows[j][i] for i in range(4) for j in range(4) if i != j)
    value = next(r for r in findings.readings if r.runs == ("0/1", "1/0") and r.name == "lerp-loss")
    assert rows[1][2] == value.value
    group = matrices(findings, [matrix], None)
    assert [f.title.split(", ")[1] for f in group.figures] == ["by seed", "alike runs together"]
    assert group.figures[0].data[0]["z"][0][0] is None
    assert "4 runs" in group.caption
    assert accepted(group)


def test_runs_stand_by_cluster_where_clusters_were_measured():
    groups = Clusters(
        procedure="pretrained",
        metric="cg-clusters",
        split="test",
        clusters={"0/0": 1, "0/1": 0, "1/0": 1, "1/1": 0},
    )
    findings, found = barrier_matrices(small(), clusters=(groups,))

    by_cluster = matrices(findings, found, None).figures[1]

    assert by_cluster.title.endswith("by cluster (cg-clusters on test)")
    assert by_cluster.data[0]["x"] == ["0/1", "1/1", "0/0", "1/0"]


def test_a_few_sampled_pairs_make_no_matrix():
    findings = made_up.findings(made_up.plan(3, 4, ("pretrained",), ("test",)))
    readings = [r for r in findings.readings if r.metric == "barrier" and r.name == "lerp-loss"]

    assert of_pairs(findings, readings[:20]) == []
    assert len(of_pairs(findings, readings)) == 1


def test_curves_over_runs_are_the_rows_of_a_matrix():
    rows = [
        curve(curve="gaps", quantity=run, labels=RUNS, x=(0, 1, 2, 3), mean=(0, i, 2, 3),
              subjects=1, of="group")
        for i, run in enumerate(RUNS)
    ]  # fmt: skip

    (matrix,) = of_curves(rows)

    assert matrix.rows(RUNS)[3] == [0.0, 3.0, 2.0, 3.0]


def test_many_runs_are_thinned_evenly_and_that_is_said():
    plan = made_up.plan(pretrain=40, finetune=2, procedures=("pretrained",), splits=("test",))
    findings, found = barrier_matrices(plan)

    group = matrices(findings, found, None)

    shown = group.figures[0].data[0]["x"]
    assert len(shown) == 64
    assert {run.split("/")[0] for run in shown} == {str(seed) for seed in range(40)}
    assert "64 of 80 runs are shown" in group.caption


@pytest.mark.parametrize("of", ["pair", "point", "group"])
def test_hostile_names_of_runs_curves_and_values_are_shown_as_they_are(of):
    evil = '<img src=x onerror="a()">%{x}'
    plan = small()
    records = made_up.records(plan)
    work = {"pair": "pair", "point": "point", "group": "point"}[of]
    line = Curve(name=evil, split="test", x=[0, 1], y={evil: [1, 2]}, axis=evil, labels=[evil, "b"])
    for cell in plan.cells:
        if cell.stage == "measure" and cell.work.of == work:
            reading = Reading(values=(Value(name=evil, value=1.0),), curves=(line,))
            records[cell.key] = made_up.record(cell, reading)

    for group in landscape(made_up.findings(plan, records)):
        drawn = json.dumps([[figure.data, figure.layout] for figure in group.figures])
        assert "<img" not in drawn
        assert "%{x}<" not in drawn.replace("%{x}<extra", "")
        assert accepted(group)


def test_every_metric_has_one_section_with_its_figures():
    found = sections(made_up.findings(small()))

    assert [(s.metric, s.of) for s in found] == [
        ("barrier", "pairs of runs"),
        ("hessian-top", "single runs"),
    ]
    assert [g.title for g in found[0].groups] == [
        "Every pair of runs",
        "Runs against runs",
        "Curves over line",
    ]


def test_few_values_stand_with_their_splits_side_by_side_and_many_wait_to_be_chosen():
    plan = made_up.plan(pretrain=2, finetune=2, procedures=("random",), splits=("test", "noise"))

    def drawn(names):
        records = made_up.records(plan)
        for cell in plan.cells:
            if cell.stage == "measure" and cell.work.of == "point":
                values = tuple(
                    Value(name=name, value=1.0, split=split)
                    for split in ("noise", "test")
                    for name in names
                )
                records[cell.key] = made_up.record(cell, Reading(values=values))
        found = sections(made_up.findings(plan, records))
        return next(s for s in found if s.metric == "hessian-top").groups[0]

    few, many = drawn("ab"), drawn([f"v{i}" for i in range(12)])

    assert [f.title for f in few.figures] == ["a on test", "a on noise", "b on test", "b on noise"]
    assert few.choices == []
    assert many.choices == ["test", "noise"]
    assert len(many.figures) == 16
    assert "4 more values are in the table" in many.caption
