"""Any metric of the Hugging Face hub by name, or a local metric script."""

from __future__ import annotations

import functools
import uuid
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from harness.api.errors import HarnessError
from harness.api.offers import Score
from harness.api.settings import Json, Settings, setting

if TYPE_CHECKING:
    from harness_scores.arrays import Array

SOURCE = "https://huggingface.co/docs/evaluate"


class HubSettings(Settings):
    """Which module, and which number of its answer."""

    path: str = setting(..., "name on the hub (`f1`, `user/metric`), or a script or its folder")
    config: str | None = setting(None, "the module's configuration, for example a GLUE task")
    revision: str | None = setting(None, "branch, tag or commit on the hub: pins the module")
    field: str = setting("", "which entry of the answer; empty: the module's name, or the only one")
    kwargs: dict[str, Json] = setting({}, "handed to `compute`, for example `{average: macro}`")


def module(settings: HubSettings) -> Any:  # evaluate carries no types
    """The loaded module; its script runs as code of this process, like any plugin."""
    return _loaded(settings.path, settings.config, settings.revision)


@functools.lru_cache(maxsize=32)  # loading a script takes longer than most scores
def _loaded(path: str, config: str | None, revision: str | None) -> Any:
    import evaluate

    try:
        return evaluate.load(
            path,
            config_name=config,
            revision=revision,
            experiment_id=uuid.uuid4().hex,  # two processes never share a cache file
            keep_in_memory=True,
        )
    except ImportError as error:
        raise HarnessError(f"the metric {path!r} needs a package: {error}") from error
    except (FileNotFoundError, ConnectionError) as error:
        raise HarnessError(
            f"no metric {path!r}: neither a local script nor to be had from the hub",
            fix="check the name; without a network give the folder of its script",
        ) from error


def compute(
    settings: HubSettings, predictions: Array, references: Array, _groups: Array | None = None
) -> float:
    """The named entry of the module's answer on predicted and true labels."""
    answer = module(settings).compute(
        predictions=predictions, references=references, **settings.kwargs
    )
    name = settings.field or PurePath(settings.path).stem
    if not settings.field and name not in answer and len(answer) == 1:
        name = next(iter(answer))
    if name not in answer:
        raise HarnessError(
            f"the metric {settings.path!r} gives no {name!r} but {', '.join(sorted(answer))}",
            fix="name one of them as `field`",
        )
    return float(answer[name])


HUB = Score(
    name="hub",
    about="any metric of the Hugging Face hub on labels, larger is better; or a local script",
    source=SOURCE,
    settings=HubSettings,
    module=module,
    compute=compute,
    higher_is_better=True,
)
HUB_ERROR = Score(
    name="hub-error",
    about="as `hub`, for metrics where smaller is better",
    source=SOURCE,
    settings=HubSettings,
    module=module,
    compute=compute,
    higher_is_better=False,
)
