"""The provenance of several suites or stores as one."""

from collections.abc import Mapping, Sequence

from harness.api.findings import Provenance


def joint_provenance(found: Sequence[tuple[str, Provenance]]) -> Provenance:
    """All of them together; what differs between them stands with the label it is of."""
    each = [provenance for _, provenance in found]
    texts = [f"# {label}\n{provenance.suite_text}" for label, provenance in found]
    return Provenance(
        harness_version=each[0].harness_version,
        suite_text="\n".join(texts),
        plan_digest=" and ".join(dict.fromkeys(one.plan_digest for one in each)),
        plugins=_joined([one.plugins for one in each]),
        packages=_joined([one.packages for one in each]),
        machines=tuple(sorted({name for one in each for name in one.machines})),
        precisions=tuple(sorted({name for one in each for name in one.precisions})),
        wall_seconds=sum(one.wall_seconds for one in each),
        cells=sum(one.cells for one in each),
        citations=tuple(dict.fromkeys(text for one in each for text in one.citations)),
        licenses=_joined([one.licenses for one in each]),
    )


def _joined(several: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """By name, what they say of it, once each."""
    names = sorted({name for one in several for name in one})
    said = {name: dict.fromkeys(one[name] for one in several if name in one) for name in names}
    return {name: ", ".join(said[name]) for name in names}
