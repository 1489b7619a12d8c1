"""The statistics of a table: spreads, components, lines, the ladder and predictors."""

from dataclasses import dataclass

import numpy as np

from harness.analyze.predicting import Question, ladder, predictor_tests
from harness.analyze.table import RunTable
from harness.api.errors import HarnessError
from harness.api.numbers import count, some
from harness.api.predictors import LadderStep, LineFit, PredictorTest
from harness.api.tables import ColumnSpread, ComponentShare, TableFindings
from harness.statistics.components import sampling_sd
from harness.statistics.generalized import component_ranges
from harness.statistics.layout import Layout, complete
from harness.statistics.line import RELIABLE, Scale, fit_line, reliability
from harness.statistics.reml import REST, fit


@dataclass(frozen=True)
class Asked:
    """How a table is analysed. `examples` maps a column to how many examples it was tested on."""

    examples: dict[str, int]
    scale: Scale = "probit"
    permutations: int = 9_999
    replicates: int = 200
    seed: int = 0


def analyze_table(table: RunTable, asked: Asked) -> TableFindings:
    """Everything that the columns allow. Draws come from `asked.seed`."""
    generator = np.random.default_rng(asked.seed)
    layout, kept, notes = _layout(table)
    chosen = _rows(table, kept)
    scores = (table.columns.id, *table.columns.ood)
    tests: list[PredictorTest] = []
    steps: list[LadderStep] = []
    if table.columns.predictors:
        for target in table.columns.ood:
            question = _question(chosen, target, layout)
            steps.extend(ladder(question))
            tests.extend(
                predictor_tests(
                    question,
                    generator,
                    permutations=asked.permutations,
                    replicates=asked.replicates,
                )
            )
    return TableFindings(
        table=table.path.name,
        digest=table.digest,
        runs=len(table.labels),
        clusters=len(set(layout.cluster)),
        design=layout.design,
        spreads=tuple(_spread(table, name, asked) for name in scores),
        components=tuple(
            share for name in scores for share in _components(chosen, name, layout, generator)
        ),
        lines=tuple(_line(table, name, asked) for name in table.columns.ood),
        ladder=tuple(steps),
        predictors=tuple(tests),
        notes=(*table.notes, *notes),
    )


def _layout(table: RunTable) -> tuple[Layout, list[int], list[str]]:
    """How runs hang together, the rows that make a full table, and what to say of that."""
    everything = list(range(len(table.labels)))
    if not table.groups or not table.groups[0]:
        note = "runs are taken for independent: name their seeds with --groups if they are not"
        return Layout.independent(len(everything)), everything, [note]
    cluster = tuple(group[0] for group in table.groups)
    if len(set(cluster)) == 1:
        raise HarnessError(
            f"all runs have the same '{table.columns.groups[0]}'",
            where=str(table.path),
            fix="leave --groups out, or name the column of the pretraining seeds",
        )
    if len(table.groups[0]) == 1:
        sizes = {cluster.count(name) for name in cluster}
        if len(sizes) == 1:
            member = [cluster[:place].count(name) for place, name in enumerate(cluster)]
            return Layout(cluster, tuple(member), "nested"), everything, []
        least = min(sizes)
        kept = [p for p, name in enumerate(cluster) if cluster[:p].count(name) < least]
        short = tuple(cluster[p] for p in kept)
        member = [short[:place].count(name) for place, name in enumerate(short)]
        note = f"tests use the first {least} runs of each group: groups differ in size"
        return Layout(short, tuple(member), "nested"), kept, [note]
    names = [group[1] for group in table.groups]
    kept, lacking = complete(cluster, names)
    if not kept:
        raise HarnessError(
            f"no '{table.columns.groups[1]}' is there for every '{table.columns.groups[0]}'",
            where=str(table.path),
            fix="name only the first with --groups: runs are then nested in it",
        )
    notes = []
    if lacking:
        told = some([str(name) for name in lacking])
        notes.append(
            f"tests leave out {count(len(lacking), 'level')} of '{table.columns.groups[1]}' that "
            f"not every '{table.columns.groups[0]}' has: {told}"
        )
    layout = Layout(tuple(cluster[p] for p in kept), tuple(names[p] for p in kept))
    return layout, kept, notes


def _rows(table: RunTable, kept: list[int]) -> RunTable:
    return RunTable(
        table.path,
        table.digest,
        table.columns,
        tuple(table.labels[p] for p in kept),
        tuple(table.groups[p] for p in kept),
        {name: values[kept] for name, values in table.numbers.items()},
        table.notes,
    )


def _question(table: RunTable, target: str, layout: Layout) -> Question:
    columns, numbers = table.columns, table.numbers
    steps = {}
    if columns.controls:
        steps["controls"] = {name: numbers[name] for name in columns.controls}
    steps["+ in-domain score"] = {columns.id: numbers[columns.id]}
    predictors = {name: numbers[name] for name in columns.predictors}
    return Question(target, numbers[target], predictors, steps, layout)


def _spread(table: RunTable, name: str, asked: Asked) -> ColumnSpread:
    values = table.numbers[name]
    examples = asked.examples.get(name)
    return ColumnSpread(
        column=name,
        kind="id" if name == table.columns.id else "ood",
        runs=values.size,
        mean=float(values.mean()),
        sd=float(values.std(ddof=1)),
        minimum=float(values.min()),
        maximum=float(values.max()),
        worst_run=table.labels[int(values.argmin())],
        sampling_sd=None if examples is None else sampling_sd(float(values.mean()), examples),
    )


def _line(table: RunTable, target: str, asked: Asked) -> LineFit:
    x, y = table.numbers[table.columns.id], table.numbers[target]
    examples = asked.examples.get(table.columns.id)
    known = None if examples is None else reliability(x, examples)
    told = LineFit(
        target=target, in_domain=table.columns.id, scale=asked.scale, models=x.size,
        reliability=known,
    )  # fmt: skip
    try:
        line = fit_line(x, y, asked.scale)
    except ValueError as error:
        return told.model_copy(update={"warning": str(error)})
    warning = ""
    if known is not None and known < RELIABLE:
        share = f"only {known:.0%}" if known > 0 else "nothing"
        warning = (
            f"{share} of the spread in-domain is more than the noise of testing: no slope can be "
            "read off these runs alone (baselines that vary more are needed)"
        )
    found = {"slope": line.slope, "intercept": line.intercept, "warning": warning}
    return told.model_copy(update=found | {"r2": line.r2 if np.isfinite(line.r2) else None})


def _components(
    table: RunTable, name: str, layout: Layout, generator: np.random.Generator
) -> list[ComponentShare]:
    if layout.design == "independent" or len(set(layout.cluster)) < 2:
        return []
    values, places = table.numbers[name], layout.table()
    if min(places.shape) < 2:
        return []
    factors = {table.columns.groups[0]: layout.cluster}
    if layout.design == "crossed":
        factors[table.columns.groups[1]] = layout.member
    found = fit(values.tolist(), factors).variances
    total = sum(found.values())
    ranges = component_ranges(values[places], layout.design, generator)
    told = []
    for (factor, variance), around in zip(found.items(), ranges.values(), strict=True):
        told.append(
            ComponentShare(
                column=name,
                factor="everything else" if factor == REST else factor,
                levels=values.size if factor == REST else len(set(factors[factor])),
                sd=variance**0.5,
                share=variance / total,
                share_low=around.share[0],
                share_high=around.share[1],
            )
        )
    return told
