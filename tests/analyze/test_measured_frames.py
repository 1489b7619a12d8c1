"""Values, curves and grids of readings as frames."""

import made_up
import numpy as np
import pytest

from harness.analyze import measured
from harness.analyze.load import load_results
from harness.api.readings import Curve, Grid, Reading, Value
from harness.report.export import as_text


def results_of(grids=(), curves=(), of="pair"):
    plan = made_up.plan(pretrain=1, finetune=3, procedures=("random",), splits=("test",))
    records = made_up.records(plan)
    for cell in plan.cells:
        if cell.stage == "measure":
            reading = Reading(values=(Value(name="v", value=1.0),))
            if cell.work.of == of:
                reading = reading.model_copy(update={"grids": grids, "curves": curves})
            records[cell.key] = made_up.record(cell, reading)
    return load_results(plan, made_up.MemoryStore(records))


def test_every_number_of_a_grid_has_a_row_with_its_place():
    z = [[1.0, 2.0, 3.0], [4.0, 5.0, float("nan")]]
    plane = Grid(name="plane", split="test", x=[0.0, 0.5, 1.0], y=[10.0, 20.0], z={"loss": z})

    frame = results_of((plane,)).grids

    assert list(frame.columns) == measured.GRIDS
    assert len(frame) == 3 * 6  # pairs x places
    one = frame[frame["subject"] == "0/0 0/2"]
    assert one[["row", "column", "x", "y"]].to_numpy().tolist()[4] == [1, 1, 0.5, 20.0]
    np.testing.assert_array_equal(one["z"], np.ravel(z))
    row = one.iloc[0]
    assert (row["metric"], row["of"], row["grid"]) == ("barrier", "pair", "plane")
    assert (row["quantity"], row["split"], row["finetune_seed_b"]) == ("loss", "test", 2)
    assert as_text(frame, "csv").splitlines()[1].startswith("made-up,random,barrier,pair,plane")
    assert '"z": null' in as_text(frame, "json")


@pytest.mark.parametrize("name", ["curves", "grids"])
def test_without_any_the_columns_are_there_all_the_same(name):
    frame = getattr(results_of(), name)

    assert frame.empty
    assert list(frame.columns) == getattr(measured, name.upper())
    assert frame["y"].dtype == np.float64


def test_a_curve_brings_its_axis_and_the_names_of_its_places():
    curve = Curve(
        name="modules",
        split=None,
        x=[0.0, 1.0],
        y={"l2": [3.0, 4.0]},
        axis="module",
        labels=["body", "head"],
    )

    frame = results_of(curves=(curve,)).curves

    assert len(frame) == 3 * 2
    assert frame[["axis", "label", "y"]].to_numpy().tolist()[:2] == [
        ["module", "body", 3.0],
        ["module", "head", 4.0],
    ]


def test_a_point_that_was_measured_with_branches_of_its_own_is_one_run():
    plan = made_up.plan(pretrain=1, finetune=2, procedures=("random",), splits=("test",))
    cell = next(c for c in plan.cells if c.stage == "measure" and c.work.of == "point")
    object.__setattr__(cell, "seeds", cell.seeds * 2)

    readings = load_results(plan, made_up.MemoryStore(made_up.records(plan))).readings

    row = readings[readings["key"] == cell.key].iloc[0]
    assert row["subject"] == "0/0"
    assert row[["pretrain_seed_b", "finetune_seed_b"]].isna().all()
