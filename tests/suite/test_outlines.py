"""An outline that is not whole is told when the suite is checked, with what to write."""

from dataclasses import replace

import pytest

from harness.api.data import InputSpec, OodOutline, Outline, Task
from harness.suite.outlines import fault_of

GOOD = Outline(
    task=Task("classification", ("a", "b")),
    inputs={"x": InputSpec((2,), "float")},
    train=4,
    id={"test": None},
    ood={"far": OodOutline("far", "test")},
)


def test_a_whole_outline_has_no_fault():
    assert fault_of(GOOD) is None
    assert fault_of(replace(GOOD, inputs={"x": InputSpec((), "float")})) is None
    text = {"text": InputSpec((), "text", fields=("sentence",))}
    assert fault_of(replace(GOOD, inputs=text)) is None


@pytest.mark.parametrize(
    ("changes", "fault", "fix"),
    [
        ({"task": "classification"}, "the `task` of its outline is no Task", "Task(kind, classes)"),
        (
            {"task": Task("classification", ["a", "b"])},
            "its classes are no tuple of text",
            '`Task(kind, ("CLASS", "CLASS"))`',
        ),
        (
            {"task": Task("classification", (0, 1))},
            "its classes are no tuple of text",
            '`Task(kind, ("CLASS", "CLASS"))`',
        ),
        ({"task": Task("classification", ("a", "a"))}, "two of its classes share a name", "author"),
        (
            {"inputs": {"x": (2,)}},
            "the `inputs` of its outline are no InputSpecs",
            "InputSpec(...)",
        ),
        ({"inputs": {}}, "the `inputs` of its outline are no InputSpecs by name", "InputSpec(...)"),
        ({"id": ["test"]}, "the `id` of its outline are no sizes by name", "{NAME: size}"),
        ({"ood": {"far": 3}}, "the `ood` of its outline are no OodOutlines", "OodOutline(...)"),
        (
            {"inputs": {"text": InputSpec((), "text")}},
            "its text input 'text' names no fields",
            'write `InputSpec((), "text", fields=("FIELD",))`',
        ),
        (
            {"inputs": {"x": InputSpec((0,), "float")}},
            "its input 'x' is no tuple of sizes",
            "(3, 3",
        ),
        (
            {"inputs": {"x": InputSpec((28, 28))}},
            "its image 'x' has the shape (28, 28)",
            "write `(channels, height, width)`",
        ),
    ],
)
def test_a_fault_comes_with_what_mends_it(changes, fault, fix):
    found = fault_of(replace(GOOD, **changes))
    assert found is not None
    assert fault in found[0]
    assert fix in found[1]


def test_what_is_no_outline_is_told():
    assert fault_of({"train": 4}) == ("its outline is not an Outline", "tell its author")


PLUGIN = """
from harness import Dataset, InputSpec, Outline, Task, hookimpl

TASK = Task("classification", ("a", "b"))
OUTLINE = Outline(TASK, {"text": InputSpec((), "text")}, 4, {"test": 4})


@hookimpl
def harness_datasets():
    yield Dataset(
        name="birds", about="b", outline=lambda s: OUTLINE, fingerprint=lambda s: "b", load=print
    )
"""


def test_the_line_names_the_plugin_and_the_place_in_the_suite(complaint, tmp_path):
    (tmp_path / "birds.py").write_text(PLUGIN)
    told = complaint(plugins="[toys.py, birds.py]", data="{dataset: birds, batch: 8}")
    assert told.startswith("5:17: dataset 'birds' of ")
    assert "birds.py: its text input 'text' names no fields, or has a shape; write `Input" in told
