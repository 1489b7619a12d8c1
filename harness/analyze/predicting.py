"""Which quantities predict a score beyond what is known already: for suites and for any table."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.api.numbers import count
from harness.api.predictors import LadderStep, PredictorTest
from harness.statistics.association import association
from harness.statistics.gains import (
    SPARE,
    directions,
    drawn_groups,
    drawn_interval,
    gain_draws,
    gains,
    r2_draws,
    spared,
)
from harness.statistics.incremental import out_of_fold
from harness.statistics.layout import Layout, Repeated
from harness.statistics.partial import fewest_runs, partial_tests
from harness.statistics.permutation import Test, permutation_tests

Array = NDArray[np.float64]

FEWEST = 4
"""Runs below which no predictor is tested."""
NO_INTERVAL = "seeds drawn anew leave too few runs for an interval of out-of-fold R²"


@dataclass(frozen=True)
class Question:
    """One target over runs, what may predict it, and what is known already.

    `predictors` and the features of each of the `steps` (in order: each includes what stands
    before it) map names to values [runs]. `uses_ood` names the predictors that looked at OOD data.
    """

    target: str
    y: Array
    predictors: Mapping[str, Array]
    steps: Mapping[str, Mapping[str, Array]]
    layout: Layout | Repeated
    uses_ood: frozenset[str] = frozenset()

    @property
    def groups(self) -> Sequence[Hashable]:
        """What is left out together when R^2 is taken out of fold."""
        return self.layout.cluster

    def known(self) -> dict[str, Array]:
        """The features of all steps."""
        return {name: x for step in self.steps.values() for name, x in step.items()}


def predictor_tests(
    question: Question,
    generator: np.random.Generator,
    *,
    permutations: int = 9_999,
    replicates: int = 200,
) -> tuple[PredictorTest, ...]:
    """One test per predictor, in their order.

    Predictors that looked at OOD data are a family of their own: they neither cost nor gain the
    others anything. A predictor with a value that is not finite is told of and not tested.
    """
    found: dict[str, PredictorTest] = {}
    for ood in (False, True):
        names = [name for name in question.predictors if (name in question.uses_ood) == ood]
        for test in _family(question, names, generator, permutations, replicates):
            found[test.predictor] = test.model_copy(update={"uses_ood": ood})
    return tuple(found[name] for name in question.predictors)


def ladder(
    question: Question, generator: np.random.Generator, *, replicates: int = 200
) -> tuple[LadderStep, ...]:
    """Out-of-fold R^2 of nothing, then of each step with all before it.

    Intervals draw the same seeds anew for all steps.
    """
    clusters = len(set(question.groups))
    drawn = drawn_groups(clusters, replicates, generator) if clusters > 2 else None
    features: dict[str, Array] = {}
    steps = []
    for name, more in {"nothing": {}, **question.steps}.items():
        features |= more
        note = _no_step(question, features)
        r2, ends = None, {}
        if not note:
            given = (_stack(features, question.y.size), question.y, question.groups)
            score = out_of_fold(*given)
            r2 = score if np.isfinite(score) else None
            note = "" if r2 is not None else "all runs score the same"
            if features and r2 is not None and drawn is not None:
                enough = spared(directions(given[0]), question.groups, drawn)
                around = drawn_interval(r2_draws(*given, drawn), enough)
                note = NO_INTERVAL if around is None else ""
                ends = {} if around is None else {"r2_low": around.low, "r2_high": around.high}
        steps.append(
            LadderStep(
                target=question.target,
                step=name,
                features=tuple(features),
                r2=r2,
                runs=question.y.size,
                clusters=clusters,
                note=note,
                **ends,
            )
        )
    return tuple(steps)


def _no_step(question: Question, features: Mapping[str, Array]) -> str:
    """Why a step of the ladder has no R^2, or nothing."""
    bad = [f for f, x in features.items() if not np.isfinite(x).all()]
    clusters = len(set(question.groups))
    if bad:
        return f"not every run has a value of {', '.join(bad)}"
    if clusters < 3:
        return f"{clusters} seeds: one is left out, and two are needed to fit"
    number = directions(_stack(features, question.y.size)) if features else 0
    left = _left(question)
    if features and left < number + SPARE:
        known = count(number, "known quantity", "known quantities")
        return f"{count(left, 'run')} beside those left out are too few to fit {known}"
    return ""


def _left(question: Question) -> int:
    """How many runs are left beside the largest group."""
    groups = list(question.groups)
    return len(groups) - max(map(groups.count, groups), default=0)


def _family(
    question: Question,
    names: Sequence[str],
    generator: np.random.Generator,
    permutations: int,
    replicates: int,
) -> list[PredictorTest]:
    usable = [name for name in names if not _why_not(question, name)]
    plain: dict[str, Test] = {}
    partial: dict[str, Test] = {}
    known = {
        name: x for name, x in question.known().items() if np.isfinite(x).all() and np.ptp(x) > 0
    }
    controls = _stack(known, question.y.size)
    if usable:
        xs = np.stack([question.predictors[name] for name in usable])
        layout, y = question.layout, question.y
        tests = permutation_tests(xs, y, layout, generator, permutations=permutations)
        plain = dict(zip(usable, tests, strict=True))
        if known and layout.runs >= fewest_runs(len(known), layout):
            tests = partial_tests(xs, y, controls, layout, generator, permutations=permutations)
            partial = dict(zip(usable, tests, strict=True))
    added, why = _gained(question, usable, controls, generator, replicates)
    told = []
    for name in names:
        test = _told(question, name, len(usable), plain, partial, tuple(known))
        told.append(test.model_copy(update={**added.get(name, {}), "note": test.note or why}))
    return told


def _told(
    question: Question,
    name: str,
    tried: int,
    plain: Mapping[str, Test],
    partial: Mapping[str, Test],
    controls: tuple[str, ...],
) -> PredictorTest:
    test, given = plain.get(name), partial.get(name)
    x = question.predictors[name]
    return PredictorTest(
        target=question.target,
        predictor=name,
        runs=question.y.size,
        clusters=len(set(question.groups)),
        tried=tried,
        tau=_number(test.coefficient if test else None),
        spearman=_number(association("spearman", x, question.y) if test else None),
        p=_number(test.p if test else None),
        p_family=_number(test.p_family if test else None),
        p_screen=_number(test.p_screen if test else None),
        controls=controls,
        partial=_number(given.coefficient if given else None),
        partial_p=_number(given.p if given else None),
        partial_p_family=_number(given.p_family if given else None),
        partial_p_screen=_number(given.p_screen if given else None),
        note=_why_not(question, name) or _untested(question, given, controls),
    )


def _untested(question: Question, given: Test | None, controls: Sequence[str]) -> str:
    """Why nothing is said of what a predictor adds to what is known, or nothing."""
    if not controls:
        return ""
    if given is None:
        number = count(len(controls), "known quantity", "known quantities")
        return f"{question.y.size} runs are too few to test what it adds to {number}"
    known = np.isfinite(given.coefficient)
    return "" if known else "the same as what is known: it has nothing to add"


def _why_not(question: Question, name: str) -> str:
    """Why a predictor is not tested, or nothing."""
    x, runs = question.predictors[name], question.y.size
    if runs < FEWEST:
        return f"{runs} runs are too few to test anything"
    missing = int((~np.isfinite(x)).sum())
    if missing:
        return f"{missing} of {runs} runs have no finite value"
    if np.ptp(x) == 0:
        return "the same for all runs"
    return ""


def _gained(
    question: Question,
    names: Sequence[str],
    controls: Array,
    generator: np.random.Generator,
    replicates: int,
) -> tuple[dict[str, dict[str, float]], str]:
    """Gains by predictor, with intervals over the same drawn seeds for all; why there are none."""
    if not names:
        return {}, ""
    clusters, left, number = len(set(question.groups)), _left(question), directions(controls)
    if clusters < 3:
        return {}, f"{clusters} seeds are too few to predict any from the others"
    if left < number + 1 + SPARE:
        known = count(number, "known quantity", "known quantities")
        beside = f"{count(left, 'run')} beside those left out"
        return {}, f"{beside} are too few to fit it and {known}"
    xs = np.stack([question.predictors[name] for name in names])
    given = (controls, xs, question.y, question.groups)
    values = gains(*given)
    if not np.isfinite(values).all():
        return {}, ""
    drawn = drawn_groups(clusters, replicates, generator)
    enough = spared(number + 1, question.groups, drawn)
    found, note = {}, ""
    for name, value, draws in zip(names, values, gain_draws(*given, drawn).T, strict=True):
        around = drawn_interval(draws, enough)
        found[name] = {"gain": float(value)}
        if around is None:
            note = NO_INTERVAL
        else:
            found[name] |= {"gain_low": around.low, "gain_high": around.high}
    return found, note


def _stack(features: Mapping[str, Array], runs: int) -> Array:
    return np.stack(list(features.values())) if features else np.empty((0, runs))


def _number(value: float | None) -> float | None:
    return None if value is None or not np.isfinite(value) else float(value)
