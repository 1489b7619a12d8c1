import math

import numpy as np
import pytest
import torch
from sklearn.metrics import f1_score
from torch import nn

from harness.api.cells import Use
from harness.api.errors import HarnessError
from harness.evaluate.at_points import at_points
from harness.plan import expand
from harness.plug import discover
from harness.suite import open_suite
from harness.testing.scenes import World
from harness_landscape.barrier import BARRIER, BarrierSettings

SETTINGS = BarrierSettings(points=5, scores=("accuracy", "macro-f1", "nll"))
SUITE = """
id: scored
version: "1"
model: {mlp: {hidden: [4]}}
data: {dataset: digits, batch: 64}
inits: [random]
methods: [{full: {steps: 2}}]
seeds: {pretrain: 1, finetune: 2}
scores: [accuracy, macro-f1]
metrics: [METRIC]
"""


def use(name):
    provided = discover().find("score", name)
    return Use("score", name, name, {}, provided.digest)


def world():
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(80, 5, generator=generator)
    y = torch.arange(80) % 3
    states = [
        {n: 3 * torch.randn(t.shape, generator=generator) for n, t in Net().state_dict().items()}
        for _ in range(2)
    ]
    catalogue = discover()
    scores = {name: at_points(catalogue, use(name)) for name in SETTINGS.scores}
    return World(
        Net(),
        {"train": (x, y), "test": (x, y)},
        dict(zip("ab", states, strict=True)),
        scores=scores,
    )


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.one, self.two = nn.Linear(5, 8), nn.Linear(8, 3)

    def forward(self, x):
        return self.two(torch.tanh(self.one(x)))


def values(reading):
    return {value.name: value.value for value in reading.values}


def test_a_barrier_of_accuracy_is_that_of_the_error():
    found = values(world().read(BARRIER, ["a", "b"], SETTINGS))
    for definition in ("lerp", "frankle"):
        assert found[f"{definition}-accuracy"] == pytest.approx(found[f"{definition}-error"])


def test_a_barrier_of_a_score_where_less_is_better_keeps_its_sign():
    found = values(world().read(BARRIER, ["a", "b"], SETTINGS))
    assert found["lerp-nll"] == pytest.approx(found["lerp-loss"], rel=1e-5)


def test_a_barrier_of_macro_f1_is_the_one_by_hand():
    scene = world()
    x, y = scene.splits["test"]
    scores = []
    for alpha in np.linspace(0, 1, 5):
        net = Net()
        net.load_state_dict(
            {n: (1 - alpha) * t + alpha * scene.runs["b"][n] for n, t in scene.runs["a"].items()}
        )
        scores.append(f1_score(y, net(x).argmax(1), average="macro", zero_division=0))
    chord = scores[0] + (scores[-1] - scores[0]) * np.linspace(0, 1, 5)
    reading = scene.read(BARRIER, ["a", "b"], SETTINGS)
    assert values(reading)["lerp-macro-f1"] == pytest.approx(max(chord - scores))
    assert reading.curves[0].y["macro-f1"] == pytest.approx(scores)


def test_a_diverged_run_has_no_barrier_of_a_score():
    scene = world()
    scene.runs["b"] = {n: torch.full_like(t, math.nan) for n, t in scene.runs["b"].items()}
    assert math.isnan(values(scene.read(BARRIER, ["a", "b"], SETTINGS))["lerp-accuracy"])


def planned(tmp_path, metric):
    path = tmp_path / "scored.yaml"
    path.write_text(SUITE.replace("METRIC", metric))
    return expand(*open_suite(str(path)))


def test_a_plan_knows_the_scores_that_a_metric_asks_for(tmp_path):
    cells = planned(tmp_path, "{barrier: {scores: [macro-f1]}}").cells
    (measured,) = (cell for cell in cells if cell.stage == "measure")
    assert [score.label for score in measured.work.scores] == ["macro-f1"]
    plain = planned(tmp_path, "barrier").cells
    assert {cell.key for cell in plain if cell.stage == "measure"} != {measured.key}


def test_a_score_that_the_suite_lacks_is_named(tmp_path):
    with pytest.raises(HarnessError, match="asks for the score 'mcc'"):
        planned(tmp_path, "{barrier: {scores: [mcc]}}")


def test_a_score_that_needs_groups_is_refused_by_the_plan(tmp_path):
    rows = "".join(f"{n},{n % 2},{n % 3}\n" for n in range(60))
    (tmp_path / "rows.csv").write_text(f"x,y,kind\n{rows}")
    grouped = SUITE.replace(
        "dataset: digits", "dataset: {table: {path: rows.csv, target: y, group: kind}}"
    ).replace("macro-f1]", "worst-group]")
    path = tmp_path / "scored.yaml"
    path.write_text(grouped.replace("METRIC", "{barrier: {scores: [worst-group]}}"))
    with pytest.raises(HarnessError, match="'worst-group' needs the groups of examples"):
        expand(*open_suite(str(path)))
