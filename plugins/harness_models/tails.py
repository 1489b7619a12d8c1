"""What stands between a body that is read off at its last token and the logits.

Classifiers of transformers look for that token by the configuration's padding token, which may be
another one than batches are filled with, or one that a text ends in. Here the mask tells.
"""

from __future__ import annotations

from typing import Any

from harness.api.errors import HarnessError

_NAMED = {"ctrl": ("classifier",), "modernbert-decoder": ("head", "drop", "classifier")}
"""By transformers' `model_type`, where the tail is not called `score`."""

_BY_THE_MASK = {"cohere_compass_text"}
"""Those whose own classifier goes by the mask."""

_MIXES_PADDING = {"convbert", "fnet", "nystromformer", "yoso"}
"""Those that mix all places of a row in transformers, whatever the mask says."""


def tail_of(net: Any) -> tuple[str, ...]:
    """Names of the parts of a classifier that follow the last token, in order.

    None where it reads a text in another way, as encoders do.

    Raises:
        HarnessError: what it reads depends on what a text is padded with.
    """
    from torch import nn

    kind = net.config.model_type
    if kind in _MIXES_PADDING:
        raise _depends(kind)
    if kind in _BY_THE_MASK:
        return ()
    if isinstance(getattr(net, "score", None), nn.Linear):
        return ("score",)
    summary = getattr(net, "sequence_summary", None)
    if summary is not None and summary.summary_type != "first":
        if kind == "xlnet" and summary.summary_type in ("last", "cls_index"):
            return ("sequence_summary", "logits_proj")
        raise _depends(kind)
    if hasattr(net, "score"):
        raise _depends(kind)
    return _NAMED.get(kind, ())


def _depends(kind: str) -> HarnessError:
    return HarnessError(
        f"the classifier of {kind!r} reads what a text is padded with: its numbers would depend on "
        "what stands beside the text in a batch",
        fix="choose another model",
    )
