"""The suite's questions, answered in sentences that carry their numbers and their n."""

from collections.abc import Iterator, Sequence

from harness.api.cells import Primary
from harness.api.findings import Answer, PairSummary, ProcedureNote, Spread
from harness.api.numbers import (
    TIMES,
    count,
    decimals_of,
    figures,
    fixed,
    percent,
    percents,
    some,
    words,
)
from harness.api.variance import VarianceShare
from harness.statistics.comparison import FEW_SEEDS

Notes = Sequence[ProcedureNote]
SHOWN = 4  # OOD splits named in a sentence; the others are in the table


def quality(
    notes: Notes, found: Sequence[Spread], shares: Sequence[VarianceShare], primary: Primary
) -> Iterator[Answer]:
    """How good and how variable is each procedure, in-domain and OOD?"""
    for note in notes:
        of = {s.split: s for s in found if s.procedure == note.label and s.score == primary.score}
        here = [of[split] for split in (primary.id, *primary.ood) if split in of]
        if not here:
            continue
        decimals = decimals_of((s.mean for s in here), (s.sd for s in here))
        parts = [_level(s, decimals, note.planned) for s in here[: SHOWN + 1]]
        if len(here) > SHOWN + 1:
            parts.append(f"{len(here) - SHOWN - 1} more splits are in the table")
        yield Answer(
            question=f'How good and how variable is "{note.label}"?',
            text=f"{note.label}, {_design(note, shares)}{_diverged(here)}: "
            f"{primary.score} is {words(parts)}.",
        )


def _design(note: ProcedureNote, shares: Sequence[VarianceShare]) -> str:
    runs = count(note.planned, "run")
    for share in shares:
        if share.procedure == note.label:
            first = f"{share.pretrain_seeds} {note.pretrain_seed_word.removesuffix(' seeds')}"
            orders = f" {TIMES} {share.order_seeds} order" if share.order_seeds else ""
            return f"{runs} ({first} {TIMES} {share.finetune_seeds} fine-tuning{orders} seeds)"
    return runs


def _diverged(here: Sequence[Spread]) -> str:
    diverged = max(spread.diverged for spread in here)
    return f", of which {diverged} diverged" if diverged else ""


def _level(spread: Spread, decimals: int, planned: int) -> str:
    where = f"on {spread.split}" if spread.split_kind == "ood" else f"on {spread.split}, in-domain"
    if spread.runs == 0:
        return f"unknown {where} (no run finished)"
    short = "" if spread.runs == planned else f", {spread.runs} of {planned} runs"
    if spread.mean is None:
        return f"without a mean {where} ({spread.not_finite} values NaN or infinite{short})"
    mean = fixed(spread.mean, decimals)
    if spread.sd is None:
        return f"{mean} {where} (one run: nothing is known of the spread{short})"
    worst = f"worst {fixed(spread.worst, decimals)} at seeds {spread.worst_seeds}"
    if spread.low is not None:
        mean += f" (95 % {fixed(spread.low, decimals)} to {fixed(spread.high, decimals)})"
    return f"{mean} {where} (sd {fixed(spread.sd, decimals)}, {worst}{short})"


def comparison(notes: Notes, found: Sequence[Spread], primary: Primary) -> Iterator[Answer]:
    """Which procedure has the better mean, and do the runs overlap? Describes, tests nothing."""
    lines = []
    for split in (primary.id, *primary.ood[:SHOWN]):
        here = [s for s in found if s.split == split and s.score == primary.score]
        known = [s for s in here if s.mean is not None]
        if len(known) > 1:
            up = known[0].higher_is_better
            ranked = sorted(known, key=lambda s: s.mean or 0.0, reverse=up)
            lines.append(_contest(ranked[0], ranked[1], len(known)))
        if 0 < len(known) < len(here):
            unknown = some([s.procedure for s in here if s.mean is None])
            lines.append(f"On {split}, {unknown} cannot be ranked: no mean is known.")
    if lines:
        yield Answer(
            question="Which procedure is better?",
            text=f"{' '.join(lines)} A description of these runs.",
        )


def _contest(first: Spread, second: Spread, number: int) -> str:
    decimals = decimals_of((first.mean, second.mean), (first.sd, second.sd))
    gap = abs((first.mean or 0.0) - (second.mean or 0.0))
    up = first.higher_is_better
    known = first.worst is not None and second.best is not None
    apart = known and (first.worst > second.best if up else first.worst < second.best)  # type: ignore[operator]  # known
    how = "all runs better than all of the other" if apart else "their runs overlap"
    one = f"{first.procedure}, best of {number}," if number > 2 else first.procedure
    if float(fixed(gap, decimals)) == 0:
        return (
            f"On {first.split}, {first.procedure} and {second.procedure} are level at "
            f"{fixed(first.mean, decimals)} ({first.runs} and {second.runs} runs)."
        )
    return (
        f"On {first.split}, {one} is ahead of {second.procedure} by {fixed(gap, decimals)} "
        f"({fixed(first.mean, decimals)} over {first.runs} and {fixed(second.mean, decimals)} over "
        f"{second.runs} runs; {how})."
    )


def seed_shares(
    notes: Notes, shares: Sequence[VarianceShare], primary: Primary
) -> Iterator[Answer]:
    """Which seed carries the variance on the primary OOD splits (without any: in-domain)?"""
    for note in notes:
        of = {s.split: s for s in shares if s.procedure == note.label and s.score == primary.score}
        here = [of[split] for split in (primary.ood or (primary.id,)) if split in of]
        if here:
            yield Answer(
                question=f'Which seed carries the variance of "{note.label}"?',
                text=" ".join(_share(share, note) for share in here[:SHOWN]),
            )


def _share(share: VarianceShare, note: ProcedureNote) -> str:
    if share.pretrain is None:
        return f"{note.label} on {share.split}: shares cannot be told; {share.note}."
    word = note.pretrain_seed_word
    parts = [f"{word} carry {percents(share.pretrain, share.pretrain_range)} of the variance"]
    for name, part, ends in (
        ("fine-tuning seeds", share.finetune, share.finetune_range),
        ("order seeds", share.order, share.order_range),
        ("the rest", share.interaction, share.interaction_range),
    ):
        if part is not None:
            parts.append(f"{name} {percents(part, ends)}")
    facts = ["95 % intervals"] if share.pretrain_range is not None else []
    facts += [f"sd over runs {figures(share.total_sd, 2)}", *_testing(share)]
    if share.says_little:
        facts.append(f"{share.pretrain_seeds} {word} tell next to nothing of their share")
    elif share.pretrain_seeds < FEW_SEEDS:
        facts.append(f"very uncertain with {share.pretrain_seeds} {word}")
    if share.note:
        facts.append(share.note)
    return f"{note.label} on {share.split}: {', '.join(parts)} ({'; '.join(facts)})."


def _testing(share: VarianceShare) -> Iterator[str]:
    if share.testing is not None:
        more = ""
        if share.pretrain_alone is not None and share.testing >= 0.05:
            more = f", and {percent(share.pretrain_alone)} of what is left is pretraining"
        yield f"testing on these examples makes {percent(share.testing)} of it{more}"
    elif share.sampling_sd is not None:
        yield f"test noise of one run {figures(share.sampling_sd, 2)}"


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
                lines.append(f"{note.label} {words(kinds)}")
        where = f" on {split}" if split else ""
        yield Answer(
            question=f"What lies between runs ({metric})?",
            text=f"{metric}, mean {name}{where}: {'; '.join(lines)}.",
        )


def _kind(pair: PairSummary, note: ProcedureNote) -> str:
    word = note.pretrain_seed_word
    told = {
        "same-pretrain-seed": f"same {word.removesuffix('s')}",
        "different-pretrain-seed": f"different {word}",
    }
    number = count(pair.pairs, "pair")
    if pair.planned > pair.pairs:
        number = f"{pair.pairs} of {pair.planned} planned pairs"
    if pair.diverged:
        number += f", {pair.diverged} with a diverged run"
    level = figures(pair.mean) if pair.mean is not None else "no mean for NaN or infinite values"
    if pair.pairs == 0:
        level = "not measured"
    return f"{level} ({told.get(pair.pair_kind, pair.pair_kind)}, {number})"
