"""Where the numbers come from: versions, machines, time, citations, licences."""

from collections.abc import Iterable

from harness.analyze.frames import records
from harness.analyze.results import Results
from harness.api.cells import EvaluateWork, MeasureWork, PartWork, Plan, TrainWork, Use
from harness.api.findings import MetricNote, Provenance
from harness.api.offers import Dataset, Metric
from harness.api.suites import Suite
from harness.plug.catalogue import Catalogue
from harness.plug.version import harness_version

ARXIV = "https://arxiv.org/abs/"


def provenance(results: Results, plan: Plan, suite: Suite, catalogue: Catalogue) -> Provenance:
    """Everything needed to judge or repeat the numbers."""
    done = results.cells[results.cells["state"].isin(("ok", "diverged"))]
    places = done[["processor", "device", "platform", "python"]].drop_duplicates()
    machines = {
        f"{row['processor'] or 'unknown processor'}, {row['device']}, {row['platform']}, "
        f"Python {row['python']}"
        for row in records(places)
    }
    uses = list(_uses(plan))
    offers = [catalogue.find(use.noun, use.name).offer for use in uses]
    cited = [offer.citation for offer in offers if isinstance(offer, Dataset)]
    cited += [offer.source for offer in offers]
    return Provenance(
        harness_version=harness_version(),
        suite_text=suite.text,
        plan_digest=plan.digest,
        plugins=dict(results.plugins),
        packages=dict(results.packages),
        machines=tuple(sorted(machines)),
        precisions=tuple(sorted({str(kind) for kind in done["precision"]})),
        wall_seconds=float(done["wall_seconds"].sum()),
        cells=len(done),
        citations=_once((*plan.sources, *cited)),
        licenses={
            offer.name: offer.license
            for offer in offers
            if isinstance(offer, Dataset) and offer.license
        },
    )


def _once(cited: Iterable[str]) -> tuple[str, ...]:
    """Every text once, and no bare link to a paper that another text names by its number.

    >>> _once(["Frankle et al. 2020, arXiv 1912.05671", "https://arxiv.org/abs/1912.05671"])
    ('Frankle et al. 2020, arXiv 1912.05671',)
    """
    texts = dict.fromkeys(text for text in cited if text)
    prose = " ".join(text for text in texts if not text.startswith(ARXIV))
    return tuple(
        text
        for text in texts
        if not text.startswith(ARXIV) or text.removeprefix(ARXIV) not in prose
    )


def metric_notes(results: Results, plan: Plan, catalogue: Catalogue) -> tuple[MetricNote, ...]:
    """One note per metric of the plan, in its order."""
    uses = {
        c.work.metric.label: c.work.metric for c in plan.cells if isinstance(c.work, MeasureWork)
    }
    costs = results.readings.drop_duplicates("key").groupby("metric")["seconds"].sum()
    notes = []
    for label, use in uses.items():
        offer = catalogue.find(use.noun, use.name).offer
        notes.append(
            MetricNote(
                metric=label,
                about=offer.about,
                formula=offer.formula if isinstance(offer, Metric) else "",
                source=offer.source,
                protocol=dict(results.protocols.get(label, {})),
                seconds=float(costs.get(label, 0.0)),
            )
        )
    return tuple(notes)


def _uses(plan: Plan) -> Iterable[Use]:
    """Every offer that the plan uses, once, in the order of the data flow."""
    found: dict[tuple[str, str], Use] = {}
    for cell in plan.cells:
        work = cell.work
        match work:
            case TrainWork():
                uses = (work.train.dataset, *work.train.by, *work.augment, work.model, work.method)
            case EvaluateWork():
                uses = (work.split.dataset, *work.split.by, *work.scores)
            case MeasureWork() | PartWork():
                uses = (work.metric,)
        for use in uses:
            found.setdefault((use.noun, use.name), use)
    return found.values()
