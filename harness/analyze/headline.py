"""The answer in short, before all others: levels, which is better, luck of the seed, and whose."""

from collections.abc import Iterator, Sequence

from harness.api.cells import Primary
from harness.api.comparisons import Comparison, PairTest
from harness.api.findings import ProcedureNote, Spread
from harness.api.numbers import count, decimals_of, figures, fixed, percent, words
from harness.api.variance import VarianceShare
from harness.statistics.comparison import FEW_SEEDS

NAMED = 3  # procedures that are named one by one
SAME = 1.5  # spreads whose ratio is below this are about the same


def headline(
    notes: Sequence[ProcedureNote],
    found: Sequence[Spread],
    shares: Sequence[VarianceShare],
    primary: Primary,
    compared: Comparison | None = None,
) -> str:
    """Sentences on the first primary OOD split beside the in-domain one; "" without any mean."""
    known = [s for s in found if s.score == primary.score and s.mean is not None]
    inside = [s for s in known if s.split == primary.id]
    outside = [s for s in known if primary.ood and s.split == primary.ood[0]]
    here = outside or inside
    if not here:
        return ""
    up = here[0].higher_is_better
    leader = (max if up else min)(here, key=lambda s: s.mean or 0.0)
    first = next((s for s in inside if s.procedure == leader.procedure), None)
    word = next(
        (n.pretrain_seed_word for n in notes if n.label == leader.procedure), "pretraining seeds"
    )
    of = (leader.procedure, leader.split, leader.score)
    share = next((s for s in shares if (s.procedure, s.split, s.score) == of), None)
    luck = _luck(leader, first, share, word)
    better = _better(compared, primary) if outside else ()
    return " ".join((*_levels(inside, outside, up=up), *better, *luck))


def _levels(inside: Sequence[Spread], outside: Sequence[Spread], *, up: bool) -> Iterator[str]:
    places = decimals_of((s.mean for s in (*inside, *outside)), (s.sd for s in (*inside, *outside)))
    here = outside or inside
    where = f"On {here[0].split}" if outside else f"In-domain ({here[0].split})"
    if len(here) > NAMED:
        ranked = sorted(here, key=lambda s: s.mean or 0.0, reverse=up)
        best, worst = ranked[0], ranked[-1]
        yield (
            f"{where}, mean {best.score} of {len(here)} procedures goes from "
            f"{fixed(best.mean, places)} ({best.procedure}) to {fixed(worst.mean, places)} "
            f"({worst.procedure})" + _range_inside(inside, outside, places) + "."
        )
        return
    runs = sorted({s.runs for s in here})
    over = count(runs[0], "run") if len(runs) == 1 else f"{runs[0]} to {runs[-1]} runs"
    over += " each" * (len(here) > 1 and len(runs) == 1)
    told = words([f"{_mean(s, places)} with {s.procedure}" for s in here])
    of = {s.procedure: _mean(s, places) for s in inside}
    beside = ""
    if outside and of:
        levels = words([of[s.procedure] for s in here if s.procedure in of])
        beside = f"; in-domain ({inside[0].split}) {levels}"
    yield f"{where}, {here[0].score} is {told}{beside} (means over {over}{_intervals(here)})."


def _better(compared: Comparison | None, primary: Primary) -> Iterator[str]:
    """Which of two procedures is better, as the comparison below says it."""
    if compared is None:
        return
    of = {split.split: split.pairs for split in compared.splits}
    far, near = ([*of.get(name, ())] for name in (primary.ood[0], primary.id))
    if len(far) != 1 or far[0].verdict == "not tested":
        return
    told = "Out of distribution " + (_winner(far[0]) or "these seeds cannot tell which is better")
    if len(near) == 1 and near[0].verdict != "not tested":
        told += "; in-domain " + (_winner(near[0]) or "these seeds cannot tell which is")
    yield f"{told}."


def _winner(pair: PairTest) -> str:
    ends = {"first": (pair.first, pair.second), "second": (pair.second, pair.first)}
    if pair.verdict not in ends:
        return ""
    better, worse = ends[pair.verdict]
    return f"{better} is better than {worse} (p = {figures(pair.p, 2)})"


def _mean(spread: Spread, places: int) -> str:
    told = fixed(spread.mean, places)
    if spread.low is None or spread.high is None:
        return told
    return f"{told} ({fixed(spread.low, places)} to {fixed(spread.high, places)})"


def _intervals(here: Sequence[Spread]) -> str:
    return ", 95 % intervals" if any(s.low is not None for s in here) else ""


def _range_inside(inside: Sequence[Spread], outside: Sequence[Spread], places: int) -> str:
    means = [s.mean for s in inside if s.mean is not None]
    if not outside or not means:
        return ""
    ends = f"{fixed(min(means), places)} and {fixed(max(means), places)}"
    return f"; in-domain ({inside[0].split}) it lies between {ends}"


def _luck(
    leader: Spread, inside: Spread | None, share: VarianceShare | None, word: str
) -> Iterator[str]:
    """How far runs of the leader differ by seed alone, beside its in-domain spread; whose it is."""
    if leader.sd is None:
        return
    told = f"The seed alone moves {leader.procedure} by {figures(leader.sd, 2)} (sd)"
    if inside is not None and inside is not leader and inside.sd:
        times = leader.sd / inside.sd
        if times == 0:
            told += f", in-domain by {figures(inside.sd, 2)}"
        elif times >= SAME:
            told += f", {figures(times, 2)} times as much as in-domain"
        elif times <= 1 / SAME:
            told += f", {figures(1 / times, 2)} times less than in-domain"
        else:
            told += ", about as much as in-domain"
    if share is not None and share.pretrain is not None and share.pretrain_range is not None:
        low, high = share.pretrain_range
        told += (
            f"; {word} carry {percent(share.pretrain)} of that variance (95 % interval "
            f"{percent(low)} to {percent(high)}"
        )
        seeds = f"{share.pretrain_seeds} of them"
        if share.says_little:
            told += f": with {seeds} it says next to nothing"
        elif share.pretrain_seeds < FEW_SEEDS:
            told += f": very uncertain with {seeds}"
        told += ")"
    yield f"{told}."
