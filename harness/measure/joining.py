"""One reading of several: the parts that a metric's work was split into."""

from collections.abc import Sequence

from harness.api.errors import HarnessError
from harness.api.offers import Metric
from harness.api.readings import Access, Cost, Reading
from harness.api.settings import Json, Settings
from harness.measure.access import LEVELS
from harness.measure.soundness import check


def join(metric: Metric, settings: Settings, parts: Sequence[Reading]) -> Reading:
    """The whole of the parts' readings, in order; evaluates nothing.

    The protocol says of the whole what `read` says of each part; costs are added up.

    Raises:
        HarnessError: the metric is not split, or its function returned no sound reading.
    """
    if metric.parts is None:
        raise HarnessError(f"the metric {metric.name!r} has no parts")
    whole = metric.parts.join(settings, parts)
    if not isinstance(whole, Reading):  # a plugin's function may return anything
        raise HarnessError(
            f"joining parts of the metric {metric.name!r} gave {type(whole).__name__}, no Reading",
            fix="let its join() return a Reading",
        )
    check(metric.name, whole, None)
    return whole.model_copy(
        update={
            "protocol": {**whole.protocol, **_known([part.protocol for part in parts])},
            "cost": Cost(
                forward=sum(part.cost.forward for part in parts),
                backward=sum(part.cost.backward for part in parts),
                seconds=sum(part.cost.seconds for part in parts),
            ),
            "converged": whole.converged and all(part.converged for part in parts),
        }
    )


def _known(parts: Sequence[dict[str, Json]]) -> dict[str, Json]:
    """What the harness says of each part, of all of them."""
    by_split: dict[str, Json] = {}
    for part in parts:
        seen = part.get("access_by_split")
        for split, level in (seen if isinstance(seen, dict) else {}).items():
            by_split[split] = _more(by_split.get(split, "train"), level)
    access: Json = "train"
    for part in parts:
        access = _more(access, part.get("access", "train"))
    products = [part.get("hessian_products") for part in parts]
    known: dict[str, Json] = {
        "access": access,
        "access_by_split": by_split,
        "dtype": _each("dtype", parts),
        "device": _each("device", parts),
        "hessian_products": sum(number for number in products if isinstance(number, int)),
    }
    restored = [part["restored"] for part in parts if isinstance(part.get("restored"), list)]
    if restored:
        names = [str(name) for listed in restored if isinstance(listed, list) for name in listed]
        known["restored"] = [*dict.fromkeys(names)]
    return known


def _more(one: Json, other: Json) -> Json:
    levels: Sequence[Access | Json] = LEVELS
    return max(one, other, key=levels.index)


def _each(name: str, parts: Sequence[dict[str, Json]]) -> str:
    """What the parts say; several words where they ran differently."""
    return ", ".join(dict.fromkeys(str(part[name]) for part in parts if part.get(name)))
