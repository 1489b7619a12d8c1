"""The command's own help: what it says, what it costs, and commands that plugins add."""

import subprocess
import sys

import click
import pytest

from harness.cli import COMMANDS, main, seedscape

HEAVY = ("torch", "transformers", "evaluate", "datasets", "sklearn", "pandas", "numpy", "pydantic")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(name):
    command = seedscape.get_command(click.Context(seedscape, obj={}), name)
    assert command is not None
    assert command.help
    assert COMMANDS[name][1].endswith(".")


def test_the_help_imports_nothing_heavy():
    code = (
        "import sys; from harness.cli import main; main(['--help']); "
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    finished = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert finished.stdout.splitlines()[-1] == "[]"


def test_no_command_at_all_is_answered_with_the_help(capsys):
    assert main([]) == 0
    bare = capsys.readouterr()
    main(["--help"])
    assert bare == capsys.readouterr()
    assert bare.out.startswith("Usage: seedscape [OPTIONS] COMMAND")


def test_an_unknown_command_is_one_line_with_a_suggestion(capsys):
    assert main(["rnu"]) == 2
    assert capsys.readouterr().err == "error: no command 'rnu'; did you mean 'run'?\n"


def test_an_unknown_option_is_one_line(capsys):
    assert main(["list", "--jsno"]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_a_plugin_adds_a_command(tmp_path, monkeypatch):
    (tmp_path / "with_command.py").write_text(
        "import click\n"
        "from harness import Command, hookimpl\n"
        "@click.command()\n"
        "def hello():\n"
        "    '''Say hello.'''\n"
        "    click.echo('hello from a plugin')\n"
        "@hookimpl\n"
        "def harness_commands():\n"
        "    yield Command(name='hello', about='says hello', command=lambda: hello)\n"
    )
    info = tmp_path / "with_command-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: with-command\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[harness]\nwith-command = with_command\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=":")
    said = [
        subprocess.run(
            [sys.executable, "-m", "harness.cli", word],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for word in ("--help", "hello")
    ]
    assert "Say hello." in said[0]
    assert said[1] == "hello from a plugin\n"
