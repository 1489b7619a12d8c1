"""What a metric wants of runs is missed before anything runs."""

import pytest
import torch
from safetensors.torch import save_file

from harness.api.contexts import BuildRoom
from harness.api.data import InputSpec, Task
from harness.api.errors import HarnessError
from harness.plan import expand
from harness.plug import discover

WAY = "wants checkpoints between a run's start and its end"


@pytest.mark.parametrize("name", ["learning-curve", "break-even", "edge-of-stability"])
def test_a_metric_of_a_way_wants_points_on_it(complaint, opened, name):
    lone = {"methods": "[{full: {steps: 8}}]", "metrics": f"[{name}]"}
    assert complaint(**lone) == (
        f"10:11: the metric {name!r} {WAY}; set `checkpoints: log` in full"
    )
    assert WAY in complaint(**lone | {"methods": "[{full: {steps: 8, checkpoints: [8]}}]"})
    for kept in ("log", "[4]"):
        opened(**lone | {"methods": f"[{{full: {{steps: 8, checkpoints: {kept}}}}}]"})


def test_methods_that_keep_too_little_are_told_from_those_that_keep_enough(complaint):
    methods = "[{full: {steps: 8, checkpoints: log}}, {full: {steps: 9}, as: bare}]"
    told = complaint(methods=methods, metrics="[learning-curve]")
    assert told.endswith("set `checkpoints: log` in bare")


@pytest.mark.parametrize(
    "name", ["wise-curve", "criticality", "rms-spikes", "plane", "lr-sensitivity"]
)
def test_a_metric_from_a_start_wants_one_that_is_kept(complaint, opened, tmp_path, name):
    save_file({"w": torch.zeros(1)}, str(tmp_path / "start.safetensors"))
    files = {"inits": "[{checkpoint: ./start.safetensors}]", "metrics": f"[{name}]"}
    told = complaint(**files, methods="[{full: {steps: 8}}]")
    assert told == (
        f"10:11: the metric {name!r} wants a run's start, which is not kept of runs that start "
        "from a file; set `checkpoints: [0]` in full"
    )
    opened(**files, methods="[{full: {steps: 8, checkpoints: [0]}}]")
    opened(metrics=f"[{name}]", methods="[{full: {steps: 8}}]")


def test_a_plane_through_another_point_wants_no_start(opened, tmp_path):
    save_file({"w": torch.zeros(1)}, str(tmp_path / "start.safetensors"))
    method = "[{full: {steps: 8, checkpoints: [4]}}]"
    files = "[{checkpoint: ./start.safetensors}]"
    opened(inits=files, methods=method, metrics="[{plane: {third: checkpoint-4}}]")


@pytest.mark.parametrize(("kept", "step"), [("[4, 9]", 9), ("[-1]", -1)])
def test_a_checkpoint_outside_the_training_is_found_by_the_plan(opened, kept, step):
    suite = opened(methods=f"[{{full: {{steps: 8, checkpoints: {kept}}}}}]")
    with pytest.raises(HarnessError, match=f"checkpoint at step {step} of a training of 8 steps"):
        expand(suite, discover(extra=["./toys.py"]))


@pytest.mark.parametrize(
    ("model", "metric", "thing"),
    [("cnn", "attention-logits", "attention"), ("vit", "aligned-barrier", "symmetries")],
)
def test_a_metric_wants_what_a_model_may_lack(complaint, opened, model, metric, thing):
    told = complaint(model=model, metrics=f"[{metric}]")
    assert told == f"10:11: the metric {metric!r} wants a model with {thing}; {model!r} has none"
    assert opened(model="tiny", metrics=f"[{metric}]").metrics  # whose author says nothing


@pytest.mark.parametrize("name", ["cnn", "mlp", "resnet", "tiny-bert", "tiny-lm", "vit"])
def test_the_built_in_models_lack_what_they_say(name):
    offer = discover().find("model", name).offer
    kind = "image" if offer.reader is None else "text"
    shape, fields = ((1, 16, 16), ()) if kind == "image" else ((), ("sentence",))
    inputs = {kind: InputSpec(shape, kind, fields=fields)}
    task = Task("classification", ("a", "b"))
    with torch.random.fork_rng(devices=[]):
        room = BuildRoom(task, inputs, torch.Generator().manual_seed(0))
        network = offer.build(offer.settings(), room)
    has = {"attention": network.attention, "symmetries": network.symmetries}
    assert {thing for thing, found in has.items() if not found} == {*offer.lacks}
