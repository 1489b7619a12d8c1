"""Heat maps of planes in the HTML report, and which grids are drawn."""

import json
import math

import made_up
import plotly.graph_objects
import pytest

from harness.api.pictures import Picture
from harness.api.readings import Grid
from harness_reporters.html import HTML
from harness_reporters.landscape import landscape
from harness_reporters.planes import planes

MARKS = {"start": (0.0, 0.0), "first": (1.0, 0.0), "second": (0.5, 1.0)}


def grid(split, **more):
    error = [[0.1, 0.2, 0.3], [0.4, 0.5, 0.6]]
    given = {"z": {"error": error, "loss": [[2 * v for v in row] for row in error]}, "marks": MARKS}
    return Grid(name="plane", split=split, x=[0.0, 0.5, 1.0], y=[0.0, 1.0], **(given | more))


def picture(split, **more):
    return Picture(
        procedure="pretrained",
        metric="barrier",
        pair_kind="same-pretrain-seed",
        runs=("0/0", "0/1"),
        grid=grid(split, **more),
        protocol={"points": [3, 2], "mode": "eval"},
    )


def with_grids(plan, grids):
    """Records of the plan whose readings of pairs have these grids."""
    records = made_up.records(plan)
    for cell in plan.cells:
        if cell.stage == "measure" and cell.work.of == "pair":
            result = records[cell.key].result.model_copy(update={"grids": grids})
            records[cell.key] = records[cell.key].model_copy(update={"result": result})
    return records


def small():
    return made_up.plan(pretrain=2, finetune=2, procedures=("pretrained",), splits=("test",))


def test_some_subjects_of_each_kind_are_drawn_and_all_are_counted():
    plan = small()
    found = made_up.findings(plan, with_grids(plan, (grid("test"), grid("noise")))).pictures

    assert [p.grid.split for p in found[:2]] == ["test", "noise"]
    kinds = {
        kind: [p for p in found if p.pair_kind == kind] for kind in {p.pair_kind for p in found}
    }
    assert {kind: len({p.runs for p in of}) for kind, of in kinds.items()} == {
        "same-pretrain-seed": 2,
        "different-pretrain-seed": 3,
    }
    assert {p.subjects for p in kinds["different-pretrain-seed"]} == {4}
    last = kinds["different-pretrain-seed"][-1].runs
    assert last == ("0/1", "1/1")  # the last of the pairs: they are spread from first to last


def test_metrics_without_grids_have_no_pictures():
    assert made_up.findings(small()).pictures == ()


def test_splits_stand_side_by_side_with_the_three_points_and_the_protocol():
    findings = made_up.findings(small())
    findings = findings.model_copy(update={"pictures": (picture("test"), picture("noise"))})

    (group,) = planes(findings, "barrier", None)

    assert [figure.title for figure in group.figures] == [
        "error on test",
        "error on noise",
        "loss on test",
        "loss on noise",
    ]
    surface, marks = group.figures[0].data
    assert surface["z"] == [[0.1, 0.2, 0.3], [0.4, 0.5, 0.6]]
    names = [note["text"] for note in group.figures[0].layout["annotations"]]
    assert names == ["start", "first", "second"]
    assert list(zip(marks["x"], marks["y"], strict=True)) == list(MARKS.values())
    assert "runs 0/0 and 0/1, same seed" in group.caption
    assert "start, first, second are marked" in group.caption
    assert group.facts == [("points", "3, 2"), ("mode", "eval")]


def test_distances_look_as_they_are():
    (group,) = planes(
        made_up.findings(small()).model_copy(update={"pictures": (picture("test"),)}),
        "barrier",
        None,
    )
    assert group.figures[0].layout["yaxis"]["scaleanchor"] == "x"


@pytest.mark.parametrize("rows", [[[math.nan] * 3] * 2, [[0.5] * 3] * 2, [[math.inf, 1, 2]] * 2])
def test_surfaces_that_are_flat_or_not_finite_are_drawn_all_the_same(rows):
    findings = made_up.findings(small())
    findings = findings.model_copy(update={"pictures": (picture("test", z={"loss": rows}),)})

    (group,) = planes(findings, "barrier", None)

    (figure,) = group.figures
    text = json.dumps(figure.data, allow_nan=False)
    assert figure.data[0]["zmin"] < figure.data[0]["zmax"]
    plotly.graph_objects.Figure(data=json.loads(text), layout=None)


def test_the_page_holds_the_planes_and_shows_names_as_they_are(tmp_path):
    evil = {"<img src=x>": (0.0, 0.0)}
    findings = made_up.findings(small())
    findings = findings.model_copy(update={"pictures": (picture("test", marks=evil),)})

    (path,) = HTML.write(HTML.settings(), findings, tmp_path)

    text = path.read_text(encoding="utf-8")
    assert "Seen from above" in text
    assert "<img" not in text
    assert sum(group.title.startswith("Seen from above") for group in landscape(findings)) == 1
