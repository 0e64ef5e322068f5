"""Open connectors: settings and secrets turned into the plugin's client, kept per process."""

import asyncio
import time
import uuid
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, TypeAlias

import httpx
from pydantic import BaseModel
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncSession

from hub import logs
from hub.catalog.catalog import Catalog
from hub.clock import Clock
from hub.clock import now as present
from hub.connectors import repository, shapes
from hub.connectors.limits import Limits
from hub.connectors.models import Connector
from hub.connectors.opening import (
    OpenConnector,
    broken,
    closed_connector,
    limiter_key_of,
    log_level_of,
    variants_of,
    with_state,
)
from hub.connectors.repository import Glance
from hub.connectors.secrets import REFERENCES_KEPT_S, Opened, References, SecretStore
from hub.connectors.states import ConnectorState, States
from hub.connectors.transport import HttpOptions, make_http
from hub.connectors.vaults import Vault
from hub.crypto import CannotOpen, MasterKeys, load_master_keys
from hub.db.engine import Database
from hub.errors import NotFound
from hub.sdk.connector_types import ConnectorType
from hub.sdk.errors import ConnectorError
from hub.settings import HubSettings

__all__ = ["Clients", "HealthPart", "OpenConnector"]
logger = logs.get_logger(__name__)

SEEN_FOR_S: Final = 1.0
"""How old a look at the database may be before it is repeated."""
HealthPart: TypeAlias = Callable[[AsyncSession, uuid.UUID, uuid.UUID], Awaitable[Mapping[str, Any]]]
"""(session, tenant id, connector id) -> more members of a connector's health."""

_RETRY_S: Final = 10.0
"""What could not be opened is tried again after this."""
_REOPEN_S: Final = 3600.0
"""Opened anew after this in any case."""
_GRACE_S: Final = 60.0
"""A replaced client stays open this long for requests under way."""


@dataclass(slots=True)
class _Kept:
    open: OpenConnector
    seen_at: float
    good_until: float


class Clients:
    """The process's open connectors; one is enough.

    `by_name` and `by_id` look at the database at most once a second and connector, and
    at once after a change made by this process (`changed`).
    """

    def __init__(  # noqa: PLR0913 - what the composition root hands over
        self,
        database: Database,
        catalog: Catalog,
        settings: HubSettings,
        *,
        keys: MasterKeys | None = None,
        limits: Limits | None = None,
        clock: Clock = present,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.database = database
        self.catalog = catalog
        self._keys = keys
        self._settings = settings
        self.limits = limits or Limits()
        self.states = States()
        self.references = References(catalog.secret_backends, monotonic)
        self.health_parts: list[HealthPart] = []
        self.clock = clock
        self._now = monotonic
        self._options = HttpOptions(
            timeout_s=settings.dispatch.http_timeout_s,
            allow_private_targets=settings.http.allow_private_targets,
            routes=settings.http.routes,
        )
        self._kept: dict[uuid.UUID, _Kept] = {}
        self._names: dict[tuple[str, str], uuid.UUID] = {}
        self._locks: dict[uuid.UUID, asyncio.Lock] = {}
        self._looks: dict[object, asyncio.Task[OpenConnector]] = {}
        self._looking: asyncio.Task[None] | None = None
        self._retired: dict[httpx.AsyncClient, asyncio.Task[None]] = {}

    @property
    def keys(self) -> MasterKeys:
        """The master keys; read (or made) when they are first needed."""
        if self._keys is None:
            self._keys = load_master_keys(self._settings)
        return self._keys

    def at_hand(self, tenant: str, name: str) -> OpenConnector | None:
        """Return a connector that was looked at a moment ago; None: ask `by_name`."""
        known = self._names.get((tenant, name))
        kept = self._kept.get(known) if known is not None else None
        return kept.open if kept is not None and self._is_fresh(kept) else None

    async def by_name(self, tenant: str, name: str) -> OpenConnector:
        """Return a tenant's connector by name; NotFound when there is none."""
        opened = self.at_hand(tenant, name)
        if opened is not None:
            return opened
        return await self._shared((tenant, name), lambda: self._look_by_name(tenant, name))

    async def _look_by_name(self, tenant: str, name: str) -> OpenConnector:
        await self._look_at_all()
        opened = self.at_hand(tenant, name)
        if opened is not None:
            return opened
        async with self.database.reading() as session:
            glance = await repository.glance_by_name(session, tenant, name)
        if glance is None:
            self._forget(self._names.pop((tenant, name), None))
            raise NotFound(f"There is no connector {name!r}.")
        self._names[(tenant, name)] = glance.id
        return await self._current(glance)

    async def by_id(self, tenant_id: uuid.UUID, connector_id: uuid.UUID) -> OpenConnector:
        """Return a tenant's connector by id; NotFound when there is none."""
        kept = self._kept.get(connector_id)
        if kept is not None and self._is_fresh(kept) and kept.open.tenant_id == tenant_id:
            return kept.open
        return await self._shared(
            (tenant_id, connector_id), lambda: self._look_by_id(tenant_id, connector_id)
        )

    async def _look_by_id(self, tenant_id: uuid.UUID, connector_id: uuid.UUID) -> OpenConnector:
        await self._look_at_all()
        known = self._kept.get(connector_id)
        if known is not None and self._is_fresh(known) and known.open.tenant_id == tenant_id:
            return known.open
        async with self.database.reading() as session:
            glance = await repository.glance_by_id(session, tenant_id, connector_id)
        if glance is None:
            kept = self._kept.get(connector_id)
            if kept is not None and kept.open.tenant_id == tenant_id:
                self._forget(connector_id)
            raise NotFound(f"There is no connector {connector_id}.")
        return await self._current(glance)

    def changed(self, connector_id: uuid.UUID) -> None:
        """Look at the database before this connector is used again."""
        self._looks.clear()  # what began before the change must not answer for after it
        kept = self._kept.get(connector_id)
        if kept is not None:
            kept.seen_at = float("-inf")

    async def reopen(self, tenant: str, name: str) -> None:
        """Open a connector anew when it is used next, following its references again."""
        opened = await self.by_name(tenant, name)
        if opened.has_references or not opened.is_ready:
            self.references.forget()
            self._kept[opened.id].good_until = float("-inf")

    def changed_by(self, session: AsyncSession, connector_id: uuid.UUID) -> None:
        """Call `changed` when the session's transaction has been committed."""
        event.listen(
            session.sync_session, "after_commit", lambda _: self.changed(connector_id), once=True
        )

    def store(self, session: AsyncSession, tenant_id: uuid.UUID) -> SecretStore:
        """Return a tenant's secrets, in the caller's transaction."""
        return SecretStore(session, tenant_id, self.keys, self.clock)

    async def try_out(
        self, type: ConnectorType[Any, Any], settings: BaseModel
    ) -> tuple[Any, httpx.AsyncClient]:
        """Build a client for settings that are not stored; the caller closes the second."""
        http = make_http(self._options)
        return type.connect(settings, http), http

    async def close(self) -> None:
        """Close all clients."""
        for task in self._retired.values():
            task.cancel()
        opened = [kept.open.http for kept in self._kept.values() if kept.open.http is not None]
        for http in [*opened, *self._retired]:
            await http.aclose()
        self._kept.clear()
        self._retired.clear()

    async def _shared(
        self, key: object, look: Callable[[], Coroutine[Any, Any, OpenConnector]]
    ) -> OpenConnector:
        """Let all who want the same connector now wait for one look at the database."""
        task = self._looks.get(key)
        if task is None:
            task = self._looks[key] = asyncio.create_task(look())
            task.add_done_callback(lambda ended: self._looked(key, ended))
        return await asyncio.shield(task)

    async def _look_at_all(self) -> None:
        """Look at all open connectors by one query, so that many tenants cost no more than one.

        What is as it was is fresh again. The rest, and what changed since, is looked at alone.
        """
        looking = self._looking = self._looking or asyncio.create_task(self._refresh())
        try:
            await asyncio.shield(looking)
        finally:
            if looking.done() and self._looking is looking:
                self._looking = None

    async def _refresh(self) -> None:
        now = self._now()
        stale = {
            number: kept
            for number, kept in self._kept.items()
            if kept.seen_at > float("-inf") and now < kept.good_until
        }
        if not stale:
            return
        async with self.database.reading() as session:
            glances = await repository.glances(session, list(stale))
        for glance in glances:
            kept = stale[glance.id]
            same = kept.open.row_version == glance.row_version
            if same and self._kept.get(glance.id) is kept and kept.seen_at > float("-inf"):
                kept.open = with_state(kept.open, glance)
                kept.seen_at = now

    def _looked(self, key: object, task: asyncio.Task[OpenConnector]) -> None:
        if self._looks.get(key) is task:
            del self._looks[key]
        if not task.cancelled():
            task.exception()  # those who waited got it; nobody may be left

    def _is_fresh(self, kept: _Kept) -> bool:
        now = self._now()
        return now - kept.seen_at < SEEN_FOR_S and now < kept.good_until

    async def _current(self, glance: Glance) -> OpenConnector:
        async with self._locks.setdefault(glance.id, asyncio.Lock()):
            kept = self._kept.get(glance.id)
            now = self._now()
            same = kept is not None and kept.open.row_version == glance.row_version
            if kept is not None and same and now < kept.good_until:
                kept.open = with_state(kept.open, glance)
                kept.seen_at = now
                return kept.open
            return await self._reopen(glance.id, kept, now)

    async def _reopen(
        self, connector_id: uuid.UUID, before: _Kept | None, now: float
    ) -> OpenConnector:
        opened = await self._open(connector_id)
        good_until = now + _good_for(opened)
        self._kept[connector_id] = _Kept(open=opened, seen_at=now, good_until=good_until)
        logs.redactor.add(opened.secrets)
        if before is not None:
            self._retire(before.open)
        return opened

    async def _open(self, connector_id: uuid.UUID) -> OpenConnector:
        async with self.database.reading() as session:
            found = await repository.whole(session, connector_id)
            if found is None:
                raise NotFound("There is no such connector any more.")
            row, tenant = found
            closed = replace(
                closed_connector(row, tenant), log_level=log_level_of(row, self.clock())
            )
            store = self.store(session, row.tenant_id)
            try:
                secrets = await store.opened(row.id)
            except CannotOpen:
                return broken(closed, "Its secrets were sealed with another master key.")
        brought = self.catalog.connector_types.get(row.type)
        if brought is None:
            return broken(closed, f"No plugin in working order brings {row.type!r}.")
        try:
            return await self._connect(closed, brought, row, secrets)
        except Exception as error:
            logger.exception("connector can't be opened", connector=row.name)
            return broken(closed, f"Its plugin failed: {type(error).__name__}: {error}")

    async def _connect(
        self,
        closed: OpenConnector,
        brought: ConnectorType[Any, Any],
        row: Connector,
        secrets: Opened,
    ) -> OpenConnector:
        try:
            current = await self.resolved(secrets)
        except ConnectorError as error:
            return replace(closed, state=ConnectorState.NEEDS_CREDENTIALS, state_detail=str(error))
        settings = shapes.check(brought.settings, shapes.join(row.settings, current))
        if not isinstance(settings, BaseModel):
            faults = "; ".join(f"{one.pointer}: {one.detail}" for one in settings)
            return broken(closed, f"The stored settings do not fit the plugin: {faults}")
        limited = replace(
            closed,
            type=brought,
            limiter_key=limiter_key_of(row, brought, current),
            requests_per_minute=brought.requests_per_minute,
        )
        http = make_http(
            self._options, observe=lambda status, seen: self.limits.observe(limited, seen, status)
        )
        client = brought.connect(settings, http)
        if brought.vault is not None:
            vault = Vault(clients=self, tenant_id=row.tenant_id, connector_id=row.id)
            brought.vault(client, vault)
        return replace(
            limited,
            settings=settings,
            live_settings=variants_of(brought.settings, row, current, secrets.previous, settings),
            client=client,
            http=http,
            secrets=(*current.values(), *secrets.previous.values()),
            has_references=bool(secrets.references),
        )

    async def resolved(self, secrets: Opened, *, fresh: bool = False) -> dict[str, str]:
        """Return the present secrets with references followed; ConnectorError if one fails."""
        current = dict(secrets.current)
        for name, reference in secrets.references.items():
            current[name] = await self.references.read(reference, fresh=fresh)
        return current

    def _forget(self, connector_id: uuid.UUID | None) -> None:
        """Let go of a connector that was deleted."""
        kept = self._kept.pop(connector_id, None) if connector_id is not None else None
        if kept is not None:
            self._retire(kept.open)

    def _retire(self, old: OpenConnector) -> None:
        logs.redactor.remove(old.secrets)
        if old.http is None:
            return
        http = old.http

        async def later() -> None:
            await asyncio.sleep(_GRACE_S)
            self._retired.pop(http, None)
            await http.aclose()

        self._retired[http] = asyncio.create_task(later())


def _good_for(opened: OpenConnector) -> float:
    if not opened.is_ready:
        return _RETRY_S
    return REFERENCES_KEPT_S if opened.has_references else _REOPEN_S
