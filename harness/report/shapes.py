"""The two shapes that the terminal shows findings in: bullets and plain tables."""

from rich import box
from rich.table import Table
from rich.text import Text


def bullet(sign: str, text: str, style: str = "") -> Table:
    """A sign and a text beside it, wrapped."""
    line = Table.grid(padding=(0, 1, 0, 0))
    line.add_column(width=1)
    line.add_column(ratio=1, overflow="fold")
    line.add_row(Text(sign, style or "cyan"), Text(text, style))
    return line


def table_of(title: str) -> Table:
    """An empty table under a title, without a frame."""
    return Table(
        title=Text(title, "dim"),
        title_justify="left",
        box=box.SIMPLE_HEAD,
        show_edge=False,
        pad_edge=False,
        padding=(0, 1, 0, 0),
        header_style="bold",
    )
