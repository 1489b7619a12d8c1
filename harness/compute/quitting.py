"""A plugin that calls `sys.exit` fails its own cell instead of ending the run."""

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def no_quitting() -> Iterator[None]:
    """Turn `SystemExit` into an ordinary error.

    Raises:
        RuntimeError: what runs inside called `sys.exit`.
    """
    try:
        yield
    except SystemExit as end:
        raise RuntimeError(f"a plugin called sys.exit({end.code!r})") from end
