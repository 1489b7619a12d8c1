"""From installed packages, files and modules to one catalogue of what they offer.

Names are imported when they are asked for: `seedscape --help` looks for plugins (`candidates`) and
must not pay for checking them.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.plug.catalogue import Catalogue
    from harness.plug.discovery import discover
    from harness.plug.provided import Loaded, Provided, SetAside
    from harness.plug.uses import fingerprint_of, offer_from

__all__ = [
    "Catalogue",
    "Loaded",
    "Provided",
    "SetAside",
    "discover",
    "fingerprint_of",
    "offer_from",
]

_HOMES = {
    "Catalogue": "catalogue",
    "Loaded": "provided",
    "Provided": "provided",
    "SetAside": "provided",
    "discover": "discovery",
    "fingerprint_of": "uses",
    "offer_from": "uses",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
