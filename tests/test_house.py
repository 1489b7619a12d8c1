"""The shape of the house: what may stand where, and who may know whom."""

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CORE = sorted((ROOT / "harness").rglob("*.py"))
BUILT_IN = sorted((ROOT / "plugins").rglob("*.py"))
EVERYTHING = [*CORE, *BUILT_IN, *sorted((ROOT / "tests").rglob("*.py"))]
FLOORS = [
    "api",
    "plug",
    "store",
    "suite",
    "plan",
    "compute",
    "measure",
    "evaluate",
    "train",
    "run",
    "statistics",
    "analyze",
    "report",
    "submission",
    "commands",
    "cli",
]
VAGUE = {"util", "utils", "helper", "helpers", "misc", "common", "manager"}


def shown(path: Path) -> str:
    return str(path.relative_to(ROOT))


def imports(path: Path, *, top_level: bool = False) -> Iterator[str]:
    tree = ast.parse(path.read_text())
    for node in tree.body if top_level else ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


def room(module: str) -> str | None:
    parts = module.split(".")
    return parts[1] if parts[0] == "harness" and len(parts) > 1 else None


@pytest.mark.parametrize("path", EVERYTHING, ids=shown)
def test_a_file_fits_in_one_sitting(path):
    assert len(path.read_text().splitlines()) <= 300


@pytest.mark.parametrize("path", EVERYTHING, ids=shown)
def test_a_file_has_a_name_that_says_something(path):
    assert path.stem not in VAGUE


@pytest.mark.parametrize("path", CORE, ids=shown)
def test_core_imports_run_downstairs_and_never_into_a_plugin(path):
    here = room(".".join(path.relative_to(ROOT).with_suffix("").parts))
    for module in imports(path):
        assert not module.startswith("harness_"), f"the core knows the plugin {module}"
        there = room(module)
        if here in FLOORS and there in FLOORS and here != there:
            assert FLOORS.index(there) < FLOORS.index(here), (
                f"{here} imports {there}, which stands above it"
            )


@pytest.mark.parametrize("path", CORE, ids=shown)
def test_every_room_is_on_the_plan_of_the_house(path):
    here = room(".".join(path.relative_to(ROOT).with_suffix("").parts))
    assert here in (None, "testing", "__init__", *FLOORS)


@pytest.mark.parametrize("path", BUILT_IN, ids=shown)
def test_a_built_in_plugin_sees_only_what_a_stranger_sees(path):
    for module in imports(path):
        assert room(module) in (None, "api"), f"{module} is not public"


def test_every_built_in_plugin_is_announced():
    announced = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["entry-points"][
        "harness"
    ]
    assert sorted(announced.values()) == sorted(
        p.name for p in (ROOT / "plugins").glob("harness_*")
    )
