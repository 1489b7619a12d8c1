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
    described,
    described_with_tokenizer,
    description_origin,
    origin_of,
    weighed,
    weight_files,
)
from harness_models.hub import Whole
from harness_models.origins import Origin


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
    origin = description_origin(settings)
    if not origin.is_folder():
        yield Download(
            name=f"{origin} ({what})",
            here=partial(_here, origin, (whole,)),
            fetch=partial(_fetch_description, origin, what, whole),
        )
    for origin in dict.fromkeys(origin_of(settings, seed) for seed in seeds):
        if not origin.is_folder():
            yield Download(
                name=f"{origin} (weights)",
                here=partial(_here, origin, [partial(weighed, kind) for kind in WEIGHTS]),
                fetch=partial(_fetch_weights, origin),
            )


def _here(origin: Origin, kinds: Sequence[Whole]) -> bool:
    """Whether one kind of files is whole in the cache; a commit that nobody knows yet is not."""
    place = origin.known()
    return place is not None and any(place.here(whole) for whole in kinds)


def _fetch_description(origin: Origin, what: str, whole: Whole) -> None:
    place = origin.place()
    place.folder(DESCRIPTION, whole)
    if not place.here(whole):
        raise HarnessError(f"it has no {what}", where=str(place))


def _fetch_weights(origin: Origin) -> None:
    weight_files(origin.place())
