"""From a plan to records: the only room that knows all the stages.

The room is called as a function too: `harness.run("quick")` is the Python API, and importing
anything below makes Python put this module in that function's place.
"""

import importlib
import sys
from types import ModuleType
from typing import Any


class _Room(ModuleType):
    def __call__(self, *args: Any, **keywords: Any) -> Any:  # `Any`: passed on as it is
        """`harness.run(...)`, see `harness.commands.interface.run`."""
        return importlib.import_module("harness.commands.interface").run(*args, **keywords)


sys.modules[__name__].__class__ = _Room
