"""Faults that a test or a person plants in the simulated org."""

import re
from dataclasses import dataclass, field
from typing import Any

from hub_salesforce.testing.answers import Reply

_LOCK = "unable to obtain exclusive access to this record or 1 records: 500xx0000000000AAA"
_ERROR_ID = "An unexpected error occurred. Please include this ErrorId: 1234567-12345 (123456789)"
_LOGIN_PAGE = (
    "<html><head><title>Sign in</title></head><body><form>Proxy sign-in</form></body></html>"
)
_HTML = "text/html;charset=UTF-8"


def _error(status: int, code: str, message: str) -> Reply:
    return Reply(status=status, body=[{"message": message, "errorCode": code}])


REPLIES: dict[str, Reply] = {
    "unauthorized": _error(401, "INVALID_SESSION_ID", "Session expired or invalid"),
    "total_limit": _error(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."),
    "concurrent_limit": _error(
        403,
        "REQUEST_LIMIT_EXCEEDED",
        "ConcurrentRequests (Concurrent API Requests) Limit exceeded.",
    ),
    "lock": _error(400, "UNABLE_TO_LOCK_ROW", _LOCK),
    "unknown_exception": _error(500, "UNKNOWN_EXCEPTION", _ERROR_ID),
    "unavailable": _error(503, "SERVER_UNAVAILABLE", "Server temporarily unavailable"),
    "bad_gateway": Reply(status=502, body="<html><h1>502 Bad Gateway</h1></html>", type=_HTML),
    "maintenance_page": Reply(status=503, body="<html>Down for maintenance</html>", type=_HTML),
    "login_page": Reply(status=200, body=_LOGIN_PAGE, type=_HTML),
    "token_error": Reply(
        status=400,
        body={
            "error": "server_error",
            "error_description": "Currently unable to process this request",
        },
    ),
}
"""Effects that answer instead of the org."""

CUTS = frozenset({"timeout_before", "timeout_after", "reset_before", "reset_after", "truncated"})
"""Effects on the connection: no answer comes, or half of one; "after" means it was committed."""
PUSH = frozenset({"lose_push", "double_push", "delay_push"})
EFFECTS = frozenset(REPLIES) | CUTS | PUSH | {"slow", "answer"}


@dataclass(kw_only=True)
class Fault:
    """Matches requests by method and path (a regular expression), skips some, acts some times."""

    effect: str
    method: str = ""
    path: str = ""
    times: int = 1
    skip: int = 0
    seconds: float = 30.0
    status: int = 500
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    type: str = "application/json;charset=UTF-8"

    @property
    def reply(self) -> Reply | None:
        """The answer it gives instead of the org's; None where it does something else."""
        if self.effect == "answer":
            return Reply(status=self.status, body=self.body, headers=self.headers, type=self.type)
        return REPLIES.get(self.effect)


class Faults:
    """The planted faults, first come first served."""

    def __init__(self) -> None:
        self.planted: list[Fault] = []

    def add(self, effect: str, **how: Any) -> Fault:  # noqa: ANN401 - fields of a Fault
        """Plant a fault; ValueError for an effect that there is not."""
        if effect not in EFFECTS:
            raise ValueError(f"{effect!r} is none of {', '.join(sorted(EFFECTS))}")
        fault = Fault(effect=effect, **how)
        self.planted.append(fault)
        return fault

    def take(self, method: str, path: str, *, push: bool = False) -> Fault | None:
        """Return the fault that strikes a request, counting it down."""
        for fault in self.planted:
            fits = fault.method.upper() in {"", method} and re.search(fault.path, path)
            if not fits or (fault.effect in PUSH) is not push or fault.times == 0:
                continue
            if fault.skip > 0:
                fault.skip -= 1
                continue
            fault.times -= 1
            return fault
        return None

    def clear(self) -> None:
        """Take all faults away."""
        self.planted.clear()
