"""Finding offers, and telling watchers."""

import pytest

from harness.api.cells import Use
from harness.api.errors import HarnessError
from harness.api.hooks import hookimpl
from harness.api.offers import Model
from harness.api.settings import Settings, setting
from harness.plug import Catalogue, Loaded, Provided, discover, offer_from
from harness.plug.check import register


class NetSettings(Settings):
    width: int = setting(8, "units", ge=1)


def build(settings, room):
    raise NotImplementedError


def provided(name):
    offer = Model(name=name, about="", settings=NetSettings, build=build)
    return Provided(offer, "acme", "1.0", "zoo", lambda: "0" * 16)


def catalogue_of(*names):
    class Zoo:
        @hookimpl
        def harness_models(self):
            return []

    manager = register(Zoo(), "zoo")
    return Catalogue([Loaded("zoo", "acme", "1.0", tuple(map(provided, names)), manager)])


def test_offers_come_sorted_by_name():
    assert [each.offer.name for each in catalogue_of("b", "c", "a").all("model")] == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("noun", "name", "line"),
    [
        ("model", "resnett", "there is no model 'resnett'; did you mean 'resnet'?"),
        ("model", "zzz", "there is no model 'zzz'; there are mlp, resnet"),
        ("score", "mlp", "there is no score 'mlp'; there is a model of that name"),
        ("score", "zzz", "there is no score 'zzz'; no plugin offers any score"),
        ("modle", "mlp", "plugins offer nothing called 'modle'; did you mean 'model'?"),
    ],
)
def test_an_unknown_name_is_answered_with_a_guess(noun, name, line):
    with pytest.raises(HarnessError) as error:
        catalogue_of("mlp", "resnet").find(noun, name)

    assert str(error.value) == line


def test_an_unknown_name_recalls_plugins_that_were_set_aside(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text("1 / 0")

    with pytest.raises(HarnessError, match=r"\(set aside: plugin .*mine\.py.*`seedscape doctor`\)"):
        discover(extra=[str(path)]).find("metric", "mine")


def test_a_use_gives_the_offer_and_its_parsed_settings():
    offer, settings = offer_from(Use("model", "mlp", "mlp", {"width": 3}, ""), catalogue_of("mlp"))

    assert offer.name == "mlp"
    assert settings == NetSettings(width=3)


def test_settings_that_the_offer_does_not_accept_are_one_line():
    with pytest.raises(HarnessError) as error:
        offer_from(Use("model", "mlp", "mlp", {"width": 0}, ""), catalogue_of("mlp"))

    assert str(error.value) == (
        "model 'mlp' does not accept its settings: width: Input should be greater than or equal"
        " to 1; `seedscape show model mlp` explains them"
    )


def test_every_watcher_is_told_even_after_one_raised(tmp_path):
    head = "from harness.api.hooks import hookimpl\n@hookimpl\n"
    rude, kind = tmp_path / "rude.py", tmp_path / "kind.py"
    rude.write_text(head + "def harness_cell_started(cell): raise OSError('no network')\n")
    kind.write_text(head + "def harness_cell_started(cell): cell.append('told')\n")
    catalogue = discover(extra=[str(rude), str(kind)])
    cell = []

    warnings = catalogue.tell_started(cell)

    assert cell == ["told"]
    assert warnings == (
        f"plugin {rude}: harness_cell_started raised OSError: no network (rude.py:3)",
    )
    assert catalogue.tell_finished(cell, None) == ()


def test_a_watcher_may_leave_out_arguments_that_it_does_not_need(tmp_path):
    path = tmp_path / "watch.py"
    path.write_text(
        "from harness.api.hooks import hookimpl\n"
        "@hookimpl\ndef harness_cell_finished(record): record.append('seen')\n"
    )
    record = []

    assert discover(extra=[str(path)]).tell_finished(None, record) == ()
    assert record == ["seen"]
