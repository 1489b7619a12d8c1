"""Suites or stores side by side: one report of what they share, and of what may be compared."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

from harness.analyze import answers, overview
from harness.analyze.cautions import warnings_of
from harness.analyze.comparable import NotComparable, choose_runs, refuse_others
from harness.analyze.comparison_design import Asked
from harness.analyze.contenders import Contender, gather
from harness.analyze.contest import weighed, with_intervals
from harness.analyze.find import natures_of, procedure_notes
from harness.analyze.joint_provenance import joint_provenance
from harness.analyze.load import load_results
from harness.analyze.provenance import provenance
from harness.analyze.results import Results
from harness.analyze.shares import variance_shares
from harness.analyze.spread import run_scores, spreads
from harness.analyze.testing import Separator
from harness.api.cells import Primary
from harness.api.comparisons import Comparison
from harness.api.errors import HarnessError
from harness.api.findings import (
    Answer,
    Findings,
    Problem,
    ProcedureNote,
    Provenance,
    RunScore,
    Spread,
)
from harness.api.numbers import words
from harness.api.sources import Refusal, Source
from harness.api.variance import VarianceShare
from harness.store.store import Store

T = TypeVar("T", RunScore, Spread, VarianceShare, Problem)


@dataclass(frozen=True)
class Side:
    """The contenders of one suite in one store."""

    label: str
    contenders: tuple[Contender, ...]

    @property
    def first(self) -> Contender:
        """Any of them: suite, plan, catalogue and store are the same for all."""
        return self.contenders[0]


@dataclass(frozen=True)
class _Found:
    """What the results of one side say, under the labels of its contenders."""

    source: Source
    notes: tuple[ProcedureNote, ...]
    runs: tuple[RunScore, ...]
    spreads: tuple[Spread, ...]
    shares: tuple[VarianceShare, ...]
    problems: tuple[Problem, ...]
    warnings: tuple[str, ...]
    provenance: Provenance


def side_by_side(contenders: Sequence[Contender], asked: Asked) -> Findings:
    """Spreads, shares and runs of every side on the splits that all have, and the comparison.

    A side that may not be compared with the first one is shown all the same, and `refusals` say
    why. Metrics stay in the reports of their own suites.

    Raises:
        HarnessError: there is one side only, they share no split, or a store holds nothing of one.
    """
    sides = _sides(contenders)
    if len(sides) < 2:
        raise HarnessError("there is one suite only", fix="name another suite, or another store")
    primary, splits = _shared(sides)
    found = [_find(side, splits) for side in sides]
    comparison, refusals = _compare(sides, primary, asked)
    plain = tuple(each for one in found for each in one.spreads)
    told = with_intervals(plain, comparison)
    shares = tuple(each for one in found for each in one.shares)
    notes = tuple(each for one in found for each in one.notes)
    names = [one.source.label for one in found]
    return Findings(
        suite=" and ".join(dict.fromkeys(one.source.suite for one in found)),
        version=" and ".join(dict.fromkeys(one.source.version for one in found)),
        title=f"{words(names)}, side by side",
        smoke=any(one.source.smoke for one in found),
        made=datetime.now(UTC),
        primary_score=primary.score,
        primary_id=primary.id,
        primary_ood=primary.ood,
        answers=(
            *_quality(notes, told, shares, primary),
            *_better(comparison, refusals, names[0]),
        ),
        warnings=tuple(f"{one.source.label}: {text}" for one in found for text in one.warnings),
        runs=tuple(each for one in found for each in one.runs),
        spreads=told,
        variance=shares,
        pairs=(),
        points=(),
        problems=tuple(each for one in found for each in one.problems),
        provenance=joint_provenance([(one.source.label, one.provenance) for one in found]),
        procedures=notes,
        comparison=comparison,
        sources=tuple(one.source for one in found),
        refusals=refusals,
    )


def _sides(contenders: Sequence[Contender]) -> list[Side]:
    """Contenders by suite and store; what differs between these is a side's label."""
    groups: dict[tuple[str, str, str], list[Contender]] = {}
    for each in contenders:
        place = (each.plan.suite_id, each.plan.version, str(each.store.root))
        groups.setdefault(place, []).append(each)
    suites = {suite for suite, _, _ in groups}
    versions = {(suite, version) for suite, version, _ in groups}
    stores = {store for _, _, store in groups}
    sides = []
    for (suite, version, store), group in groups.items():
        label = suite if len(versions) == len(suites) else f"{suite} {version}"
        if len(stores) > 1:
            label = f"{label} ({store})" if len(suites) > 1 else store
        sides.append(Side(label, tuple(group)))
    return sides


def _shared(sides: Sequence[Side]) -> tuple[Primary, tuple[str, ...]]:
    """The primary score and splits of the first side, as far as all sides have the splits."""
    first = sides[0].first.plan
    others = [{split.name for split in side.first.plan.splits} for side in sides[1:]]
    splits = [split for split in first.splits if all(split.name in names for names in others)]
    if not splits:
        has = "; ".join(
            f"{side.label} has {words([split.name for split in side.first.plan.splits])}"
            for side in sides
        )
        raise HarnessError(f"no split is in all of them: {has}", fix="report each by itself")
    names = tuple(split.name for split in splits)
    in_domain = [split.name for split in splits if split.kind == "id"]
    known = first.primary.id in names or not in_domain
    ood = tuple(name for name in first.primary.ood if name in names)
    primary = Primary(first.primary.score, first.primary.id if known else in_domain[0], ood)
    return primary, names


def _find(side: Side, splits: Sequence[str]) -> _Found:
    contender = side.first
    plan, suite, catalogue = contender.plan, contender.suite, contender.catalogue
    assert isinstance(contender.store, Store)  # operands make no others
    results = load_results(plan, contender.store)
    if results.cells["state"].eq("missing").all():
        raise HarnessError(
            f"the store {contender.store.root} holds nothing of {plan.suite_id} {plan.version}",
            fix="run it first: seedscape run SUITE",
        )
    labels = {each.procedure: each.label for each in side.contenders}
    ours = results.scores["procedure"].isin(labels) & results.scores["split"].isin(splits)
    scores = results.scores[ours]
    found = spreads(scores, natures_of(suite, catalogue))
    testing = Separator(catalogue, suite.scores, results.files)
    shares = variance_shares(scores, found, suite.seeds.design, testing.apart)
    notes = [n for n in procedure_notes(plan, results) if n.label in labels]
    return _Found(
        source=_source(side, results),
        notes=tuple(n.model_copy(update={"label": labels[n.label]}) for n in notes),
        runs=_relabelled(run_scores(scores), labels.get),
        spreads=_relabelled(found, labels.get),
        shares=_relabelled(shares, labels.get),
        problems=_relabelled(
            [p for p in results.problems if p.procedure in labels or not p.procedure], labels.get
        ),
        warnings=warnings_of(results, plan, found),
        provenance=provenance(results, plan, suite, catalogue),
    )


def _source(side: Side, results: Results) -> Source:
    plan = side.first.plan
    return Source(
        label=side.label,
        suite=plan.suite_id,
        version=plan.version,
        title=plan.title,
        store=str(side.first.store.root),
        plan_digest=plan.digest,
        smoke=plan.smoke,
        procedures=tuple(each.label for each in side.contenders),
        planned=len(results.cells),
        done=int(results.cells["state"].isin(("ok", "diverged")).sum()),
    )


def _relabelled(records: Sequence[T], label: Callable[[str], str | None]) -> tuple[T, ...]:
    return tuple(
        each.model_copy(update={"procedure": label(each.procedure) or each.procedure})
        for each in records
    )


def _compare(
    sides: Sequence[Side], primary: Primary, asked: Asked
) -> tuple[Comparison | None, tuple[Refusal, ...]]:
    """All that may be compared with the first side, at once; the others are refused."""
    splits = (primary.id, *primary.ood)
    taken, refusals = list(sides[0].contenders), []
    for side in sides[1:]:
        ours = []
        for each in side.contenders:
            twin = next((one for one in taken if _runs(one) == _runs(each)), None)
            if twin is None:
                ours.append(each)
            else:
                same = f"it has the same runs as {twin.label}"
                refusals.append(Refusal(source=each.label, reasons=(same,)))
        if not ours:
            continue
        try:
            _check([*taken, *ours], splits, primary.score, common=asked.common_seeds)
        except HarnessError as error:
            refusals.append(_refusal(side, error))
        else:
            taken += ours
    if len(taken) == len(sides[0].contenders):
        return None, tuple(refusals)
    tests = len(taken) <= overview.MANY
    how = Asked(**{**vars(asked), "score": primary.score, "splits": splits, "tests": tests})
    try:
        return weighed(taken, how), tuple(refusals)
    except HarnessError as error:  # such as designs that cannot be drawn together
        left = [side for side in sides[1:] if any(each in taken for each in side.contenders)]
        return None, (*refusals, *(_refusal(side, error) for side in left))


def _refusal(side: Side, error: HarnessError) -> Refusal:
    reasons = error.reasons if isinstance(error, NotComparable) else (error.message,)
    return Refusal(source=side.label, reasons=reasons, fix=error.fix or "")


def _runs(contender: Contender) -> tuple[str, ...]:
    """What a contender is made of: equal for two names of the same stored runs."""
    root = str(contender.store.root.absolute())
    return (root, *(run.key for run in contender.runs()))


def _check(
    contenders: Sequence[Contender], splits: Sequence[str], score: str, *, common: bool
) -> None:
    """Raise what a comparison of them would raise, before anything is drawn."""
    refuse_others(contenders, splits, score)
    choose_runs([gather(each, splits, score) for each in contenders], common=common)


def _quality(
    notes: Sequence[ProcedureNote],
    found: Sequence[Spread],
    shares: Sequence[VarianceShare],
    primary: Primary,
) -> tuple[Answer, ...]:
    if len(notes) > overview.MANY:
        return (*overview.quality(found, primary), *overview.seed_shares(shares, primary))
    quality = answers.quality(notes, found, shares, primary)
    return (*quality, *answers.seed_shares(notes, shares, primary))


def _better(
    comparison: Comparison | None, refusals: Sequence[Refusal], first: str
) -> tuple[Answer, ...]:
    told = []
    if comparison is not None:
        text = " ".join(split.text for split in comparison.splits[: answers.SHOWN + 1])
        told.append(Answer(question="Which procedure is better?", text=text))
    for each in refusals:
        mend = f" To mend it: {each.fix}." if each.fix else ""
        text = f"{each.source} is not compared with {first}: {'; '.join(each.reasons)}.{mend}"
        told.append(Answer(question=f"May {each.source} be compared with {first}?", text=text))
    return tuple(told)
