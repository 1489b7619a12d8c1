"""The one exception for what a user can mend."""


class HarnessError(Exception):
    """Something the user can mend: what is wrong, where, and what to do.

    The command line prints it as one line and exits with code 2; everything else is our bug and
    keeps its traceback.

    >>> print(HarnessError("unknown key 'roh'", where="s.yaml:4:3", fix="did you mean 'rho'?"))
    s.yaml:4:3: unknown key 'roh'; did you mean 'rho'?
    """

    def __init__(self, message: str, *, where: str | None = None, fix: str | None = None) -> None:
        super().__init__(message, where, fix)
        self.message = message
        self.where = where
        self.fix = fix

    def __reduce__(self) -> tuple[object, ...]:
        """Survive the way back from a worker process with its keywords."""
        return _rebuild, (type(self), self.message, self.where, self.fix)

    def __str__(self) -> str:
        head = f"{self.where}: {self.message}" if self.where else self.message
        line = f"{head}; {self.fix}" if self.fix else head
        return " ".join(line.split())


def _rebuild(
    kind: type[HarnessError], message: str, where: str | None, fix: str | None
) -> HarnessError:
    return kind(message, where=where, fix=fix)
