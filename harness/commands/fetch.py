"""`seedscape fetch`: everything that a suite needs from elsewhere, before it runs."""

import click

from harness.commands.options import (
    SuiteOptions,
    hub_is_offline,
    stay_offline,
    store_option,
    suite_options,
)


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

    SUITE is a built-in suite's name or a path. Configurations of models are fetched while it is
    read. What is here already is not fetched again, so that SUITE then runs with `--offline`. After
    a download that fails the others go on; all that failed is named at the end, with exit code 2.
    """
    from harness.plan import expand
    from harness.run.fetching import fetch_missing, must_be_here, wanted_by
    from harness.store import Store, paths

    click.echo(f"{suite.name}: reading the suite")
    if hub_is_offline() and not offline:
        click.echo("HF_HUB_OFFLINE is set, so that the hub is not asked: unset it to fetch")
    checked, catalogue = suite.open(store)
    cells = expand(checked, catalogue).cells
    wanted = wanted_by(cells, catalogue, paths.cache(Store(store).root))
    if offline:
        for each in (download for group in wanted for download in group.downloads):
            click.echo(f"{'here' if each.here() else 'missing':<9} {each.name}")
        must_be_here(wanted)
    if not any(each.downloads for each in wanted):
        click.echo(f"{suite.name} needs nothing from elsewhere")
    fetch_missing(wanted, click.echo)
    return 0
