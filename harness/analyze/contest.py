"""The comparison inside a report: all procedures of a suite against each other, or why not."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from harness.analyze import answers, verdicts
from harness.analyze.comparable import NotComparable
from harness.analyze.comparing import weigh
from harness.analyze.comparison_design import Asked
from harness.analyze.contenders import Contender
from harness.analyze.overview import MANY
from harness.analyze.results import Results
from harness.api.cells import Plan, Primary
from harness.api.comparisons import Comparison
from harness.api.errors import HarnessError
from harness.api.findings import Answer, ProcedureNote, Spread
from harness.api.numbers import count, some, words
from harness.api.suites import Suite
from harness.plug.catalogue import Catalogue

REPLICATES = 2_000
"""Of a report: ends of intervals are known to a few per cent; `seedscape compare` draws 10,000."""
QUESTION = "Which procedure is better?"
SAME = 1e-9


@dataclass(frozen=True)
class Contest:
    """What came of it: `found` is None where nothing could be compared, and `why` says why."""

    found: Comparison | None
    why: str = ""


def contest(
    results: Results, plan: Plan, suite: Suite, catalogue: Catalogue, spreads: Sequence[Spread]
) -> Contest:
    """The primary score on the primary splits, of one procedure alone or of all.

    Runs that not every procedure has are left out, and named, where some are missing. Beyond
    `MANY` procedures every one has its mean and interval, and no pair is tested. Where predictions
    cannot be read, the examples are held fixed.
    """
    primary = plan.primary
    splits = (primary.id, *primary.ood)
    mine = [s for s in spreads if s.score == primary.score and s.split in splits]
    lost = [s for s in mine if s.not_finite]
    if results.store is None or not mine:
        return Contest(None, "there are no stored results")
    if lost:
        return Contest(None, f"{words(_where(lost))} has values that are NaN or infinite")
    contenders = [
        Contender(each.label, each.label, suite, plan, catalogue, results.store)
        for each in plan.procedures
    ]
    asked = Asked(
        score=primary.score,
        splits=splits,
        replicates=REPLICATES,
        tests=1 < len(contenders) <= MANY,
        common_seeds=any(s.runs < s.planned for s in mine),
    )
    try:
        return Contest(weighed(contenders, asked))
    except HarnessError as error:  # one line each: not comparable, or predictions and scores differ
        return Contest(None, error.message)


def _where(spreads: Sequence[Spread]) -> list[str]:
    return [f"{s.procedure} on {s.split}" for s in spreads[:3]]


def weighed(contenders: Sequence[Contender], asked: Asked) -> Comparison:
    """With examples drawn, or without where their predictions cannot be had."""
    try:
        return weigh(contenders, asked)
    except NotComparable:
        raise
    except HarnessError as error:
        fixed = Asked(**{**vars(asked), "levels": "pretrain,finetune", "because": error.message})
        return weigh(contenders, fixed)


def with_intervals(spreads: Sequence[Spread], found: Comparison | None) -> tuple[Spread, ...]:
    """Spreads with the interval of the mean, where the comparison has the mean of the same runs."""
    if found is None:
        return tuple(spreads)
    ends = {
        (arm.label, split.split): (arm.mean, arm.low, arm.high)
        for split in found.splits
        for arm in split.arms
    }

    def told(spread: Spread) -> Spread:
        mean, low, high = ends.get((spread.procedure, spread.split), (None, None, None))
        if spread.score != found.score or mean is None or spread.mean is None:
            return spread
        if abs(mean - spread.mean) > SAME * max(1.0, abs(mean)):
            return spread
        return spread.model_copy(update={"low": low, "high": high})

    return tuple(map(told, spreads))


def better(
    held: Contest, notes: Sequence[ProcedureNote], spreads: Sequence[Spread], primary: Primary
) -> Iterator[Answer]:
    """Which procedure is better? With the numbers of the test, or a description and the reason."""
    if len(notes) < 2:
        return
    if held.found is None:
        for answer in answers.comparison(notes, spreads, primary):
            text = f"{answer.text} No test is made across seeds: {held.why}."
            yield Answer(question=QUESTION, text=text)
        return
    shown = held.found.splits[: answers.SHOWN + 1]
    lines = [split.text for split in shown]
    if len(held.found.splits) > len(shown):
        lines.append(f"{count(len(held.found.splits) - len(shown), 'more split')} in the table.")
    yield Answer(question=QUESTION, text=" ".join([*lines, *_limits(held.found)]))


def _limits(found: Comparison) -> Iterator[str]:
    """What kept the comparison from saying more, in one sentence each."""
    number = len(found.contestants)
    if number > MANY:
        pairs = number * (number - 1) // 2
        yield (
            f"No two are tested: {number} procedures make {pairs} pairs, and a test that is "
            "corrected for so many finds next to nothing with few seeds; `seedscape compare` "
            "tests those that you name."
        )
    yield from verdicts.out_of_reach(found)
    lost = [
        f"{arm.label} on {each.split}"
        for each in found.splits
        for arm in each.arms
        if arm.lost_draws
    ]
    if lost:
        yield (
            f"{found.score} cannot be computed in some draws of examples, which intervals leave "
            f"out ({some(lost, 5)}); too many leave no interval."
        )
    for level in found.levels:
        if not level.drawn and level.name == "examples":
            yield f"Intervals hold the examples fixed: {level.why}."
    yield from (note for note in found.notes if "left out" in note)
