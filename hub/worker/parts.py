"""What the worker's pieces share: everything that a process has once."""

import random
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Protocol

from hub import clock
from hub.catalog.catalog import Catalog
from hub.connectors.clients import Clients
from hub.connectors.limits import Limits
from hub.db.commits import Connection, GroupCommit, Store
from hub.db.engine import Database
from hub.deliveries.repository import EventInbox, Hold
from hub.deliveries.steps import Step, Stepped, StepWriter
from hub.dispatch.port import Driver
from hub.mappings.resolve import Direction, Resolution
from hub.metrics.counters import Counters
from hub.rules import Plan
from hub.runs.retry import Policy
from hub.sdk.events import Record
from hub.settings import DispatchSettings
from hub.spans import NoSpans, Spans
from hub.worker.breakers import Breakers
from hub.worker.connectors import Connectors
from hub.worker.rule_care import RuleCare
from hub.worker.slots import Slots
from hub.worker.turns import Turns
from hub.worker.worth import PuttingOff


class Plans(Protocol):
    """The compiled rules of tenants."""

    async def plan_for(self, tenant_id: uuid.UUID) -> Plan:
        """Return a tenant's newest plan."""
        ...


class Resolver(Protocol):
    """Finds the service of a record."""

    async def service(
        self,
        tenant_id: uuid.UUID,
        connector_id: uuid.UUID,
        record: Record,
        direction: Direction = ...,
        *,
        target: str | None = ...,
    ) -> Resolution:
        """Return what was found, and how."""
        ...


def nothing_happens(_: str) -> None:
    """Pass a named point of the way; tests stop the process at one."""


@dataclass(slots=True, kw_only=True)
class Parts:
    """A process's database, clients, limits, plans and counters, for drains and lanes."""

    database: Database
    store: Store
    settings: DispatchSettings
    catalog: Catalog
    clients: Clients
    connectors: Connectors
    limits: Limits
    plans: Plans
    resolver: Resolver
    counters: Counters
    driver: Driver
    inbox: EventInbox
    writer: StepWriter
    commits: GroupCommit[Any, Any]
    reads: GroupCommit[Any, Any]
    slots: Slots
    turns: Turns
    breakers: Breakers
    care: RuleCare
    putting_off: PuttingOff
    owner: str
    now: clock.Clock = clock.now
    spans: Spans = field(default_factory=NoSpans)
    random: Callable[[], float] = random.random
    passing: Callable[[str], None] = nothing_happens
    settled: Callable[[str, Mapping[str, Any]], None] = lambda _hook, _facts: None
    noise: dict[str, frozenset[str]] = field(default_factory=dict)
    follows: dict[str, Mapping[str, frozenset[str]]] = field(default_factory=dict)
    ended: set[int] = field(default_factory=set)

    async def commit(self, step: Step) -> Stepped:
        """Write a step together with others'."""
        stepped: Stepped = await self.commits.submit(self.writer.write, step)
        return stepped

    def hold_lanes(self, connection: Connection, holds: Sequence[Hold]) -> list[None]:
        """Let lanes wait; work for a GroupCommit."""
        self.inbox.hold(connection, holds, self.now())
        return [None] * len(holds)

    @property
    def policy(self) -> Policy:
        """How long runs are tried."""
        chosen = self.settings
        return Policy(
            attempts=chosen.retry_attempts,
            age=timedelta(hours=chosen.retry_hours),
            cap=timedelta(seconds=chosen.retry_cap_s),
        )

    def follows_of(self, source_object: str) -> Mapping[str, frozenset[str]]:
        """Return, by field of an object, the fields that the vendor works it out from."""
        known = self.follows.get(source_object)
        if known is None:
            known = {
                one.key: frozenset(one.follows)
                for one in self.catalog.fields_of(source_object)
                if one.follows
            }
            self.follows[source_object] = known
        return known

    def noise_of(self, source_object: str) -> frozenset[str]:
        """Return the fields of an object that never count as changed."""
        known = self.noise.get(source_object)
        if known is None:
            known = frozenset(one.key for one in self.catalog.fields_of(source_object) if one.noise)
            self.noise[source_object] = known
        return known
