"""Who is told of cells: every plugin's hooks, and the watchers that the user has named."""

from collections.abc import Callable, Iterator, Mapping

from harness.api.cells import Cell, Plan, Use
from harness.api.contexts import Watch, WatchRoom
from harness.api.errors import HarnessError
from harness.api.results import CellRecord
from harness.api.settings import Json
from harness.plug.catalogue import Catalogue
from harness.plug.check import describe
from harness.plug.uses import offer_from
from harness.store import paths
from harness.store.store import Store


class Watching:
    """Tells hooks and watches; what one raises comes back as a line, and spoils nothing.

    A watch that has raised is told nothing more: a server that does not answer must not delay every
    cell.
    """

    def __init__(
        self,
        plan: Plan,
        store: Store,
        catalogue: Catalogue,
        asked: Mapping[str, Mapping[str, Json]],
    ) -> None:
        """Open the watchers that are asked for.

        Raises:
            HarnessError: one does not exist, or cannot watch as it is.
        """
        self._catalogue = catalogue
        self._watches: dict[str, Watch] = {}
        self._early: list[str] = []
        folder = paths.suite_folder(store.root, plan.suite_id, plan.version, smoke=plan.smoke)
        room = WatchRoom(plan, folder, lambda: _finished(plan, store))
        uses = [Use("watcher", name, name, settings, "") for name, settings in asked.items()]
        for use, (offer, settings) in [(use, offer_from(use, catalogue)) for use in uses]:
            try:
                self._watches[use.name] = offer.open(settings, room)
            except HarnessError:
                raise
            except (Exception, SystemExit) as error:
                self._early.append(_line(use.name, error))

    def tell_started(self, cell: Cell) -> tuple[str, ...]:
        """A cell is about to run."""
        told = self._tell(lambda watch: watch.started(cell))
        return (*self._catalogue.tell_started(cell), *told)

    def tell_finished(self, cell: Cell, record: CellRecord) -> tuple[str, ...]:
        """A cell has a result."""
        told = self._tell(lambda watch: watch.finished(cell, record))
        return (*self._catalogue.tell_finished(cell, record), *told)

    def close(self, *, interrupted: bool) -> tuple[str, ...]:
        """The run has ended; also what came up when the watchers were opened."""
        told = self._tell(lambda watch: watch.close(interrupted=interrupted))
        return (*self._early, *told)

    def _tell(self, news: Callable[[Watch], None]) -> tuple[str, ...]:
        lines = []
        for name, watch in list(self._watches.items()):
            try:
                news(watch)
            except (Exception, SystemExit) as error:
                del self._watches[name]
                lines.append(_line(name, error))
        return tuple(lines)


def _line(name: str, error: BaseException) -> str:
    what = str(error) if isinstance(error, HarnessError) else describe(error)
    return f"watcher {name} watches no more: {' '.join(what.split())[:300]}"


def _finished(plan: Plan, store: Store) -> Iterator[tuple[Cell, CellRecord]]:
    done = store.survey(plan.cells).done
    for cell in plan.cells:
        if cell.key in done:
            try:
                record = store.read(cell.key)
            except HarnessError:  # damaged: as good as not there
                continue
            yield cell, record
