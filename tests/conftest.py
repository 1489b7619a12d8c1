"""What all tests share: this checkout's packages, its plugins, and small files to work on.

The tests run against the checkout they lie in, installed or not. Where it is not installed, its
entry points are announced from a temporary folder, here and in every subprocess.
"""

import importlib.metadata
import importlib.util
import os
import sys
import tempfile
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def _use_this_checkout() -> None:
    for package, folder in (("harness_models", ROOT / "plugins"), ("harness", ROOT)):
        spec = importlib.util.find_spec(package)
        origin = Path((spec.origin if spec else None) or os.devnull).resolve()
        if (folder / package).is_dir() and folder / package not in origin.parents:
            _put_on_path(folder)


def _announce_plugins() -> "tempfile.TemporaryDirectory[str] | None":
    try:
        importlib.metadata.distribution("seedscape")
    except importlib.metadata.PackageNotFoundError:
        pass
    else:
        return None
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    folder = tempfile.TemporaryDirectory(prefix="seedscape-tests-")
    name, version = project["name"], project["version"]
    info = Path(folder.name) / f"{name}-{version}.dist-info"
    info.mkdir()
    head = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
    needs = [f"Requires-Dist: {requirement}" for requirement in project["dependencies"]]
    (info / "METADATA").write_text("\n".join([*head, *needs]) + "\n")
    points = project["entry-points"]["harness"]
    lines = ["[harness]", *(f"{point} = {module}" for point, module in points.items())]
    (info / "entry_points.txt").write_text("\n".join(lines) + "\n")
    _put_on_path(Path(folder.name))
    return folder


def _put_on_path(folder: Path) -> None:
    sys.path.insert(0, str(folder))
    inherited = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join([str(folder), *([inherited] if inherited else [])])


def pytest_configure(config: pytest.Config) -> None:
    _use_this_checkout()
    folder = _announce_plugins()
    if folder is not None:
        config.add_cleanup(folder.cleanup)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    on_gpu = [item for item in items if item.get_closest_marker("gpu")]
    if not on_gpu:
        return
    import torch

    if not torch.cuda.is_available():
        for item in on_gpu:
            item.add_marker(pytest.mark.skip(reason="there is no GPU"))


@pytest.fixture(scope="session")
def catalogue():
    """Everything that the built-in plugins offer, as a user would get it."""
    from harness.plug.discovery import discover

    return discover()


@pytest.fixture
def suite_file(tmp_path: Path) -> Callable[..., Path]:
    """A function that writes a suite's YAML to a file and gives the path."""

    def write(text: str, name: str = "suite.yaml") -> Path:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return write
