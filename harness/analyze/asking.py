"""The questions that a suite's runs are asked: one target, its predictors, and what is known."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from harness.analyze.predicting import Question
from harness.analyze.quantities import Measured, Quantity, Run
from harness.analyze.seeded_runs import Comparable, Scored
from harness.statistics.layout import Layout, Repeated

Array = NDArray[np.float64]
SAME = 1 - 1e-9
"""Baselines that correlate so closely are one and the same."""
SCORE, SURE, SURE_OOD = "in-domain score", "confidence", "confidence on OOD inputs"


@dataclass(frozen=True)
class Runs:
    """What is known of some runs about one target, all of one procedure or of several.

    `y` is the target's score; `steps` are baselines by step, each by name; `uses_ood` names the
    `predictors` that looked at OOD data, `ood_baselines` the baselines that did. `more` are
    baselines that are in no step. All values are [runs].
    """

    procedure: str
    planned: int
    y: Array
    steps: Mapping[str, Mapping[str, Array]]
    predictors: Mapping[str, Array]
    uses_ood: frozenset[str]
    layout: Layout | Repeated
    notes: Mapping[str, str] = field(default_factory=dict)
    more: Mapping[str, Array] = field(default_factory=dict)
    ood_baselines: frozenset[str] = frozenset()

    def question(self, target: str) -> Question:
        """Do the predictors tell more of the target than the fair baselines do?"""
        fair = {name: step for name, step in self.steps.items() if name != SURE_OOD}
        return Question(target, self.y, self.predictors, fair, self.layout, self.uses_ood)

    def baselines(self, target: str) -> Question:
        """Do the baselines tell anything of the target?"""
        every = {name: x for step in self.steps.values() for name, x in step.items()}
        every |= self.more
        ood = self.ood_baselines & frozenset(every)
        return Question(target, self.y, every, {}, self.layout, ood)

    def climb(self, target: str, first: Mapping[str, Mapping[str, Array]]) -> Question:
        """How far do the baselines lead, after the `first` steps?"""
        return Question(target, self.y, {}, {**first, **self.steps}, self.layout)


def gather(
    table: Scored,
    found: Measured,
    whole: Comparable,
    *,
    target: str,
    known: Sequence[tuple[str, str]],
) -> Runs:
    """What is known of one procedure's runs; `known` are (score, in-domain split), primary first.

    The first of `known` has the target's score.
    """
    runs = whole.runs

    def of(quantity: Quantity) -> Array:
        return np.array([quantity.values.get(run, np.nan) for run in runs])

    scores = {f"{name} on {split}": table.array(name, split, runs) for name, split in known}
    scores |= {q.name: of(q) for q in found.runs if q.baseline == "score" and not q.uses_ood}
    sure = [q for q in found.runs if q.baseline == "confidence"]
    steps = {
        SCORE: scores,
        SURE: {q.name: of(q) for q in sure if not q.uses_ood},
        SURE_OOD: {q.name: of(q) for q in sure if q.uses_ood and q.name.endswith(f" on {target}")},
    }
    predicting = [q for q in found.runs if not q.baseline]
    return Runs(
        procedure=table.procedure,
        planned=table.planned,
        y=table.array(known[0][0], target, runs),
        steps=_without_twins({step: _first(step, values) for step, values in steps.items()}),
        ood_baselines=frozenset(steps[SURE_OOD]),
        more={name: x for step in (SURE, SURE_OOD) for name, x in steps[step].items()},
        predictors={q.name: of(q) for q in predicting},
        uses_ood=frozenset(q.name for q in predicting if q.uses_ood),
        layout=whole.layout,
        notes={q.name: q.note for q in found.runs if q.note},
    )


def pooled(each: Sequence[Runs], *, standard: bool) -> Runs:
    """The runs of several procedures with the same seeds, one procedure after the other.

    `standard`: every number is its distance from the mean of its procedure, in standard deviations,
    so that only differences between seeds are left.
    """
    first = each[0]

    def join(arrays: Sequence[Array]) -> Array:
        return np.concatenate([_standard(x) if standard else x for x in arrays])

    steps = {
        step: {
            name: join([runs.steps[step][name] for runs in each])
            for name in names
            if all(name in runs.steps.get(step, {}) for runs in each)
        }
        for step, names in first.steps.items()
    }
    shared = [n for n in first.predictors if all(n in runs.predictors for runs in each)]
    base = first.layout
    layout = (
        Repeated(base.base, base.times * len(each))
        if isinstance(base, Repeated)
        else Repeated(base, len(each))
    )
    return Runs(
        procedure="",
        planned=sum(runs.planned for runs in each),
        y=join([runs.y for runs in each]),
        steps={step: values for step, values in steps.items() if values},
        predictors={name: join([runs.predictors[name] for runs in each]) for name in shared},
        uses_ood=first.uses_ood & frozenset(shared),
        layout=layout,
        notes={name: note for runs in each for name, note in runs.notes.items()},
        more={
            name: join([runs.more[name] for runs in each])
            for name in first.more
            if all(name in runs.more for runs in each)
        },
        ood_baselines=first.ood_baselines,
    )


def shared_runs(usable: Sequence[Sequence[Run]]) -> list[Run]:
    """Runs that every procedure has, in the first one's order."""
    return [run for run in usable[0] if all(run in others for others in usable[1:])]


def procedure_step(each: Sequence[Runs]) -> dict[str, Array]:
    """Which procedure a run is of, as one column for all but the first."""
    sizes = [runs.y.size for runs in each]
    which = np.repeat(np.arange(len(each)), sizes)
    return {
        runs.procedure: (which == place).astype(np.float64)
        for place, runs in enumerate(each)
        if place > 0
    }


def _first(step: str, values: Mapping[str, Array]) -> Mapping[str, Array]:
    """What enters a step: of the ways to say how sure a run is, the first.

    They go together so closely that all of them together fit noise when runs are few.
    """
    return values if step == SCORE else dict(list(values.items())[:1])


def _without_twins(steps: Mapping[str, Mapping[str, Array]]) -> dict[str, dict[str, Array]]:
    """Steps without what an earlier baseline says already, and without steps of nothing."""
    kept: dict[str, dict[str, Array]] = {}
    before: list[Array] = []
    for step, values in steps.items():
        for name, x in values.items():
            if not any(_twins(x, other) for other in before):
                kept.setdefault(step, {})[name] = x
                before.append(x)
    return kept


def _twins(x: Array, other: Array) -> bool:
    if not (np.isfinite(x).all() and np.isfinite(other).all()):
        return False
    if np.ptp(x) == 0 or np.ptp(other) == 0:
        return False
    return bool(abs(np.corrcoef(x, other)[0, 1]) > SAME)


def _standard(x: Array) -> Array:
    """Distances from the mean in standard deviations; holes stay holes and make no others."""
    finite = x[np.isfinite(x)]
    if not finite.size:
        return x
    spread = finite.std()
    flat = spread <= 1e-12 * np.abs(finite).max()
    standard: Array = (x - finite.mean()) / (1.0 if flat else spread)
    return standard
