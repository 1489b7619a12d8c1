"""What a model needs from the hub, for `seedscape fetch` and `--offline`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from harness.api.data import DataRoom
from harness.api.downloads import Download
from harness.api.errors import HarnessError
from harness_models.checkpoints import (
    DESCRIPTION,
    WEIGHTS,
    CheckpointSettings,
    Place,
    described,
    described_with_tokenizer,
    description_place,
    place_of,
    weighed,
    weight_files,
)
from harness_models.hub import Whole


def downloads(
    settings: CheckpointSettings, seeds: Sequence[int], room: DataRoom
) -> tuple[Download, ...]:
    """Configuration, and the weights of these pretraining seeds, if on the hub."""
    return tuple(_downloads(settings, seeds, "configuration", described))


def text_downloads(
    settings: CheckpointSettings, seeds: Sequence[int], room: DataRoom
) -> tuple[Download, ...]:
    """The same for a model that reads text: its tokenizer too."""
    what = "configuration and tokenizer"
    return tuple(_downloads(settings, seeds, what, described_with_tokenizer))


def _downloads(
    settings: CheckpointSettings, seeds: Sequence[int], what: str, whole: Whole
) -> Iterator[Download]:
    place = description_place(settings)
    if place.commit:
        yield Download(
            name=f"{place} ({what})",
            here=partial(place.here, whole),
            fetch=partial(_fetch_description, place, what, whole),
        )
    for place in dict.fromkeys(place_of(settings, seed) for seed in seeds):
        if place.commit:
            yield Download(
                name=f"{place} (weights)",
                here=partial(_weights_here, place),
                fetch=partial(_fetch_weights, place),
            )


def _fetch_description(place: Place, what: str, whole: Whole) -> None:
    place.folder(DESCRIPTION, whole)
    if not place.here(whole):
        raise HarnessError(f"it has no {what}", where=str(place))


def _weights_here(place: Place) -> bool:
    return any(place.here(partial(weighed, kind)) for kind in WEIGHTS)


def _fetch_weights(place: Place) -> None:
    weight_files(place)
