"""A suite made by hand: small, without files, every digest a plain word."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pluggy
import pytest

from harness.api.cells import Primary, SplitUse, Use
from harness.api.data import Outline, Task
from harness.api.offers import Method, Metric
from harness.api.recipes import Phase, Recipe
from harness.api.settings import Settings
from harness.api.suites import DataUse, Init, MetricUse, Pretrain, SeedDesign, Suite
from harness.plug import Catalogue, Loaded, Provided


class Steps(Settings):
    steps: int = 100


def recipe(settings: Steps, outline: Outline) -> Recipe:
    return Recipe((Phase(steps=settings.steps),))


def never(settings: Settings, probe: object) -> Any:
    raise AssertionError("a plan measures nothing")


def use(noun: str, name: str, label: str = "", **settings: Any) -> Use:
    return Use(noun, name, label or name, settings, digest=f"source-of-{name}")


@pytest.fixture
def offers() -> Catalogue:
    """A method that trains, one that merges, and a metric of each kind and access."""
    metric = {"settings": Settings, "measure": never, "about": ""}
    listed = (
        Method(name="full", about="", settings=Steps, recipe=recipe),
        Method(name="soup", about="", settings=Steps, recipe=recipe, kind="merge"),
        Metric(name="barrier", of="pair", access="ood-labels", **metric),
        Metric(name="hessian", of="point", access="train", **metric),
        Metric(name="spread", of="group", access="id", **metric),
        Metric(name="path", of="trajectory", access="ood-inputs", **metric),
    )
    provided = tuple(Provided(offer, "d", "1", "o", lambda: "x") for offer in listed)
    return Catalogue([Loaded("o", "d", "1", provided, pluggy.PluginManager("harness"))])


@pytest.fixture
def suite() -> Suite:
    """Two initialisations, 2 x 3 seeds, one ID and one OOD split, one score, one pair metric."""
    digits = use("dataset", "digits")
    train = SplitUse("train", digits, "bytes-1", "train")
    test = SplitUse("test", digits, "bytes-1", "test")
    turned = SplitUse(
        "rotation-30",
        digits,
        "bytes-1",
        "test",
        by=(use("shift", "rotation", degrees=30.0),),
        shift="rotation",
        parent="test",
    )
    outline = Outline(Task("classification", ("a", "b")), {}, 1000, {"test": 500})
    data = DataUse(outline, train, (test, turned), (), 64)
    return Suite(
        id="hand",
        version="1",
        title="Made by hand",
        sources=(),
        plugins=(),
        without=(),
        models=(use("model", "cnn", width=8),),
        pretrain=Pretrain(replace(data, splits=()), use("method", "full", steps=400)),
        data=data,
        inits=(Init("pretrained", "pretrained"), Init("random", "random")),
        methods=(use("method", "full"),),
        seeds=SeedDesign((0, 1), (0, 1, 2)),
        scores=(use("score", "accuracy"),),
        metrics=(MetricUse(use("metric", "barrier"), "pair", ("test",)),),
        primary=Primary("accuracy", "test", ("rotation-30",)),
        limit=None,
        text="id: hand\n",
    )


@pytest.fixture
def used() -> Callable[..., Use]:
    """Makes the use of an offer: noun, name, label, settings."""
    return use
