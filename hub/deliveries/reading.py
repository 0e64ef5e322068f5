"""Reading deliveries: what a plugin's receiver makes of a request, as it can be filed.

Those that come together are read together: verifying and parsing one after another, without the
server's code in between, costs a third less, as the processor keeps what it needs at hand.
"""

import asyncio
import json
import re
from collections import deque
from collections.abc import Callable
from contextvars import Context, copy_context
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any, Final, Generic, TypeVar

from hub.correlations.values import pack_event
from hub.deliveries.filing import NewEvent
from hub.deliveries.ways import mark_of
from hub.sdk.connector_types import WebhookReceiver, WebhookRequest
from hub.sdk.errors import InvalidPayload
from hub.sdk.events import Event

Item = TypeVar("Item")
Result = TypeVar("Result")
_NUL: Final = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")
AT_ONCE: Final = 16
"""So many are read before other work gets its turn: a batch that is on its way to the database."""


@dataclass(slots=True)
class Together(Generic[Item, Result]):
    """Begins the same work for all who ask within one turn of the event loop, in their order.

    `work` gets the item and the future that is to be settled, now or later; what it raises,
    settles it, too. So whoever asked is woken once, when all is done.
    """

    work: Callable[[Item, asyncio.Future[Result]], None]
    _waiting: deque[tuple[Item, asyncio.Future[Result], Context]] = field(default_factory=deque)

    def ask(self, item: Item, answer: asyncio.Future[Result]) -> asyncio.Future[Result]:
        """Have the work begun for the item soon; return the answer, to be waited for."""
        if not self._waiting:
            asyncio.get_running_loop().call_soon(self._turn)
        self._waiting.append((item, answer, copy_context()))  # the log's facts are the caller's
        return answer

    def _turn(self) -> None:
        for _ in range(min(AT_ONCE, len(self._waiting))):
            item, answer, context = self._waiting.popleft()
            if answer.done():  # who asked went away
                continue
            try:
                context.run(self.work, item, answer)
            except StopIteration as error:  # no future takes one
                answer.set_exception(RuntimeError(f"StopIteration: {error}"))
            except Exception as error:  # noqa: BLE001 - whoever asked gets it
                answer.set_exception(error)
        if self._waiting:
            asyncio.get_running_loop().call_soon(self._turn)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadDelivery:
    """What a receiver made of a delivery; `failed` is what a plugin raised that is its fault."""

    key: str
    state: str
    detail: str | None = None
    events: tuple[NewEvent, ...] = ()
    failed: Exception | None = None


def read_delivery(receiver: WebhookReceiver[Any], request: WebhookRequest) -> ReadDelivery:
    """Read a delivery; what can't be read is told, never raised."""
    key = ""
    try:
        key = receiver.delivery_key(request) or body_key(request.body)
        refuse_nul(request.body)
        events = receiver.parse(request)
        filed = tuple(new_event(event) for event in events)
    except InvalidPayload as error:
        place = f"{error.pointer}: " if error.pointer else ""
        return _unreadable(key or body_key(request.body), f"{place}{error}")
    except Exception as error:  # noqa: BLE001 - a plugin's fault: the delivery is kept and replayable
        text = f"{type(error).__name__}: {error}"
        return _unreadable(key or body_key(request.body), text, failed=error)
    if not filed:
        return ReadDelivery(key=key, state="ignored", detail="There is no event for the hub in it.")
    return ReadDelivery(key=key, state="accepted", events=filed)


def _unreadable(key: str, detail: str, *, failed: Exception | None = None) -> ReadDelivery:
    text = detail.replace("\x00", "␀")[:2000]
    return ReadDelivery(key=key, state="unreadable", detail=text, failed=failed)


def refuse_nul(body: bytes) -> None:
    """Raise InvalidPayload for JSON with an escaped NUL in a text, which no database keeps."""
    if b"\\u0000" not in body:
        return
    try:
        place = _nul_in(json.loads(body))
    except (ValueError, RecursionError):
        return  # no JSON: the plugin says so
    if place is not None:
        raise InvalidPayload("There is a NUL character in this text.", pointer=place)


def _nul_in(content: Any) -> str | None:  # noqa: ANN401 - JSON
    waiting = [("", content)]
    while waiting:
        place, value = waiting.pop()
        if isinstance(value, str) and "\x00" in value:
            return place
        if isinstance(value, dict):
            if any("\x00" in name for name in value):
                return place
            waiting += [(f"{place}/{_escaped(name)}", one) for name, one in value.items()]
        elif isinstance(value, list):
            waiting += [(f"{place}/{number}", one) for number, one in enumerate(value)]
    return None


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")


def new_event(event: Event) -> NewEvent:
    """Return the event as it is filed; InvalidPayload when a value of it can't be stored."""
    body = pack_event(event)
    if "\\u0000" in body and _NUL.search(body):
        raise InvalidPayload("It contains a NUL character.")
    if not body.isascii() and not _is_text(body):
        raise InvalidPayload("It contains half a character (a lone surrogate).")
    record = event.record
    if not record.id or len(record.id) > 255:
        raise InvalidPayload(f"The id of the {record.source_object} can't be used.")
    return NewEvent(
        trigger=event.trigger,
        record=record.ref,
        key=_event_key(event),
        body=body,
        mark=mark_of(event, event.key),
    )


def _event_key(event: Event) -> str:
    """Return what makes the event the same as another: of a note, the vendor's id of it.

    A webhook and a poll tell of a note under keys of their own.
    """
    return f"{event.trigger}\x1f{event.note}" if event.note else event.key


def body_key(body: bytes) -> str:
    """Return the key of a delivery whose vendor gives it none."""
    return blake2b(body, digest_size=16).hexdigest()


def _is_text(body: str) -> bool:
    try:
        body.encode()
    except UnicodeEncodeError:
        return False
    return True
