"""One module at a time: the parameters of each, and the largest of the values found."""

from __future__ import annotations

from math import inf, isnan
from typing import TYPE_CHECKING

from harness.api.errors import HarnessError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.api.contexts import Probe
    from harness.api.readings import Value


MODULES = "names of modules, each with all its parts; none: every module that holds parameters"


def modules_of(wanted: Sequence[str], probe: Probe) -> dict[str, list[str]]:
    """Parameter names of every module that goes alone: of those wanted, or of all.

    Raises:
        HarnessError: where a wanted module holds no parameters.
    """
    names = probe.names()
    if not wanted:
        return {m: [n for n in names if n.rpartition(".")[0] == m] for m in probe.modules()}
    modules = {m: [n for n in names if n.startswith(f"{m}.")] for m in wanted}
    for module, own in modules.items():
        if not own:
            known = ", ".join(name for name in probe.modules() if name)
            raise HarnessError(f"no parameters in a module {module!r}", fix=f"there are: {known}")
    return modules


def largest(values: list[Value], name: str) -> Value:
    """The largest of them, or the first that is no number, under that name and to be shown."""
    top = max(values, key=lambda value: inf if isnan(value.value) else value.value)
    return top.model_copy(update={"name": name, "detail": False})
