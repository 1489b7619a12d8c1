"""Where a suite lies: a built-in one by name, any other by path."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from harness.api.errors import HarnessError
from harness.suite.problems import unknown
from harness.suite.reading import is_file

_ENDINGS = (".yaml", ".yml")


@dataclass(frozen=True)
class Found:
    """A suite file. `shown` is how messages name it; relative paths start at `folder`."""

    path: Path
    shown: str

    @property
    def folder(self) -> Path:
        """The folder of the file, absolute."""
        return self.path.resolve().parent


def built_in_folder() -> Path:
    """Where the suites that come with Seedscape lie: in the wheel, or in a checkout."""
    package = Path(__file__).resolve().parents[1]
    shipped = package / "_suites"
    return shipped if shipped.is_dir() else package.parent / "suites"


def built_in_suites() -> dict[str, Path]:
    """The suites that come with Seedscape, by name."""
    return {path.stem: path for path in sorted(built_in_folder().glob("*.yaml"))}


def find_suite(name: str) -> Found:
    """The file of a suite: `quick` is a built-in suite, `./quick.yaml` or `my/quick` a path.

    Raises:
        HarnessError: there is no such suite; the message knows the closest name.
    """
    if not name.strip() or not name.isprintable():
        raise HarnessError("a suite is named by a word or a path", fix="for example `quick`")
    path = Path(name)
    if name.startswith("~/"):
        path = path.expanduser()
    if "/" not in name and "\\" not in name and not name.endswith(_ENDINGS):
        known = built_in_suites()
        if name in known:
            return Found(known[name], _shown(known[name]))
        if is_file(path.with_name(path.name + ".yaml")):
            fix = f"a suite of your own is a path: `./{name}.yaml`"
            raise HarnessError(f"there is no built-in suite {name!r}", fix=fix)
        error = unknown("suite", name, known, "")
        raise HarnessError(error.message, fix=f"{error.fix} (a suite of your own is a path)")
    if is_file(path):
        return Found(path, name)
    what = "is a folder, not a suite" if _answer(path.is_dir) else "there is no such suite file"
    raise HarnessError(what, where=name, fix=_nearby(path))


def _answer(question: Callable[[], bool]) -> bool:
    try:
        return question()
    except OSError:  # a name that the file system cannot hold
        return False


def _shown(path: Path) -> str:
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)


def _nearby(path: Path) -> str | None:
    folder = path if _answer(path.is_dir) else path.parent
    if not _answer(folder.is_dir):
        return f"there is no folder {folder}"
    suites = sorted(p.name for p in folder.iterdir() if p.suffix in _ENDINGS)
    return f"there is {', '.join(suites[:8])}" if suites else None
