"""`seedscape check`: everything that can be wrong with a suite, without running anything."""

import click

from harness.commands.options import SuiteOptions, suite_options


@click.command("check")
@suite_options
@click.option("--show", is_flag=True, help="Print the resolved suite as YAML.")
def command(suite: SuiteOptions, show: bool) -> int:
    """Check SUITE completely and say what it would do; nothing is trained.

    SUITE is a built-in suite's name or the path of a YAML file. Every problem is told, one per
    line, and the exit code is 2.
    """
    from harness.plan import expand
    from harness.run.fitting import misfits
    from harness.store import Store, paths
    from harness.suite import SuiteError
    from harness.suite.summary import summary

    try:
        checked, catalogue = suite.open()
    except SuiteError as error:
        for problem in error.problems:
            click.echo(f"error: {problem}", err=True)
        return 2
    plan = expand(checked, catalogue)  # finds what only that shows: work that stands twice
    problems = misfits(plan.cells, catalogue, paths.cache(Store("runs").root))
    for problem in problems:
        click.echo(f"error: {problem}", err=True)
    if problems:
        return 2
    if show:
        click.echo(checked.text, nl=False)
        return 0
    for line in summary(checked, plan):
        click.echo(line)
    for note in checked.notes:
        click.echo(f"note: {note}", err=True)
    for aside in catalogue.set_aside:
        click.echo(f"warning: plugin set aside: {aside}", err=True)
    return 0
