"""Ids: UUIDs that grow with time, and the prefixed numbers that people see."""

import secrets
import uuid
from collections.abc import Callable
from typing import Final, Literal, TypeAlias

from hub import clock
from hub.errors import Fault, Invalid, NotFound

NewId: TypeAlias = Callable[[], uuid.UUID]
Prefix: TypeAlias = Literal["dlv", "evt", "run", "cor", "act", "lnk", "aud"]

_RANDOM_BITS: Final = 74


def new_id() -> uuid.UUID:
    """Return a new UUIDv7: its first 48 bits are the milliseconds since 1970."""
    milliseconds = int(clock.now().timestamp() * 1000)
    random = secrets.randbits(_RANDOM_BITS)
    value = (
        milliseconds << 80 | 0x7 << 76 | (random >> 62) << 64 | 0b10 << 62 | random & (1 << 62) - 1
    )
    return uuid.UUID(int=value)


def shown(prefix: Prefix, number: int) -> str:
    """Return a row's number as people see it: `dlv_42`."""
    return f"{prefix}_{number}"


def cursor(prefix: Prefix, text: str) -> int:
    """Return the row's number that a list's cursor names; Invalid when it is no cursor."""
    try:
        return number(prefix, text)
    except NotFound as error:
        raise no_cursor(text) from error


def no_cursor(text: str) -> Invalid:
    """Return the error for a text that is not a cursor of a list."""
    detail = f"{text!r} is no cursor of this list: give `next` of the page before."
    return Invalid(detail, errors=[Fault("/cursor", detail, "cursor")])


def number(prefix: Prefix, text: str) -> int:
    """Return the row's number in `text`; NotFound when it is no id of this kind."""
    head, _, tail = text.partition("_")
    if head != prefix or not (tail.isascii() and tail.isdigit() and len(tail) <= 18):
        raise NotFound(f"{text!r} is not the id of a {_KINDS[prefix]}.")
    return int(tail)


_KINDS: Final[dict[Prefix, str]] = {
    "dlv": "delivery",
    "evt": "event",
    "run": "run",
    "cor": "correlation",
    "act": "activity line",
    "lnk": "link",
    "aud": "audit line",
}
