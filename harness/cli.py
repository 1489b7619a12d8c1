"""The `seedscape` command: parse, dispatch, turn errors into exit codes.

Exit codes: 0 done, 1 some cell failed, 2 something the user can mend, 130 interrupted.
"""

import importlib
import os
import sys
from collections.abc import Sequence

import click

from harness.api.errors import HarnessError

COMMANDS = {
    "run": ("run", "Run what the store does not hold yet of a suite, and report."),
    "plan": ("plan", "Show what a suite would do: its cells by kind, seeds and steps."),
    "check": ("check", "Check a suite completely and say what it would do."),
    "fetch": ("fetch", "Fetch what a suite needs from elsewhere, so that it runs offline."),
    "status": ("status", "Show which cells of a suite are done, failed, damaged or missing."),
    "report": ("report", "Write the report of a suite again, in any format."),
    "score": ("score", "Score the stored predictions of a suite again, without training."),
    "measure": ("measure", "Read metrics off the finished runs of a suite, without training."),
    "compare": ("compare", "Say which procedure is better, or that these seeds cannot tell."),
    "analyze": ("analyze", "Ask of any table of results what is asked of a suite."),
    "power": ("power", "Say how many seeds are enough, from the results of a pilot."),
    "export": ("export", "Write the scores or readings of a suite as a table."),
    "list": ("list_", "List what plugins offer, and the built-in suites."),
    "show": ("show", "Show everything about one offer, or about a suite."),
    "explain": ("explain", "Say whether a cell of a suite is done, and if not, why."),
    "gc": ("gc", "Show what a store holds, and delete what no suite refers to."),
    "doctor": ("doctor", "Look at the environment, the devices, the plugins and the store."),
    "schema": ("schema", "Print the JSON Schema of a suite, for editors."),
}
"""Command name to its file under `harness/commands/` and what it does, in the order of the help."""


class Commands(click.Group):
    """Loads a command's file when it is asked for; plugins may add commands of their own."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Own commands in the order of the work, then those of plugins."""
        return [*COMMANDS, *self._offered(ctx)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name, or None."""
        if cmd_name in COMMANDS:
            module = importlib.import_module(f"harness.commands.{COMMANDS[cmd_name][0]}")
            command: click.Command = module.command
            return command
        offered = self._offered(ctx)
        return offered.get(cmd_name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of commands, without importing the files of our own."""
        offered = self._offered(ctx)
        rows = [(name, about) for name, (_, about) in COMMANDS.items()]
        rows += [(name, offered[name].get_short_help_str(limit=80)) for name in sorted(offered)]
        with formatter.section("Commands"):
            formatter.write_dl(rows)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does it, with a suggestion for a name that does not exist."""
        name = args[0]
        if self.get_command(ctx, name) is None and not name.startswith("-"):
            from difflib import get_close_matches

            close = get_close_matches(name, self.list_commands(ctx), n=1)
            fix = f"did you mean '{close[0]}'?" if close else "see `seedscape --help`"
            raise HarnessError(f"no command '{name}'", fix=fix)
        return super().resolve_command(ctx, args)

    def _offered(self, ctx: click.Context) -> dict[str, click.Command]:
        if not isinstance(ctx.obj, dict):
            ctx.obj = _offered_commands()
        found: dict[str, click.Command] = ctx.obj
        return found


def _offered_commands() -> dict[str, click.Command]:
    from harness.plug.candidates import announced, mentions

    # checking every plugin would take longer than the help itself: read their files first
    candidates = [each for each in announced() if mentions(each, "harness_commands")]
    if not candidates:
        return {}
    from harness.api.offers import Command
    from harness.plug.discovery import discover_among

    commands: dict[str, click.Command] = {}
    for provided in discover_among(candidates).all("command"):
        offer = provided.offer
        if isinstance(offer, Command) and offer.name not in COMMANDS:
            commands[offer.name] = offer.command()
    return commands


@click.command(
    cls=Commands,
    invoke_without_command=True,
    subcommand_metavar="COMMAND [ARGS]...",
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Start with: seedscape run quick",
)
@click.version_option(package_name="seedscape", prog_name="seedscape")
@click.pass_context
def seedscape(context: click.Context) -> None:
    """Measure how much of a model's OOD behaviour is luck of the seed, and what predicts it."""
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and give the exit code; what a user can mend takes one line."""
    try:
        code = seedscape.main(args=arguments, prog_name="seedscape", standalone_mode=False)
        sys.stdout.flush()
    except HarnessError as error:
        return _complain(str(error), 2)
    except click.ClickException as error:
        return _complain(error.format_message(), error.exit_code)
    except (KeyboardInterrupt, click.Abort):
        return _complain("interrupted", 130)
    except BrokenPipeError:  # the reader of our output went away (`| head`)
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return code if isinstance(code, int) else 0


def _complain(line: str, code: int) -> int:
    click.echo(f"error: {' '.join(line.split())}", err=True)
    return code


if __name__ == "__main__":
    sys.exit(main())
