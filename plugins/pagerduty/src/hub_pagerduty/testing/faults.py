"""Faults that tests and visitors put in the way of requests."""

import re
from dataclasses import dataclass, field
from typing import Any, Final

from hub_pagerduty.testing.model import Json

EFFECTS: Final = {
    "status": "answer `status`, with `body` where given, doing nothing",
    "rate_limited": "answer 429 with the vendor's headers and body",
    "rate_limited_bare": "answer 429 without headers and body",
    "slow": "answer after `seconds`",
    "timeout_before": "hang for `seconds` and do nothing",
    "timeout_after": "do it, then hang for `seconds`",
    "cut_before": "close the connection, doing nothing",
    "cut_after": "do it, then close the connection",
    "html": "answer 502 with a page of a proxy",
    "truncated": "do it, then answer half of the JSON",
    "empty": "do it, then answer 200 with an empty body",
    "wrong_type": "do it, then answer with a page instead of JSON",
    "dropped": "take an event, answer 202 and forget it",
}


@dataclass(slots=True)
class Fault:
    """A fault: which requests it meets, and how often."""

    effect: str
    method: str = ""
    path: str = ""
    times: int = 1
    after: int = 0
    status: int = 503
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    seconds: float = 30.0
    key: str = ""
    met: int = 0

    def meets(self, method: str, path: str, key: str) -> bool:
        """Say whether it meets this request, and count it."""
        if self.times == 0 or (self.method and self.method.upper() != method):
            return False
        if (self.path and not re.search(self.path, path)) or (self.key and self.key != key):
            return False
        if self.after > 0:
            self.after -= 1
            return False
        self.times -= 1 if self.times > 0 else 0
        self.met += 1
        return True


class Faults:
    """The faults that wait; the first that meets a request acts."""

    def __init__(self) -> None:
        self.waiting: list[Fault] = []

    def add(self, effect: str, **parts: Any) -> Fault:  # noqa: ANN401 - fields of Fault
        """Add a fault; `times` below zero means for ever."""
        if effect not in EFFECTS:
            raise ValueError(f"{effect!r} is none of {', '.join(EFFECTS)}")
        fault = Fault(effect=effect, **parts)
        self.waiting.append(fault)
        return fault

    def clear(self) -> None:
        """Remove all faults."""
        self.waiting.clear()

    def meeting(self, method: str, path: str, key: str, header: str) -> Fault | None:
        """Return the fault for a request: one asked for by its header, or one that waits."""
        if header:
            return _from_header(header)
        return next((one for one in self.waiting if one.meets(method, path, key)), None)

    def shown(self) -> list[Json]:
        """Return the faults as the control API shows them."""
        return [
            {
                "effect": one.effect,
                "method": one.method,
                "path": one.path,
                "times": one.times,
                "met": one.met,
            }
            for one in self.waiting
        ]


def _from_header(header: str) -> Fault:
    effect, _, value = header.partition("=")
    fault = Fault(effect=effect if effect in EFFECTS else "status")
    if effect == "status" and value.isdigit():
        fault.status = int(value)
    elif value.replace(".", "", 1).isdigit():
        fault.seconds = float(value)
    return fault
