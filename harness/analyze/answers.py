"""The suite's questions, answered in sentences that carry their numbers and their n."""

from collections.abc import Iterator, Sequence

from harness.api.cells import Primary
from harness.api.findings import (
    Answer,
    PairSummary,
    ProcedureNote,
    Spread,
    VarianceShare,
)
from harness.api.numbers import TIMES, count, decimals_of, figures, fixed, percent, words

Notes = Sequence[ProcedureNote]


def quality(notes: Notes, found: Sequence[Spread], primary: Primary) -> Iterator[Answer]:
    """How good and how variable is each procedure, in-domain and OOD?"""
    for note in notes:
        of = {s.split: s for s in found if s.procedure == note.label and s.score == primary.score}
        here = [of[split] for split in (primary.id, *primary.ood) if split in of]
        if not here:
            continue
        decimals = decimals_of((s.mean for s in here), (s.sd for s in here))
        inside = [_level(s, decimals) for s in here if s.split == primary.id]
        outside = [_level(s, decimals) for s in here if s.split != primary.id]
        text = "".join(f"In-domain ({primary.id}), {primary.score} {part}. " for part in inside)
        shown = outside[:4]
        text += "".join(
            f"On {s.split}{_shift(s)} it {part}. "
            for s, part in zip([s for s in here if s.split != primary.id], shown, strict=False)
        )
        if len(outside) > len(shown):
            text += f"{len(outside) - len(shown)} more OOD splits are in the table."
        yield Answer(question=f"How good and how variable is {note.label}?", text=text.strip())


def _shift(spread: Spread) -> str:
    told = spread.shift and spread.shift not in spread.split
    return f" ({spread.shift})" if told else ""


def _level(spread: Spread, decimals: int) -> str:
    runs = _runs(spread)
    if spread.runs == 0:
        return f"has no result ({runs})"
    if spread.mean is None:
        return f"has no mean: {spread.not_finite} of {runs} are NaN or infinite"
    worst = f"worst {fixed(spread.worst, decimals)}, seeds {spread.worst_seeds}"
    if spread.sd is None:
        return f"is {fixed(spread.mean, decimals)} in {runs}; one run says nothing of the spread"
    return (
        f"is {fixed(spread.mean, decimals)} over {runs} (sd {fixed(spread.sd, decimals)}, {worst})"
    )


def _runs(spread: Spread) -> str:
    if spread.runs == spread.planned:
        return count(spread.runs, "run")
    return f"{spread.runs} of {count(spread.planned, 'planned run')}"


def seed_shares(
    notes: Notes, shares: Sequence[VarianceShare], primary: Primary
) -> Iterator[Answer]:
    """Which seed carries the variance, on the primary splits?"""
    for note in notes:
        parts = []
        for split in (*primary.ood[:3], primary.id):
            for share in shares:
                if (share.procedure, share.split, share.score) == (
                    note.label,
                    split,
                    primary.score,
                ):
                    parts.append(_share(share, note))
        if parts:
            yield Answer(
                question=f"Which seed carries the variance of {note.label}?",
                text=" ".join(parts),
            )


def _share(share: VarianceShare, note: ProcedureNote) -> str:
    if share.pretrain is None:
        return f"On {share.split} shares cannot be told: {share.note}."
    word = note.pretrain_seed_word
    rest = "" if share.interaction is None else f", the rest {percent(share.interaction)}"
    seeds = f"{share.pretrain_seeds} {TIMES} {share.finetune_seeds} seeds"
    text = (
        f"On {share.split}, {word} carry {percent(share.pretrain)} of the variance over runs, "
        f"fine-tuning seeds {percent(share.finetune)}{rest} "
        f"({seeds}, sd {figures(share.total_sd, 2)}{_noise(share)})."
    )
    if share.truncated:
        text += f" ({share.note}.)"
    return text


def _noise(share: VarianceShare) -> str:
    if share.sampling_sd is None:
        return ""
    return f"; sampling noise of one run {figures(share.sampling_sd, 2)}"


def comparison(notes: Notes, found: Sequence[Spread], primary: Primary) -> Iterator[Answer]:
    """Which procedure has the higher mean, and do the runs overlap? Describes, tests nothing."""
    if len(notes) < 2:
        return
    lines = []
    for split in (primary.id, *primary.ood[:3]):
        here = [s for s in found if s.split == split and s.score == primary.score]
        known = [s for s in here if s.mean is not None]
        if len(known) < 2:
            continue
        up = known[0].higher_is_better
        ranked = sorted(known, key=lambda s: s.mean or 0.0, reverse=up)
        lines.append(_contest(ranked[0], ranked[1], len(here)))
    if lines:
        yield Answer(
            question="Which procedure is better?",
            text=" ".join(lines)
            + " This describes the runs at hand; no test is made across seeds.",
        )


def _contest(first: Spread, second: Spread, number: int) -> str:
    decimals = decimals_of((first.mean, second.mean), (first.sd, second.sd))
    gap = abs((first.mean or 0.0) - (second.mean or 0.0))
    up = first.higher_is_better
    apart = (
        first.worst is not None
        and second.best is not None
        and (first.worst > second.best if up else first.worst < second.best)
    )
    overlap = (
        "every run of the former is better than every run of the latter"
        if apart
        else ("their runs overlap")
    )
    among = "" if number == 2 else f" (best of {number})"
    return (
        f"On {first.split}, {first.procedure}{among} has {fixed(first.mean, decimals)} and "
        f"{second.procedure} {fixed(second.mean, decimals)}, a difference of "
        f"{fixed(gap, decimals)} ({first.runs} and {second.runs} runs): {overlap}."
    )


def connections(notes: Notes, pairs: Sequence[PairSummary], primary: Primary) -> Iterator[Answer]:
    """What lies between runs: the first value of every pair metric, by kind of pair."""
    for metric in dict.fromkeys(pair.metric for pair in pairs):
        of = [p for p in pairs if p.metric == metric]
        splits = [p.split for p in of]
        split = primary.id if primary.id in splits else splits[0]
        name = next(p.name for p in of if p.split == split)
        here = [p for p in of if p.split == split and p.name == name]
        lines = []
        for note in notes:
            kinds = [_kind(p, note) for p in here if p.procedure == note.label]
            if kinds:
                lines.append(f"{note.label}: {words(kinds)}.")
        where = f" on {split}" if split else ""
        yield Answer(
            question=f"What lies between runs ({metric})?",
            text=f"Mean {name}{where}. " + " ".join(lines),
        )


def _kind(pair: PairSummary, note: ProcedureNote) -> str:
    one = note.pretrain_seed_word.removesuffix("s")
    told = {"same-pretrain-seed": f"same {one}", "different-pretrain-seed": f"different {one}"}
    kind = told.get(pair.pair_kind, pair.pair_kind)
    number = f"{pair.pairs} pairs" if pair.pairs != 1 else "1 pair"
    if pair.planned > pair.pairs:
        number = f"{pair.pairs} of {pair.planned} planned pairs"
    span = f"{figures(pair.minimum)} to {figures(pair.maximum)}" if pair.pairs > 1 else ""
    level = figures(pair.mean) if pair.mean is not None else "no mean (NaN or infinite values)"
    return f"{level} between runs of the {kind} ({', '.join(filter(None, (span, number)))})"
