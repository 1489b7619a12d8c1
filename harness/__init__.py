"""Seedscape: the face for plugin authors, and the Python API.

A plugin imports everything from here: `from harness import Model, Settings, setting, hookimpl`.
`run` and `load` run a suite and open its results; `compare` compares its procedures;
`load_findings` reads a report; `analyze_table` asks a table of any results.
Importing this package imports nothing else.
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.api.attention import Attention as Attention
    from harness.api.cells import Branch as Branch
    from harness.api.cells import Limit as Limit
    from harness.api.cells import Seeds as Seeds
    from harness.api.comparisons import Comparison as Comparison
    from harness.api.contexts import BuildRoom as BuildRoom
    from harness.api.contexts import Draws as Draws
    from harness.api.contexts import Event as Event
    from harness.api.contexts import ExecutorRoom as ExecutorRoom
    from harness.api.contexts import Job as Job
    from harness.api.contexts import Pool as Pool
    from harness.api.contexts import Probe as Probe
    from harness.api.contexts import Subject as Subject
    from harness.api.contexts import Watch as Watch
    from harness.api.contexts import WatchRoom as WatchRoom
    from harness.api.contexts import Weights as Weights
    from harness.api.data import DataRoom as DataRoom
    from harness.api.data import InputSpec as InputSpec
    from harness.api.data import OodOutline as OodOutline
    from harness.api.data import Outline as Outline
    from harness.api.data import Split as Split
    from harness.api.data import Splits as Splits
    from harness.api.data import Task as Task
    from harness.api.downloads import Download as Download
    from harness.api.encoders import BERT_NAMES as BERT_NAMES
    from harness.api.encoders import TORCH_NAMES as TORCH_NAMES
    from harness.api.encoders import EncoderNames as EncoderNames
    from harness.api.encoders import encoder_symmetries as encoder_symmetries
    from harness.api.errors import HarnessError as HarnessError
    from harness.api.errors import OutOfReach as OutOfReach
    from harness.api.findings import Findings as Findings
    from harness.api.hooks import hookimpl as hookimpl
    from harness.api.networks import Language as Language
    from harness.api.networks import Network as Network
    from harness.api.offers import Command as Command
    from harness.api.offers import Dataset as Dataset
    from harness.api.offers import Executor as Executor
    from harness.api.offers import Method as Method
    from harness.api.offers import Metric as Metric
    from harness.api.offers import Model as Model
    from harness.api.offers import Parts as Parts
    from harness.api.offers import Pretrained as Pretrained
    from harness.api.offers import Reporter as Reporter
    from harness.api.offers import Score as Score
    from harness.api.offers import Shift as Shift
    from harness.api.offers import Source as Source
    from harness.api.offers import Terms as Terms
    from harness.api.offers import Watcher as Watcher
    from harness.api.readings import Cost as Cost
    from harness.api.readings import Curve as Curve
    from harness.api.readings import Grid as Grid
    from harness.api.readings import Reading as Reading
    from harness.api.readings import Value as Value
    from harness.api.recipes import Optimizer as Optimizer
    from harness.api.recipes import Phase as Phase
    from harness.api.recipes import Recipe as Recipe
    from harness.api.recipes import Schedule as Schedule
    from harness.api.settings import NoSettings as NoSettings
    from harness.api.settings import PathOrName as PathOrName
    from harness.api.settings import Settings as Settings
    from harness.api.settings import SplitName as SplitName
    from harness.api.settings import setting as setting
    from harness.api.symmetries import Axis as Axis
    from harness.api.symmetries import Symmetry as Symmetry
    from harness.api.texts import Reader as Reader
    from harness.api.texts import Texts as Texts
    from harness.api.texts import Tokens as Tokens
    from harness.commands.interface import compare as compare
    from harness.commands.interface import load as load
    from harness.commands.interface import run as run
    from harness.commands.tabled import analyze_table as analyze_table
    from harness.report.stored import load_findings as load_findings
    from harness.run.options import RunOptions as RunOptions

_PLACES = {
    "api.attention": "Attention",
    "api.cells": "Branch Limit Seeds",
    "api.comparisons": "Comparison",
    "api.contexts": (
        "BuildRoom Draws Event ExecutorRoom Job Pool Probe Subject Watch WatchRoom Weights"
    ),
    "api.data": "DataRoom InputSpec OodOutline Outline Split Splits Task",
    "api.downloads": "Download",
    "api.encoders": "BERT_NAMES EncoderNames TORCH_NAMES encoder_symmetries",
    "api.errors": "HarnessError OutOfReach",
    "api.findings": "Findings",
    "api.hooks": "hookimpl",
    "api.networks": "Language Network",
    "api.offers": (
        "Command Dataset Executor Method Metric Model Parts Pretrained Reporter Score Shift Source "
        "Terms Watcher"
    ),
    "api.readings": "Cost Curve Grid Reading Value",
    "api.recipes": "Optimizer Phase Recipe Schedule",
    "api.settings": "NoSettings PathOrName Settings SplitName setting",
    "api.symmetries": "Axis Symmetry",
    "api.texts": "Reader Texts Tokens",
    "commands.interface": "compare load run",
    "commands.tabled": "analyze_table",
    "report.stored": "load_findings",
    "run.options": "RunOptions",
}

__all__ = sorted(name for names in _PLACES.values() for name in names.split())


def __getattr__(name: str) -> object:
    """Import a public name when it is first asked for."""
    for place, names in _PLACES.items():
        if name in names.split():
            return getattr(importlib.import_module(f"harness.{place}"), name)
    raise AttributeError(f"module 'harness' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
