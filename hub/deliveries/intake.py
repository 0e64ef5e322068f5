"""Accepting a delivery: limits, verify, parse, store; the answer comes after the COMMIT."""

import asyncio
import logging
import re
import time
import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any, Final, Protocol

from sqlalchemy import Connection
from sqlalchemy.exc import DataError, StatementError

from hub import clock, ids
from hub.activity import journal
from hub.correlations.values import pack
from hub.db.bulk import query
from hub.db.commits import GroupCommit, Store
from hub.deliveries.filing import Accepted, Filer, Filing
from hub.deliveries.patience import ENDLESS, Patience
from hub.deliveries.reading import ReadDelivery, Together, body_key, read_delivery
from hub.deliveries.refusals import Refusals
from hub.errors import (
    ConnectorBroken,
    InvalidDeliverySignature,
    NotFound,
    Overloaded,
    TooManyRequests,
)
from hub.metrics.counters import Counters
from hub.sdk.connector_types import ConnectorType, WebhookReceiver, WebhookRequest
from hub.sdk.errors import InvalidSignature
from hub.spans import NoSpans, Spans

_log = logging.getLogger(__name__)
_IN_A_THREAD: Final = 256 * 1024
_SLOW_S: Final = 0.05
_BURST: Final = 5
_KEPT_HEADERS: Final = re.compile(
    r"^(content-type|user-agent|x-webhook-.*|x-pagerduty-.*|x-request-id|date|x-sfdc.*)$"
)


class Connector(Protocol):
    """An opened connector, as far as accepting uses it."""

    @property
    def tenant_id(self) -> uuid.UUID:
        """Whose it is."""
        ...

    @property
    def id(self) -> uuid.UUID:
        """Its id."""
        ...

    @property
    def name(self) -> str:
        """Its name in the tenant."""
        ...

    @property
    def type(self) -> ConnectorType[Any, Any] | None:
        """Its type; None when the plugin is broken."""
        ...

    @property
    def live_settings(self) -> Sequence[Any]:
        """Its settings, once for each secret that is valid now."""
        ...

    @property
    def allow_unsigned(self) -> bool:
        """Whether unsigned deliveries are taken."""
        ...

    @property
    def ingress_rate(self) -> int:
        """Deliveries accepted a second."""
        ...


@dataclass(slots=True)
class _Given:
    """A delivery on its way; `filing` is what was made of it, as soon as it is.

    `failed` is what a plugin raised that is its fault.
    """

    connector: Connector
    receiver: WebhookReceiver[Any]
    request: WebhookRequest
    received_at: datetime
    filing: Filing | None = None
    failed: Exception | None = None

    def take(self, read: ReadDelivery) -> Filing:
        """Return how it is filed, and remember it."""
        self.failed = read.failed
        self.filing = Filing(
            tenant_id=self.connector.tenant_id,
            connector_id=self.connector.id,
            key=read.key,
            received_at=self.received_at,
            headers=pack(_kept(self.request.headers)),
            body=self.request.body,
            state=read.state,
            detail=read.detail,
            events=read.events,
        )
        return self.filing


@dataclass(slots=True)
class _Rate:
    tokens: float
    at: float


@dataclass(slots=True)
class Intake:
    """Takes deliveries in: the ingress's, and those of pollers, timers, the desk, replays."""

    commits: GroupCommit[Filing, Accepted]
    store: Store
    filer: Filer
    counters: Counters
    max_pending: int
    now: clock.Clock = clock.now
    filed: Callable[[Iterable[int]], None] = lambda _: None
    pending: int = 0
    spans: Spans = field(default_factory=NoSpans)
    _rates: dict[uuid.UUID, _Rate] = field(default_factory=dict)
    _refusals: Refusals = field(default_factory=Refusals)
    _together: Together[_Given, Accepted] = field(init=False)

    def __post_init__(self) -> None:
        self._together = Together(self._take)

    async def accept(
        self, connector: Connector, request: WebhookRequest, patience: Patience = ENDLESS
    ) -> Accepted:
        """Verify, read and store a delivery; return after it is durable.

        Raises InvalidDeliverySignature, TooManyRequests, Overloaded, NotFound,
        ConnectorBroken; TimeoutError when patience ended (it may be stored all the same).
        What is genuine but unreadable, or nothing for us, is kept.
        """
        receiver = _receiver_of(connector)
        self._admit(connector)
        given = _Given(connector, receiver, request, self.now())
        try:
            if len(request.body) <= _IN_A_THREAD:
                accepted = await self._together.ask(given, patience.future())
            else:
                accepted = await self._take_large(given, patience)
        except (StatementError, UnicodeError) as error:
            accepted = await self._kept_raw(given, error, patience)
        self._tell(given, accepted)
        return accepted

    async def file(self, filing: Filing) -> Accepted:
        """Store a delivery that did not come by the ingress."""
        accepted = await self.commits.submit(self.filer.write, filing)
        self._count(filing, accepted)
        return accepted

    async def measure(self) -> None:
        """Count what is pending, for back-pressure; tell of what was refused."""
        lines = self._refusals.due(self.now())
        if lines:
            await self.store.write(lambda connection: journal.store(connection, lines))
        self.pending = await self.store.read(self._count_pending)
        self.counters.set("hub_events_pending", self.pending)

    def _count_pending(self, connection: Connection) -> int:
        found = query(
            connection,
            "SELECT count(*) FROM (SELECT 1 FROM events WHERE state = 'pending' LIMIT ?) AS w",
            self.max_pending + 1,
        )
        return int(found[0][0])

    def _admit(self, connector: Connector) -> None:
        if self.pending >= self.max_pending:
            text = f"{self.pending} events wait to be worked."
            self.refused(connector, "backlog", text)
            raise Overloaded(text, retry_after=10)
        present = time.monotonic()
        rate, most = connector.ingress_rate, connector.ingress_rate * _BURST
        bucket = self._rates.get(connector.id)
        if bucket is None:
            bucket = self._rates[connector.id] = _Rate(most, present)
        bucket.tokens = min(most, bucket.tokens + (present - bucket.at) * rate)
        bucket.at = present
        if bucket.tokens < 1:
            text = f"The connector accepts {rate} deliveries a second."
            self.refused(connector, "rate", text)
            raise TooManyRequests(text, retry_after=1)
        bucket.tokens -= 1

    def _verify(self, given: _Given) -> None:
        connector, receiver, request = given.connector, given.receiver, given.request
        refused: InvalidSignature | None = None
        for settings in connector.live_settings:
            try:
                receiver.verify(settings, request)
            except InvalidSignature as error:
                refused = refused or error
            else:
                return
        if connector.allow_unsigned:
            return
        text = str(refused or "The connector has no webhook secret.")
        self.refused(connector, "signature", text)
        _log.warning("delivery refused", extra={"connector": connector.name, "reason": text})
        raise InvalidDeliverySignature(text)

    def refused(self, connector: Connector, reason: str, detail: str) -> None:
        """Count a delivery that is refused, for operators and for the connector's people."""
        self.counters.add("hub_deliveries_refused_total", reason=reason)
        self.counters.tally(connector.tenant_id, connector.id, "deliveries_refused")
        self._refusals.note(connector.tenant_id, connector.id, reason, detail)

    def _take(self, given: _Given, answer: asyncio.Future[Accepted]) -> None:
        """Verify, read, and have it stored; the answer is settled after the COMMIT."""
        self._verify(given)
        began = time.perf_counter()
        read = read_delivery(given.receiver, given.request)
        took = time.perf_counter() - began
        if took > _SLOW_S:
            told = {"connector": given.connector.name, "took_ms": took * 1000}
            _log.warning("parsing is slow", extra=told)
        self.commits.enqueue(self.filer.write, given.take(read), answer)

    async def _take_large(self, given: _Given, patience: Patience) -> Accepted:
        async with asyncio.timeout(patience.seconds):
            self._verify(given)
            read = await asyncio.to_thread(read_delivery, given.receiver, given.request)
            return await self.commits.submit(self.filer.write, given.take(read))

    async def _kept_raw(
        self, given: _Given, error: StatementError | UnicodeError, patience: Patience
    ) -> Accepted:
        """Keep the body alone of what has a value that can't be stored."""
        filing = given.filing
        if filing is None or not _is_data(error):  # without a filing it was refused
            raise error
        given.filing = Filing(
            tenant_id=filing.tenant_id,
            connector_id=filing.connector_id,
            key=body_key(filing.body or b""),
            received_at=filing.received_at,
            body=filing.body,
            state="unreadable",
            detail=f"A value can't be stored: {type(error).__name__}",
        )
        async with asyncio.timeout(patience.seconds):
            return await self.commits.submit(self.filer.write, given.filing)

    def _tell(self, given: _Given, accepted: Accepted) -> None:
        assert given.filing is not None  # noqa: S101 - it was accepted
        filing, connector = given.filing, given.connector
        if given.failed is not None:
            _tell_failed(given.failed, connector, accepted)
        self._count(filing, accepted)
        outcome = "repeated" if accepted.repeated else filing.state
        self.counters.tally(connector.tenant_id, connector.id, f"deliveries_{outcome}")
        if accepted.repeated:
            self.counters.add("hub_deliveries_repeated_total")
        if self.spans.on:
            told = {"hub.connector": connector.name, "hub.outcome": filing.state}
            times = (given.received_at, self.now())
            self.spans.ended("accept", accepted.delivery_id, times, told)

    def _count(self, filing: Filing, accepted: Accepted) -> None:
        self.counters.add("hub_deliveries_total", source=filing.source, outcome=filing.state)
        if accepted.shards:
            self.filed(accepted.shards)


def _tell_failed(error: Exception, connector: Connector, accepted: Accepted) -> None:
    plugin = connector.type.name if connector.type is not None else ""
    _log.error(
        "parse failed",
        exc_info=error,
        extra={
            "delivery": ids.shown("dlv", accepted.delivery_id),
            "connector": connector.name,
            "plugin": plugin,
        },
    )


def _receiver_of(connector: Connector) -> WebhookReceiver[Any]:
    if connector.type is None:
        raise ConnectorBroken(f"The plugin of {connector.name!r} is not in working order.")
    if connector.type.receiver is None:
        raise NotFound(f"{connector.type.label} connectors receive no webhooks.")
    return connector.type.receiver


def _kept(headers: Any) -> dict[str, str]:  # noqa: ANN401 - a mapping of text
    return {name: value for name, value in headers.items() if _is_kept(name)}


@lru_cache(maxsize=1024)
def _is_kept(name: str) -> bool:
    return _KEPT_HEADERS.match(name) is not None


def _is_data(error: StatementError | UnicodeError) -> bool:
    if isinstance(error, DataError | UnicodeError):
        return True
    return isinstance(error.orig, ValueError | TypeError | UnicodeError | OverflowError)
