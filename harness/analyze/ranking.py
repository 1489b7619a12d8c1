"""Which property of the landscape predicts OOD scores beyond what is known without it?"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from harness.analyze.asking import SURE_OOD, Runs, gather, pooled, procedure_step, shared_runs
from harness.analyze.overview import MANY
from harness.analyze.pair_ranking import pair_ranking
from harness.analyze.predicting import FEWEST, Question, ladder, predictor_tests
from harness.analyze.quantities import Measured, measured
from harness.analyze.results import Results
from harness.analyze.run_lines import line_of
from harness.analyze.seeded_runs import Comparable, Scored, comparable, scored
from harness.analyze.spread import ScoreNature
from harness.api.cells import Plan, Primary
from harness.api.offers import Metric
from harness.api.predictors import LadderStep, LineFit, PairTest, PredictorTest
from harness.statistics.chance import named
from harness.statistics.power import least_p

PERMUTATIONS = 1_999
"""Of a report: p is known to .01 near .05; `seedscape analyze` makes 9,999."""
REPLICATES = 200
SEEDS = 3
"""Pretraining seeds below which nothing is tested; fine-tuning seeds where one is held fixed."""


@dataclass(frozen=True)
class Ranking:
    """What predicts the primary OOD scores of a suite."""

    predictors: tuple[PredictorTest, ...] = ()
    ladder: tuple[LadderStep, ...] = ()
    mantel: tuple[PairTest, ...] = ()
    lines: tuple[LineFit, ...] = ()


@dataclass(frozen=True)
class _Scene:
    """All that the questions are made from."""

    primary: Primary
    known: tuple[tuple[str, str], ...]
    design: str
    tables: tuple[Scored, ...]
    found: Mapping[str, Measured]
    step: str


def ranking(
    results: Results,
    plan: Plan,
    design: str,
    natures: Mapping[str, ScoreNature],
    offers: Mapping[str, Metric],
) -> Ranking:
    """Tests of every quantity that was measured, on every primary OOD split.

    Per procedure, and with several of the same seeds for all together, each within itself; with
    more than six procedures only together. `offers` are the metrics by label.
    """
    primary, tables = plan.primary, scored(results.scores)
    if not any(_enough(list(table.seeds), table) for table in tables):
        return Ranking()
    finished = results.readings[results.readings["state"] == "ok"]
    in_domain = frozenset(split.name for split in plan.splits if split.kind == "id")
    found = {
        table.procedure: measured(
            finished[finished["procedure"] == table.procedure], offers, in_domain | {"train"}
        )
        for table in tables
    }
    losses = [name for name, n in natures.items() if not (n.higher_is_better or n.proportion)]
    scores = dict.fromkeys((primary.score, *losses))
    known = tuple((name, primary.id) for name in scores)
    others = {(procedure.model.label, procedure.init) for procedure in plan.procedures}
    step = "procedure" if len(others) > 1 else "hyper-parameters"
    scene = _Scene(primary, known, design, tables, found, step)
    parts = [_on(scene, target) for target in primary.ood]
    nature = natures[primary.score]
    return Ranking(
        tuple(test for part in parts for test in part.predictors),
        tuple(step for part in parts for step in part.ladder),
        tuple(test for part in parts for test in part.mantel),
        tuple(
            line_of(table, primary, target, results.scores, proportion=nature.proportion)
            for target in primary.ood
            for table in tables
            if _enough(table.usable(primary, target), table)
        ),
    )


def _enough(runs: Sequence[str], table: Scored) -> bool:
    return len(runs) >= FEWEST and len({table.unit_of(run) for run in runs}) >= SEEDS


def _on(scene: _Scene, target: str) -> Ranking:
    """The ranking of one target: all procedures together first, then each."""
    tests: list[PredictorTest] = []
    steps: list[LadderStep] = []
    mantel: list[PairTest] = []
    for runs, climbed in _together(scene, target):
        tests += _tests(runs, target, scene.tables[0].unit)
        steps += _steps(climbed, runs, scene.tables[0].unit)
    if len(scene.tables) <= MANY or not tests:
        for table in scene.tables:
            whole = _whole(scene, table, table.usable(scene.primary, target))
            if whole is None:
                continue
            runs = _gathered(scene, table, whole, target)
            tests += _tests(runs, target, table.unit)
            steps += _steps(runs.climb(target, {}), runs, table.unit)
            mantel += pair_ranking(
                runs, whole, scene.found[table.procedure].pairs, target, PERMUTATIONS
            )
    return Ranking(tuple(tests), tuple(steps), tuple(mantel))


def _together(scene: _Scene, target: str) -> Iterator[tuple[Runs, Question]]:
    """The runs of all procedures by their distance from their procedure's mean, and the ladder."""
    if len(scene.tables) < 2:
        return
    shared = shared_runs([table.usable(scene.primary, target) for table in scene.tables])
    whole = _whole(scene, scene.tables[0], shared)
    if whole is None:
        return
    each = [_gathered(scene, table, whole, target) for table in scene.tables]
    climbed = pooled(each, standard=False).climb(target, {scene.step: procedure_step(each)})
    yield pooled(each, standard=True), climbed


def _whole(scene: _Scene, table: Scored, runs: Sequence[str]) -> Comparable | None:
    whole = comparable(runs, table, scene.design)
    return whole if whole is not None and _enough(whole.runs, table) else None


def _gathered(scene: _Scene, table: Scored, whole: Comparable, target: str) -> Runs:
    found = scene.found[table.procedure]
    return gather(table, found, whole, target=target, known=scene.known)


def _tests(runs: Runs, target: str, unit: str) -> list[PredictorTest]:
    lowest = max(1 / (1 + PERMUTATIONS), least_p(runs.layout))
    shared: dict[str, object] = {
        "procedure": runs.procedure,
        "planned": runs.planned,
        "permutations": PERMUTATIONS,
        "least_p": lowest,
        "unit": unit,
    }
    found: list[PredictorTest] = []
    for baseline, question in ((False, runs.question(target)), (True, runs.baselines(target))):
        stream = named("predictors", runs.procedure, target, "baselines" if baseline else "")
        asked = {"permutations": PERMUTATIONS, "replicates": REPLICATES}
        for test in predictor_tests(question, stream, **asked):
            note = "; ".join(filter(None, (test.note, runs.notes.get(test.predictor, ""))))
            more = {**shared, "baseline": baseline, "note": note}
            found.append(test.model_copy(update=more))
    return found


def _steps(climbed: Question, runs: Runs, unit: str) -> list[LadderStep]:
    shared = {"procedure": runs.procedure, "unit": unit}
    stream = named("ladder", runs.procedure, climbed.target)
    return [
        step.model_copy(update={**shared, "uses_ood": step.step == SURE_OOD})
        for step in ladder(climbed, stream, replicates=REPLICATES)
    ]
