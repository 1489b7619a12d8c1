"""`seedscape list`: what there is to use, by noun and name."""

import json
from dataclasses import asdict, dataclass
from difflib import get_close_matches
from fnmatch import fnmatchcase

import click

from harness.api.errors import HarnessError
from harness.api.offers import NOUNS
from harness.commands.options import PluginOptions, plugin_options
from harness.commands.tables import echo_table
from harness.plug.catalogue import Catalogue

SUITE = "suite"


@dataclass(frozen=True)
class Line:
    """One thing to use, and who provides it."""

    noun: str
    name: str
    about: str
    distribution: str
    version: str
    plugin: str

    @property
    def provider(self) -> str:
        """The distribution, with its version where it has one."""
        return f"{self.distribution} {self.version}".strip()


@click.command("list")
@click.argument("noun", required=False)
@click.argument("pattern", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@plugin_options
def command(noun: str | None, pattern: str | None, as_json: bool, plugins: PluginOptions) -> None:
    """List what plugins offer, and the built-in suites.

    NOUN is one of suite, model, dataset, shift, method, score, metric, executor, reporter,
    watcher, command.
    PATTERN picks names: `*` and `?` are wildcards; without any, part of a name is enough.
    """
    if noun is not None and pattern is None and set(noun) & set("*?["):
        noun, pattern = None, noun
    _check_noun(noun)
    catalogue = plugins.discover()
    lines = [line for line in _all_lines(catalogue, noun) if _matches(line.name, pattern)]
    if as_json:
        click.echo(json.dumps([asdict(line) for line in lines], indent=2))
        return
    if not lines:
        what = f"named {pattern!r}" if pattern else "to list"
        click.echo(f"there is no {noun or 'offer'} {what}", err=True)
    else:
        echo_table(
            ("noun", "name", "about", "provider"),
            [(line.noun, line.name, line.about, line.provider) for line in lines],
        )
    _hint(catalogue)


def _all_lines(catalogue: Catalogue, noun: str | None) -> list[Line]:
    lines = _suites() if noun in (None, SUITE) else []
    if noun != SUITE:
        for provided in catalogue.all(noun):
            offer = provided.offer
            lines.append(
                Line(
                    noun=offer.noun,
                    name=offer.name,
                    about=offer.about,
                    distribution=provided.distribution,
                    version=provided.version,
                    plugin=provided.origin,
                )
            )
    return lines


def _suites() -> list[Line]:
    import yaml

    from harness.plug.version import DISTRIBUTION, harness_version
    from harness.suite.finding import built_in_suites

    lines = []
    for name, path in built_in_suites().items():
        title = str(yaml.safe_load(path.read_text(encoding="utf-8")).get("title", ""))
        lines.append(Line(SUITE, name, title, DISTRIBUTION, harness_version(), ""))
    return lines


def _matches(name: str, pattern: str | None) -> bool:
    if pattern is None:
        return True
    wildcards = pattern if set(pattern) & set("*?[") else f"*{pattern}*"
    return fnmatchcase(name.lower(), wildcards.lower())


def _check_noun(noun: str | None) -> None:
    nouns = [SUITE, *(kind.noun for kind in NOUNS)]
    if noun is not None and noun not in nouns:
        close = get_close_matches(noun, nouns, n=1)
        fix = f"did you mean {close[0]!r}?" if close else f"the nouns are {', '.join(nouns)}"
        raise HarnessError(f"there is no noun {noun!r}", fix=fix)


def _hint(catalogue: Catalogue) -> None:
    for count, what in (
        (len(catalogue.set_aside), "plugins set aside"),
        (len(catalogue.conflicts()), "names offered more than once"),
    ):
        if count:
            click.echo(f"{what}: {count}; `seedscape doctor` says which and why", err=True)
