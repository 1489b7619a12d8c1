"""Readings of strangers' metrics: one that cannot be stored, tabled and drawn is refused."""

import pytest

from harness.api.errors import HarnessError
from harness.api.readings import Curve, Grid, Reading, Value
from harness.measure.soundness import check

A = Value(name="a", value=1.0)


def curve(**more) -> Reading:
    return Reading(values=(A,), curves=(Curve(name="way", split=None, **more),))


def grid(**more) -> Reading:
    return Reading(values=(A,), grids=(Grid(name="sheet", split=None, **more),))


@pytest.mark.parametrize(
    ("reading", "fault"),
    [
        (Reading(values=(Value(name="", value=1.0),)), "a value without a name"),
        (Reading(values=(A, A)), "the value 'a' 2 times"),
        (Reading(values=(Value(name="a", value=1.0, split="tset"),)), "'a' on 'tset'"),
        (curve(x=[0.0, 1.0], y={"loss": [1.0]}), "'way' with 1 numbers of 'loss' at 2 places"),
        (curve(x=[0.0], y={"loss": [1.0]}, labels=["a", "b"]), "2 labels at 1 places"),
        (grid(x=[0.0, 1.0], y=[0.0], z={"loss": [[1.0]]}), "'loss' is not 1 rows of 2 numbers"),
        (grid(x=[0.0], y=[0.0, 1.0], z={"loss": [[1.0]]}), "'loss' is not 2 rows of 1 numbers"),
        (grid(x=[0.0], y=[0.0], z={"loss": [[1.0]]}, labels={"y": []}), "0 labels along y"),
    ],
)
def test_a_reading_that_nobody_could_read_is_refused_by_what_is_wrong(reading, fault):
    with pytest.raises(HarnessError, match=f"the metric 'mine' returned .*{fault}"):
        check("mine", reading, ["test"])


def test_one_value_on_several_splits_and_lines_and_grids_of_their_places_are_sound():
    values = (A, Value(name="a", value=2.0, split="test"), Value(name="b", value=float("nan")))
    line = Curve(name="way", split="test", x=[0.0, 1.0], y={"loss": [1.0, 2.0]}, labels=["a", "b"])
    sheet = Grid(name="sheet", split="test", x=[0.0, 1.0], y=[0.0], z={"loss": [[1.0, 2.0]]})

    check("mine", Reading(values=values, curves=(line,), grids=(sheet,)), ["test"])
