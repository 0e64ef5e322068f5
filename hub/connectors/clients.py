"""Open connectors: settings and secrets turned into the plugin's client, kept per process."""

import asyncio
import hashlib
import time
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
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
from hub.connectors.repository import Glance
from hub.connectors.secrets import REFERENCES_KEPT_S, Opened, References, SecretStore
from hub.connectors.states import ConnectorState, States
from hub.connectors.transport import HttpOptions, make_http
from hub.crypto import CannotOpen, MasterKeys, load_master_keys
from hub.db.engine import Database
from hub.errors import ConnectorBroken, NotFound
from hub.sdk.connector_types import ConnectorType, Quota
from hub.sdk.errors import ConnectorError
from hub.settings import HubSettings

logger = logs.get_logger(__name__)

SEEN_FOR_S: Final = 1.0
"""How old a look at the database may be before it is repeated."""
HealthPart: TypeAlias = Callable[[AsyncSession, uuid.UUID, uuid.UUID], Awaitable[Mapping[str, Any]]]
"""(session, tenant id, connector id) -> more members of a connector's health."""

_RETRY_S: Final = 10.0
"""What could not be opened is tried again after this."""
_REOPEN_S: Final = 3600.0
"""Opened anew after this in any case."""
DEBUG_FOR: Final = timedelta(hours=24)
_GRACE_S: Final = 60.0
"""A replaced client stays open this long for requests under way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenConnector:
    """A connector ready for use.

    `type`, `settings` and `client` are None while it can't be used (`state`, `state_detail`
    say why: a plugin in quarantine, settings that no longer fit, a secret that can't be
    read). `live_settings` are the settings with each set of secrets that is valid at the
    moment, the present ones first: a delivery is genuine if one of them verifies it.
    """

    tenant_id: uuid.UUID
    tenant: str
    id: uuid.UUID
    name: str
    type_name: str
    type: ConnectorType[Any, Any] | None
    state: ConnectorState
    state_detail: str = ""
    parked_until: datetime | None = None
    settings: Any = field(default=None, repr=False)
    live_settings: Sequence[Any] = ()
    client: Any = None
    http: httpx.AsyncClient | None = None
    label: str = ""
    enabled_webhook: bool = True
    allow_unsigned: bool = False
    poll_every_s: int | None = None
    ingress_rate: int = 100
    log_level: str = "info"
    log_days: int = 30
    on_dead_letter: str = "continue"
    acting_user: str | None = None
    row_version: int = 1
    limiter_key: str = ""
    requests_per_minute: int | None = None
    secrets: tuple[str, ...] = field(default=(), repr=False)
    has_references: bool = False

    @property
    def read_quota(self) -> Callable[[Mapping[str, str]], Quota | None] | None:
        """How the vendor's headers tell of its limit."""
        return self.type.quota if self.type is not None else None

    @property
    def is_ready(self) -> bool:
        """Whether there is a client (whatever the state)."""
        return self.client is not None

    @property
    def working_type(self) -> ConnectorType[Any, Any]:
        """The connector type; ConnectorBroken when the connector can't be used."""
        if self.type is None or not self.is_ready:
            raise ConnectorBroken(
                f"The connector {self.name!r} can't be used: {self.state_detail}", retry_after=60
            )
        return self.type


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
        self.keys = keys or load_master_keys(settings)
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
        self._retired: dict[httpx.AsyncClient, asyncio.Task[None]] = {}

    async def by_name(self, tenant: str, name: str) -> OpenConnector:
        """Return a tenant's connector by name; NotFound when there is none."""
        known = self._names.get((tenant, name))
        kept = self._kept.get(known) if known is not None else None
        if kept is not None and self._is_fresh(kept):
            return kept.open
        async with self.database.reading() as session:
            glance = await repository.glance_by_name(session, tenant, name)
        if glance is None:
            self._names.pop((tenant, name), None)
            raise NotFound(f"There is no connector {name!r}.")
        self._names[(tenant, name)] = glance.id
        return await self._current(glance)

    async def by_id(self, tenant_id: uuid.UUID, connector_id: uuid.UUID) -> OpenConnector:
        """Return a tenant's connector by id; NotFound when there is none."""
        kept = self._kept.get(connector_id)
        if kept is not None and self._is_fresh(kept) and kept.open.tenant_id == tenant_id:
            return kept.open
        async with self.database.reading() as session:
            glance = await repository.glance_by_id(session, tenant_id, connector_id)
        if glance is None:
            raise NotFound(f"There is no connector {connector_id}.")
        return await self._current(glance)

    def changed(self, connector_id: uuid.UUID) -> None:
        """Look at the database before this connector is used again."""
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

    def _is_fresh(self, kept: _Kept) -> bool:
        now = self._now()
        return now - kept.seen_at < SEEN_FOR_S and now < kept.good_until

    async def _current(self, glance: Glance) -> OpenConnector:
        async with self._locks.setdefault(glance.id, asyncio.Lock()):
            kept = self._kept.get(glance.id)
            now = self._now()
            same = kept is not None and kept.open.row_version == glance.row_version
            if kept is not None and same and now < kept.good_until:
                kept.open = _with_state(kept.open, glance)
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
            closed = replace(_closed(row, tenant), log_level=_log_level(row, self.clock()))
            store = self.store(session, row.tenant_id)
            try:
                secrets = await store.opened(row.id)
            except CannotOpen:
                return _broken(closed, "Its secrets were sealed with another master key.")
        brought = self.catalog.connector_types.get(row.type)
        if brought is None:
            return _broken(closed, f"No plugin in working order brings {row.type!r}.")
        try:
            return await self._connect(closed, brought, row, secrets)
        except Exception as error:
            logger.exception("connector can't be opened", connector=row.name)
            return _broken(closed, f"Its plugin failed: {type(error).__name__}: {error}")

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
            return _broken(closed, f"The stored settings do not fit the plugin: {faults}")
        limited = replace(
            closed,
            type=brought,
            limiter_key=_limiter_key(row, brought, current),
            requests_per_minute=brought.requests_per_minute,
        )
        http = make_http(
            self._options, observe=lambda status, seen: self.limits.observe(limited, seen, status)
        )
        return replace(
            limited,
            settings=settings,
            live_settings=_variants(brought.settings, row, current, secrets.previous, settings),
            client=brought.connect(settings, http),
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


def _closed(row: Connector, tenant: str) -> OpenConnector:
    return OpenConnector(
        tenant_id=row.tenant_id,
        tenant=tenant,
        id=row.id,
        name=row.name,
        type_name=row.type,
        type=None,
        state=ConnectorState(row.state),
        state_detail=row.state_detail,
        parked_until=row.parked_until,
        label=row.label,
        enabled_webhook=row.enabled_webhook,
        allow_unsigned=row.allow_unsigned,
        poll_every_s=row.poll_every_s,
        ingress_rate=row.ingress_rate,
        log_level=row.log_level,
        log_days=row.log_days,
        on_dead_letter=row.on_dead_letter,
        acting_user=row.acting_user,
        row_version=row.row_version,
        limiter_key=str(row.id),
    )


def _broken(closed: OpenConnector, detail: str) -> OpenConnector:
    paused = closed.state is ConnectorState.PAUSED
    return replace(
        closed, state=closed.state if paused else ConnectorState.BROKEN, state_detail=detail
    )


def _log_level(row: Connector, now: datetime) -> str:
    """Return the log level in force: debug keeps bodies, so it ends by itself after a day."""
    since = row.log_level_since
    if row.log_level == "debug" and since is not None and now - since > DEBUG_FOR:
        return "info"
    return row.log_level


def _good_for(opened: OpenConnector) -> float:
    if not opened.is_ready:
        return _RETRY_S
    return REFERENCES_KEPT_S if opened.has_references else _REOPEN_S


def _with_state(open_connector: OpenConnector, glance: Glance) -> OpenConnector:
    if not open_connector.is_ready:
        return open_connector  # its own reason is nearer to the truth
    state = ConnectorState(glance.state)
    if open_connector.state is state and open_connector.parked_until == glance.parked_until:
        return open_connector
    return replace(
        open_connector,
        state=state,
        state_detail=glance.state_detail,
        parked_until=glance.parked_until,
    )


def _limiter_key(row: Connector, type: ConnectorType[Any, Any], current: Mapping[str, str]) -> str:
    credential = current.get(type.limited_by or "")
    if not credential:
        return str(row.id)
    counted = f"{row.tenant_id}/{type.name}/{credential}".encode()
    return hashlib.sha256(counted).hexdigest()


def _variants(
    model: type[BaseModel],
    row: Connector,
    current: Mapping[str, str],
    previous: Mapping[str, str],
    settings: BaseModel,
) -> tuple[BaseModel, ...]:
    """Return the settings with present secrets, then with each previous one in its place."""
    variants = [settings]
    for name, value in previous.items():
        older = shapes.check(model, shapes.join(row.settings, {**current, name: value}))
        if isinstance(older, BaseModel):
            variants.append(older)
    return tuple(variants)
