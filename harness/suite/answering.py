"""What an offer raises when it is asked something: one line, at the place of its use."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from harness.api.errors import HarnessError, OutOfReach


@contextmanager
def answering(offer: str, mark: str) -> Iterator[None]:
    """Ask an offer inside; `offer` names it and its plugin, `mark` is where the suite uses it.

    Raises:
        HarnessError: with the place of the use, whatever was raised.
    """
    try:
        yield
    except OutOfReach as error:
        raise OutOfReach(error.what, error.why, where=mark, fix=error.fix) from error
    except HarnessError as error:
        message = f"{error.where}: {error.message}" if error.where else error.message
        raise HarnessError(message, where=mark, fix=error.fix) from error
    except Exception as error:
        message = f"{offer} raised {type(error).__name__}: {error}"
        raise HarnessError(message, where=mark) from error
