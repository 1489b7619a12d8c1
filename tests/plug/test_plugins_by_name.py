"""Plugins that a user or a suite names: files and modules."""

import pickle

import pytest

from harness.api.errors import HarnessError
from harness.plug import discover

MINE = """
from harness.api.hooks import hookimpl
from harness.api.offers import Model

def build(settings, room): ...

@hookimpl
def harness_models():
    return [Model(name="mine", about="{about}", build=build)]
"""


def test_a_plugin_file_is_loaded_by_its_path(tmp_path, monkeypatch):
    (tmp_path / "mine.py").write_text(MINE)
    monkeypatch.chdir(tmp_path)

    found = discover(extra=["./mine.py"]).find("model", "mine")

    assert (found.distribution, found.version, found.origin) == ("mine.py", "", "./mine.py")


def test_two_files_in_conflict_are_told_apart_by_their_paths(tmp_path):
    paths = [tmp_path / folder / "mine.py" for folder in ("here", "there")]
    for path in paths:
        path.parent.mkdir()
        path.write_text(MINE)

    with pytest.raises(HarnessError) as error:
        discover(extra=[str(path) for path in paths]).find("model", "mine")

    here, there = paths
    assert str(error.value) == (
        f"model 'mine' is offered by {here} and {there}; choose one of them with --without {here}"
        f" or --without {there}"
    )


def test_a_module_is_loaded_by_its_name(tmp_path, monkeypatch):
    (tmp_path / "my_module_plugin.py").write_text(MINE)
    monkeypatch.syspath_prepend(tmp_path)

    assert discover(extra=["my_module_plugin"]).find("model", "mine").version == ""


def test_a_module_of_a_distribution_knows_its_version(install):
    install("acme-extra", MINE, version="4.5")

    found = discover(extra=["acme_extra"], without=["acme-extra:zoo"])

    assert [(each.plugin, each.version) for each in found.plugins[-1:]] == [("acme_extra", "4.5")]


def test_naming_an_installed_plugin_again_does_not_make_a_conflict(install):
    install("acme-extra", MINE)

    catalogue = discover(extra=["acme_extra", "acme_extra"])

    assert catalogue.find("model", "mine").origin == "zoo"


def test_a_file_or_module_that_does_not_exist_is_an_error_not_a_plugin_set_aside():
    with pytest.raises(HarnessError, match=r"no plugin file '\./nowhere\.py'"):
        discover(extra=["./nowhere.py"])
    with pytest.raises(HarnessError, match=r"no plugin module 'nowhere'; .* write \./nowhere\.py"):
        discover(extra=["nowhere"])
    with pytest.raises(HarnessError, match=r"no plugin module 'nowhere\.at\.all'"):
        discover(extra=["nowhere.at.all"])


def test_a_module_inside_a_broken_package_is_set_aside(tmp_path, monkeypatch):
    (tmp_path / "my_broken_package").mkdir()
    (tmp_path / "my_broken_package" / "__init__.py").write_text("1 / 0")
    monkeypatch.syspath_prepend(tmp_path)

    aside = discover(extra=["my_broken_package.zoo"]).set_aside[-1]

    assert aside.plugin == "my_broken_package.zoo"
    assert "ZeroDivisionError: division by zero (__init__.py:1)" in aside.reason


def test_a_broken_file_is_set_aside_under_the_name_it_was_given(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text("import no_such_thing")

    (aside,) = [each for each in discover(extra=[str(path)]).set_aside if each.plugin == str(path)]

    assert "No module named 'no_such_thing' (mine.py:1)" in aside.reason


def test_an_edited_file_is_read_anew_and_an_unchanged_one_is_not_run_twice(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(MINE.replace("{about}", "old"))
    first = discover(extra=[str(path)]).find("model", "mine")
    again = discover(extra=[str(path)]).find("model", "mine")
    assert first.digest == again.digest
    path.write_text(MINE.replace("{about}", "new"))
    edited = discover(extra=[str(path)]).find("model", "mine")

    assert first.offer.build is again.offer.build
    assert (first.offer.about, edited.offer.about) == ("old", "new")
    assert edited.digest != first.digest


def test_functions_of_a_plugin_file_can_be_pickled(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(MINE)

    build = discover(extra=[str(path)]).find("model", "mine").offer.build

    assert pickle.loads(pickle.dumps(build)) is build


def test_entry_points_are_read_once(monkeypatch):
    import importlib.metadata

    read = []
    entry_points = importlib.metadata.entry_points

    def counted(**selection):
        read.append(selection)
        return entry_points(**selection)

    monkeypatch.setattr(importlib.metadata, "entry_points", counted)
    discover()

    assert read == [{"group": "harness"}]
