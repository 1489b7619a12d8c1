"""What a metric may see: train < id < ood-inputs < ood-labels."""

from typing import Literal, get_args

from harness.api.errors import HarnessError
from harness.api.readings import Access

SplitKind = Literal["train", "id", "ood"]
LEVELS: tuple[Access, ...] = get_args(Access)


def needed(kind: SplitKind, *, labels: bool) -> Access:
    """The access it takes to look at a split of this kind, with or without its labels."""
    if kind != "ood":
        return kind
    return "ood-labels" if labels else "ood-inputs"


class AccessControl:
    """Lets a metric see what its offer declares, and keeps book of what it did see."""

    def __init__(self, metric: str, allowed: Access) -> None:
        self.metric = metric
        self._allowed = allowed
        self._used: dict[str, Access] = {}

    @property
    def used(self) -> Access:
        """The most that the metric has looked at so far ("train" if it saw no data)."""
        return max(self._used.values(), key=LEVELS.index, default="train")

    @property
    def by_split(self) -> dict[str, Access]:
        """What the metric looked at, split by split."""
        return dict(self._used)

    def enter(self, split: str, kind: SplitKind, *, labels: bool) -> None:
        """Note that the metric looks at a split.

        Raises:
            HarnessError: where its declared access does not reach that far.
        """
        level = needed(kind, labels=labels)
        if LEVELS.index(level) > LEVELS.index(self._allowed):
            raise HarnessError(
                f"metric {self.metric!r} has access {self._allowed!r}, "
                f"but split {split!r} takes {level!r}",
                fix=f"give it splits within {self._allowed!r}, or declare access={level!r}",
            )
        seen = self._used.get(split, level)
        self._used[split] = max(seen, level, key=LEVELS.index)
