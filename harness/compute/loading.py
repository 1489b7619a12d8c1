"""From a split as a suite names it to its tensors: load, cut, shift."""

import json

import torch

from harness.api.cells import Limit, SplitUse, Use
from harness.api.contexts import Draws
from harness.api.data import Outline, Split, Splits
from harness.api.errors import HarnessError
from harness.api.offers import Shift
from harness.api.settings import Settings
from harness.api.texts import Texts
from harness.compute.draws import HashDraws
from harness.compute.splits import DeviceSplit
from harness.compute.streams import derive, stream

ShiftUse = tuple[Shift, Settings]


def identity_of_use(use: Use) -> str:
    """An offer with its settings as one string: equal for uses that do the same."""
    return json.dumps([use.noun, use.name, dict(use.settings), use.digest], sort_keys=True)


def identity_of_split(use: SplitUse) -> str:
    """A split as one string, whatever it is called."""
    shifts = [identity_of_use(shift) for shift in use.by]
    return json.dumps([identity_of_use(use.dataset), use.fingerprint, use.source, shifts])


def pick(splits: Splits, use: SplitUse) -> Split:
    """The dataset's own split that `use` starts from."""
    own = {"train": splits.train, **splits.id, **splits.ood}
    if use.source not in own:
        raise HarnessError(
            f"the dataset has no split {use.source!r}, only {', '.join(own)}",
            where=f"dataset {use.dataset.name!r}",
        )
    return own[use.source]


def is_text(outline: Outline) -> bool:
    """Whether the inputs are text, which a model's reader has to read."""
    return any(spec.kind == "text" for spec in outline.inputs.values())


def texts_of(split: Split, where: torch.Tensor, name: str) -> Texts:
    """The texts of the chosen examples (`where` on the CPU)."""
    found = [values for values in split.inputs.values() if isinstance(values, Texts)]
    if len(found) != 1 or len(split.inputs) != 1:
        raise HarnessError(f"text has to be its only input, not {list(split.inputs)}", where=name)
    return found[0] if len(where) == len(found[0]) else found[0].taken(where)


def kept(size: int, limit: Limit | None) -> torch.Tensor:
    """Places of the examples that a limit leaves, ascending; the same for all splits of a size.

    A shifted split therefore keeps the examples that its in-domain parent keeps.
    """
    if limit is None or limit.examples is None or limit.examples >= size:
        return torch.arange(size)
    order = torch.randperm(size, generator=stream(0, "limit"))
    return order[: limit.examples].sort().values


def shift_draws(position: int, use: Use, examples: torch.Tensor) -> HashDraws:
    """The draws of an OOD split: a function of the shift, its place and the example, of no seed.

    Settings that do not enter a cell's key do not enter the draws.
    """
    settings = {name: value for name, value in use.settings.items() if name not in use.hidden}
    written = json.dumps(settings, sort_keys=True)
    return HashDraws(derive(0, "shift", position, use.name, written), examples)


def apply_shift(
    shift: ShiftUse, inputs: dict[str, torch.Tensor], draws: Draws
) -> dict[str, torch.Tensor]:
    """Inputs after one shift, which must keep their names, shapes and dtypes."""
    offer, settings = shift
    shifted = dict(offer.apply(settings, inputs, draws))
    for name, before in inputs.items():
        after = shifted.get(name)
        if after is None or after.shape != before.shape or after.dtype != before.dtype:
            raise HarnessError(
                f"it must give the input {name!r} as {before.dtype} {tuple(before.shape)}",
                where=f"shift {offer.name!r}",
            )
    return shifted


def place(use: SplitUse, outline: Outline, split: Split, where: torch.Tensor) -> DeviceSplit:
    """The chosen examples (`where` on the CPU) as a split on the CPU, unshifted."""
    whole = len(where) == len(split.targets)

    def chosen(values: torch.Tensor | Texts) -> torch.Tensor:
        if isinstance(values, Texts):
            raise HarnessError("text is read by a model", where=f"split {use.name!r}")
        return values if whole else values[where]

    return DeviceSplit(
        name=use.name,
        specs=outline.inputs,
        inputs={name: chosen(values) for name, values in split.inputs.items()},
        targets=chosen(split.targets),
        examples=where,
        groups=None if split.groups is None else chosen(split.groups),
    )
