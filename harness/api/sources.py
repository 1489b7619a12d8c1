"""Where findings of several suites or stores come from, and what of them is not compared."""

from harness.api.readings import Record


class Source(Record):
    """One suite in one store, beside others; `procedures` are the labels it has in the findings.

    `done` of its `planned` cells have a result.
    """

    label: str
    suite: str
    version: str
    title: str
    store: str
    plan_digest: str
    smoke: bool
    procedures: tuple[str, ...]
    planned: int
    done: int


class Refusal(Record):
    """Why a source, or one procedure of it, is not compared with the first one; what mends it."""

    source: str
    reasons: tuple[str, ...]
    fix: str = ""
