"""Offers that cost nothing: what a suite of the tests names. Loaded as a plugin file."""

from pathlib import Path
from typing import Literal

from harness.api.data import InputSpec, OodOutline, Outline, Task
from harness.api.errors import HarnessError
from harness.api.hooks import hookimpl
from harness.api.offers import Dataset, Method, Metric, Model, Score, Shift
from harness.api.recipes import Phase, Recipe
from harness.api.settings import Settings, SplitName, setting


class Optimizer(Settings):
    name: Literal["sgd", "adam"] = "sgd"
    momentum: float = setting(0.0, "momentum", ge=0, lt=1)


class TinySettings(Settings):
    width: int = setting(8, "width", gt=0)
    rho: float = setting(0.05, "radius", gt=0)
    hidden: list[int] = setting([4], "layers")
    optimizer: Optimizer = Optimizer()
    start: Path | Literal["zero"] = setting("zero", "where weights come from")
    scale: float | Literal["auto"] = setting("auto", "scale")
    kinds: tuple[Literal["round", "square"], ...] = setting(("round",), "kinds", min_length=1)


class FitSettings(Settings):
    steps: int = setting(10, "steps")
    lr: float = setting(1e-3, "learning rate", gt=0)


class FlowersSettings(Settings):
    folder: Path | None = setting(None, "where the files lie", identity=False)
    classes: int = setting(3, "number of classes", ge=2)
    size: int = setting(4, "height and width")
    groups: bool = setting(False, "has groups")
    wild: bool = setting(False, "brings an OOD split along")


class PeekSettings(Settings):
    at: SplitName = setting("train", "where to look")


class TurnSettings(Settings):
    degrees: float = setting(30.0, "angle")


def flowers(settings: FlowersSettings) -> Outline:
    if settings.folder is not None and not settings.folder.is_dir():
        raise HarnessError(f"there is no folder {settings.folder}")
    return Outline(
        task=Task("classification", tuple(str(i) for i in range(settings.classes))),
        inputs={"image": InputSpec((1, settings.size, settings.size))},
        train=50,
        id={"val": 10, "test": 20},
        ood={"wild": OodOutline("natural", "test")} if settings.wild else {},
        groups=("a", "b") if settings.groups else (),
    )


def broken(settings: FlowersSettings) -> Outline:
    raise ZeroDivisionError("no petals")


def recipe(settings: FitSettings, outline: Outline) -> Recipe:
    return Recipe(phases=(Phase(steps=settings.steps),))


def never(*arguments: object) -> object:
    raise AssertionError("checking a suite runs nothing")


@hookimpl
def harness_models():
    tiny = Model(name="tiny", about="small", settings=TinySettings, build=never)
    return [tiny, Model(name="reader", about="takes text", build=never, reader=never)]


@hookimpl
def harness_datasets():
    common = {"about": "toy", "settings": FlowersSettings, "load": never}
    return [
        Dataset(name="flowers", outline=flowers, fingerprint=lambda s: f"f{s.size}", **common),
        Dataset(name="wilted", outline=broken, fingerprint=lambda s: "w", **common),
    ]


@hookimpl
def harness_shifts():
    return [
        Shift(name="turn", about="t", kind="turning", settings=TurnSettings, apply=never),
        Shift(name="hum", about="h", kind="humming", inputs="float", apply=never),
    ]


@hookimpl
def harness_methods():
    return [
        Method(name="fit", about="f", settings=FitSettings, recipe=recipe),
        Method(name="blend", about="b", kind="merge", settings=FitSettings, recipe=recipe),
    ]


@hookimpl
def harness_scores():
    return [
        Score(name="right", about="r", module=never, higher_is_better=True),
        Score(name="fair", about="f", module=never, higher_is_better=True, groups=True),
    ]


@hookimpl
def harness_metrics():
    return [
        Metric(name="gap", about="g", measure=never, of="pair", access="ood-labels"),
        Metric(name="bend", about="b", measure=never, of="point", access="train"),
        Metric(
            name="peek",
            about="p",
            settings=PeekSettings,
            measure=never,
            of="point",
            access="id",
        ),
    ]
