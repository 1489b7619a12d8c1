"""A declarative recipe: what trains, how, and for how long. The engine does the rest."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Optimizer:
    """A torch optimizer by name.

    `weight_decay` is not applied to biases and norms (fewer than 2 dimensions) unless `decay_all`.
    `layer_decay` d trains the layer that is k below the top at d^k times the learning rate (Clark
    et al. 2020, arXiv 2003.10555); the layers are those that the model names (`Network.layers`).
    """

    name: Literal["sgd", "adam", "adamw"] = "adamw"
    lr: float = 1e-3
    weight_decay: float = 0.0
    momentum: float = 0.0
    nesterov: bool = False
    betas: tuple[float, float] = (0.9, 0.999)
    eps: float = 1e-8
    decay_all: bool = False
    layer_decay: float = 1.0


@dataclass(frozen=True)
class Group:
    """Parameters that are trained otherwise: those whose names begin with one of `names`.

    `lr` is a multiple of the phase's learning rate, layer-wise decay included. `weight_decay`
    replaces the optimizer's; biases and norms are spared by it too.
    """

    names: tuple[str, ...]
    lr: float = 1.0
    weight_decay: float | None = None


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
    `accumulate` splits each batch into so many passes whose gradients are added up: less memory,
    the same gradient to rounding. (Batch norm sees the parts, and examples have to be the first
    dimension of what is dropped.) A parameter belongs to the first of `groups` that names it.
    """

    trains: Literal["all", "head"] | tuple[str, ...] = "all"
    steps: int | None = None
    epochs: float | None = None
    batch: int | None = None
    optimizer: Optimizer = Optimizer()
    schedule: Schedule = Schedule()
    clip: float | None = None
    label_smoothing: float = 0.0
    accumulate: int = 1
    groups: tuple[Group, ...] = ()


@dataclass(frozen=True)
class Recipe:
    """Phases in order.

    `head`: "keep" the parent's head, draw a "fresh" one from the run's head stream, or "auto"
    (fresh where the parent's has other names or shapes, as with another number of classes or after
    a pretraining on language).
    `checkpoints` are the steps (0 is the starting point) whose weights are stored besides the
    final ones; "log" means powers of two.
    """

    phases: tuple[Phase, ...]
    head: Literal["keep", "fresh", "auto"] = "auto"
    checkpoints: tuple[int, ...] | Literal["log"] = ()
