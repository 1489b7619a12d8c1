"""The third question in words: does anything predict OOD scores beyond the in-domain score?"""

from collections.abc import Iterator, Sequence

from harness.analyze.ranking import Ranking
from harness.api.cells import Primary
from harness.api.findings import Answer
from harness.api.numbers import count, figures, fixed
from harness.api.predictors import LadderStep, PairTest, PredictorTest

SHOWN = 3
LEVEL = 0.05


def beyond(found: Ranking, primary: Primary) -> Iterator[Answer]:
    """One answer per primary OOD split, where any fair predictor was tested."""
    for target in primary.ood[:SHOWN]:
        tests = [t for t in found.predictors if t.target == target and not t.baseline]
        if not tests:
            continue
        names = list(dict.fromkeys(test.procedure for test in tests))
        steps = [step for step in found.ladder if step.target == target]
        told = [
            _whose(
                name,
                [test for test in tests if test.procedure == name],
                [step for step in steps if step.procedure == name],
                len(names),
            )
            for name in names
        ]
        pairs = [test for test in found.mantel if test.target == target]
        yield Answer(
            question=f"Does anything predict {target} beyond the in-domain score?",
            text=" ".join([*told, *_pairs(pairs)]),
            warnings=_warnings(tests),
        )


def best(tests: Sequence[PredictorTest]) -> PredictorTest | None:
    """The fair predictor that stands out most: by the partial association, else by tau.

    The size of the coefficient decides between those of the same p.
    """
    fair = [t for t in tests if t.p_family is not None and not (t.uses_ood or t.baseline)]
    if not fair:
        return None
    return min(fair, key=lambda test: test.rank)


def beats_chance(test: PredictorTest) -> bool:
    """Whether the predictor stands out from as many predictors as were tried."""
    return test.verdict <= LEVEL


def _whose(
    name: str, tests: Sequence[PredictorTest], steps: Sequence[LadderStep], several: int
) -> str:
    who = f"{name} alone: " if name else "All procedures, each within itself: "
    who = who if several > 1 else ""
    first = best(tests)
    seeds = count(tests[0].clusters, tests[0].unit)
    if first is None:
        nothing = "nothing" if who else "Nothing"
        return f"{who}{nothing} could be tested ({_why(tests)})."
    p = figures(first.verdict, 2)
    if name and several > 1:
        yes = _yes(first).capitalize()
        return f"{who}{yes} (best of {first.tried}: {first.predictor}, p {p})."
    tried = count(first.tried, "quantity", "quantities")
    sentence = f"{who}{_yes(first)}, with {seeds}. Of {tried} tried {_standing(first, steps)}"
    if first.gain is not None:
        sentence += f"; it adds {fixed(first.gain, 2)}{_around(first)} to out-of-fold R²"
    if first.note and (first.partial is None or first.gain_low is None):
        sentence += f"; {first.note}"
    left = tests[0].planned - tests[0].runs
    out = f", {left} of {tests[0].planned} left out" if left > 0 else ""
    sentence = sentence[:1].upper() + sentence[1:]
    return f"{sentence} ({count(tests[0].runs, 'run')}{out})."


def _standing(test: PredictorTest, steps: Sequence[LadderStep]) -> str:
    """The best of all, by the test that it was picked by; the test without controls stands last."""
    alone = f"tau {fixed(test.tau, 2)}, p {figures(test.p_family, 2)}"
    best = f"for the best of {test.tried}"
    if test.partial is None:
        return f"the best is {test.predictor}: {alone} {best}"
    return (
        f"the best given {_known(steps)} is {test.predictor}: partial correlation "
        f"{fixed(test.partial, 2)}, p {figures(test.verdict, 2)} {best}; by itself {alone} "
        f"corrected for {test.tried}"
    )


def _around(test: PredictorTest) -> str:
    if test.gain_low is None:
        return ""
    return f" ({fixed(test.gain_low, 2)} to {fixed(test.gain_high, 2)})"


def _yes(test: PredictorTest) -> str:
    """Whether there is something, in a word; both the test and the seeds left out must say so."""
    if not beats_chance(test):
        return "nothing does"
    if test.gain_low is None or test.gain_low <= 0:
        return "perhaps: what stands out does not surely help to predict seeds left out"
    return "yes"


def _known(steps: Sequence[LadderStep]) -> str:
    fair = [step.step for step in steps if not step.uses_ood][1:]
    within = [step for step in fair if step not in ("procedure", "hyper-parameters")]
    return " and ".join(within) or "the baselines"


def _why(tests: Sequence[PredictorTest]) -> str:
    notes = list(dict.fromkeys(test.note for test in tests if test.note))
    return "; ".join(notes[:2]) or "all that was measured had seen OOD data"


def _pairs(tests: Sequence[PairTest]) -> Iterator[str]:
    known = [t for t in tests if t.p_family is not None and not t.uses_ood]
    if not known:
        return
    first = min(known, key=lambda t: (t.p_family or 0.0, -abs(t.rho or 0.0)))
    several = len({t.procedure for t in known})
    p = min(1.0, several * (first.p_family or 0.0))  # the best of several procedures (Bonferroni)
    whose = f" ({first.procedure})" if several > 1 else ""
    ends = "goes" if p <= LEVEL else "does not clearly go"
    yield (
        f"Over pairs of runs, {first.quantity}{whose} {ends} together with how far two runs lie "
        f"apart: rho {fixed(first.rho, 2)}, p {figures(p, 2)} for the best of {len(known)} "
        f"({count(first.pairs, 'pair')} of {count(first.runs, 'run')})."
    )


def _warnings(tests: Sequence[PredictorTest]) -> tuple[str, ...]:
    """That so few seeds cannot show anything, where it is so."""
    lowest = min((test.least_p for test in tests if test.least_p is not None), default=0.0)
    if lowest <= LEVEL / 10:
        return ()
    seeds = count(max(test.clusters for test in tests), tests[0].unit)
    return (f"With {seeds}, no p below {figures(lowest, 2)} can be reached, whatever is there.",)
