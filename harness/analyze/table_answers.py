"""The statistics of a table: spreads, components, lines, the ladder and predictors."""

from collections.abc import Mapping

import numpy as np

from harness.analyze.predicting import Question, ladder, predictor_tests
from harness.analyze.table import Asked, RunTable
from harness.analyze.table_layout import Hanging, hanging
from harness.analyze.table_lines import line, robustness, slope_ends, transfer
from harness.analyze.table_spread import aggregated, components, mean_ends, spread
from harness.analyze.table_strict import discrete_axes, strict_tests
from harness.api.numbers import count
from harness.api.predictors import LadderStep, LineFit, PredictorTest
from harness.api.tables import Robustness, TableFindings
from harness.statistics.layout import Layout

TRANSFER_DRAWS = 200
"""At most so many: each draw is a search of its own."""


def analyze_table(table: RunTable, asked: Asked) -> TableFindings:
    """Everything that the columns allow. Draws come from `asked.seed`, a stream per part."""
    # The first is unused, so that the others stay as they were before means had streams by name.
    _, split, summed, lined, moved, tested = np.random.default_rng(asked.seed).spawn(6)
    design = hanging(table)
    whole = table.rows(design.places)
    examples = dict(asked.examples) | {n: right.shape[1] for n, right in table.correct.items()}
    lines, beyond = _lines(table, design, asked, examples, lined)
    steps, tests = _predictors(whole, design.layout, asked, tested)
    spreads = [
        spread(table, name, examples.get(name)).model_copy(
            update=mean_ends(table, name, design.means, asked)
        )
        for name in table.columns.scores
    ]
    shares = [share for n in table.columns.scores for share in components(whole, n, design, split)]
    strict = [t for n in table.columns.ood for t in strict_tests(table, n, examples.get(n))]
    return TableFindings(
        table=table.path.name,
        digest=table.digest,
        sources=table.sources,
        runs=len(table.labels),
        clusters=len(set(design.layout.cluster)),
        design=design.layout.design,
        spreads=tuple(spreads),
        components=tuple(shares),
        aggregates=aggregated(whole, design, asked, summed),
        lines=tuple(lines),
        robustness=tuple(beyond),
        transfer=()
        if table.columns.upstream is None
        else tuple(
            transfer(whole, name, design.clusters, moved, min(TRANSFER_DRAWS, asked.replicates))
            for name in table.columns.scores
            if name != table.columns.upstream
        ),
        ladder=tuple(steps),
        predictors=tuple(tests),
        strict=tuple(strict),
        notes=(*table.notes, *design.notes, *discrete_axes(table)[1], *_left_out(lines)),
    )


def _lines(
    table: RunTable,
    design: Hanging,
    asked: Asked,
    examples: Mapping[str, int],
    generator: np.random.Generator,
) -> tuple[list[LineFit], list[Robustness]]:
    lines: list[LineFit] = []
    beyond: list[Robustness] = []
    for target in table.columns.ood:
        lined = line(table, target, asked.scale, examples)
        lines.append(
            lined.told.model_copy(update=slope_ends(table, lined, design, asked, generator))
        )
        beyond += robustness(table, lined, examples.get(target))
    return lines, beyond


def _predictors(
    table: RunTable, layout: Layout, asked: Asked, generator: np.random.Generator
) -> tuple[list[LadderStep], list[PredictorTest]]:
    steps: list[LadderStep] = []
    tests: list[PredictorTest] = []
    for target in table.columns.ood:
        question = _question(table, target, layout)
        if question.steps:  # a stream of its own, so that the others stay as they are
            stream = generator.spawn(1)[0]
            steps += ladder(question, stream, replicates=asked.gain_replicates)
        tests += predictor_tests(
            question,
            generator,
            permutations=asked.permutations,
            replicates=asked.gain_replicates,
        )
    return steps, tests


def _question(table: RunTable, target: str, layout: Layout) -> Question:
    """Without --predictors, what the in-domain score says; with them, what they add to it."""
    columns, numbers = table.columns, table.numbers
    known = {}
    if columns.controls:
        known["controls"] = {name: numbers[name] for name in columns.controls}
    score = {columns.id: numbers[columns.id]}
    if columns.predictors:
        known["+ in-domain score" if known else "in-domain score"] = score
    predictors = {name: numbers[name] for name in columns.predictors} or score
    return Question(target, numbers[target], predictors, known, layout)


def _left_out(lines: list[LineFit]) -> list[str]:
    return [
        f"the line of '{each.target}' leaves out {count(each.left_out, 'run')} at 0 or 1: no place "
        f"on the {each.scale} scale"
        for each in lines
        if each.left_out
    ]
