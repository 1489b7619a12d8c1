"""Everything that the loaded plugins offer, by noun and name."""

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from harness.api.cells import Cell
from harness.api.errors import HarnessError
from harness.api.offers import NOUNS, Offer
from harness.api.results import CellRecord
from harness.plug.check import describe
from harness.plug.provided import Loaded, Provided, SetAside


class Catalogue:
    """What plugins offer; made by `discover`, never changed afterwards.

    `plugins` take part, `set_aside` do not; `extra` and `without` are what `discover` was asked
    with, so that another process can make the same catalogue.
    """

    def __init__(
        self,
        plugins: Iterable[Loaded],
        set_aside: Iterable[SetAside] = (),
        *,
        extra: Sequence[str] = (),
        without: Sequence[str] = (),
    ) -> None:
        self.plugins = tuple(plugins)
        self.set_aside = tuple(set_aside)
        self.extra = tuple(extra)
        self.without = tuple(without)
        by_name: dict[tuple[str, str], list[Provided[Offer]]] = {}
        for plugin in self.plugins:
            for provided in plugin.offers:
                by_name.setdefault((provided.offer.noun, provided.offer.name), []).append(provided)
        self._by_name = {key: tuple(by_name[key]) for key in sorted(by_name)}

    # `Any` below: which offer a noun gives is known to the caller, and to no type checker

    def find(self, noun: str, name: str) -> Provided[Any]:
        """The one offer of that noun and name.

        Raises:
            HarnessError: there is none (with a guess), or several plugins offer it.
        """
        _check_noun(noun)
        found = self._by_name.get((noun, name), ())
        if not found:
            raise HarnessError(f"there is no {noun} {name!r}", fix=self._guess(noun, name))
        if len(found) > 1:
            who = " and ".join(provided.provider for provided in found)
            choices = " or ".join(f"--without {_excluded(provided)}" for provided in found)
            raise HarnessError(
                f"{noun} {name!r} is offered by {who}", fix=f"choose one of them with {choices}"
            )
        return found[0]

    def all(self, noun: str | None = None) -> tuple[Provided[Any], ...]:
        """Offers sorted by noun and name; a name in conflict appears once per provider."""
        if noun is not None:
            _check_noun(noun)
        return tuple(
            provided
            for (kind, _), found in self._by_name.items()
            if noun in (None, kind)
            for provided in found
        )

    def conflicts(self) -> tuple[tuple[Provided[Any], ...], ...]:
        """The offers of each name that more than one plugin provides."""
        return tuple(found for found in self._by_name.values() if len(found) > 1)

    def tell_started(self, cell: Cell) -> tuple[str, ...]:
        """Tell the watchers that a cell is about to run; what they raise comes back as lines."""
        return self._tell("harness_cell_started", {"cell": cell})

    def tell_finished(self, cell: Cell, record: CellRecord) -> tuple[str, ...]:
        """Tell the watchers that a cell has ended; what they raise comes back as lines."""
        return self._tell("harness_cell_finished", {"cell": cell, "record": record})

    def _tell(self, hook: str, news: Mapping[str, object]) -> tuple[str, ...]:
        warnings = []
        for plugin in self.plugins:
            try:
                getattr(plugin.manager.hook, hook)(**news)
            except (Exception, SystemExit) as error:
                warnings.append(f"plugin {plugin.plugin}: {hook} raised {describe(error)}")
        return tuple(warnings)

    def _guess(self, noun: str, name: str) -> str:
        own = [known for kind, known in self._by_name if kind == noun]
        others = [kind for kind, known in self._by_name if known == name]
        close = get_close_matches(name, own, n=1)
        if close:
            guess = f"did you mean {close[0]!r}?"
        elif others:
            guess = f"there is a {others[0]} of that name"
        elif len(own) <= 12:
            guess = f"there are {', '.join(own)}" if own else f"no plugin offers any {noun}"
        else:
            guess = f"`seedscape list {noun}` shows all"
        if self.set_aside:
            last = self.set_aside[-1]  # those that the user named come last
            more = f" and {len(self.set_aside) - 1} more" if len(self.set_aside) > 1 else ""
            guess += f" (set aside: plugin {last.plugin}{more}; see `seedscape doctor`)"
        return guess


def _check_noun(noun: str) -> None:
    nouns = [kind.noun for kind in NOUNS]
    if noun not in nouns:
        close = get_close_matches(noun, nouns, n=1)
        guess = f"did you mean {close[0]!r}?" if close else f"the nouns are {', '.join(nouns)}"
        raise HarnessError(f"plugins offer nothing called {noun!r}", fix=guess)


def _excluded(provided: Provided[Any]) -> str:
    """What `--without` must be given to leave out this plugin and nothing else."""
    own, distribution = provided.origin, provided.distribution
    return f"{distribution}:{own}" if provided.version else own
