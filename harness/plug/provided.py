"""What discovery gives: offers with their provider, and plugins set aside with a reason."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Generic, TypeVar

import pluggy

from harness.api.offers import Offer

O = TypeVar("O", bound=Offer, covariant=True)  # noqa: E741 - O is an offer


@dataclass(frozen=True)
class Provided(Generic[O]):
    """An offer and who provides it.

    `origin` is the entry-point name, file or module that the plugin was found by. Where no
    distribution provides it, `distribution` is the file's or module's name and `version` is empty.
    `digest` is the hash of the offer's source (16 hex digits), worked out when it is asked for.
    """

    offer: O
    distribution: str
    version: str
    origin: str
    hashed: Callable[[], str] = field(repr=False, compare=False)

    @cached_property
    def digest(self) -> str:
        """SHA-256 (16 hex digits) over the sources that the offer is made of."""
        return self.hashed()

    @property
    def provider(self) -> str:
        """Who provides it, for messages: distribution, version and plugin."""
        return provider(self.origin, self.distribution, self.version)


@dataclass(frozen=True)
class SetAside:
    """A plugin that takes no part, and why."""

    plugin: str
    distribution: str
    version: str
    reason: str

    def __str__(self) -> str:
        return f"{provider(self.plugin, self.distribution, self.version)}: {self.reason}"


@dataclass(frozen=True)
class Loaded:
    """A plugin that takes part: what it offers, and its hooks for being told of cells."""

    plugin: str
    distribution: str
    version: str
    offers: tuple[Provided[Offer], ...]
    manager: pluggy.PluginManager = field(repr=False, compare=False)


def provider(plugin: str, distribution: str, version: str) -> str:
    """`acme-models 1.2 (zoo)`, or the plugin alone where it belongs to no distribution.

    >>> provider("zoo", "acme-models", "1.2")
    'acme-models 1.2 (zoo)'
    >>> provider("./mine.py", "mine.py", "")
    './mine.py'
    """
    return f"{distribution} {version} ({plugin})" if version else plugin
