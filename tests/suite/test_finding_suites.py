"""A built-in suite goes by its name, any other by its path."""

from pathlib import Path

import pytest

from harness.api.errors import HarnessError
from harness.suite.finding import built_in_suites, find_suite


def fault(name):
    with pytest.raises(HarnessError) as caught:
        find_suite(name)
    return str(caught.value)


def test_quick_is_built_in():
    assert find_suite("quick").path == built_in_suites()["quick"]


def test_a_misspelt_name_gets_the_closest_one():
    expected = "unknown suite 'quik'; did you mean 'quick'? (a suite of your own is a path)"
    assert fault("quik") == expected


def test_a_strange_name_gets_the_list():
    message = fault("xyzzy")
    assert "known are" in message and "quick" in message


def test_a_file_of_that_name_is_not_taken_for_a_built_in_suite(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("mine.yaml").write_text("id: mine")
    expected = "there is no built-in suite 'mine'; a suite of your own is a path: `./mine.yaml`"
    assert fault("mine") == expected
    assert find_suite("mine.yaml").path == Path("mine.yaml")


def test_a_missing_file_names_its_neighbours(tmp_path):
    (tmp_path / "one.yaml").touch()
    path = tmp_path / "two.yaml"
    assert fault(str(path)) == f"{path}: there is no such suite file; there is one.yaml"


def test_a_folder_is_no_suite(tmp_path):
    assert fault(f"{tmp_path}/") == f"{tmp_path}/: is a folder, not a suite"


def test_a_missing_folder_is_named():
    assert "there is no folder /nowhere/at/all" in fault("/nowhere/at/all/x.yaml")


@pytest.mark.parametrize("name", ["", "  ", "a\0b", "x" * 5000, "x/" * 3000, "~nosuchuser/x.yaml"])
def test_no_name_gives_a_traceback(name):
    assert "\n" not in fault(name)
