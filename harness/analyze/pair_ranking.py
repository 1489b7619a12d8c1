"""Do numbers of pairs go together with how far two runs lie apart in their OOD scores?"""

from collections.abc import Sequence

import numpy as np

from harness.analyze.asking import Runs
from harness.analyze.quantities import PairQuantity
from harness.analyze.seeded_runs import Comparable
from harness.api.predictors import PairTest
from harness.statistics.chance import named
from harness.statistics.pairs import Paired, pair_tests

FEWEST = 10
"""Pairs below which nothing is tested."""


def pair_ranking(
    runs: Runs, whole: Comparable, pairs: Sequence[PairQuantity], target: str, permutations: int
) -> list[PairTest]:
    """One test per quantity; those that looked at OOD data are a family of their own."""
    place = {run: n for n, run in enumerate(whole.runs)}
    found: dict[str, PairTest] = {}
    for ood in (False, True):
        family = [pair for pair in pairs if pair.uses_ood == ood]
        usable: list[Paired] = []
        for pair in family:
            ends = [(place[a], place[b], x) for (a, b), x in pair.values.items()
                    if a in place and b in place]  # fmt: skip
            values = np.array([x for *_, x in ends])
            note = ""
            if len(ends) < FEWEST:
                note = f"{len(ends)} pairs are too few to test anything"
            elif np.ptp(values) == 0:
                note = "the same for all pairs"
            else:
                first, second = (np.array([end[n] for end in ends]) for n in (0, 1))
                usable.append(Paired(values, first, second))
            found[pair.name] = PairTest(
                target=target,
                quantity=pair.name,
                procedure=runs.procedure,
                runs=len({run for end in ends for run in end[:2]}),
                pairs=len(ends),
                tried=0,
                holes=pair.holes,
                uses_ood=ood,
                note=note,
            )
        if not usable:
            continue
        stream = named("pairs", runs.procedure, target, str(ood))
        tests = pair_tests(usable, runs.y, whole.layout, stream, permutations=permutations)
        tested = [pair.name for pair in family if not found[pair.name].note]
        for name, test in zip(tested, tests, strict=True):
            numbers = {"rho": test.coefficient, "p": test.p, "p_family": test.p_family}
            known = {key: x if np.isfinite(x) else None for key, x in numbers.items()}
            found[name] = found[name].model_copy(update={"tried": len(usable), **known})
    return [found[pair.name] for pair in pairs]
