"""Made-up results with known components: a plan, its records, and a store in memory.

Two procedures on eight splits look like real ones (digits, pretrained on rotated images or from
random weights): pretraining seeds move the OOD scores, runs of one pretraining seed share a basin.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import combinations

import numpy as np
from made_up_offers import MACHINE, offers
from memory_store import MemoryStore

from harness.api.cells import (
    Cell,
    EvaluateWork,
    MeasureWork,
    Plan,
    Primary,
    Procedure,
    Seeds,
    SplitUse,
    Stage,
    TrainWork,
    Use,
)
from harness.api.data import InputSpec, Outline, Task
from harness.api.readings import Cost, Curve, Reading, Value
from harness.api.results import CellRecord, Failure, Plugin, Scored, Trained
from harness.api.suites import DataUse, Init, MetricUse, Pretrain, SeedDesign, Suite

LEVELS = {  # split: (accuracy when pretrained, accuracy from random weights, sd of seeds)
    "test": (0.968, 0.935, 0.004),
    "rotation-15": (0.955, 0.88, 0.008),
    "rotation-30": (0.90, 0.70, 0.02),
    "rotation-45": (0.78, 0.45, 0.04),
    "rotation-60": (0.56, 0.25, 0.06),
    "rotation-90": (0.27, 0.15, 0.04),
    "noise": (0.83, 0.79, 0.03),
    "block-shuffle": (0.31, 0.26, 0.025),
}
WHEN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def use(noun: str, name: str, label: str = "") -> Use:
    return Use(noun, name, label or name, {}, "0" * 16)


DIGITS = use("dataset", "digits")
TRAIN = SplitUse("train", DIGITS, "f" * 16, "train")
SCORES = (use("score", "accuracy"), use("score", "nll"))


def key(stage: str, *parts: object) -> str:
    return f"{stage}-{hashlib.sha256(repr(parts).encode()).hexdigest()[:32]}"


def split(name: str) -> SplitUse:
    if name == "test":
        return SplitUse("test", DIGITS, "f" * 16, "test")
    shift = name.split("-")[0] if name.startswith("rotation") else name
    return SplitUse(name, DIGITS, "f" * 16, "test", shift=shift, parent="test")


def plan(
    pretrain: int = 3,
    finetune: int = 4,
    procedures: Sequence[str] = ("pretrained", "random"),
    splits: Sequence[str] = tuple(LEVELS),
    metrics: bool = True,
) -> Plan:
    """Every planned cell of the made-up suite."""
    uses = tuple(split(name) for name in splits)
    model, method = use("model", "cnn"), use("method", "full")
    cells: list[Cell] = []
    for p in range(pretrain):
        work = TrainWork(model, method, TRAIN, (), 64, "random")
        cells.append(Cell(key("pretrain", p), Stage.PRETRAIN, "", (Seeds(p),), (), work, steps=400))
    for label in procedures:
        init = "random" if label == "random" else "pretrained"
        runs: dict[Seeds, str] = {}
        for p in range(pretrain):
            for f in range(finetune):
                work = TrainWork(model, method, TRAIN, (), 64, init)
                parents = (key("pretrain", p),) if init == "pretrained" else ()
                runs[Seeds(p, f)] = key("finetune", label, p, f)
                cells.append(
                    Cell(runs[Seeds(p, f)], Stage.FINETUNE, label, (Seeds(p, f),), parents, work)
                )
        for seeds, parent in runs.items():
            for one in uses:
                cells.append(
                    Cell(
                        key("evaluate", label, seeds, one.name),
                        Stage.EVALUATE,
                        label,
                        (seeds,),
                        (parent,),
                        EvaluateWork(model, TRAIN, one, SCORES),
                    )
                )
        if metrics:
            cells += measurements(label, runs, uses[:1] + uses[4:5])
    return Plan(
        suite_id="made-up",
        version="1",
        title="Digits: pretrained on rotated images or from a random start",
        digest="d" * 32,
        cells=tuple(cells),
        procedures=tuple(
            Procedure(x, model, "random" if x == "random" else "pretrained", method)
            for x in procedures
        ),
        splits=uses,
        primary=Primary("accuracy", "test", tuple(s for s in splits if s == "rotation-60")),
        sources=("Neyshabur, Sedghi, Zhang (2020), arXiv:2008.11687",),
    )


def measurements(label: str, runs: Mapping[Seeds, str], splits: tuple[SplitUse, ...]) -> list[Cell]:
    model = use("model", "cnn")
    cells = []
    for a, b in combinations(runs, 2):
        kind = "same-pretrain-seed" if a.pretrain == b.pretrain else "different-pretrain-seed"
        work = MeasureWork(use("metric", "barrier"), "pair", model, TRAIN, splits, kind)
        parents = (runs[a], runs[b])
        cells.append(Cell(key("measure", label, a, b), Stage.MEASURE, label, (a, b), parents, work))
    for seeds, parent in runs.items():
        work = MeasureWork(use("metric", "hessian-top"), "point", model, TRAIN, splits[:1])
        cells.append(
            Cell(key("measure", label, seeds), Stage.MEASURE, label, (seeds,), (parent,), work)
        )
    return cells


def records(made: Plan, seed: int = 0) -> dict[str, CellRecord]:
    """A record of every cell, from one generator."""
    rng = np.random.default_rng(seed)
    effects: dict[object, float] = {}

    def effect(*name: object) -> float:
        return effects.setdefault(name, float(rng.standard_normal()))

    return {cell.key: record(cell, _result(cell, effect, rng)) for cell in made.cells}


def record(cell: Cell, result: Trained | Scored | Reading) -> CellRecord:
    return CellRecord(
        key=cell.key,
        stage=cell.stage.value,
        identity={},
        parents=list(cell.parents),
        result=result,
        settings={},
        plugins=[Plugin(distribution="seedscape", version="0.1.0", offers={})],
        machine=MACHINE,
        precision="float32",
        smoke=False,
        started=WHEN,
        wall_seconds=1.5,
        peak_bytes=1_000_000,
    )


def _result(cell, effect, rng):
    if isinstance(cell.work, TrainWork):
        return Trained(
            steps=100, examples_seen=6400, loss_steps=[0, 99], losses=[2.3, float(rng.random() / 9)]
        )
    if isinstance(cell.work, EvaluateWork):
        name, (seeds,) = cell.work.split.name, cell.seeds
        pretrained, scratch, sd = LEVELS[name]
        level = scratch if cell.procedure == "random" else pretrained
        share = 0.85 if cell.procedure != "random" and name != "test" else 0.3
        z = (
            share**0.5 * effect(cell.procedure, "p", seeds.pretrain)
            + 0.3 * effect(cell.procedure, name, "f", seeds.finetune)
            + (1 - share) ** 0.5 * 0.6 * rng.standard_normal()
        )
        value = round(float(np.clip(level + sd * z, 0, 1)) * 360) / 360
        return Scored(
            split=name,
            examples=360,
            unscorable=0,
            scores={"accuracy": value, "nll": float(-1.6 * np.log(max(value, 0.02)) + 0.02)},
        )
    cost = Cost(forward=3960.0, backward=0.0, seconds=0.4)
    if cell.work.of == "point":
        top = float(np.exp(3.2 + 0.25 * rng.standard_normal() + 0.8 * (cell.procedure == "random")))
        names = ("eigenvalue-1", "eigenvalue-2", "eigenvalue-3")
        values = [
            Value(name=n, value=top / (1 + 0.6 * i), split="train") for i, n in enumerate(names)
        ]
        return Reading(values=tuple(values), cost=cost, protocol={"examples": 500, "mode": "eval"})
    same = cell.work.pair_kind == "same-pretrain-seed" and cell.procedure != "random"
    values, curves = [], []
    alphas = [i / 10 for i in range(11)]
    for one in cell.work.splits:
        ends = rng.uniform(0.1, 0.2, 2) if one.shift is None else rng.uniform(1.2, 2.0, 2)
        height = float(abs(rng.normal(0.01, 0.01)) if same else rng.normal(1.1, 0.25))
        bump = [4 * a * (1 - a) for a in alphas]
        loss = [float(ends[0] * (1 - a) + ends[1] * a + height * b)
                for a, b in zip(alphas, bump, strict=True)]  # fmt: skip
        error = [min(0.9, 0.05 + 0.5 * (x - min(ends))) for x in loss]
        values += [
            Value(name="lerp-loss", value=height, split=one.name),
            Value(name="lerp-loss-alpha", value=0.5, split=one.name, detail=True),
            Value(name="frankle-loss", value=max(loss) - float(ends.mean()), split=one.name),
            Value(name="lerp-error", value=max(error) - min(error), split=one.name),
            Value(name="frankle-error", value=max(error) - error[0], split=one.name),
        ]
        curves.append(
            Curve(name="line", split=one.name, x=alphas, y={"loss": loss, "error": error})
        )
    protocol = {"points": 11, "batch_norm": "none", "dtype": "float32", "mode": "eval"}
    return Reading(values=tuple(values), curves=tuple(curves), cost=cost, protocol=protocol)


def failure(cell: Cell, reason: str = "RuntimeError: out of memory") -> Failure:
    return Failure(
        key=cell.key, stage=cell.stage.value, reason=reason, log="", attempts=2, when=WHEN
    )


def suite(made: Plan, design: str = "crossed") -> Suite:
    """The suite that the made-up plan would come from."""
    task = Task("classification", tuple("0123456789"))
    outline = Outline(task, {"image": InputSpec((1, 8, 8))}, 1077, {"val": 360, "test": 360})
    data = DataUse(outline, TRAIN, made.splits, (), 64)
    seeds = [seed for cell in made.cells for seed in cell.seeds]
    return Suite(
        id=made.suite_id,
        version=made.version,
        title=made.title,
        sources=made.sources,
        plugins=(),
        without=(),
        models=(use("model", "cnn"),),
        pretrain=Pretrain(data, use("method", "full")),
        data=data,
        inits=(Init("pretrained", "pretrained"), Init("random", "random")),
        methods=(use("method", "full"),),
        seeds=SeedDesign(
            tuple(sorted({s.pretrain for s in seeds})),
            tuple(sorted({s.finetune for s in seeds if s.finetune is not None})),
            design=design,
        ),
        scores=SCORES,
        metrics=(MetricUse(use("metric", "barrier"), "pair", ("test",)),),
        primary=made.primary,
        limit=None,
        text="id: made-up\nversion: '1'\ntitle: 'Digits: pretrained on rotated images'\n",
    )


def findings(made: Plan | None = None, held: Mapping[str, CellRecord] | None = None, **more):
    """Findings of the made-up suite: what every reporter is tested with."""
    from harness.analyze.find import find
    from harness.analyze.load import load_results

    made = made or plan()
    store = MemoryStore(records(made) if held is None else held, **more)
    return find(load_results(made, store), made, suite(made), offers())


def relabelled(made: Plan, title: str) -> Plan:
    return replace(made, title=title)


def cut(made: Plan, number: int) -> Plan:
    """The plan's first cells."""
    return replace(made, cells=made.cells[:number])
