"""Find, load, check and ask every plugin; whatever is wrong with one stays with that one."""

import functools
from collections.abc import Sequence
from difflib import get_close_matches
from itertools import chain

from harness.api.errors import HarnessError
from harness.plug.candidates import Candidate, announced, named
from harness.plug.catalogue import Catalogue
from harness.plug.check import Refused, ask, describe, register
from harness.plug.provided import Loaded, Provided, SetAside
from harness.plug.sources import Sources, modules_of


def discover(extra: Sequence[str] = (), without: Sequence[str] = ()) -> Catalogue:
    """The catalogue of all installed plugins, and of the files and modules in `extra`.

    A plugin that cannot be loaded, breaks the contract or raises is set aside with its reason.
    `without` leaves plugins out by distribution, by name, by `distribution:name` or by module.

    Raises:
        HarnessError: `extra` names a file or module that does not exist, or `without` names no
            plugin.
    """
    candidates = [*chain(announced(), named(extra))]
    _check_without(candidates, without)
    kept = [each for each in candidates if not any(each.called(name) for name in without)]
    return _gather(kept, extra, without)


def discover_among(candidates: Sequence[Candidate]) -> Catalogue:
    """The catalogue of just these installed plugins."""
    return _gather(candidates, (), ())


def _gather(
    candidates: Sequence[Candidate], extra: Sequence[str], without: Sequence[str]
) -> Catalogue:
    sources = Sources()
    plugins: dict[int, Loaded] = {}
    set_aside = []
    for candidate in candidates:
        try:
            plugin = _load(candidate)
            if id(plugin) not in plugins:  # found twice: as an entry point and by name
                plugins[id(plugin)] = _admit(plugin, candidate, sources)
        except Refused as refused:
            set_aside.append(_aside(candidate, str(refused)))
        except (Exception, SystemExit) as error:
            set_aside.append(_aside(candidate, f"cannot be checked: {describe(error)}"))
    return Catalogue(plugins.values(), set_aside, extra=extra, without=without)


def _load(candidate: Candidate) -> object:
    try:
        return candidate.load()
    except (Exception, SystemExit) as error:
        raise Refused(f"cannot be imported: {describe(error)}") from error


def _admit(plugin: object, candidate: Candidate, sources: Sources) -> Loaded:
    manager = register(plugin, candidate.name)
    offers = tuple(
        Provided(
            offer=offer,
            distribution=candidate.distribution,
            version=candidate.version,
            origin=candidate.name,
            hashed=functools.partial(sources.digest, modules_of(offer, candidate.module)),
        )
        for offer in ask(manager)
    )
    return Loaded(
        plugin=candidate.name,
        distribution=candidate.distribution,
        version=candidate.version,
        offers=offers,
        manager=manager,
    )


def _aside(candidate: Candidate, reason: str) -> SetAside:
    return SetAside(candidate.name, candidate.distribution, candidate.version, reason)


def _check_without(candidates: Sequence[Candidate], without: Sequence[str]) -> None:
    for name in without:
        if not any(candidate.called(name) for candidate in candidates):
            known = {item for each in candidates for item in (each.name, each.distribution)}
            close = get_close_matches(name, sorted(known), n=1)
            raise HarnessError(
                f"--without {name}: there is no such plugin",
                fix=f"did you mean {close[0]!r}?" if close else "see `seedscape doctor`",
            )
