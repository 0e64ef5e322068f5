"""The delivery engine's pieces, put together for one process."""

import asyncio
import os
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from hub import ids
from hub.catalog.catalog import Catalog
from hub.clock import Clock
from hub.clock import now as present
from hub.connectors.clients import Clients
from hub.connectors.limits import Limits
from hub.correlations.linking import Linker
from hub.db.commits import GroupCommit, Store, open_store
from hub.db.engine import Database
from hub.deliveries.filing import Filer
from hub.deliveries.intake import Intake
from hub.deliveries.reopening import Reopening
from hub.deliveries.repository import EventInbox
from hub.deliveries.steps import StepWriter
from hub.dispatch.embedded import EmbeddedDriver
from hub.dispatch.port import Driver
from hub.dispatch.sweeper import Sweeper
from hub.metrics.counters import Counters
from hub.settings import DispatchSettings, HubSettings
from hub.spans import NoSpans, Spans
from hub.worker.breakers import Breakers
from hub.worker.connectors import Connectors
from hub.worker.drain import Drains
from hub.worker.housekeeping import Housekeeping
from hub.worker.importing import Importing
from hub.worker.parts import Parts, Plans, Resolver, nothing_happens
from hub.worker.polling import Polling
from hub.worker.reconciling import Reconciling
from hub.worker.rule_care import RuleCare
from hub.worker.slots import Slots
from hub.worker.timing import Timing
from hub.worker.turns import Turns
from hub.worker.watching import Watching
from hub.worker.worth import PuttingOff

_PENDING_EMBEDDED: Final = 20_000
_PENDING_POSTGRES: Final = 1_000_000
_BUDGET_FACTOR: Final = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What the composition root hands over."""

    database: Database
    settings: HubSettings
    catalog: Catalog
    clients: Clients
    limits: Limits
    plans: Plans
    resolver: Resolver
    clock: Clock = present
    counters: Counters = field(default_factory=Counters)
    passing: Callable[[str], None] = nothing_happens
    observe: Callable[[str, Mapping[str, Any]], None] = lambda _hook, _facts: None
    role: str = "hub"
    spans: Spans = field(default_factory=NoSpans)


@dataclass(slots=True, kw_only=True)
class Assembly:
    """The pieces of one process."""

    given: Given
    store: Store
    driver: Driver
    inbox: EventInbox
    linker: Linker
    parts: Parts
    committers: list[GroupCommit[Any, Any]]
    intake: Intake
    drains: Drains
    reopening: Reopening
    sweeper: Sweeper
    housekeeping: Housekeeping
    polling: Polling
    timing: Timing
    watching: Watching
    importing: Importing
    reconciling: Reconciling
    stop: asyncio.Event


def assemble(given: Given) -> Assembly:
    """Put the pieces together; nothing is opened yet."""
    store, driver, stop = open_store(given.database), driver_of(given), asyncio.Event()
    inbox, dispatch = EventInbox(driver), given.settings.dispatch
    linker = Linker(driver=driver, inbox=inbox, shards=dispatch.shards)
    committers: list[GroupCommit[Any, Any]] = [
        GroupCommit(store.write_many, maximum=dispatch.commit_max)
    ]
    if not given.database.is_sqlite:  # while one batch is on its way, the next one sets out
        committers.append(GroupCommit(store.write_many, maximum=dispatch.commit_max, writers=2))
    parts = _parts(given, (store, driver, inbox), linker, committers[0])
    drains = Drains(parts, stop)
    intake = Intake(
        commits=committers[-1],
        store=store,
        filer=Filer(driver, dispatch.shards),
        counters=given.counters,
        max_pending=max_pending_of(given),
        now=given.clock,
        spans=given.spans,
        filed=drains.filed,
    )
    polling = Polling(parts, intake)
    return Assembly(
        given=given,
        store=store,
        driver=driver,
        inbox=inbox,
        linker=linker,
        parts=parts,
        committers=committers,
        intake=intake,
        drains=drains,
        reopening=Reopening(inbox, given.clock),
        sweeper=Sweeper(driver, inbox),
        housekeeping=Housekeeping(parts, given.role, given.clock()),
        polling=polling,
        reconciling=Reconciling(parts, intake, polling),
        timing=Timing(parts, intake),
        importing=Importing(parts, intake),
        watching=Watching(parts, given.settings.public_url),
        stop=stop,
    )


def _parts(
    given: Given,
    below: tuple[Store, Driver, EventInbox],
    linker: Linker,
    commits: GroupCommit[Any, Any],
) -> Parts:
    store, driver, inbox = below
    dispatch, connectors = given.settings.dispatch, Connectors(given.clients)
    slots = Slots(dispatch.lanes)
    return Parts(
        database=given.database,
        store=store,
        settings=dispatch,
        catalog=given.catalog,
        clients=given.clients,
        connectors=connectors,
        limits=given.limits,
        plans=given.plans,
        resolver=given.resolver,
        counters=given.counters,
        driver=driver,
        inbox=inbox,
        writer=StepWriter(inbox, linker),
        commits=commits,
        reads=GroupCommit(store.read_many, writers=1 if given.database.is_sqlite else 2),
        slots=slots,
        turns=Turns(slots),
        breakers=breakers_of(dispatch),
        care=RuleCare(given.database, given.catalog, given.counters, given.clock),
        putting_off=PuttingOff(
            database=given.database,
            limits=given.limits,
            connectors=connectors,
            reopening=Reopening(inbox, given.clock),
            now=given.clock,
        ),
        owner=f"{socket.gethostname()}:{os.getpid()}:{ids.new_id().hex[-6:]}",
        now=given.clock,
        spans=given.spans,
        passing=given.passing,
        settled=given.observe,
    )


def breakers_of(dispatch: DispatchSettings) -> Breakers:
    """Return the breakers that the settings ask for."""
    firings = dispatch.breaker_firings
    return Breakers(firings=firings, budget=firings * _BUDGET_FACTOR)


def max_pending_of(given: Given) -> int:
    """Return the backlog above which deliveries are refused."""
    usual = _PENDING_EMBEDDED if given.database.is_sqlite else _PENDING_POSTGRES
    return given.settings.dispatch.max_pending or usual


def driver_of(given: Given) -> Driver:
    """Return the driver of the database."""
    dispatch = given.settings.dispatch
    at_once = dispatch.shards_per_worker or dispatch.shards
    if given.database.is_sqlite:
        return EmbeddedDriver(at_once=at_once, now=given.clock)
    from hub.dispatch.postgres import PostgresDriver  # noqa: PLC0415 - an extra

    return PostgresDriver(
        given.database,
        at_once=at_once,
        heartbeat_s=dispatch.heartbeat_s,
        now=given.clock,
    )
