"""From an offer's use in a suite to the offer and its parsed settings."""

from typing import Any

from pydantic import ValidationError

from harness.api.cells import Use
from harness.api.errors import HarnessError
from harness.api.offers import Model, Score
from harness.api.settings import Settings
from harness.plug.catalogue import Catalogue


def fingerprint_of(offer: Any, settings: Settings) -> str:
    """What stands for the files that the settings name, and for a score's version.

    "" where nothing does. Whatever the offer raises is raised (`Any`: an offer of any noun).
    """
    version = offer.version if isinstance(offer, Score) and offer.version != "1" else ""
    asked = offer.fingerprint if isinstance(offer, Model | Score) else None
    return " ".join(part for part in (version, asked(settings) if asked else "") if part)


def offer_from(use: Use, catalogue: Catalogue) -> tuple[Any, Settings]:
    """The offer that is used and its settings, parsed by the offer's own class.

    `Any` because the noun of the use decides the kind of offer.

    Raises:
        HarnessError: no such offer, several of them, or settings that it does not accept.
    """
    offer = catalogue.find(use.noun, use.name).offer
    try:
        return offer, offer.settings.model_validate(dict(use.settings))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise HarnessError(
            f"{use.noun} {use.name!r} does not accept its settings: {place}: {first['msg']}",
            fix=f"`seedscape show {use.noun} {use.name}` explains them",
        ) from None
