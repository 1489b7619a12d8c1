"""The one exception for what a user can mend, and the kind of it that a network would mend."""


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


class OutOfReach(HarnessError):
    """Something is not here, and where it lies may not be asked, or gives no answer.

    `what` is its name, as `Download.name` says it; `why` says why it cannot be had now. Whoever
    opens a suite goes on after it, without asking anybody else who would have to wait for the
    network, and tells all that is missing in one line.

    >>> print(OutOfReach("data set jane/birds", "the hub may not be asked"))
    data set jane/birds is not here, and the hub may not be asked
    """

    def __init__(
        self, what: str, why: str, *, where: str | None = None, fix: str | None = None
    ) -> None:
        super().__init__(f"{what} is not here, and {why}", where=where, fix=fix)
        self.what = what
        self.why = why

    def __reduce__(self) -> tuple[object, ...]:
        """The same of its own arguments."""
        return _rebuild_out_of_reach, (self.what, self.why, self.where, self.fix)


def _rebuild_out_of_reach(what: str, why: str, where: str | None, fix: str | None) -> OutOfReach:
    return OutOfReach(what, why, where=where, fix=fix)


def _rebuild(
    kind: type[HarnessError], message: str, where: str | None, fix: str | None
) -> HarnessError:
    return kind(message, where=where, fix=fix)
