"""`seedscape show`: the card of an offer, or of a suite."""

import click

from harness.commands.card import Card, card_of
from harness.commands.options import PluginOptions, SuiteOptions, plugin_options
from harness.commands.tables import echo_table


@click.command("show")
@click.argument("noun")
@click.argument("name")
@plugin_options
def command(noun: str, name: str, plugins: PluginOptions) -> None:
    """Show everything about one offer, or about a suite.

    For example `seedscape show model cnn`, `seedscape show suite quick`.
    """
    if noun == "suite":
        _show_suite(SuiteOptions(name, plugins=plugins))
    else:
        _show_card(card_of(plugins.discover().find(noun, name)))


def _show_card(card: Card) -> None:
    click.echo(f"{card.noun} {card.name}: {card.about}\n")
    width = max(len(heading) for heading, _ in card.facts)
    for heading, text in card.facts:
        click.echo(f"  {heading.ljust(width)}  {text}")
    if not card.settings:
        click.echo("\nIt has no settings.")
        return
    click.echo("\nSettings")
    echo_table(
        ("name", "type", "default", "limits", "about"),
        [
            (item.name, item.type, item.default, item.limits or "-", item.about)
            for item in card.settings
        ],
    )
    sources = [f"  {item.name}: {item.source}" for item in card.settings if item.source]
    if sources:
        click.echo("\n".join(["\nWhere defaults come from", *sources]))


def _show_suite(options: SuiteOptions) -> None:
    from harness.plan import expand

    suite, catalogue = options.open()
    plan = expand(suite, catalogue)
    click.echo(f"suite {suite.id} {suite.version}: {suite.title}\n")
    for source in suite.sources:
        click.echo(f"  source  {source}")
    click.echo("\nProcedures")
    for procedure in plan.procedures:
        click.echo(f"  {procedure.label}")
    click.echo(f"\n{suite.text.rstrip()}")
