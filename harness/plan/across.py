"""Metrics across procedures: runs that differ in one setting of the method, and in nothing else."""

import re
from collections.abc import Iterator, Mapping, Sequence

from harness.api.cells import Cell, MeasureWork, Procedure, Seeds
from harness.api.errors import HarnessError
from harness.api.offers import Metric
from harness.api.suites import MetricUse, Suite
from harness.plan.children import visible
from harness.plan.identity import canonical
from harness.plan.mold import Terms
from harness.plan.pairs import run_order
from harness.plan.parts import Whole, parts_of
from harness.plug import Catalogue, offer_from

Trained = Sequence[tuple[Procedure, Sequence[Cell]]]
Swept = list[tuple[float, Procedure, Mapping[Seeds, Cell]]]  # by value, in rising order


def across_cells(
    suite: Suite, trained: Trained, terms: Terms, catalogue: Catalogue
) -> Iterator[Cell]:
    """One cell per metric, family of procedures and seeds; a family has at least two values.

    The label in place of a procedure's names the setting that differs: "random · full[lr=*]".

    Raises:
        HarnessError: no procedures differ in the setting alone, or its values are no numbers.
    """
    for metric in suite.metrics:
        offer: Metric = offer_from(metric.use, catalogue)[0]
        if not offer.across:
            continue
        families = list(_families(trained, offer.across, catalogue))
        if not families and not suite.smoke:  # a trial may have cut the sweep
            raise HarnessError(
                f"the metric {metric.use.label!r} compares runs that differ in the method's "
                f"{offer.across} alone, and the suite has no such procedures",
                where=f"suite {suite.id}",
                fix=f"sweep it, as `methods: [{{full: {{{offer.across}: {{sweep: [...]}}}}}}]`",
            )
        for family in families:
            yield from _cells(suite, metric, family, terms, catalogue)


def _families(trained: Trained, setting: str, catalogue: Catalogue) -> Iterator[Swept]:
    """Procedures that agree in all but the setting, by its value."""
    found: dict[str, Swept] = {}
    for procedure, runs in trained:
        method = procedure.method
        settings = offer_from(method, catalogue)[1]
        if setting not in type(settings).model_fields:
            continue
        value = getattr(settings, setting)
        if not isinstance(value, int | float):
            raise HarnessError(
                f"the {setting} of the method {method.label!r} is {value!r}, which is no number"
            )
        rest = {name: entry for name, entry in method.settings.items() if name != setting}
        model = procedure.model
        key = canonical([model.label, procedure.init, method.name, method.digest, rest])
        by_seeds = {run.seeds[0]: run for run in runs}
        found.setdefault(key, []).append((float(value), procedure, by_seeds))
    for family in found.values():
        if len(family) > 1:
            yield sorted(family, key=lambda member: member[0])


def _cells(
    suite: Suite, metric: MetricUse, family: Swept, terms: Terms, catalogue: Catalogue
) -> Iterator[Cell]:
    offer: Metric = offer_from(metric.use, catalogue)[0]
    work = MeasureWork(
        metric=metric.use,
        of=metric.of,
        model=family[0][1].model,
        train=suite.data.train,
        splits=visible(suite, metric, offer.access),
        varied=tuple(value for value, _, _ in family),
        parts=parts_of(metric.use, catalogue),
    )
    label = family_label([procedure for _, procedure, _ in family], offer.across)
    whole = Whole.of(label, work, terms)
    for seeds in sorted(family[0][2], key=run_order):  # the same in every procedure of a suite
        runs = tuple(by_seeds[seeds].key for _, _, by_seeds in family)
        yield from whole.cells((seeds,) * len(runs), runs)


def family_label(procedures: Sequence[Procedure], setting: str) -> str:
    """What procedures that differ in one setting of the method are called together.

    Labels that a sweep made have its value replaced by a star; others are listed.

    >>> from harness.api.cells import Use
    >>> def procedure(label):
    ...     use = Use("method", "full", label, {}, "")
    ...     return Procedure(f"random · {label}", use, "random", use)
    >>> family_label([procedure("full[lr=0.1]"), procedure("full[lr=1]")], "lr")
    'random · full[lr=*]'
    >>> family_label([procedure("slow"), procedure("fast")], "lr")
    'random · full[lr=*: slow, fast]'
    """
    labels = [procedure.method.label for procedure in procedures]
    value = re.compile(rf"(?<=[\[ ]){re.escape(setting)}=[^,\]]*")
    starred = {value.sub(f"{setting}=*", label) for label in labels}
    method = f"{procedures[0].method.name}[{setting}=*: {', '.join(labels)}]"
    if len(starred) == 1 and starred != set(labels):
        (method,) = starred
    return procedures[0].label.removesuffix(labels[0]) + method
