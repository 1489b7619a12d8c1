"""The nouns that a plugin can offer: frozen records of a name, settings and functions.

Making an offer is free: import torch, a network library or a data file inside the functions.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from harness.api.pretrained import Pretrained as Pretrained
from harness.api.pretrained import Source as Source
from harness.api.settings import NoSettings, Settings

if TYPE_CHECKING:
    from pathlib import Path

    import click
    import numpy as np
    from torch import Tensor

    from harness.api.cells import Branch
    from harness.api.contexts import BuildRoom, Draws, ExecutorRoom, Pool, Probe, Watch, WatchRoom
    from harness.api.data import DataRoom, Outline, Splits
    from harness.api.downloads import Download
    from harness.api.findings import Findings
    from harness.api.networks import Network
    from harness.api.readings import Reading
    from harness.api.recipes import Recipe
    from harness.api.texts import Reader

    Array = np.ndarray[Any, np.dtype[Any]]

# The functions of an offer take the offer's own settings class; `Any` lets a plugin annotate the
# first argument with that class, which a frozen generic record could only express per instance.


@dataclass(frozen=True, kw_only=True)
class Offer:
    """A named thing that a plugin provides. `about` is one line, `source` a paper or page."""

    noun: ClassVar[str] = ""
    name: str
    about: str
    settings: type[Settings] = NoSettings
    source: str = ""


@dataclass(frozen=True, kw_only=True)
class Model(Offer):
    """`build(settings, room)` gives a `Network` on the CPU, its weights drawn from the room.

    `reader(settings, room)` makes the tokenizer of a model that takes text. `fingerprint(settings)`
    is the hash of files that the settings name (a tokenizer, a configuration): what they hold
    belongs to what the model is. `pretrained` are weights that the model brings along, for the
    initialisation `pretrained` of a suite without a pretraining of its own.

    `downloads(settings, seeds, room)` is what all this needs from elsewhere, with the weights of
    these pretraining seeds.

    `tasks` are the kinds of tasks that it learns, so that others are refused before anything runs.
    "language", text without labels, takes a network that says how (`Network.language`). `inputs`
    are the kinds of inputs besides text that it takes, and `lacks` what its networks never have of
    what metrics want: "attention", "symmetries".
    """

    noun: ClassVar[str] = "model"
    build: Callable[[Any, BuildRoom], Network]
    reader: Callable[[Any, DataRoom], Reader] | None = None
    fingerprint: Callable[[Any], str] | None = None
    pretrained: Pretrained | None = None
    downloads: Callable[[Any, Sequence[int], DataRoom], Sequence[Download]] | None = None
    tasks: tuple[str, ...] = ("classification", "regression", "language")
    inputs: tuple[str, ...] = ("image", "float")
    lacks: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Dataset(Offer):
    """Examples with named splits.

    `outline(settings)` tells splits and shapes without loading; `fingerprint(settings)` identifies
    the bytes (a hash of the files, or a pinned revision); both are cheap and raise `HarnessError`
    where the data cannot be found. `load(settings, room)` gives the tensors, and
    `downloads(settings, room)` what it needs from elsewhere for that.
    """

    noun: ClassVar[str] = "dataset"
    outline: Callable[[Any], Outline]
    fingerprint: Callable[[Any], str]
    load: Callable[[Any, DataRoom], Splits]
    license: str = ""
    citation: str = ""
    downloads: Callable[[Any, DataRoom], Sequence[Download]] | None = None


@dataclass(frozen=True, kw_only=True)
class Shift(Offer):
    """Turns a split into a shifted one: an OOD maker, and an augmentation.

    `apply(settings, inputs, draws)` gives new inputs of the same names; every random number comes
    from `draws`, which gives example i the same numbers whatever stands beside it.
    `kind` is the kind of shift ("rotation", "noise", ...) and `inputs` what it can be applied to.
    """

    noun: ClassVar[str] = "shift"
    kind: str
    inputs: Literal["image", "float"] = "image"
    apply: Callable[[Any, Mapping[str, Tensor], Draws], Mapping[str, Tensor]]


@dataclass(frozen=True, kw_only=True)
class Method(Offer):
    """`recipe(settings, outline)` says what trains and how.

    `kind` "merge" is for methods that combine trained points (soups).
    """

    noun: ClassVar[str] = "method"
    kind: Literal["train", "merge"] = "train"
    recipe: Callable[[Any, Outline], Recipe]


@dataclass(frozen=True, kw_only=True)
class Terms:
    """A score as a function of means over examples, so that examples can be resampled.

    `values(settings, predictions, references, groups, classes)` gives numbers [terms, n], one per
    example: the counts of a confusion matrix, say. `combine(settings, means)` takes their means
    [..., terms] over whatever examples were drawn to scores [...]. All runs must have the same
    terms: their number may depend on the settings, the number of classes, and the groups.
    """

    values: Callable[[Any, Array, Array, Array | None, int], Array]
    combine: Callable[[Any, Array], Array]


@dataclass(frozen=True, kw_only=True)
class Score(Offer):
    """A performance number computed from stored predictions.

    `module(settings)` gives an `evaluate.EvaluationModule`; its `compute(predictions=...,
    references=..., **extra)` returns a mapping that holds `field` (default: the offer's name).
    `needs` says what is handed over as predictions ("labels", "probabilities", or "values" in
    regression: numbers [n]), `groups` whether the keyword `groups` is added. An example that cannot
    be scored (logits not finite) counts as the worst possible: it is handed over as a sure vote for
    a wrong class, or as a value far off.
    `version` enters the identity of what is scored, as the source does; `fingerprint(settings)` is
    the hash of files that the settings name (a script, say).
    `proportion` marks a mean over examples of 0 or 1, whose sampling variance is p (1 - p) / n.
    `bounds` are the least and the greatest that it can be: intervals end there.

    `compute(settings, predictions, references, groups)`, where an offer has it, is the same number
    straight from numpy arrays, and is what the harness calls: importing `evaluate` takes seconds,
    which every scoring process would pay. `module` must then be built on it.

    For intervals that draw examples anew (`seedscape compare`) a score says how it is made of them:
    `each(settings, predictions, references, groups)` gives numbers [n] whose mean is the score, or
    `terms` stands for a function of several means. With neither, examples are held fixed.
    """

    noun: ClassVar[str] = "score"
    module: Callable[[Any], Any]  # evaluate is imported late and carries no types
    higher_is_better: bool
    needs: Literal["labels", "probabilities", "values"] = "labels"
    groups: bool = False
    field: str = ""
    compute: Callable[[Any, Array, Array, Array | None], float] | None = None
    version: str = "1"
    fingerprint: Callable[[Any], str] | None = None
    proportion: bool = False
    bounds: tuple[float, float] = (-math.inf, math.inf)
    each: Callable[[Any, Array, Array, Array | None], Array] | None = None
    terms: Terms | None = None


@dataclass(frozen=True, kw_only=True)
class Parts:
    """How the work on one subject splits into parts, each stored for itself and run by any worker.

    `count(settings)` is their number; with 1 nothing is split. `measure(settings, probe, part)`
    reads part 0, 1, ...; `join(settings, readings)` makes the whole of the parts' readings, in
    order. It has no probe, so whatever it needs stands in them; costs are added up for it. The
    whole has to be what `Metric.measure` gives, however the work was split.
    """

    count: Callable[[Any], int]
    measure: Callable[[Any, Probe, int], Reading]
    join: Callable[[Any, Sequence[Reading]], Reading]


@dataclass(frozen=True, kw_only=True)
class Metric(Offer):
    """A landscape metric; `measure(settings, probe)` gives a `Reading`.

    `access` is the most that it may see: "train" < "id" < "ood-inputs" < "ood-labels".
    `direction` says whether a larger value means "higher-is-flatter" and the like, or "depends".

    `branches(settings, steps)` names the branches of a run that the metric needs: trainings that
    share the run's first steps and draw anew from there. `steps` is the run's length, None where
    nobody knows it before the data are loaded. The plan trains them; `probe.subject.branches` says
    which of the probe's runs is which. For metrics of a point only.

    `across` names a setting of methods. The metric's groups are then runs of several procedures
    that differ in that setting alone: same model, initialisation and seeds, in the order of its
    values, which the metric finds in `Subject.varied`.

    `parts` lets long work be split: a run that is killed then loses only the parts that it was at.

    `scores(settings)` names those of the suite's scores that it wants to compute at points of its
    own: `probe.scored` computes them.

    `tasks` are the kinds of tasks that it can be read on, which most know nothing of.

    `wants(settings)` names what runs must have for the metric to be read, so that a suite without
    is refused before anything runs: "start", that it is known where they started, "waypoints", at
    least one kept checkpoint between start and end, and "attention" or "symmetries" of the network.

    `baseline` marks what needs no landscape, which predictors have to beat: "score" for in-domain
    scores and losses, "confidence" for how sure a run is.
    """

    noun: ClassVar[str] = "metric"
    measure: Callable[[Any, Probe], Reading]
    of: Literal["point", "pair", "group", "trajectory"]
    access: Literal["train", "id", "ood-inputs", "ood-labels"]
    direction: str = "depends"
    formula: str = ""
    invariances: str = ""
    cost: str = ""
    oracle: str = ""
    branches: Callable[[Any, int | None], tuple[Branch, ...]] | None = None
    across: str = ""
    parts: Parts | None = None
    scores: Callable[[Any], tuple[str, ...]] | None = None
    baseline: Literal["", "score", "confidence"] = ""
    tasks: tuple[str, ...] = ("classification", "regression")
    wants: Callable[[Any], tuple[str, ...]] | None = None


@dataclass(frozen=True, kw_only=True)
class Executor(Offer):
    """`open(settings, room)` gives a pool that runs jobs and yields events as they finish.

    `exact` asks for weights that are bit-equal from run to run on a CPU: nothing is then chosen by
    the clock, so runs are never packed unless the user says so.
    """

    noun: ClassVar[str] = "executor"
    open: Callable[[Any, ExecutorRoom], Pool]
    exact: bool = False


@dataclass(frozen=True, kw_only=True)
class Reporter(Offer):
    """`write(settings, findings, folder)` writes a report and gives the paths it wrote."""

    noun: ClassVar[str] = "reporter"
    write: Callable[[Any, Findings, Path], list[Path]]


@dataclass(frozen=True, kw_only=True)
class Watcher(Offer):
    """`open(settings, room)` gives a `Watch`, which is told of cells until the run ends.

    It is opened where a user names it (`--watch`), in the process that schedules, and enters no
    key. A `HarnessError` of `open` stops the run before it starts; whatever else it raises, or the
    watch does, is one line for the user, and the watch is told nothing more.
    """

    noun: ClassVar[str] = "watcher"
    open: Callable[[Any, WatchRoom], Watch]


@dataclass(frozen=True, kw_only=True)
class Command(Offer):
    """A sub-command of `seedscape`; `command()` gives a click command."""

    noun: ClassVar[str] = "command"
    command: Callable[[], click.Command]


NOUNS: tuple[type[Offer], ...] = (
    Model,
    Dataset,
    Shift,
    Method,
    Score,
    Metric,
    Executor,
    Reporter,
    Watcher,
    Command,
)
