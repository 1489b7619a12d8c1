"""The harness's own version, and whether it is the one that a plugin asks for."""

import importlib.metadata
import tomllib
from pathlib import Path

DISTRIBUTION = "seedscape"


def harness_version() -> str:
    """The installed version; in a checkout that is not installed, the one it would have."""
    try:
        return importlib.metadata.version(DISTRIBUTION)
    except importlib.metadata.PackageNotFoundError:
        project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text("utf-8"))
        version: str = project["project"]["version"]
        return version


def satisfied(requirement: str, version: str) -> bool:
    """Whether a version is within a specifier such as `>=0.1,<2`; raises ValueError if malformed.

    >>> satisfied(">=0.1,<2", "0.3.0"), satisfied(">=2", "0.3.0")
    (True, False)
    """
    # packaging takes milliseconds to load, and few plugins ask
    from packaging.specifiers import SpecifierSet  # noqa: PLC0415

    return SpecifierSet(requirement).contains(version, prereleases=True)
