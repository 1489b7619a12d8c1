"""What a worker works with: data on the device, networks, and weights from the store."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import torch
from torch import Tensor

from harness.api.cells import Limit, SplitUse, Use
from harness.api.data import DataRoom, Outline, Splits
from harness.api.errors import HarnessError
from harness.api.networks import Network
from harness.api.offers import Dataset, Model, Offer, Shift
from harness.api.settings import Settings
from harness.api.texts import Reader
from harness.compute.agreement import check_dataset
from harness.compute.building import build_network, draws_dropout, hollow
from harness.compute.letting_go import bytes_of, let_go
from harness.compute.loading import (
    ShiftUse,
    apply_shift,
    identity_of_split,
    identity_of_use,
    is_text,
    kept,
    pick,
    place,
    shift_draws,
    texts_of,
)
from harness.compute.packed import Packed
from harness.compute.splits import DeviceSplit
from harness.compute.streams import derive
from harness.compute.tokens import read_tokens
from harness.compute.weights import load_weights
from harness.plug.uses import offer_from
from harness.store import paths

if TYPE_CHECKING:
    from harness.plug.catalogue import Catalogue
    from harness.store.store import Store

SPLIT_BYTES = 4 * 1024**3  # kept of splits
WEIGHT_BYTES = 1024**3
DATASETS = 4

T = TypeVar("T")


class Recent(Generic[T]):
    """The values used last, within a budget; the newest is always kept."""

    def __init__(self, budget: int) -> None:
        self._budget = budget
        self._entries: OrderedDict[str, tuple[T, int]] = OrderedDict()

    def get(self, key: str) -> T | None:
        """The value, now the newest, or None."""
        if key not in self._entries:
            return None
        self._entries.move_to_end(key)
        return self._entries[key][0]

    def put(self, key: str, value: T, size: int) -> T:
        """Keep a value that takes `size` of the budget; gives it back."""
        self._entries[key] = (value, size)
        while len(self._entries) > 1 and sum(s for _, s in self._entries.values()) > self._budget:
            self._entries.popitem(last=False)
        return value


class Workbench:
    """One per worker process: finds offers, loads data, builds networks, reads weights.

    What it returns is shared: nobody changes these tensors in place. `compiled` says that whoever
    trains with it goes through `torch.compile`.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        store: Store,
        device: torch.device,
        cache: Path,
        offline: bool = False,
    ) -> None:
        self.catalogue = catalogue
        self.store = store
        self.device = device
        self.compiled = False
        self.room = DataRoom(cache=cache, offline=offline)
        self._outlines: dict[str, Outline] = {}
        self._datasets: Recent[Splits] = Recent(DATASETS)
        self._splits: Recent[DeviceSplit] = Recent(SPLIT_BYTES)
        self._blanks: dict[str, Network] = {}
        self._drops: dict[str, bool] = {}
        self._readers: dict[str, Reader] = {}
        self._weights: Recent[dict[str, Tensor]] = Recent(WEIGHT_BYTES)

    def offer(self, use: Use) -> tuple[Offer, Settings]:
        """The offer that a use names, and its settings."""
        return offer_from(use, self.catalogue)

    def outline(self, use: SplitUse) -> Outline:
        """The outline of the split's dataset."""
        key = identity_of_use(use.dataset)
        if key not in self._outlines:
            dataset, settings = self._dataset(use)
            self._outlines[key] = dataset.outline(settings)
        return self._outlines[key]

    def network(self, model: Use, train: SplitUse, seed: int, stream: str = "init") -> Network:
        """A fresh network on the CPU, drawn from the named stream of the seed."""
        return self.network_from(model, train, derive(seed, stream))

    def network_from(self, model: Use, train: SplitUse, derived: int) -> Network:
        """A fresh network on the CPU, drawn from an already derived seed."""
        offer, settings = self.offer(model)
        if not isinstance(offer, Model):
            raise HarnessError(f"{model.name!r} is a {offer.noun}, not a model")
        return build_network(offer, settings, self.outline(train), derived)

    def blank(self, model: Use, train: SplitUse) -> Network:
        """A network on the device whose own weights mean nothing, for `functional_call`.

        It is shared: set its mode before use, leave its weights alone. Its parameters take no
        memory: all numbers of one are a single zero.
        """
        key = _network_key(model, train)
        if key not in self._blanks:
            network = self.untouched(model, train)
            hollow(network.module)
            self._blanks[key] = network
        return self._blanks[key]

    def untouched(self, model: Use, train: SplitUse) -> Network:
        """As `blank`, but nobody else's, so that it may be trained.

        Built anew: a module that has run may keep what it computed, and cannot be copied then.
        """
        network = self.network(model, train, 0, "blank")
        return replace(network, module=network.module.to(self.device))

    def drops(self, model: Use, train: SplitUse) -> bool:
        """Whether the model draws dropout masks in training."""
        key = _network_key(model, train)
        if key not in self._drops:
            split = self.split(train, Limit(examples=2), model)
            inputs = split.model_inputs(slice(None))
            network = self.untouched(model, train)
            size = bytes_of(network.module.parameters())
            self._drops[key] = draws_dropout(network, inputs)
            del network
            let_go(size)
        return self._drops[key]

    def split(
        self, use: SplitUse, limit: Limit | None = None, model: Use | None = None
    ) -> DeviceSplit:
        """The split on the device: its source cut to the limit, then shifted, or read by the model.

        Only of text does it hang on the model, whose reader makes tokens of it.
        An OOD split depends on the shifts and the examples alone: it is the same for every run.
        """
        examples = None if limit is None else limit.examples
        outline = self.outline(use)
        identity = f"{examples} {identity_of_split(use)}"
        reader = self.reader(model) if model is not None and is_text(outline) else None
        key = identity if reader is None else f"{reader.fingerprint} {identity}"
        known = self._splits.get(key)
        if known is not None:
            return known if known.name == use.name else replace(known, name=use.name)
        source = pick(self._loaded(use), use)
        chosen = kept(len(source.targets), limit)
        if reader is None:
            split = self._shifted(use, place(use, outline, source, chosen))
        else:
            where = f"dataset {use.dataset.name!r}, split {use.source!r}"
            texts = texts_of(source, chosen, where)
            tokens = read_tokens(texts, reader, identity, self.room.cache)
            split = replace(
                place(use, outline, replace(source, inputs={}), chosen),
                packed=Packed.on(self.device, tokens),
            )
        split = replace(
            split,
            examples=split.examples.to(self.device),
            targets=split.targets.to(self.device),
            groups=None if split.groups is None else split.groups.to(self.device),
        )
        return self._splits.put(key, split, split.bytes)

    def reader(self, model: Use) -> Reader:
        """The tokenizer of a model that takes text."""
        key = identity_of_use(model)
        if key not in self._readers:
            offer, settings = self.offer(model)
            if not isinstance(offer, Model) or offer.reader is None:
                raise HarnessError(
                    f"the model {model.name!r} takes no text, and the data are text",
                    fix="`seedscape list model` names those that do",
                )
            self._readers[key] = offer.reader(settings, self.room)
        return self._readers[key]

    def _shifted(self, use: SplitUse, split: DeviceSplit) -> DeviceSplit:
        # A shift may work in place, and these are the data set's own tensors.
        inputs = {n: v.to(self.device, copy=bool(use.by)) for n, v in split.inputs.items()}
        where = split.examples.to(self.device)
        for position, (shift, name) in enumerate(zip(self.shifts(use.by), use.by, strict=True)):
            inputs = apply_shift(shift, inputs, shift_draws(position, name, where))
        return replace(split, inputs=inputs)

    def shifts(self, uses: tuple[Use, ...]) -> list[ShiftUse]:
        """Shift offers with their settings, in order."""
        found = []
        for use in uses:
            offer, settings = self.offer(use)
            if not isinstance(offer, Shift):
                raise HarnessError(f"{use.name!r} is a {offer.noun}, not a shift")
            found.append((offer, settings))
        return found

    def weights(self, key: str, point: str = "final") -> dict[str, Tensor]:
        """Weights of a finished cell on the device: "final", or "checkpoint-100"."""
        name = f"{key}/{point}"
        known = self._weights.get(name)
        if known is not None:
            return known
        loaded = load_weights(self.store.path(key, file_of(point)))
        placed = {n: tensor.to(self.device) for n, tensor in loaded.items()}
        return self._weights.put(name, placed, sum(t.nbytes for t in placed.values()))

    def _dataset(self, use: SplitUse) -> tuple[Dataset, Any]:
        # Any: the settings class is the offer's own.
        offer, settings = self.offer(use.dataset)
        if not isinstance(offer, Dataset):
            raise HarnessError(f"{use.dataset.name!r} is a {offer.noun}, not a dataset")
        return offer, settings

    def _loaded(self, use: SplitUse) -> Splits:
        key = f"{identity_of_use(use.dataset)} {use.fingerprint}"
        known = self._datasets.get(key)
        if known is not None:
            return known
        dataset, settings = self._dataset(use)
        if use.fingerprint and dataset.fingerprint(settings) != use.fingerprint:
            raise HarnessError(
                "the data are not those that the plan was made for",
                where=f"dataset {use.dataset.name!r}",
                fix="run the suite again to plan with the new data",
            )
        splits = dataset.load(settings, self.room)
        provider = self.catalogue.find("dataset", use.dataset.name).provider
        check_dataset(use.dataset.name, self.outline(use), splits, provider)
        return self._datasets.put(key, splits, 1)


def _network_key(model: Use, train: SplitUse) -> str:
    return f"{identity_of_use(model)} {identity_of_use(train.dataset)}"


def file_of(point: str) -> str:
    """The file of a named point in a cell's folder.

    >>> file_of("final"), file_of("checkpoint-100")
    ('weights.safetensors', 'checkpoint-000100.safetensors')
    """
    if point == "final":
        return paths.WEIGHTS
    kind, _, step = point.partition("-")
    if kind != "checkpoint" or not step.isdigit():
        raise HarnessError(f"no point {point!r}", fix="points are 'final' and 'checkpoint-STEP'")
    return paths.checkpoint(int(step))
