"""A plugin whose settings misbehave is named, at the line that uses it."""

import pytest

PLUGIN = """
from typing import Any

from pydantic import field_serializer, field_validator, model_validator

from harness.api.errors import HarnessError
from harness.api.hooks import hookimpl
from harness.api.offers import Model
from harness.api.settings import Settings


class Raising(Settings):
    width: int = 1

    @model_validator(mode="after")
    def check(self):
        if self.width == 7:
            raise RuntimeError("seven")
        if self.width == 8:
            raise ValueError("eight is taken")
        return self


class Loose(Settings):
    anything: Any = None


class Lossy(Settings):
    width: int = 1

    @field_serializer("width")
    def shorten(self, width):
        return width % 10


class Strange(Settings):
    thing: Any = None

    @field_validator("thing")
    def change(cls, value):
        return object()


def vanished(settings):
    if settings.width == 2:
        raise ZeroDivisionError("no files")
    raise HarnessError("there is no file", where="words.txt", fix="fetch it")


@hookimpl
def harness_models():
    yield Model(
        name="filed", about="careless", settings=Raising, build=print, fingerprint=vanished
    )
    for name, settings in [
        ("raising", Raising), ("loose", Loose), ("lossy", Lossy), ("strange", Strange)
    ]:
        yield Model(name=name, about="careless", settings=settings, build=print)
"""


@pytest.fixture
def careless(complaint, tmp_path):
    (tmp_path / "careless.py").write_text(PLUGIN)
    return lambda model: complaint(plugins="[toys.py, careless.py]", model=model)


def test_a_validator_may_refuse(careless):
    assert careless("{raising: {width: 8}}") == "4:18: eight is taken"


def test_a_validator_that_breaks_is_named(careless):
    expected = "4:18: the settings of model 'raising' raised RuntimeError: seven"
    assert careless("{raising: {width: 7}}") == expected


def test_settings_that_cannot_be_written_are_refused(careless):
    message = careless("{strange: {thing: 1}}")
    assert message.startswith("4:9: the settings of 'strange' cannot be stored as JSON: Pydantic")


def test_settings_that_read_back_as_others_are_refused(careless):
    for model in ("{lossy: {width: 32}}", "{loose: {anything: .nan}}"):
        assert "cannot be stored as JSON: they read back as other values" in careless(model)


def test_a_model_that_does_not_find_its_files_says_so_at_its_line(careless):
    assert careless("filed") == "4:8: words.txt: there is no file; fetch it"
    (message,) = [careless("{filed: {width: 2}}")]
    assert message.startswith("4:9: model 'filed' of ")
    assert message.endswith("raised ZeroDivisionError: no files")
