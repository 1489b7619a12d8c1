"""Every example in the docs runs, and the docs name what exists."""

import ast
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from harness.suite import open_suite

ROOT = Path(__file__).parents[2]
COMMANDS_PAGE = ROOT / "docs" / "commands.md"
WRITE_COMMANDS = Path(__file__).parent / "write_commands.py"
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"^```(\w+)(?: file=(\S+))?\n(.*?)^```", re.MULTILINE | re.DOTALL)
TRIAL = ["--smoke"]


def blocks(*languages: str) -> list[pytest.param]:
    found = []
    for path in PAGES:
        for number, match in enumerate(BLOCK.finditer(path.read_text()), 1):
            language, name, text = match.groups()
            if language in languages:
                case = f"{path.relative_to(ROOT)}-{number}"
                found.append(pytest.param(path, name, text, id=case))
    return found


def commands() -> list[pytest.param]:
    found = []
    for case in blocks("console"):
        page_path, _, text = case.values
        for line in text.splitlines():
            if line.startswith("$ seedscape "):
                found.append(pytest.param(page_path, line[2:], id=line[2:]))
    return found


def files_of(path: Path, folder: Path) -> None:
    for match in BLOCK.finditer(path.read_text()):
        _, name, text = match.groups()
        if name:
            (folder / name).write_text(text)


def run(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(arguments, cwd=folder, capture_output=True, text=True, check=False)


def suites() -> list[pytest.param]:
    """The blocks that are whole suites; others show one line of one."""
    return [case for case in blocks("yaml") if re.search("^id:", case.values[2], re.MULTILINE)]


@pytest.mark.parametrize(("path", "name", "text"), suites())
def test_a_suite_in_the_docs_checks(path, name, text, tmp_path):
    (tmp_path / "suite.yaml").write_text(text)
    files_of(path, tmp_path)
    suite, _ = open_suite(str(tmp_path / "suite.yaml"))
    assert suite.methods


@pytest.mark.slow
@pytest.mark.parametrize(("path", "name", "text"), blocks("python"))
def test_python_in_the_docs_runs(path, name, text, tmp_path):
    files_of(path, tmp_path)
    (tmp_path / "example.py").write_text(f"if __name__ == '__main__':\n    {indented(text)}\n")
    finished = run(sys.executable, "example.py", folder=tmp_path)
    assert finished.returncode == 0, finished.stderr


def indented(text: str) -> str:
    return text.rstrip().replace("\n", "\n    ")


@pytest.mark.slow
@pytest.mark.parametrize(("path", "line"), commands())
def test_a_command_in_the_docs_runs(path, line, tmp_path):
    files_of(path, tmp_path)
    words = shlex.split(line)[1:]
    if words[0] == "run" and "--smoke" not in words:
        words += TRIAL
    finished = run(sys.executable, "-m", "harness.cli", *words, folder=tmp_path)
    assert finished.returncode == 0, finished.stderr


def test_every_hook_is_documented():
    tree = ast.parse((ROOT / "harness" / "api" / "hooks.py").read_text())
    guide = (ROOT / "docs" / "plugins.md").read_text()
    hooks = [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
    assert hooks
    assert [hook for hook in hooks if f"`{hook}" not in guide] == []


def test_the_page_of_commands_is_what_the_commands_say():
    # in a process of its own: click remembers the help option of a command that was invoked alone
    script = f"import runpy; print(runpy.run_path({str(WRITE_COMMANDS)!r})['page'](), end='')"
    page = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True).stdout
    assert COMMANDS_PAGE.read_text() == page, "run: python tests/docs/write_commands.py"


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_between_pages_lead_somewhere(path):
    for target in re.findall(r"\]\(([^)#]+)\)", path.read_text()):
        if not target.startswith(("http://", "https://")):
            assert (path.parent / target).exists(), f"{path.name}: {target}"
