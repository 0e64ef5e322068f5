"""How a command ends when it does not end well."""

from collections.abc import Sequence
from enum import IntEnum


class Status(IntEnum):
    """The program's exit statuses."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    NOT_FOUND = 3
    NOT_ALLOWED = 4
    NOT_REACHABLE = 5


class Failed(Exception):
    """The command did not do what was asked: one line of cause, one of what to do.

    `details` are further lines between the two, for causes that come in numbers.
    """

    def __init__(
        self,
        cause: str,
        fix: str = "",
        *,
        status: Status = Status.FAILED,
        details: Sequence[str] = (),
    ) -> None:
        super().__init__(cause)
        self.cause = cause
        self.fix = fix
        self.status = status
        self.details = tuple(details)


class Usage(Failed):
    """The command line can't be understood."""

    def __init__(self, cause: str, fix: str = "") -> None:
        super().__init__(cause, fix, status=Status.USAGE)
