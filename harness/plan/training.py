"""The trainings of a plan: one pretraining per model and seed, one run per procedure and seeds."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import Path

from harness.api.cells import Cell, Procedure, Seeds, Stage, TrainWork, Use
from harness.api.errors import HarnessError
from harness.api.offers import Method, Model
from harness.api.suites import DataUse, Init, SeedDesign, Suite
from harness.plan.mold import Mold, Terms
from harness.plan.steps import phase_steps
from harness.plug import Catalogue, offer_from


@dataclass(frozen=True)
class Start:
    """Where the runs of one pretraining seed start.

    At random, a pretraining cell, a file, or weights that the model brings.
    """

    kind: str
    parents: tuple[str, ...] = ()
    checkpoint: str | None = None
    checkpoint_digest: str | None = None


def pretrain_cells(suite: Suite, model: Use, terms: Terms, catalogue: Catalogue) -> dict[int, Cell]:
    """The pretraining of a model, by seed; empty where no run starts from one."""
    if suite.pretrain is None or not any(init.kind == "pretrained" for init in suite.inits):
        return {}
    data, method = suite.pretrain.data, suite.pretrain.method
    steps = _steps(method, data, terms, catalogue)
    work = _work(model, method, data, Start("random"))
    mold = Mold.of(Stage.PRETRAIN, "", work, terms, steps)
    return {seed: mold.cell((Seeds(seed),)) for seed in suite.seeds.pretrain}


def finetune_cells(
    suite: Suite,
    procedure: Procedure,
    starts: Mapping[int, Start],
    terms: Terms,
    catalogue: Catalogue,
) -> list[Cell]:
    """The runs of a procedure, by pretraining seed.

    Where one checkpoint serves every pretraining seed, the seed draws nothing and the runs are
    planned once, under the first seed.
    """
    data, method = suite.data, procedure.method
    steps = _steps(method, data, terms, catalogue)
    cells: dict[str, Cell] = {}
    molds: dict[tuple[str | None, str | None], Mold] = {}
    for seeds in run_seeds(suite.seeds):
        start = starts[seeds.pretrain]
        at = (start.checkpoint, start.checkpoint_digest)
        if at not in molds:
            work = _work(procedure.model, method, data, start)
            molds[at] = Mold.of(Stage.FINETUNE, procedure.label, work, terms, steps)
        cell = molds[at].cell((seeds,), start.parents)
        cells.setdefault(cell.key, cell)
    return list(cells.values())


def starts_of(
    init: Init, model: Use, pretrained: Mapping[int, Cell], suite: Suite, catalogue: Catalogue
) -> dict[int, Start]:
    """Where runs start, by pretraining seed; reads the checkpoints' bytes for their hash.

    Raises:
        HarnessError: there is no checkpoint; or weights are wanted that neither the suite's
            pretraining nor the model gives.
    """
    seeds = suite.seeds.pretrain
    if init.kind == "pretrained" and suite.pretrain is not None:
        return {seed: Start(init.kind, (pretrained[seed].key,)) for seed in seeds}
    if init.kind == "pretrained":
        return {seed: _brought(model, seed, catalogue) for seed in seeds}
    if init.checkpoint is None:
        return {seed: Start(init.kind) for seed in seeds}
    paths = {seed: init.checkpoint.replace("{seed}", str(seed)) for seed in seeds}
    digests = {path: _digest(path, init) for path in sorted(set(paths.values()))}
    return {seed: Start(init.kind, (), path, digests[path]) for seed, path in paths.items()}


def run_seeds(design: SeedDesign) -> Iterator[Seeds]:
    """The seeds of every run of a procedure, in the order of the suite."""
    nested = design.design == "nested"
    orders = (None,) if design.order is None else design.order
    for pretrain, finetune, order in product(design.pretrain, design.finetune, orders):
        yield Seeds(pretrain, finetune, order, nested)


def _brought(model: Use, seed: int, catalogue: Catalogue) -> Start:
    offer, settings = offer_from(model, catalogue)
    if not isinstance(offer, Model) or offer.pretrained is None:
        raise HarnessError(
            f"runs start from `pretrained` weights, but the suite has no `pretrain:` and the model "
            f"{model.label!r} brings none",
            fix="say what to pretrain on, or start from `random`",
        )
    source = offer.pretrained.source(settings, seed)
    return Start("brought", (), source.name, source.fingerprint)


def _work(model: Use, method: Use, data: DataUse, start: Start) -> TrainWork:
    return TrainWork(
        model=model,
        method=method,
        train=data.train,
        augment=data.augment,
        batch=data.batch,
        init=start.kind,
        checkpoint=start.checkpoint,
        checkpoint_digest=start.checkpoint_digest,
    )


def _steps(use: Use, data: DataUse, terms: Terms, catalogue: Catalogue) -> int | None:
    method, settings = offer_from(use, catalogue)
    if not isinstance(method, Method) or method.kind != "train":
        raise HarnessError(
            f"method '{use.label}' merges trained weights, which suites cannot ask for yet",
            fix="choose a method that trains",
        )
    recipe = method.recipe(settings, data.outline)
    steps = phase_steps(recipe, data.outline.train, data.batch, terms.limit)
    if steps is None:
        return None
    kept = () if recipe.checkpoints == "log" else recipe.checkpoints
    outside = [step for step in kept if step < 0 or (step > sum(steps) and terms.limit is None)]
    if outside:
        message = f"it keeps a checkpoint at step {outside[0]} of a training of {sum(steps)} steps"
        raise HarnessError(message, where=f"method '{use.label}'", fix="mend `checkpoints`")
    return sum(steps)


def _digest(path: str, init: Init) -> str:
    try:
        with Path(path).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise HarnessError(
            f"checkpoint {path} cannot be read ({error.strerror})",
            where=f"init '{init.label}'",
            fix="give the path of a safetensors file; {seed} stands for the pretraining seed",
        ) from None
