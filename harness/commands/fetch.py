"""`seedscape fetch`: everything that a suite needs from elsewhere, before it runs."""

import click

from harness.commands.options import SuiteOptions, stay_offline, store_option, suite_options


@click.command("fetch")
@suite_options
@store_option
@click.option(
    "--offline",
    is_flag=True,
    is_eager=True,
    callback=stay_offline,
    help="Fetch nothing: fail with the list of what lacks.",
)
def command(suite: SuiteOptions, store: str, offline: bool) -> int:
    """Fetch the data and weights that SUITE needs from elsewhere; nothing is trained.

    SUITE is a built-in suite's name or a path. What is here already is not fetched again, so that
    SUITE then runs with `--offline`.
    """
    from harness.plan import expand
    from harness.run.fetching import downloads_of, must_be_here
    from harness.store import Store, paths

    checked, catalogue = suite.open()
    cells = expand(checked, catalogue).cells
    wanted = downloads_of(cells, catalogue, paths.cache(Store(store).root))
    if offline:
        must_be_here(wanted)
    for each in wanted:
        if each.here():
            click.echo(f"here      {each.name}")
            continue
        click.echo(f"fetching  {each.name}")
        each.fetch()
    if not wanted:
        click.echo(f"{suite.name} needs nothing from elsewhere")
    return 0
