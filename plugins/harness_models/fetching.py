"""What a model needs from the hub, for `seedscape fetch` and `--offline`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from harness.api.data import DataRoom
from harness.api.downloads import Download
from harness_models.checkpoints import (
    DESCRIPTION,
    WEIGHTS,
    CheckpointSettings,
    Place,
    description_place,
    place_of,
    weight_files,
)
from harness_models.hub import cached


def downloads(
    settings: CheckpointSettings, seeds: Sequence[int], room: DataRoom
) -> tuple[Download, ...]:
    """Configuration and tokenizer, and the weights of these pretraining seeds, if on the hub."""
    return tuple(_downloads(settings, seeds))


def _downloads(settings: CheckpointSettings, seeds: Sequence[int]) -> Iterator[Download]:
    place = description_place(settings)
    if place.commit:
        yield Download(
            name=f"{place} (configuration and tokenizer)",
            here=partial(_here, place, DESCRIPTION),
            fetch=partial(_fetch_description, place),
        )
    for place in dict.fromkeys(place_of(settings, seed) for seed in seeds):
        if place.commit:
            yield Download(
                name=f"{place} (weights)",
                here=partial(_here, place, sum(WEIGHTS, ())),
                fetch=partial(_fetch_weights, place),
            )


def _here(place: Place, wanted: Sequence[str]) -> bool:
    return cached(place.name, place.commit, wanted) is not None


def _fetch_description(place: Place) -> None:
    place.folder(DESCRIPTION)


def _fetch_weights(place: Place) -> None:
    weight_files(place)
