"""The settings that one-phase methods share."""

from typing import Literal, Self

from pydantic import model_validator

from harness.api.recipes import Group, Optimizer, Phase, Recipe, Schedule
from harness.api.settings import Settings, setting

ADAM = "https://arxiv.org/abs/1412.6980"
ADAMW = "https://arxiv.org/abs/1711.05101"
LINEAR_PROBE_PAPER = "https://arxiv.org/abs/2202.10054"
EPOCHS = 10.0  # where neither steps nor epochs are given


class GroupSettings(Settings):
    """Parameters that are trained otherwise, by the beginnings of their names."""

    names: tuple[str, ...] = setting(..., "beginnings of parameter names", min_length=1)
    lr: float = setting(1.0, "multiple of the learning rate", gt=0)
    weight_decay: float | None = setting(None, "if not the method's", ge=0)


class TrainingSettings(Settings):
    """How long, with which optimizer, and what is kept."""

    steps: int | None = setting(None, "optimizer steps; give these or `epochs`", ge=0)
    epochs: float | None = setting(None, "passes over the data; 10 if `steps` is not given", gt=0)
    batch: int | None = setting(None, "examples per step, if not the suite's", ge=1)
    optimizer: Literal["sgd", "adam", "adamw"] = setting("adamw", "torch's own", source=ADAMW)
    lr: float = setting(1e-3, "learning rate after warm-up", source=ADAM, gt=0)
    weight_decay: float = setting(
        0.01, "not applied to biases and norms", source="https://arxiv.org/abs/1810.04805", ge=0
    )
    momentum: float = setting(0.9, "of sgd", ge=0, lt=1, source="https://arxiv.org/abs/1512.03385")
    nesterov: bool = setting(False, "Nesterov's momentum, for sgd")
    schedule: Literal["constant", "linear", "cosine"] = setting(
        "constant", "learning rate after warm-up", source="https://arxiv.org/abs/1608.03983"
    )
    warmup: int = setting(0, "steps in which the learning rate rises linearly", ge=0)
    layer_decay: float = setting(
        1.0, "factor of the learning rate from each layer to the one below, if the model names any",
        gt=0, le=1, source="https://arxiv.org/abs/2003.10555",
    )  # fmt: skip
    groups: tuple[GroupSettings, ...] = setting(
        (), "parameters with another learning rate or weight decay; the first that fits counts"
    )
    accumulate: int = setting(
        1, "passes that a batch is split into: less memory, the same gradient", ge=1
    )
    clip: float | None = setting(None, "largest norm of a run's gradient", gt=0)
    label_smoothing: float = setting(
        0.0, "share of the target spread over classes", ge=0, lt=1,
        source="https://arxiv.org/abs/1512.00567",
    )  # fmt: skip
    head: Literal["keep", "fresh", "auto"] = setting(
        "auto", "the parent's head, one drawn afresh, or afresh only where its shape differs"
    )
    checkpoints: tuple[int, ...] | Literal["log"] = setting(
        (), "steps whose weights are kept (0: the start); log: 0 and powers of two"
    )

    @model_validator(mode="after")
    def _one_length(self) -> Self:
        if self.steps is not None and self.epochs is not None:
            raise ValueError("give `steps` or `epochs`, not both")
        if self.nesterov and self.momentum == 0.0:
            raise ValueError("Nesterov's momentum needs `momentum` above 0")
        return self


def recipe_of(settings: TrainingSettings, trains: Literal["all", "head"]) -> Recipe:
    """One phase with these settings."""
    epochs = settings.epochs if settings.steps is not None or settings.epochs else EPOCHS
    phase = Phase(
        trains=trains,
        steps=settings.steps,
        epochs=epochs,
        batch=settings.batch,
        optimizer=Optimizer(
            name=settings.optimizer,
            lr=settings.lr,
            weight_decay=settings.weight_decay,
            momentum=settings.momentum,
            nesterov=settings.nesterov,
            layer_decay=settings.layer_decay,
        ),
        schedule=Schedule(shape=settings.schedule, warmup=settings.warmup),
        clip=settings.clip,
        label_smoothing=settings.label_smoothing,
        accumulate=settings.accumulate,
        groups=tuple(Group(group.names, group.lr, group.weight_decay) for group in settings.groups),
    )
    return Recipe(phases=(phase,), head=settings.head, checkpoints=settings.checkpoints)
