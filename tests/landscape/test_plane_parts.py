"""A plane in parts: the same numbers, kept row by row."""

import math
import shutil

import pytest
import torch
from torch import nn

import harness
from harness.api.cells import Seeds
from harness.api.probes import Subject
from harness.api.readings import Reading
from harness.measure.joining import join
from harness.measure.reading import Order, read
from harness.run.options import RunOptions
from harness.testing.scenes import LOSS_ITSELF, World
from harness_landscape.plane import PLANE, PlaneSettings


class Wavy(nn.Module):
    """A loss with many minima, from the distance to what each example brings."""

    def __init__(self):
        super().__init__()
        self.w = nn.Parameter(torch.zeros(6))

    def forward(self, x):
        return torch.sin(3 * (self.w - x)).sum(-1) + ((self.w - x) ** 2).sum(-1) / 9


def world(second=None):
    draw = torch.Generator().manual_seed(0)
    start, first, other, test, far = torch.randn(5, 6, generator=draw)
    none = torch.zeros(4)
    splits = {
        name: (centre + 0.1 * torch.randn(4, 6, generator=draw), none)
        for name, centre in (("train", start), ("test", test), ("ood-far", far))
    }
    runs = {"a/init": start, "a": first, "b": other if second is None else second}
    return World(Wavy(), splits, {name: {"w": w} for name, w in runs.items()}, LOSS_ITSELF)


def in_parts(place, settings, shared=None):
    """The readings of all parts as they come back from the store."""
    subject = Subject("pair", ("a", "b"), (Seeds(0, 0), Seeds(0, 1)), "same-pretrain-seed")
    shared = shared or place.shared()
    found = []
    for number in range(PLANE.parts.count(settings)):
        order = Order(PLANE, settings, subject, ("test", "ood-far"), number)
        text = read(order, shared).model_dump_json()
        found.append(Reading.model_validate_json(text))
    return found


@pytest.mark.parametrize("rows", [1, 2, 3, 7, 50])
def test_joined_parts_are_the_plane_measured_as_a_whole_to_the_last_bit(rows):
    place, settings = world(), PlaneSettings(points=7, rows=rows)
    whole = place.read(PLANE, ["a", "b"], PlaneSettings(points=7))
    parts = in_parts(place, settings)
    joined = join(PLANE, settings, parts)
    assert len(parts) == math.ceil(7 / rows)
    assert joined.values == whole.values
    assert joined.grids == whole.grids
    assert joined.protocol == whole.protocol
    assert joined.cost.forward == whole.cost.forward


def test_each_point_is_evaluated_once_for_every_split_and_the_three_points_once_in_all():
    settings = PlaneSettings(points=5, rows=1)
    parts = in_parts(world(), settings)
    examples = 4
    grid = [5 * 2 * examples] * 5
    grid[0] += 3 * 2 * examples
    assert [part.cost.forward for part in parts] == grid


def test_joining_costs_nothing_but_what_the_parts_cost():
    settings = PlaneSettings(points=4, rows=1)
    parts = in_parts(world(), settings)
    joined = join(PLANE, settings, parts)
    assert joined.cost.seconds == pytest.approx(sum(part.cost.seconds for part in parts))


def test_a_diverged_run_has_no_grid_and_nan_in_parts_too():
    place, settings = world(torch.full((6,), math.nan)), PlaneSettings(points=4, rows=2)
    joined = join(PLANE, settings, in_parts(place, settings))
    assert joined.grids == ()
    gains = [value.value for value in joined.values if value.name == "gain-loss"]
    assert len(gains) == 2
    assert all(math.isnan(gain) for gain in gains)


def test_small_planes_stay_whole_and_large_ones_are_split_by_rows():
    count = PLANE.parts.count
    assert count(PlaneSettings()) == 1
    assert count(PlaneSettings(points=41)) == 41
    assert count(PlaneSettings(points=41, examples=100)) == 1
    assert count(PlaneSettings(examples=None)) == 21
    assert count(PlaneSettings(points=41, rows=10)) == 5


SUITE = """
id: planes
version: "1"
title: Planes
model: {{mlp: {{hidden: [8]}}}}
data: {{dataset: digits, batch: 64, ood: {{noise: {{by: {{noise: {{sd: 0.3}}}}}}}}}}
inits: [random]
methods: [{{full: {{steps: 5}}}}]
seeds: {{pretrain: 1, finetune: 2}}
scores: [accuracy]
metrics: [{{plane: {{points: 4, examples: 50{more}}}}}]
"""


def run(folder, store, more=""):
    path = folder / "planes.yaml"
    path.write_text(SUITE.format(more=more))
    options = RunOptions(executor="serial", display="none")
    return harness.run(path, store=folder / store, report=False, options=options, limit=100)


def stored(folder, store, stage):
    return sorted(
        path.parent for path in (folder / store / "cells" / stage).glob("*/*/record.json")
    )


def test_only_parts_that_are_missing_are_measured_and_readers_see_the_whole_alone(tmp_path):
    split = run(tmp_path, "split", ", rows: 1")
    (whole,) = stored(tmp_path, "split", "measure")
    parts = stored(tmp_path, "split", "part")
    assert len(parts) == 4
    before = {part: (part / "record.json").stat().st_mtime_ns for part in parts}
    for folder in (whole, parts[1], parts[2]):
        shutil.rmtree(folder)

    again = run(tmp_path, "split", ", rows: 1")

    assert stored(tmp_path, "split", "measure") == [whole]
    assert stored(tmp_path, "split", "part") == parts
    kept = [part for part in parts if (part / "record.json").stat().st_mtime_ns == before[part]]
    assert kept == [parts[0], parts[3]]
    assert not again.problems
    assert again.readings.drop(columns="seconds").equals(split.readings.drop(columns="seconds"))
    assert set(again.readings["key"]) == {whole.name}
    assert [len(picture.grid.y) for picture in again.pictures] == [4, 4]

    plain = run(tmp_path, "plain")  # in one piece: the same cell, and the same numbers

    assert stored(tmp_path, "plain", "part") == []
    assert [folder.name for folder in stored(tmp_path, "plain", "measure")] == [whole.name]
    assert plain.readings["value"].equals(split.readings["value"])

    more = run(tmp_path, "plain", ", rows: 2")  # it is there: nothing is split afterwards

    assert stored(tmp_path, "plain", "part") == []
    assert not more.problems
