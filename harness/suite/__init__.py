"""From a YAML file to a checked `Suite`."""

from harness.suite.finding import built_in_suites
from harness.suite.opening import open_suite
from harness.suite.problems import SuiteError

__all__ = ["SuiteError", "built_in_suites", "open_suite"]
