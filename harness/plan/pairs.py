"""Which runs of one procedure a pair metric compares."""

import hashlib
import heapq
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import combinations, groupby, islice
from typing import Literal

from harness.api.cells import Seeds
from harness.api.errors import HarnessError

MOST = 1_000_000
"""More pairs than this in one procedure are a slip, not a plan."""

_SIZE = 1 << 64

Pair = tuple[int, int]


def choose_pairs(
    runs: Sequence[Seeds], which: Literal["all", "within-pretrain-seed"] | int
) -> list[Pair]:
    """Pairs (i, j), i < j, of positions in `runs`, which must be in the order of `run_order`.

    A number n draws n pairs without replacement, half of them within a pretraining seed and half
    across (more of one kind where the other runs short). A pair's rank is a fixed hash of its
    seeds and of nothing else: every procedure compares the same seeds, listing order does not
    matter, and with more seeds a pair is given up only for one that ranks before it.
    """
    groups = [list(members) for _, members in groupby(range(len(runs)), lambda i: runs[i].pretrain)]
    within = sum(len(members) * (len(members) - 1) // 2 for members in groups)
    across = len(runs) * (len(runs) - 1) // 2 - within
    if isinstance(which, int):
        same = min(within, max(which // 2, which - across))
        different = min(across, which - same)
        drawn = islice(heapq.merge(*(_ranked(runs, members) for members in groups)), same)
        pairs = [pair for _, pair in drawn]
        if different:
            ranked = (pair for _, pair in _ranked(runs, range(len(runs))))
            apart = ((i, j) for i, j in ranked if runs[i].pretrain != runs[j].pretrain)
            pairs += islice(apart, different)
        return sorted(pairs)
    wanted = within if which == "within-pretrain-seed" else within + across
    if wanted > MOST:
        raise HarnessError(
            f"a pair metric over all of {len(runs):,} runs means {wanted:,} pairs per procedure",
            fix="give a number of pairs to draw, as `pairs: 1000`",
        )
    if which == "within-pretrain-seed":
        return [pair for members in groups for pair in combinations(members, 2)]
    return list(combinations(range(len(runs)), 2))


def run_order(seeds: Seeds) -> tuple[int, int, int]:
    """The canonical order of runs inside pairs and groups."""
    return seeds.pretrain, seeds.finetune or 0, -1 if seeds.order is None else seeds.order


def rank(first: Seeds, second: Seeds) -> int:
    """The rank of a pair: the sum of its runs' hashes modulo 2^64.

    Sums of two independent uniform numbers are uniform, and independent between two different
    pairs; unlike a hash of the pair they can be searched in order without visiting all pairs.
    """
    return (_number(first) + _number(second)) % _SIZE


def _number(seeds: Seeds) -> int:
    text = f"pairs {seeds.pretrain} {seeds.finetune} {seeds.order}"
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8])


def _ranked(runs: Sequence[Seeds], members: Sequence[int]) -> Iterator[tuple[int, Pair]]:
    """All pairs of members by rank: each member walks the others from its complement on."""
    order = sorted((_number(runs[i]), i) for i in members)
    numbers = [number for number, _ in order]
    size = len(order)
    starts = [bisect_left(numbers, (_SIZE - number) % _SIZE) % size for number in numbers]
    heap = [((numbers[place] + numbers[starts[place]]) % _SIZE, place, 0) for place in range(size)]
    heapq.heapify(heap)
    while heap:
        value, place, walked = heap[0]
        other = (starts[place] + walked) % size
        if place < other:  # each pair comes by twice, and every run meets itself once
            i, j = sorted((order[place][1], order[other][1]))
            yield value, (i, j)
        if walked + 1 == size:
            heapq.heappop(heap)
        else:
            following = (numbers[place] + numbers[(other + 1) % size]) % _SIZE
            heapq.heapreplace(heap, (following, place, walked + 1))
