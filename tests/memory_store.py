"""A store of made-up records, without files."""

from pathlib import Path

from harness.api.errors import HarnessError
from harness.store.survey import Survey


class MemoryStore:
    """What `load_results` asks of a store, without files."""

    def __init__(self, held, failed=(), damaged=None):
        self.held = dict(held)
        self.failures = {failure.key: failure for failure in failed}
        self.damage = dict(damaged or {})

    def survey(self, cells):
        keys = {cell.key for cell in cells}
        return Survey(
            done=frozenset(self.held.keys() & keys) - self.failures.keys() - self.damage.keys(),
            failed={k: v for k, v in self.failures.items() if k in keys},
            damaged={k: v for k, v in self.damage.items() if k in keys},
        )

    def read(self, name):
        return self.held[name]

    @property
    def root(self):
        return Path("memory")

    def path(self, key, name):
        raise HarnessError(f"no {name} of {key} is stored")
