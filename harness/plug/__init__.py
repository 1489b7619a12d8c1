"""From installed packages, files and modules to one catalogue of what they offer."""

from harness.plug.catalogue import Catalogue
from harness.plug.discovery import discover
from harness.plug.provided import Loaded, Provided, SetAside
from harness.plug.uses import offer_from

__all__ = ["Catalogue", "Loaded", "Provided", "SetAside", "discover", "offer_from"]
