"""What the simulated org answers: a reply, or a refusal with Salesforce's codes."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An answer; `body` is JSON, or text where `type` says so, or None for none."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    type: str = "application/json;charset=UTF-8"


class Refused(Exception):
    """The org refuses: an HTTP status and the errors of its list."""

    def __init__(self, status: int, *errors: dict[str, Any]) -> None:
        super().__init__(str(errors))
        self.status = status
        self.errors = list(errors)

    @property
    def reply(self) -> Reply:
        """The answer of a plain call."""
        return Reply(status=self.status, body=self.errors)


def refused(code: str, message: str, *fields: str, status: int = 400) -> Refused:
    """Return a refusal with one error; `fields` is left out where there is none."""
    error: dict[str, Any] = {"message": message, "errorCode": code}
    return Refused(status, {**error, "fields": list(fields)} if fields else error)


def save_refused(code: str, message: str, *fields: str) -> Refused:
    """Return the refusal of a save, whose error always has a list of fields."""
    return Refused(400, {"message": message, "errorCode": code, "fields": list(fields)})


def not_found(message: str = "The requested resource does not exist") -> Refused:
    """Return the refusal of what is not there."""
    return Refused(404, {"errorCode": "NOT_FOUND", "message": message})
