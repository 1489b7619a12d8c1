"""How numbers are written in sentences, tables and figures: everywhere the same."""

import math
from collections.abc import Iterable, Sequence

NOTHING = "\u2013"
"""An en dash: what a table shows where there is no number."""

TIMES = "\u00d7"
"""The multiplication sign of "5 x 4 seeds"."""

TRIAL = " TRIAL RUN: these numbers mean nothing "
"""The mark that a terminal shows above the numbers of a trial run."""


def decimals_of(values: Iterable[float | None], spreads: Iterable[float | None] = ()) -> int:
    """Decimals for a column: three below 10, fewer above, or one more to show small spreads.

    At most 5, so that a spread near zero does not bring digits that mean nothing.

    >>> decimals_of([0.961, 0.43], [0.06, 0.004])
    3
    >>> decimals_of([0.961], [0.0004]), decimals_of([123.4])
    (4, 1)
    """
    largest = max((abs(v) for v in values if v is not None and math.isfinite(v)), default=0.0)
    places = 3 if largest < 10 else 3 - math.floor(math.log10(largest))
    finite = [s for s in spreads if s is not None and math.isfinite(s) and s > 0]
    if finite:
        places = max(places, min(-math.floor(math.log10(min(finite))), places + 1))
    return max(0, min(places, 5))


def fixed(value: float | None, decimals: int) -> str:
    """A number with so many decimals; a dash for None; NaN and inf in words.

    >>> fixed(0.5, 3), fixed(float("inf"), 3), fixed(-0.0001, 2), fixed(None, 3) == NOTHING
    ('0.500', 'inf', '0.00', True)
    """
    if value is None:
        return NOTHING
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "inf" if value > 0 else "-inf"
    text = f"{value:.{decimals}f}"
    return text.lstrip("-") if float(text) == 0 else text


def figures(value: float | None, digits: int = 3) -> str:
    """A number with so many significant figures, in powers of ten only where it must be.

    >>> figures(0.012345), figures(1234.5), figures(4.2e-7), figures(0.0)
    ('0.0123', '1234', '4.20e-07', '0')
    """
    if value is None or not math.isfinite(value):
        return fixed(value, 0)
    if value == 0:
        return "0"
    size = math.floor(math.log10(abs(value)))
    if not -4 <= size <= 5:
        return f"{value:.{digits - 1}e}"
    return f"{value:.{max(0, digits - 1 - size)}f}"


def percent(share: float | None) -> str:
    """A share as a whole percentage; "<1 %" for what is more than nothing.

    >>> percent(0.713), percent(0.0), percent(0.004)
    ('71 %', '0 %', '<1 %')
    """
    if share is None or not math.isfinite(share):
        return fixed(share, 0)
    if 0 < share < 0.005:
        return "<1 %"
    return f"{share * 100:.0f} %"


def percents(share: float | None, ends: tuple[float, float] | None) -> str:
    """A share with its interval, where it has one.

    >>> percents(0.61, (0.182, 0.86)) == f"61 % (18{NOTHING}86 %)", percents(0.61, None)
    (True, '61 %')
    """
    if share is None or ends is None:
        return percent(share)
    low, high = (min(99, round(100 * x)) if x < 1 else 100 for x in ends)
    return f"{percent(share)} ({low}{NOTHING}{high} %)"


def count(number: int, noun: str, plural: str = "") -> str:
    """A number and its noun.

    >>> count(1, "run"), count(12, "run"), count(2, "basis", "bases")
    ('1 run', '12 runs', '2 bases')
    """
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def words(items: Iterable[str], last: str = "and") -> str:
    """Items joined as in a sentence.

    >>> words(["a"]), words(["a", "b"]), words(["a", "b", "c"])
    ('a', 'a and b', 'a, b and c')
    """
    listed = list(items)
    if len(listed) < 2:
        return "".join(listed)
    return f"{', '.join(listed[:-1])} {last} {listed[-1]}"


def some(items: Sequence[str], shown: int = 3) -> str:
    """The first items joined as in a sentence, and how many more there are.

    >>> some(["a", "b"]), some(["a", "b", "c", "d", "e"])
    ('a and b', 'a, b, c and 2 more')
    """
    return words([*items[:shown], f"{len(items) - shown} more"] if len(items) > shown else items)


def some_of(names: Sequence[str], number: int) -> list[str]:
    """At most so many names of values, from every family alike, in their order.

    A family are names that differ in the number at their end alone; its ends come first.

    >>> some_of(["mean-1", "mean-2", "mean-3", "worst-1", "worst-2", "worst-3", "sum"], 5)
    ['mean-1', 'mean-3', 'worst-1', 'worst-3', 'sum']
    """
    families: dict[str, list[str]] = {}
    for name in names:
        families.setdefault(name.rstrip("0123456789.e+-"), []).append(name)
    queues = [[*dict.fromkeys((of[0], of[-1], *of))] for of in families.values()]
    chosen: list[str] = []
    for place in range(max(map(len, queues), default=0)):
        chosen += [queue[place] for queue in queues if place < len(queue)]
    kept = set(chosen[:number])
    return [name for name in names if name in kept]
