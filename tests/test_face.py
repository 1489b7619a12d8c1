"""`import harness`: cheap, complete, and the same for Python and for type checkers."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import harness

SOURCE = Path(harness.__file__).read_text()


@pytest.mark.parametrize("name", harness.__all__)
def test_every_public_name_can_be_imported(name):
    assert getattr(harness, name) is not None


def test_what_type_checkers_see_is_what_python_gives():
    tree = ast.parse(SOURCE)
    seen = {
        alias.asname: (node.module, alias.name)
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("harness.")
        for alias in node.names
    }
    assert sorted(seen) == harness.__all__
    for name, (module, original) in seen.items():
        assert f'"{module.removeprefix("harness.")}": ' in SOURCE, module
        assert name == original


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = harness.nothing


def test_importing_the_package_imports_nothing_of_it():
    code = "import harness, sys; print([n for n in sys.modules if n.startswith('harness.')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_run_can_be_called_after_its_room_was_imported():
    import harness.run.options

    assert callable(harness.run)
    with pytest.raises(harness.HarnessError, match="no-such-suite"):
        harness.run("no-such-suite")


def test_a_limit_of_nothing_is_refused_before_anything_runs(tmp_path):
    with pytest.raises(harness.HarnessError, match="the limit must be at least 1, not 0"):
        harness.run("quick", store=tmp_path, limit=0)


def test_a_misspelt_argument_is_refused_and_no_suite_runs_without_it(tmp_path):
    with pytest.raises(TypeError, match="unexpected argument 'smok'"):
        harness.run("quick", store=tmp_path, smok=True)
    with pytest.raises(TypeError, match="unexpected argument 'seeds'"):
        harness.load("quick", store=tmp_path, seeds=3)
    assert not list(tmp_path.iterdir())


def test_an_unknown_precision_is_no_empty_result(tmp_path):
    with pytest.raises(harness.HarnessError, match="unknown precision 'float16'"):
        harness.load("quick", store=tmp_path, precision="float16")
