"""A declarative recipe: what trains, how, and for how long. The engine does the rest."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Optimizer:
    """A torch optimizer by name.

    `weight_decay` is not applied to biases and norms (fewer than 2 dimensions) unless `decay_all`.
    """

    name: Literal["sgd", "adam", "adamw"] = "adamw"
    lr: float = 1e-3
    weight_decay: float = 0.0
    momentum: float = 0.0
    nesterov: bool = False
    betas: tuple[float, float] = (0.9, 0.999)
    eps: float = 1e-8
    decay_all: bool = False


@dataclass(frozen=True)
class Schedule:
    """The learning rate over a phase: linear warm-up over `warmup` steps, then the named shape."""

    shape: Literal["constant", "linear", "cosine"] = "constant"
    warmup: int = 0
    final: float = 0.0


@dataclass(frozen=True)
class Phase:
    """One stretch of training. Give `steps` or `epochs`, not both.

    `trains` is "all", "head", or prefixes of parameter names. `batch` overrides the suite's.
    """

    trains: Literal["all", "head"] | tuple[str, ...] = "all"
    steps: int | None = None
    epochs: float | None = None
    batch: int | None = None
    optimizer: Optimizer = Optimizer()
    schedule: Schedule = Schedule()
    clip: float | None = None
    label_smoothing: float = 0.0


@dataclass(frozen=True)
class Recipe:
    """Phases in order.

    `head`: "keep" the parent's head, draw a "fresh" one from the run's head stream, or "auto"
    (fresh where its shape differs from the parent's, as with another number of classes).
    `checkpoints` are the steps (0 is the starting point) whose weights are stored besides the
    final ones; "log" means powers of two.
    """

    phases: tuple[Phase, ...]
    head: Literal["keep", "fresh", "auto"] = "auto"
    checkpoints: tuple[int, ...] | Literal["log"] = ()
