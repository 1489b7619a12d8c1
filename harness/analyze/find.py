"""What the statistics make of the results: `find`."""

from datetime import UTC, datetime

from harness.analyze import answers, overview
from harness.analyze.cautions import warnings_of
from harness.analyze.contest import better, contest, with_intervals
from harness.analyze.headline import headline
from harness.analyze.landscape import (
    clusters_of,
    pair_summaries,
    point_summaries,
    reading_values,
)
from harness.analyze.learning import learning_curves
from harness.analyze.lines import mean_curves
from harness.analyze.predictor_answers import beyond
from harness.analyze.provenance import metric_notes, provenance
from harness.analyze.ranking import ranking
from harness.analyze.results import Results
from harness.analyze.shares import variance_shares
from harness.analyze.spread import ScoreNature, run_scores, spreads
from harness.analyze.standing import standings
from harness.analyze.testing import Separator
from harness.api.cells import MeasureWork, Plan, TrainWork
from harness.api.findings import Answer, Findings, ProcedureNote
from harness.api.offers import Metric
from harness.api.suites import Suite
from harness.plug.catalogue import Catalogue


def find(results: Results, plan: Plan, suite: Suite, catalogue: Catalogue) -> Findings:
    """Spreads, variance shares, summaries of metrics, and the answers in words."""
    natures = natures_of(suite, catalogue)
    notes = procedure_notes(plan, results)
    plain = spreads(results.scores, natures)
    held = contest(results, plan, suite, catalogue, plain)
    found = with_intervals(plain, held.found)
    testing = Separator(catalogue, suite.scores, results.files)
    shares = variance_shares(results.scores, found, suite.seeds.design, testing.apart)
    finished = results.readings[results.readings["state"] == "ok"]
    readings = finished[~finished["detail"]]
    pairs = pair_summaries(readings, results.cells)
    primary = plan.primary
    ranked = ranking(results, plan, suite.seeds.design, natures, _metrics(plan, catalogue))
    many = len(notes) > overview.MANY
    compared = better(held, notes, found, primary)
    told: tuple[Answer, ...] = (
        (
            *overview.quality(found, primary),
            *compared,
            *overview.seed_shares(shares, primary),
            *overview.connections(pairs, primary),
        )
        if many
        else (
            *answers.quality(notes, found, shares, primary),
            *compared,
            *answers.seed_shares(notes, shares, primary),
            *(
                overview.connections(pairs, primary)
                if overview.crowded(notes, pairs)
                else answers.connections(notes, pairs, primary)
            ),
        )
    )
    return Findings(
        suite=plan.suite_id,
        version=plan.version,
        title=plan.title,
        smoke=plan.smoke,
        made=datetime.now(UTC),
        primary_score=primary.score,
        primary_id=primary.id,
        primary_ood=primary.ood,
        headline=headline(notes, found, shares, primary, held.found),
        answers=(*told, *beyond(ranked, primary)),
        warnings=warnings_of(results, plan, found),
        runs=run_scores(results.scores),
        spreads=found,
        variance=shares,
        pairs=pairs,
        points=point_summaries(readings, results.cells),
        problems=results.problems,
        provenance=provenance(results, plan, suite, catalogue),
        procedures=notes,
        readings=reading_values(readings),
        curves=mean_curves(results.curves),
        metrics=metric_notes(results, plan, catalogue),
        pictures=results.pictures,
        clusters=clusters_of(finished),
        predictors=ranked.predictors,
        ladder=ranked.ladder,
        mantel=ranked.mantel,
        lines=ranked.lines,
        learning=learning_curves(results.losses),
        comparison=held.found if len(notes) > 1 else None,
        standings=standings(results, plan, suite.seeds.design, natures[primary.score]),
    )


def _metrics(plan: Plan, catalogue: Catalogue) -> dict[str, Metric]:
    """The offers behind the metrics of the plan, by label."""
    offers = {
        cell.work.metric.label: catalogue.find("metric", cell.work.metric.name).offer
        for cell in plan.cells
        if isinstance(cell.work, MeasureWork)
    }
    return {label: offer for label, offer in offers.items() if isinstance(offer, Metric)}


def natures_of(suite: Suite, catalogue: Catalogue) -> dict[str, ScoreNature]:
    """What has to be known of the suite's scores, by label."""
    return {
        use.label: ScoreNature(offer.higher_is_better, offer.proportion)
        for use in suite.scores
        for offer in (catalogue.find("score", use.name).offer,)
    }


def procedure_notes(plan: Plan, results: Results) -> tuple[ProcedureNote, ...]:
    """What each procedure's label stands for, in the order of the plan."""
    kinds = {
        cell.procedure: cell.work.init
        for cell in plan.cells
        if isinstance(cell.work, TrainWork) and cell.procedure
    }
    runs = results.runs[results.runs["stage"] != "pretrain"]
    planned = runs.groupby("procedure").size()
    return tuple(
        ProcedureNote(
            label=procedure.label,
            model=procedure.model.label,
            init=procedure.init,
            method=procedure.method.label,
            planned=int(planned.get(procedure.label, 0)),
            pretrain_seed_word="initial-weight seeds"
            if kinds.get(procedure.label) == "random"
            else "pretraining seeds",
        )
        for procedure in plan.procedures
    )
