"""What was measured of every run of a procedure, by name: the quantities that may predict."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from harness.analyze.frames import Record, grouped, records
from harness.api.numbers import count
from harness.api.offers import Metric

_OF_RUN = re.compile(r"(.+)\[(\d+(?:/\d+){1,2})\]$")
Run = str
"""A run as subjects name it: "0/1", with an order seed of its own "0/1/2"."""


@dataclass(frozen=True)
class Quantity:
    """One number per run that has one.

    `uses_ood`: it was read on OOD data. `baseline` is the metric's (`Metric.baseline`). A `note`
    says what it leaves out.
    """

    name: str
    values: Mapping[Run, float]
    uses_ood: bool = False
    baseline: str = ""
    note: str = ""


@dataclass(frozen=True)
class PairQuantity:
    """One number per pair of runs that was measured and is finite; `holes` counts the others."""

    name: str
    values: Mapping[tuple[Run, Run], float]
    uses_ood: bool = False
    holes: int = 0


@dataclass(frozen=True)
class Measured:
    """All quantities of one procedure, in the order of the plan."""

    runs: tuple[Quantity, ...] = ()
    pairs: tuple[PairQuantity, ...] = ()


def measured(
    readings: pd.DataFrame, offers: Mapping[str, Metric], in_domain: frozenset[str]
) -> Measured:
    """The quantities of one procedure's finished readings; `offers` are metrics by label.

    A value is OOD if its metric may see OOD data, unless it was read on an in-domain split.
    Numbers of pairs become one per run, the mean over the pairs that it takes part in; numbers of
    a group count where they are of single runs, as `membership[RUN]` is.
    """
    runs: list[Quantity] = []
    pairs: list[PairQuantity] = []
    for rows in grouped(records(readings), ["metric", "name", "split"]):
        offer = offers[rows[0]["metric"]]
        split = rows[0]["split"]
        ood = offer.access.startswith("ood") and split not in in_domain
        name = f"{rows[0]['metric']} {rows[0]['name']}" + (f" on {split}" if split else "")
        if rows[0]["of"] in ("point", "trajectory") and not rows[0]["detail"]:
            values = {row["subject"]: row["value"] for row in rows}
            runs.append(Quantity(name, values, ood, offer.baseline))
        elif rows[0]["of"] == "pair" and not rows[0]["detail"]:
            pair = _pairs(name, rows, ood)
            pairs.append(pair)
            runs.append(_per_run(pair, rows))
    runs += _of_groups(readings, offers, in_domain)
    return Measured(tuple(runs), tuple(pairs))


def _pairs(name: str, rows: Sequence[Record], ood: bool) -> PairQuantity:
    ends = {row["subject"]: tuple(row["subject"].split(" ")) for row in rows}
    values = {
        (pair[0], pair[-1]): row["value"]
        for row in rows
        if np.isfinite(row["value"]) and len(pair := ends[row["subject"]]) == 2
    }
    return PairQuantity(name, values, ood, sum(not np.isfinite(row["value"]) for row in rows))


def _per_run(pair: PairQuantity, rows: Sequence[Record]) -> Quantity:
    """The mean over a run's pairs, each less the mean of its kind.

    Where pairs are a sample, a run may have more of one kind than others do: that alone would make
    it differ. Where all pairs are there, nothing but the level of the numbers changes.
    """
    kinds = {tuple(row["subject"].split(" ")): row["pair_kind"] for row in rows}
    of_kind: dict[str, list[float]] = {}
    for ends, value in pair.values.items():
        of_kind.setdefault(kinds[ends], []).append(value)
    means = {kind: float(np.mean(values)) for kind, values in of_kind.items()}
    of_run: dict[Run, list[float]] = {}
    for ends, value in pair.values.items():
        for run in ends:
            of_run.setdefault(run, []).append(value - means[kinds[ends]])
    return Quantity(
        f"{pair.name}, pairs' mean",
        {run: float(np.mean(values)) for run, values in of_run.items()},
        pair.uses_ood,
        note=f"{count(pair.holes, 'pair')} not finite left out" if pair.holes else "",
    )


def _of_groups(
    readings: pd.DataFrame, offers: Mapping[str, Metric], in_domain: frozenset[str]
) -> Iterator[Quantity]:
    """Values of groups that name a run in brackets: "membership[0/1/1]"; no names of clusters."""
    named: list[Record] = []
    for row in records(readings[readings["of"] == "group"]):
        what = _OF_RUN.match(row["name"])
        if what is not None and what[1] != "cluster":
            named.append({**row, "what": what[1], "run": what[2]})
    for rows in grouped(named, ["metric", "what", "split"]):
        offer, split = offers[rows[0]["metric"]], rows[0]["split"]
        yield Quantity(
            f"{rows[0]['metric']} {rows[0]['what']}" + (f" on {split}" if split else ""),
            {shortened(row["run"]): row["value"] for row in rows},
            offer.access.startswith("ood") and split not in in_domain,
            offer.baseline,
        )


def shortened(run: Run) -> Run:
    """A run with its order seed only where that is another than the fine-tuning seed."""
    parts = run.split("/")
    return "/".join(parts[:2] if len(parts) == 3 and parts[1] == parts[2] else parts)
