"""Write docs/commands.md from the commands' own help: `python tests/docs/write_commands.py`."""

from pathlib import Path

import click

from harness.cli import COMMANDS, seedscape

PAGE = Path(__file__).parents[2] / "docs" / "commands.md"


def page() -> str:
    parts = [
        "# Commands",
        "",
        "Written by `python tests/docs/write_commands.py` from the commands' own help.",
    ]
    root = click.Context(seedscape, info_name="seedscape", obj={}, max_content_width=100)
    for name in COMMANDS:
        command = seedscape.get_command(root, name)
        context = click.Context(command, info_name=name, parent=root, max_content_width=100)
        context.terminal_width = 100
        parts += ["", f"## {name}", "", "```", command.get_help(context), "```"]
    return "\n".join(parts) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page())
