"""What learns or is trained on another kind of task is refused before anything runs."""

import pytest

from harness_models import harness_models as built_in

OFFERS = """
from harness import Dataset, Model, hookimpl
from harness.api.data import InputSpec, Outline, Task

TEXT = {"text": InputSpec((), "text", fields=("sentence",))}
GIVEN = {"fingerprint": lambda settings: "f", "load": print}


def outline(kind, *classes):
    ends = {} if kind == "language" else {"test": 5}
    return lambda settings: Outline(Task(kind, classes), TEXT, 20, ends)


@hookimpl
def harness_datasets():
    yield Dataset(name="prose", about="p", outline=outline("language"), **GIVEN)
    yield Dataset(name="stars", about="s", outline=outline("regression", "stars"), **GIVEN)
    yield Dataset(name="films", about="f", outline=outline("classification", "a", "b"), **GIVEN)


@hookimpl
def harness_models():
    labels = ("classification", "regression")
    yield Model(name="rater", about="r", build=print, reader=print, tasks=labels)
    yield Model(name="sorter", about="s", build=print, reader=print, tasks=("classification",))
    yield Model(name="stranger", about="says nothing", build=print, reader=print)
"""
PROSE = "{data: {dataset: prose, batch: 8}, method: {full: {steps: 2, label_smoothing: 0.1}}}"


@pytest.fixture
def scene(tmp_path):
    (tmp_path / "tasks.py").write_text(OFFERS)
    return {
        "plugins": "[./toys.py, ./tasks.py]",
        "model": "rater",
        "data": "{dataset: films, batch: 8}",
        "methods": "[{full: {steps: 2}}]",
    }


def test_a_model_that_learns_no_language_is_not_pretrained_on_text_without_labels(scene, complaint):
    told = complaint(**scene, inits="[pretrained]", pretrain=PROSE)
    assert told == (
        "4:8: the model 'rater' is for classification and regression; "
        "the pretraining data are for language (text without labels)"
    )


def test_a_model_that_does_not_say_what_it_learns_may_try(scene, opened):
    scene["model"] = "stranger"
    assert opened(**scene, inits="[pretrained]", pretrain=PROSE).pretrain is not None


def test_a_model_of_classes_gives_no_numbers(scene, complaint):
    numbers = scene | {"model": "[rater, sorter]", "data": "{dataset: stars, batch: 8}"}
    told = complaint(**numbers, scores="[mse]")
    assert told == "4:16: the model 'sorter' is for classification; the data are for regression"


def test_labels_are_smoothed_only_where_there_are_classes(scene, complaint, opened):
    methods = "[{full: {steps: 2, label_smoothing: 0.1}}]"
    assert opened(**scene | {"methods": methods}).methods[0].settings["label_smoothing"] == 0.1
    numbers = scene | {"data": "{dataset: stars, batch: 8}", "methods": methods}
    told = complaint(**numbers, scores="[mse]")
    assert told == (
        "7:12: the recipe of method 'full' smooths labels, which regression has not: "
        "set `label_smoothing: 0`"
    )


def test_the_models_that_other_tools_classify_with_say_that_they_learn_no_language():
    readers = {offer.name: offer.tasks for offer in built_in() if offer.reader is not None}
    learning = {name for name, tasks in readers.items() if "language" in tasks}
    assert learning == {"tiny-bert", "tiny-lm"}
    assert {"minilm", "transformer"} <= readers.keys()


def test_a_model_of_images_takes_no_rows_of_numbers(complaint, opened, tmp_path):
    rows = "".join(f"{n},{n % 3},{n % 2}\n" for n in range(40))
    (tmp_path / "rows.csv").write_text(f"a,b,y\n{rows}")
    given = {"data": "{dataset: {table: {path: rows.csv, target: y}}, batch: 8}"}
    told = complaint(**given, model="cnn")
    assert told == "4:8: the model 'cnn' takes image inputs; dataset 'table' has float inputs"
    assert opened(**given, model="mlp").models[0].name == "mlp"
