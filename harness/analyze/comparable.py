"""Which procedures may be compared, on which runs; and if not, why not."""

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import replace

from harness.analyze.contenders import Contender, Gathered, named
from harness.api.cells import Seeds, Stage, TrainWork
from harness.api.comparisons import Pairing
from harness.api.errors import HarnessError
from harness.api.numbers import count, words
from harness.api.settings import Json
from harness.plan.difference import differences
from harness.plan.identity import shared_identity
from harness.statistics.layout import complete

Runs = tuple[Seeds, ...]


class NotComparable(HarnessError):
    """Procedures that cannot be compared; `reasons` has one line for each reason."""

    def __init__(self, reasons: Sequence[str], fix: str = "") -> None:
        super().__init__("; ".join(reasons), where="not comparable", fix=fix)
        self.reasons = tuple(reasons)


def refuse_others(contenders: Sequence[Contender], splits: Sequence[str], score: str) -> None:
    """Raise `NotComparable` where a contender was scored otherwise than the first one.

    Other splits, data, shifts, scores, precision or limits are reasons, whatever suite it is of.
    """
    first, *others = contenders
    reasons = list(_same(contenders))
    for contender in contenders:
        reasons += _absent(contender, splits, score)
    if not reasons:
        for other in others:
            reasons += _otherwise(first, other, splits, score)
    if reasons:
        grouped = _grouped(contenders, score)
        grouped = [] if set(splits) <= set(grouped) else grouped
        fix = f"name splits with groups: --splits {','.join(grouped)}" if grouped else ""
        raise NotComparable(list(dict.fromkeys(reasons)), fix)


def _same(contenders: Sequence[Contender]) -> Iterator[str]:
    """Procedures that stand in for one another: the same runs of the same store."""
    seen: dict[tuple[str, ...], str] = {}
    for contender in contenders:
        runs = (str(contender.store.root.absolute()), *(run.key for run in contender.runs()))
        if runs in seen:
            yield f"{seen[runs]} and {contender.label} are the same runs"
        seen.setdefault(runs, contender.label)


def _absent(contender: Contender, splits: Sequence[str], score: str) -> Iterator[str]:
    suite = contender.suite
    has = [use.label for use in suite.scores]
    if score not in has:
        yield f"suite {suite.id} {suite.version} has no score '{score}', but {words(has)}"
    known = {split.name: split for split in suite.data.splits}
    for split in splits:
        if split not in known:
            yield f"suite {suite.id} {suite.version} has no split '{split}', but {words(known)}"
        elif score in has and score not in {use.label for use in suite.scores_of(known[split])}:
            yield f"suite {suite.id} {suite.version} has no score '{score}' on '{split}': no groups"


def _grouped(contenders: Sequence[Contender], score: str) -> list[str]:
    """The splits on which all contenders have a score over groups; none for other scores."""
    suites = [contender.suite for contender in contenders]
    if not all(score in suite.over_groups for suite in suites):
        return []
    each = [[split.name for split in suite.data.splits if split.grouped] for suite in suites]
    return [name for name in each[0] if all(name in names for names in each)]


def _otherwise(
    first: Contender, other: Contender, splits: Sequence[str], score: str
) -> Iterator[str]:
    if first.plan.smoke != other.plan.smoke:
        trial, whole = (first, other) if first.plan.smoke else (other, first)
        yield f"{trial.label} is a trial run and {whole.label} is not"
        return
    told: dict[str, list[str]] = {}
    for split in splits:
        ours, theirs = (_identity(contender, split, score) for contender in (first, other))
        for difference in differences(theirs, ours):
            told.setdefault(str(difference), []).append(split)
    for text, where in told.items():
        place = "" if len(where) == len(splits) and len(splits) > 1 else f" on {words(where)}"
        yield f"{other.label} was scored otherwise than {first.label}{place}: {text}"


def _identity(contender: Contender, split: str, score: str) -> dict[str, Json]:
    """All that a score on a split depends on besides the weights."""
    cell, work = next(contender.evaluations(split))
    alone = replace(work, scores=(contender.score(score),))
    return shared_identity(Stage.EVALUATE, alone, cell.precision, cell.limit)


def suites_differ(contenders: Sequence[Contender]) -> Iterator[str]:
    """What is to be said of procedures of several suites that may be compared all the same."""
    first, *others = contenders
    for other in others:
        ours, theirs = ((c.plan.suite_id, c.plan.version) for c in (first, other))
        text = f"{other.label} is of suite {' '.join(theirs)}, {first.label} of {' '.join(ours)}"
        if ours != theirs:
            yield f"{text}: the data of these splits and the score are the same."
        changed = [str(each) for each in differences(_training(other), _training(first))]
        if changed:
            yield f"{other.label} was trained otherwise than {first.label}: {words(changed)}."


def _training(contender: Contender) -> dict[str, Json]:
    """What of the training does not belong to the procedure's name: data, batch, augmentation."""
    for run in contender.runs():
        if isinstance(run.work, TrainWork):
            whole = shared_identity(Stage.FINETUNE, run.work, run.precision, run.limit)
            return {name: whole[name] for name in ("train", "batch", "augment") if name in whole}
    return {}


def choose_runs(gathered: Sequence[Gathered], *, common: bool) -> tuple[list[Runs], list[str]]:
    """The runs of each contender that are compared, and notes on those that are not.

    All planned ones, or, if only `common` ones are asked for, the seeds that every contender has on
    every split; a crossed design is then cut to a full table again, at the least loss.

    Raises:
        NotComparable: some planned run has no value, or there is no common run.
    """
    planned = [tuple(sorted(each.starts, key=_order)) for each in gathered]
    if not common:
        reasons = [reason for each in gathered for reason in _holes(each)]
        if reasons:
            fix = "finish these runs, or compare the seeds that all have with --common-seeds"
            raise NotComparable(reasons, fix)
        return planned, []
    kept = set(planned[0])
    for each, seeds in zip(gathered, planned, strict=True):
        kept &= set(seeds) - each.holes().keys()
    whole = _full_table(sorted(kept, key=_order))
    if not whole:
        raise NotComparable(["no seeds have a value for every procedure on every split"])
    notes = []
    for each, seeds in zip(gathered, planned, strict=True):
        out = [one for one in seeds if one not in whole]
        if out:
            why = each.holes()
            holes = sum(one in why for one in out)
            because = f", {holes} of them without a result" if holes else ""
            notes.append(
                f"{each.label}: {len(out)} of {count(len(seeds), 'run')} left out{because}: "
                f"{named(out)}. What is missing may not be missing at random."
            )
    return [whole for _ in gathered], notes


def _holes(gathered: Gathered) -> Iterator[str]:
    """One line for each reason of missing values."""
    by_reason: dict[str, list[Seeds]] = {}
    for one, why in gathered.holes().items():
        by_reason.setdefault(why, []).append(one)
    planned = len(gathered.starts)
    for why, seeds in by_reason.items():
        have = "has" if len(seeds) == 1 else "have"
        runs = f"{len(seeds)} of {count(planned, 'run')}"
        yield f"{gathered.label}: {runs} {have} no score {why}: {named(seeds)}"


def _order(seeds: Seeds) -> tuple[int, int, int]:
    return (seeds.pretrain, seeds.finetune or 0, -1 if seeds.order is None else seeds.order)


def _full_table(seeds: Sequence[Seeds]) -> tuple[Seeds, ...]:
    """The runs of a full crossed table: rows or columns with holes go, whichever costs less."""
    if not seeds or (seeds[0].nested and len({one.pretrain for one in seeds}) > 1):
        return tuple(seeds)
    within = [(one.finetune, one.order) for one in seeds]
    whole = _cut(seeds, [one.pretrain for one in seeds], within)
    return _cut(whole, [one.finetune for one in whole], [one.order for one in whole])


def _cut(seeds: Sequence[Seeds], rows: Sequence[Hashable], columns: Sequence[Hashable]) -> Runs:
    without_columns, _ = complete(rows, columns)
    without_rows, _ = complete(columns, rows)
    best = max(without_columns, without_rows, key=len)
    return tuple(seeds[place] for place in best)


def pairing(gathered: tuple[Gathered, Gathered], chosen: tuple[Runs, Runs]) -> Pairing:
    """How two contenders hang together: by the same weights, by the same seeds, or not."""
    if chosen[0] != chosen[1]:
        return "none"
    starts = [(gathered[0].starts[one], gathered[1].starts[one]) for one in chosen[0]]
    same = all(ours is not None and ours == theirs for ours, theirs in starts)
    return "same weights" if same else "same seeds"
