"""Tables for people and for pipes: drawn on a terminal, plain and never cut short elsewhere."""

import sys
from collections.abc import Sequence

import click

from harness.api.numbers import TRIAL


def echo_table(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print rows of text under their headers.

    On a terminal long cells are folded to its width; elsewhere each row is one line, however long,
    with its columns aligned, so that `grep` and `less -S` see whole cells.
    """
    if sys.stdout.isatty():
        _draw(headers, rows)
    else:
        for line in aligned([headers, *rows]):
            click.echo(line)


def echo_results(
    headers: Sequence[str], rows: Sequence[Sequence[str]], *, smoke: bool = False
) -> None:
    """Print rows of results; those of a trial say so."""
    if smoke:
        click.secho(TRIAL, fg="white", bg="red", bold=True)
    echo_table(headers, rows)


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows as lines whose columns start at the same place.

    >>> aligned([["noun", "name"], ["model", "cnn"]])
    ['noun   name', 'model  cnn']
    """
    flat = [[" ".join(cell.split()) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*flat, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in flat
    ]


def _draw(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for header in headers:
        table.add_column(header, overflow="fold")
    for row in rows:
        table.add_row(*map(Text, row))
    Console().print(table)
