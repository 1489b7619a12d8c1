"""In-domain against OOD: every run is a point, lines are honest, colours can be changed."""

import json
import re
from statistics import NormalDist

import made_up
import plotly.graph_objects
import pytest

from harness.api.pictures import Clusters
from harness.api.predictors import LineFit
from harness_reporters.scatters import scatters


def small():
    return made_up.findings(made_up.plan(2, 2, ("random",), splits=("test", "rotation-60")))


def fitted(scale, warning=""):
    return LineFit(
        target="rotation-60", in_domain="test", procedure="random", scale=scale, models=4,
        slope=0.5, slope_low=0.1, slope_high=0.9, intercept=-1.0, r2=0.4, warning=warning,
    )  # fmt: skip


def drawn(findings, mode):
    figures = scatters(findings).figures
    return [[trace for trace in figure.data if trace["mode"] == mode] for figure in figures]


def test_every_run_with_both_scores_is_a_point():
    findings = small()
    found = {(r.finetune_seed, r.pretrain_seed, r.split): r.value
             for r in findings.runs if r.score == "accuracy"}  # fmt: skip

    ((trace,),) = drawn(findings, "markers")

    assert sorted(zip(trace["x"], trace["y"], strict=True)) == sorted(
        (found[f, p, "test"], found[f, p, "rotation-60"]) for f in (0, 1) for p in (0, 1)
    )


@pytest.mark.parametrize(
    ("scale", "height"),
    [
        ("linear", lambda x: 0.5 * x - 1),
        ("probit", lambda x: NormalDist().cdf(0.5 * NormalDist().inv_cdf(x) - 1)),
        ("logit", lambda x: 1 / (1 + 2.718281828459045 * ((1 - x) / x) ** 0.5)),
    ],
)
def test_the_line_is_the_one_that_was_fitted_on_its_scale(scale, height):
    findings = small().model_copy(update={"lines": (fitted(scale),)})

    ((line,),) = drawn(findings, "lines")

    for x, y in zip(line["x"], line["y"], strict=True):
        assert y == pytest.approx(height(x), abs=2e-4)
    inside = [r.value for r in findings.runs if (r.split, r.score) == ("test", "accuracy")]
    assert line["x"][0] == pytest.approx(min(inside), abs=1e-4)
    assert line["x"][-1] == pytest.approx(max(inside), abs=1e-4)
    assert "slope 0.50 (0.10 to 0.90)" in line["hovertext"]
    assert line["line"]["dash"] == "solid"


def test_a_line_in_doubt_is_dotted_and_says_why():
    findings = small().model_copy(update={"lines": (fitted("probit", "only 3 % <is> true"),)})

    ((line,),) = drawn(findings, "lines")

    assert line["line"]["dash"] == "dot"
    assert "only 3 % &lt;is&gt; true" in line["hovertext"]
    assert "the dotted ones are in doubt" in scatters(findings).caption
    none = small().model_copy(update={"lines": ()})
    assert "No line is fitted." in scatters(none).caption


def test_points_can_be_coloured_by_cluster_where_runs_were_clustered():
    clusters = Clusters(
        procedure="random", metric="cg-clusters", split="test",
        clusters={"0/0": 0, "0/1": 3, "1/0": 3},
    )  # fmt: skip
    findings = small().model_copy(update={"clusters": (clusters,)})

    group = scatters(findings)

    assert group.choices == ["pretraining seed", "cluster (cg-clusters)"]
    assert [word for word, _ in group.legend] == [*group.choices, "procedure"]
    by_seed, by_cluster = (figure.data[-1]["marker"]["color"] for figure in group.figures)
    assert by_seed == ["@c0", "@c0", "@c1", "@c1"]
    assert by_cluster == ["@c0", "@c1", "@c1", "@muted"]
    assert scatters(small()).choices == []


def test_plotly_takes_the_figures():
    findings = small().model_copy(update={"lines": (fitted("probit"),)})
    for figure in scatters(findings).figures:
        text = json.dumps([figure.data, figure.layout], allow_nan=False)
        data, layout = json.loads(re.sub(r'"@\w+"', '"#123456"', text))
        plotly.graph_objects.Figure(data=data, layout=layout)
