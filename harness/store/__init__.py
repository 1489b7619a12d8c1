"""Finished work on disk: written whole, checked when read, shared by runs."""

from harness.store.locks import Claim
from harness.store.saved import SavedSuite
from harness.store.seal import Damaged
from harness.store.store import Store
from harness.store.survey import Survey

__all__ = ["Claim", "Damaged", "SavedSuite", "Store", "Survey"]
