"""What a plugin must be like to take part; the reasons are written for its author."""

import importlib
import inspect
import re
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, get_args, get_origin

import pluggy

from harness.api import hooks
from harness.api.offers import NOUNS, Metric, Offer, Parts
from harness.api.settings import Settings
from harness.plug.annotations import HINTS
from harness.plug.version import harness_version, satisfied

KIND_OF: Mapping[str, type[Offer]] = MappingProxyType(
    {f"harness_{kind.noun}s": kind for kind in NOUNS}
)
"""The noun that each offering hook gives; the other hooks are watchers."""

ORDERS = ("wrapper", "hookwrapper", "tryfirst", "trylast")
BETWEEN = frozenset(Path(file).parent for file in (__file__, importlib.__file__, pluggy.__file__))
"""Folders whose code stands between us and a plugin; its author need not know them."""


class Refused(Exception):
    """Why a plugin is set aside; never leaves this room."""


def register(plugin: object, name: str) -> pluggy.PluginManager:
    """A manager that knows the contract and this plugin alone; raises `Refused`."""
    _check_requirement(plugin)
    manager = pluggy.PluginManager(hooks.PROJECT)
    manager.add_hookspecs(hooks)
    known = [hook for hook in dir(hooks) if manager.parse_hookspec_opts(hooks, hook) is not None]
    marked = set()
    for attribute in dir(plugin):
        options = manager.parse_hookimpl_opts(plugin, attribute)
        if options is not None:
            hook = options.get("specname") or attribute
            marked.add(attribute)
            _check_options(hook, known, options)
            _check_arguments(hook, getattr(plugin, attribute))
    for hook in known:
        if hook not in marked and inspect.isroutine(getattr(plugin, hook, None)):
            raise Refused(f"{hook} is not marked with @hookimpl")
    if not marked:
        raise Refused("implements no hook of the harness")
    manager.register(plugin, name)
    return manager


def ask(manager: pluggy.PluginManager) -> Iterator[Offer]:
    """Every offer of the only plugin of a manager, checked; raises `Refused`."""
    for hook, kind in KIND_OF.items():
        seen = set()
        for implementation in getattr(manager.hook, hook).get_hookimpls():
            for answered in _answer(hook, kind, implementation.function):
                offer = _checked(hook, kind, answered)
                if offer.name in seen:
                    raise Refused(f"{hook} offers {kind.noun} {offer.name!r} twice")
                seen.add(offer.name)
                yield offer


def describe(error: BaseException) -> str:
    """An exception in one line, with the place it was raised at.

    >>> describe(ValueError("no such file"))
    'ValueError: no such file'
    """
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if not frame.filename.startswith("<") and not _between(Path(frame.filename))
    ]
    text = " ".join(str(error).split())
    place = f" ({Path(frames[-1].filename).name}:{frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}: {text}{place}" if text else f"{type(error).__name__}{place}"


def _between(file: Path) -> bool:
    # the backport takes part in finding entry points once anybody has imported it
    return bool(BETWEEN & {*file.parents}) or file.parent.name == "importlib_metadata"


def _check_requirement(plugin: object) -> None:
    wanted = getattr(plugin, "harness_requires", None)
    if wanted is None:
        return
    version = harness_version()
    try:
        good = satisfied(wanted, version)
    except (ValueError, TypeError, AttributeError):
        raise Refused(f"harness_requires is no version range: {wanted!r}") from None
    if not good:
        raise Refused(f"needs seedscape {wanted}, this is {version}")


def _check_options(hook: str, known: list[str], options: Mapping[str, Any]) -> None:
    """`Any`: pluggy's options hold booleans and a name."""
    if hook not in known:
        if options.get("optionalhook"):
            return
        close = get_close_matches(hook, known, n=1)
        guess = f"; did you mean {close[0]}?" if close else "; it may need a newer one"
        raise Refused(f"{hook} is no hook of seedscape {harness_version()}{guess}")
    for order in ORDERS:
        if options.get(order):
            raise Refused(f"{hook} is marked {order}=True: no hook may be wrapped or ordered")


def _check_arguments(hook: str, function: Callable[..., object]) -> None:
    specified = getattr(hooks, hook, None)
    if specified is None:
        return
    given = list(inspect.signature(specified).parameters)
    for argument in inspect.signature(function).parameters.values():
        if argument.name not in given and argument.default is argument.empty:
            hands = f"hands over {', '.join(given)}" if given else "takes no arguments"
            raise Refused(f"{hook} has the unknown argument {argument.name!r}: the hook {hands}")


def _answer(hook: str, kind: type[Offer], function: Callable[[], object]) -> Iterator[object]:
    try:
        answer = function()
        if not isinstance(answer, Iterable) or isinstance(answer, str | bytes):
            raise Refused(
                f"{hook} returned {_kind(answer)}, not an iterable of {kind.__name__} offers"
            )
        yield from tuple(answer)
    except Refused:
        raise
    except (Exception, SystemExit) as error:
        raise Refused(f"{hook} raised {describe(error)}") from error


def _checked(hook: str, kind: type[Offer], offer: object) -> Offer:
    if not isinstance(offer, kind):
        raise Refused(f"{hook} offered {_kind(offer)}, not a {kind.__name__}")
    if not isinstance(offer.name, str) or not re.fullmatch(r"[A-Za-z0-9][\w./:+-]*", offer.name):
        raise Refused(
            f"{hook} offered a {kind.noun} named {offer.name!r}: a name starts with a letter or"
            " a digit and has no spaces"
        )
    for field, hint in HINTS[kind].items():
        wrong = _mismatch(getattr(offer, field), hint)
        if wrong:
            raise Refused(f"{hook} offered {kind.noun} {offer.name!r}, whose {field} {wrong}")
    wrong = _at_odds(offer)
    if wrong:
        raise Refused(f"{hook} offered {kind.noun} {offer.name!r}, {wrong}")
    if offer.settings.model_config.get("extra") != "forbid":
        raise Refused(
            f"{hook} offered {kind.noun} {offer.name!r}, whose settings let unknown keys through"
        )
    return offer


def _at_odds(offer: Offer) -> str:
    """What does not go together in a metric, or nothing."""
    if not isinstance(offer, Metric):
        return ""
    if offer.across and offer.of != "group":
        return f"which is of a {offer.of}: only metrics of groups look across a setting"
    if offer.branches is not None and offer.of != "point":
        return f"which is of a {offer.of}: only metrics of points have branches"
    if offer.parts is not None and not isinstance(offer.parts, Parts):
        return f"whose parts is {_kind(offer.parts)}, not Parts"
    return ""


def _mismatch(value: object, hint: object) -> str:
    """What is wrong with a field's value, or nothing."""
    if hint == type[Settings]:
        good = isinstance(value, type) and issubclass(value, Settings)
        return "" if good else f"is {_kind(value)}, not a class made from Settings"
    if get_origin(hint) is Literal:
        choices = get_args(hint)
        return "" if value in choices else f"is {value!r}, not one of {', '.join(choices)}"
    if hint is str or hint is bool:
        return "" if isinstance(value, hint) else f"is {_kind(value)}, not {hint.__name__}"
    if get_origin(hint) is Callable and not callable(value):
        return f"is {_kind(value)}, not a function"
    return ""


def _kind(value: object) -> str:
    return f"the class {value.__name__}" if isinstance(value, type) else type(value).__name__
