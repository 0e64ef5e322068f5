"""PagerDuty's answers read as connector errors."""

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import hub

if TYPE_CHECKING:
    from collections.abc import Mapping

    import httpx

_SHOWN: Final = 300

ALREADY_RESOLVED, ALREADY_ACKNOWLEDGED, CHANGED_MEANWHILE = 1001, 1002, 1005
CANNOT_ESCALATE, ASSIGNEE_NOT_FOUND, REQUESTER_NOT_FOUND = 1006, 1007, 1008
NOBODY_ON_CALL, ALREADY_MERGED, INVALID_PRIORITY = 1015, 1019, 1020
NO_ABILITY, RATE_LIMIT = 2014, 2020
DUPLICATE_KEY: Final = "matching dedup key already exists"

_LOCKED_OUT: Final = {2006, 2007, 2008, 2010, 2012}
_MISSING: Final = {2100, 5001, 5002}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What PagerDuty said: status, its own error code if any, and its words."""

    status: int
    code: int | None = None
    message: str = ""
    errors: tuple[str, ...] = field(default=())

    @property
    def said(self) -> str:
        """The vendor's words in one line."""
        words = ", ".join(part for part in (self.message, *self.errors) if part)
        return f"{self.status}: {words or 'empty answer'}"

    @property
    def is_duplicate_key(self) -> bool:
        """Whether an open incident with the same incident key exists."""
        return self.status == 400 and DUPLICATE_KEY in self.said


class Refused(hub.Rejected):
    """PagerDuty refused the request."""

    def __init__(self, answer: Answer, message: str = "") -> None:
        super().__init__(message or answer.said)
        self.answer = answer


class NotThere(hub.Gone):
    """PagerDuty does not know the record."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.said)
        self.answer = answer


def read_answer(status: int, body: str) -> Answer:
    """Read an error body of any shape; never raises."""
    try:
        content = json.loads(body) if body.strip() else None
    except ValueError:
        return Answer(status=status, message=_start(body))
    if not isinstance(content, dict):
        return Answer(status=status, message=_start(body))
    error = content.get("error", content)
    if isinstance(error, dict):
        return _of_object(status, error)
    return Answer(status=status, errors=tuple(_texts(error)) + tuple(_texts(content.get("errors"))))


def _of_object(status: int, error: "Mapping[str, Any]") -> Answer:
    code = error.get("code")
    return Answer(
        status=status,
        code=code if isinstance(code, int) else None,
        message=_start(str(error.get("message") or "")),
        errors=tuple(_texts(error.get("errors"))),
    )


def _texts(value: object) -> list[str]:
    if value is None:
        return []
    if isinstance(value, list):
        return [_start(str(one)) for one in value]
    return [_start(str(value))]


def _start(text: str) -> str:
    line = " ".join(text.split())
    return line[:_SHOWN] + ("…" if len(line) > _SHOWN else "")


def reset_after(headers: "Mapping[str, str]") -> float | None:
    """Return how many seconds to wait, as the answer's headers say; None if they do not."""
    found = _seconds(headers, "ratelimit-reset")
    return _seconds(headers, "retry-after") if found is None else found


def _seconds(headers: "Mapping[str, str]", name: str) -> float | None:
    try:
        return max(0.0, float(headers[name]))
    except (KeyError, ValueError):
        return None


def error_of(answer: "httpx.Response") -> hub.ConnectorError:
    """Return the error that an answer other than 2xx stands for."""
    read = read_answer(answer.status_code, answer.text)
    if read.status == 429 or read.code == RATE_LIMIT:
        return hub.RateLimited(read.said, retry_after=reset_after(answer.headers))
    if read.status == 401 or (read.status == 400 and read.code in _LOCKED_OUT):
        return hub.AuthenticationFailed(read.said)
    if read.code == CHANGED_MEANWHILE:
        return hub.Unavailable(read.said)
    if read.status >= 500 or read.status == 408:
        return _trouble(read, answer)
    if read.status in {404, 410} or read.code in _MISSING:
        return NotThere(read)
    return Refused(read, _explained(read, answer.request.url.path))


def _trouble(read: Answer, answer: "httpx.Response") -> hub.ConnectorError:
    harmless = read.status in {408, 502, 503} or answer.request.method in {"GET", "HEAD"}
    if not harmless:
        return hub.OutcomeUnknown(read.said)
    return hub.Unavailable(read.said, retry_after=_seconds(answer.headers, "retry-after"))


def _role_for(path: str) -> str:
    if "/incidents" in path:
        return "Responder at least"
    if any(name in path for name in ("/services", "/webhook_subscriptions", "/extensions")):
        return "Manager or Admin"
    return "a higher one"


def _explained(read: Answer, path: str) -> str:
    if read.status == 402 or read.code == NO_ABILITY:
        return f"The account's plan lacks what this needs ({read.said})"
    if read.status == 403:
        return (
            "The key may not do this: it is read-only, lacks a scope, or its user lacks the role: "
            f"{_role_for(path)} ({read.said})"
        )
    if read.code == REQUESTER_NOT_FOUND:
        return f"The From e-mail is no user of this account ({read.said})"
    if read.code == NOBODY_ON_CALL:
        return f"Nobody is on call for the escalation policy: nobody was paged ({read.said})"
    if read.code == CANNOT_ESCALATE:
        return f"Neither low urgency nor the last level can be escalated ({read.said})"
    return read.said
