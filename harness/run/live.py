"""The live display of a terminal: a bar, and a line per worker."""

from collections.abc import Sequence

from rich.console import Console, Group
from rich.live import Live as RichLive
from rich.markup import escape
from rich.progress_bar import ProgressBar
from rich.table import Table

from harness.api.cells import Cell
from harness.run.display import Silent, failure_line
from harness.run.tally import Tally

MOST_WORKERS = 12
"""Workers shown: more would not fit on a screen."""


class Live(Silent):
    """A bar with the cells done and the time left, and what each worker does."""

    def __init__(self, console: Console) -> None:
        self._live = RichLive(
            console=console,
            get_renderable=self._render,
            refresh_per_second=8,
            transient=True,
            redirect_stdout=True,
            redirect_stderr=True,
        )

    def begin(self, tally: Tally) -> None:
        """Start drawing."""
        super().begin(tally)
        self._live.start()

    def failed(self, cell: Cell, reason: str, blocked: Sequence[Cell]) -> None:
        """A line above the bar that stays."""
        super().failed(cell, reason, blocked)
        self._live.console.print(f"[red]{escape(failure_line(cell, reason, len(blocked)))}[/red]")

    def end(self) -> None:
        """Stop drawing."""
        self._live.stop()

    def _render(self) -> Group:
        tally: Tally | None = getattr(self, "tally", None)
        if tally is None:
            return Group()
        head = Table.grid(padding=(0, 1))
        head.add_row(ProgressBar(tally.total, tally.done, width=30), escape(tally.line()))
        rows = Table.grid(padding=(0, 1))
        doing = sorted(dict(tally.doing).items())
        for worker, at in doing[:MOST_WORKERS]:
            rows.add_row(f"  {worker + 1}", escape(at.what), f"[dim]{escape(at.text)}[/dim]")
        if len(doing) > MOST_WORKERS:
            rows.add_row("", f"and {len(doing) - MOST_WORKERS} workers more", "")
        return Group(head, rows)
