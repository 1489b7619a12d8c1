"""The answers of a suite with many procedures: ranges over them; each one stands in the tables."""

from collections.abc import Iterator, Sequence

from harness.analyze.answers import SHOWN
from harness.api.cells import Primary
from harness.api.findings import Answer, PairSummary, ProcedureNote, Spread
from harness.api.numbers import count, decimals_of, figures, fixed, percent, words
from harness.api.variance import VarianceShare

MANY = 6  # procedures, beyond which sentences about each of them are a wall that nobody reads
MANY_NUMBERS = 12  # metrics of pairs times procedures, beyond which the same is true


def quality(found: Sequence[Spread], primary: Primary) -> Iterator[Answer]:
    """From which to which mean and sd do the procedures reach?"""
    lines = []
    for split in (primary.id, *primary.ood[:SHOWN]):
        here = [s for s in found if s.split == split and s.score == primary.score]
        means = sorted((s.mean, s.procedure) for s in here if s.mean is not None)
        sds = sorted(s.sd for s in here if s.sd is not None)
        if not means:
            lines.append(f"On {split}, no procedure has a mean.")
            continue
        places = decimals_of((mean for mean, _ in means), sds)
        (low, lowest), (high, highest) = means[0], means[-1]
        parts = [f"from {fixed(low, places)} ({lowest}) to {fixed(high, places)} ({highest})"]
        if sds:
            parts.append(f"sd over runs from {fixed(sds[0], places)} to {fixed(sds[-1], places)}")
        for number, what in (
            (len(here) - len(means), "without a mean"),
            (sum(s.runs < s.planned for s in here), "with runs missing"),
            (sum(s.diverged > 0 for s in here), "with diverged runs"),
        ):
            if number:
                parts.append(f"{number} of {len(here)} procedures {what}")
        lines.append(f"On {split}, mean {primary.score} reaches {'; '.join(parts)}.")
    yield Answer(question="How good and how variable are the procedures?", text=" ".join(lines))


def seed_shares(shares: Sequence[VarianceShare], primary: Primary) -> Iterator[Answer]:
    """From which to which share of the variance do pretraining seeds carry?"""
    lines = []
    for split in (primary.ood or (primary.id,))[:SHOWN]:
        here = [s for s in shares if s.split == split and s.score == primary.score]
        known = sorted(s.pretrain for s in here if s.pretrain is not None)
        text = f"On {split}, shares cannot be told"
        if known:
            text = (
                f"On {split}, pretraining or initial-weight seeds carry {percent(known[0])} to "
                f"{percent(known[-1])} of the variance, by procedure{_ends(here)}"
            )
            if len(known) < len(here):
                text += f", and of {len(here) - len(known)} of {len(here)} cannot be told"
        lines.append(f"{text}.")
    yield Answer(question="Which seed carries the variance?", text=" ".join(lines))


def _ends(shares: Sequence[VarianceShare]) -> str:
    """How sure the shares are: from the lowest to the highest end of any interval."""
    ends = [s.pretrain_range for s in shares if s.pretrain_range is not None]
    if not ends:
        return "; each share is uncertain"
    low, high = percent(min(low for low, _ in ends)), percent(max(high for _, high in ends))
    told = f" (their 95 % intervals from {low} to {high}"
    little = sum(share.says_little for share in shares)
    if little:
        told += f"; {little} of {len(shares)} tell next to nothing"
    return f"{told})"


def crowded(notes: Sequence[ProcedureNote], pairs: Sequence[PairSummary]) -> bool:
    """Would a number per procedure for every metric of pairs be too much to read?"""
    return len(notes) > 1 and len(notes) * len({pair.metric for pair in pairs}) > MANY_NUMBERS


def connections(pairs: Sequence[PairSummary], primary: Primary) -> Iterator[Answer]:
    """From which to which mean does the first value of every pair metric reach?"""
    for metric in dict.fromkeys(pair.metric for pair in pairs):
        of = [p for p in pairs if p.metric == metric]
        split = primary.id if primary.id in {p.split for p in of} else of[0].split
        name = next(p.name for p in of if p.split == split)
        here = [p for p in of if (p.split, p.name) == (split, name)]
        kinds = [
            _range(kind, [p for p in here if p.pair_kind == kind])
            for kind in dict.fromkeys(p.pair_kind for p in here)
        ]
        where = f" on {split}" if split else ""
        yield Answer(
            question=f"What lies between runs ({metric})?",
            text=f"{metric}, mean {name}{where}: {words(kinds)}.",
        )


def _range(kind: str, pairs: Sequence[PairSummary]) -> str:
    means = sorted(pair.mean for pair in pairs if pair.mean is not None)
    reach = f"{figures(means[0])} to {figures(means[-1])}" if means else "no mean"
    number = count(len(means), "procedure")
    if len(means) < len(pairs):
        number = f"{len(means)} of {count(len(pairs), 'procedure')}"
    return f"{reach} ({kind.replace('-', ' ')}, {number})"
