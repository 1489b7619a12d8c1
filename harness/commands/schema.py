"""`seedscape schema`: the JSON Schema of a suite, for editors."""

import json

import click

from harness.commands.options import PluginOptions, plugin_options


@click.command("schema")
@plugin_options
def command(plugins: PluginOptions) -> None:
    """Print the JSON Schema of a suite, so that an editor completes and checks YAML.

    Save it with `seedscape schema > suite.schema.json` and start a suite with the line
    `# yaml-language-server: $schema=suite.schema.json`.
    """
    from harness.suite.schema import schema_of

    click.echo(json.dumps(schema_of(plugins.discover()), indent=2, ensure_ascii=False))
