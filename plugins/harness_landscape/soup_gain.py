"""`soup-gain`: what the average of several runs' weights scores beyond the runs themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.api.offers import Metric
from harness.api.readings import Reading, Value
from harness.api.settings import Settings, setting
from harness_landscape.greedy_soup import greedy_soup
from harness_landscape.straight_line import (
    RECALIBRATE,
    RECALIBRATE_SOURCE,
    Recalibrate,
    policy,
    ready,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from harness.api.contexts import Evaluation, Probe, Weights


class SoupGainSettings(Settings):
    """What the soup is compared with."""

    ensemble: bool = setting(
        True,
        "also the ensemble: the mean of the runs' logits",
        source="Wortsman et al. 2022, arXiv 2203.05482",
    )
    greedy: bool = setting(
        True,
        "also the greedy soup, chosen by accuracy on the first in-domain split",
        source="recipe 1 of Wortsman et al. 2022, arXiv 2203.05482",
    )
    recalibrate: Recalibrate = setting("auto", RECALIBRATE, source=RECALIBRATE_SOURCE)


def measure(settings: SoupGainSettings, probe: Probe) -> Reading:
    """Gains of the soup of all runs, and of the soups within a pretraining seed."""
    import torch

    everybody = tuple(range(len(probe.subject.keys)))
    families = _families(probe)
    of_all = _gains(everybody, settings, probe)
    within = [_gains(members, settings, probe) for members in families]
    values: list[Value] = []
    for split, gains in of_all.items():
        values += [_value(name, split, each) for name, each in gains.items()]
        for name in gains if within else ():
            several = torch.stack([family[split][name] for family in within])
            values.append(_value(f"within-{name}", split, several.mean(0)))
    chosen_on = next((split for split in probe.splits if probe.kind(split) == "id"), None)
    if settings.greedy and chosen_on is not None:
        values += _greedy(chosen_on, settings, probe)
    return Reading(
        values=tuple(values),
        protocol={
            "runs": len(everybody),
            "families": [len(members) for members in families],
            "weights": "uniform",
            "greedy_soup_chosen_on": chosen_on if settings.greedy else None,
            "examples": {split: probe.examples(split) for split in probe.splits},
            "reduction": "mean over examples",
            "mode": "eval",
            "batch_norm": policy(probe, settings.recalibrate).replace("interpolated", "averaged"),
            "parameters": "all",
        },
    )


def _families(probe: Probe) -> list[tuple[int, ...]]:
    """Runs of one pretraining seed, where there are several seeds and several runs of one."""
    families: dict[int, list[int]] = {}
    for run, seeds in enumerate(probe.subject.seeds):
        families.setdefault(seeds.pretrain, []).append(run)
    if len(families) == 1:
        return []
    return [tuple(members) for members in families.values() if len(members) > 1]


def _gains(
    members: Sequence[int], settings: SoupGainSettings, probe: Probe
) -> dict[str, dict[str, Tensor]]:
    """By split and name, per example [n]: the members' mean minus the soup's (or ensemble's)."""
    import torch

    sums = {split: torch.zeros(2, 1).double() for split in probe.splits}
    logits = {split: torch.zeros(1, 1).double() for split in probe.splits}
    for run in members:  # one by one: all weights at once may not fit
        [point] = ready([probe.weights(run)], probe, settings.recalibrate)
        for split in probe.splits:
            sums[split] = sums[split] + _each(point, split, probe)
            if settings.ensemble:
                logits[split] = logits[split] + probe.logits([point], split)[0].double()
    soup = _soup(members, settings, probe)
    gains: dict[str, dict[str, Tensor]] = {}
    for split in probe.splits:
        loss, error = _mean(sums[split], len(members))
        rivals = {"gain": _each(soup, split, probe)}
        if settings.ensemble:
            rivals["ensemble-gain"] = _of_logits(logits[split] / len(members), split, probe)
        gains[split] = {}
        for name, rival in rivals.items():
            gains[split] |= {f"{name}-loss": loss - rival[0], f"{name}-error": error - rival[1]}
    return gains


def _greedy(chosen_on: str, settings: SoupGainSettings, probe: Probe) -> list[Value]:
    """Gains of the greedy soup over the mean run, and its size."""
    import torch

    soup, size = greedy_soup(
        probe, chosen_on, lambda point: ready([point], probe, settings.recalibrate)[0]
    )
    runs = len(probe.subject.keys)
    values = [Value(name="greedy-size", value=size)]
    for split in probe.splits:
        total = torch.zeros(2, 1).double()
        for run in range(runs):
            [point] = ready([probe.weights(run)], probe, settings.recalibrate)
            total = total + _each(point, split, probe)
        gains = _mean(total, runs) - _each(soup, split, probe)
        for name, each in zip(("greedy-gain-loss", "greedy-gain-error"), gains, strict=True):
            values.append(_value(name, split, each))
    return values


def _soup(members: Sequence[int], settings: SoupGainSettings, probe: Probe) -> Weights:
    """The mean of the members' weights, one run after the other: equal runs give themselves."""
    soup = probe.weights(members[0])
    for count, run in enumerate(members[1:], start=2):
        soup = dict(probe.line(soup, probe.weights(run), [1 / count])[0])
    return ready([soup], probe, settings.recalibrate)[0]


def _each(point: Weights, split: str, probe: Probe) -> Tensor:
    """Losses and errors [2, n]."""
    return _both(probe.evaluate([point], split, each=True))


def _both(found: Evaluation) -> Tensor:
    """Losses and errors [2, n] of one point."""
    import torch

    if found.example_losses is None or found.example_errors is None:  # they were asked for
        raise TypeError("the probe gave no values per example")
    return torch.cat([found.example_losses, found.example_errors])


def _mean(total: Tensor, runs: int) -> Tensor:
    """Losses and errors [2, n] of the mean run; NaN where a run has diverged: it has no error."""
    import torch

    mean = total / runs
    return mean if bool(mean[0].isfinite().any()) else torch.full_like(mean, torch.nan)


def _of_logits(logits: Tensor, split: str, probe: Probe) -> Tensor:
    """Losses and errors [2, n] of logits [n, c]; what is not finite is wrong."""
    return _both(probe.judged(logits[None], split))


def _value(name: str, split: str, each: Tensor) -> Value:
    import torch

    mean, spread = each.mean(), None
    if len(each) > 1 and bool(torch.isfinite(mean)):
        spread = float(each.std()) / len(each) ** 0.5
    return Value(name=name, split=split, value=float(mean), standard_error=spread)


SOUP_GAIN = Metric(
    name="soup-gain",
    about="What the average of several runs' weights scores beyond the runs themselves.",
    source="Wortsman et al. 2022, arXiv 2203.05482 (uniform and greedy soup, logit ensemble)",
    settings=SoupGainSettings,
    measure=measure,
    of="group",
    access="ood-labels",
    direction="larger: averaging helps more; negative: the runs lie in no common basin; its "
    "relation to OOD scores depends",
    formula="gain-loss = mean_i L(w_i) - L(mean_i w_i), gain-error: E for L; ensemble-gain-loss, "
    "ensemble-gain-error: the mean of the logits instead of the mean of the weights. within-NAME: "
    "the same of the runs of one pretraining seed, averaged over the seeds with two runs or more; "
    "left out where there is one pretraining seed, or no second run of any. greedy-gain-loss, "
    "greedy-gain-error: the soup of the greedy-size runs that do not lower accuracy on the first "
    "in-domain split, best run first. Per split.",
    invariances="order of the runs. Not under permutation or rescaling of units of single runs "
    "(the ensemble is).",
    cost="two forward passes per run and split (one without the ensemble), one per soup, and one "
    "per run on the split that the greedy soup is chosen on; with "
    "batch norm one pass over the training split per run and soup.",
    oracle="linear regression: gain-loss = mean of (w_i - mean)' H (w_i - mean) / 2, exactly; "
    "softmax regression: soup and ensemble agree; equal runs gain 0; double well (negative); the "
    "greedy soup against trying by hand.",
    tasks=("classification",),
)
