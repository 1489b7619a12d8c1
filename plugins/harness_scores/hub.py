"""Any metric of the Hugging Face hub by name, or a local metric script."""

from __future__ import annotations

import functools
import uuid
from typing import TYPE_CHECKING, Any

from harness.api.errors import HarnessError
from harness.api.offers import Score
from harness.api.settings import Json, PathOrName, Settings, setting
from harness_scores.scripts import digest_of, script_of

if TYPE_CHECKING:
    from harness_scores.arrays import Array

SOURCE = "https://huggingface.co/docs/evaluate"


class HubSettings(Settings):
    """Which module, and which number of its answer."""

    path: PathOrName = setting(
        ...,
        "name on the hub (`f1`, `user/metric`), or a script or its folder (`./name`)",
        identity=False,
    )
    config: str | None = setting(None, "the module's configuration, for example a GLUE task")
    revision: str | None = setting(
        None, "branch, tag or commit on the hub; by default the main branch", identity=False
    )
    field: str = setting("", "which entry of the answer; empty: the module's name, or the only one")
    kwargs: dict[str, Json] = setting({}, "handed to `compute`, for example `{average: macro}`")


def module(settings: HubSettings) -> Any:  # evaluate carries no types
    """The loaded module; its script runs as code of this process, like any plugin."""
    script = script_of(settings.path, settings.revision)
    return _loaded(str(script.resolve()), settings.path, settings.config, digest_of(script))


@functools.lru_cache(maxsize=32)  # loading a script takes longer than most scores
def _loaded(script: str, path: str, config: str | None, _digest: str) -> Any:
    import evaluate

    try:
        return evaluate.load(
            script,
            config_name=config,
            experiment_id=uuid.uuid4().hex,  # two processes never share a cache file
            keep_in_memory=True,
        )
    except ImportError as error:
        raise HarnessError(f"the metric {path!r} needs a package: {error}") from error
    except (FileNotFoundError, ConnectionError) as error:
        raise HarnessError(
            f"the metric {path!r} needs files that cannot be had: {error}",
            where=script,
            fix="fetch them where there is a network",
        ) from error


def fingerprint(settings: HubSettings) -> str:
    """The hash of the script, wherever it lies: what was scored by another is scored again."""
    script = script_of(settings.path, settings.revision)
    return f"{script.stem}:{digest_of(script)}"


def compute(
    settings: HubSettings, predictions: Array, references: Array, _groups: Array | None = None
) -> float:
    """The named entry of the module's answer on predicted and true labels."""
    answer = module(settings).compute(
        predictions=predictions, references=references, **settings.kwargs
    )
    name = settings.field or script_of(settings.path, settings.revision).stem
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
    fingerprint=fingerprint,
    higher_is_better=True,
)
HUB_ERROR = Score(
    name="hub-error",
    about="as `hub`, for metrics where smaller is better",
    source=SOURCE,
    settings=HubSettings,
    module=module,
    compute=compute,
    fingerprint=fingerprint,
    higher_is_better=False,
)
