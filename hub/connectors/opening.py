"""A connector made ready for use: what its row, its secrets and its plugin say together."""

import hashlib
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final

import httpx
from pydantic import BaseModel

from hub.connectors import shapes
from hub.connectors.models import Connector
from hub.connectors.repository import Glance
from hub.connectors.states import ConnectorState
from hub.errors import ConnectorBroken
from hub.sdk.connector_types import ConnectorType, Quota

DEBUG_FOR: Final = timedelta(hours=24)
SHORTEST_POLL_S: Final = 10.0
USUAL_POLL_S: Final = 60.0
"""Between two polls where nothing else tells of changes."""
BESIDE_WEBHOOKS_S: Final = 300.0
"""Between two polls where webhooks tell of changes: polling is a net then."""


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
    webhook_ok: bool | None = None
    allowed_ips: tuple[str, ...] = ()
    quota_guard: Mapping[str, int] = field(default_factory=dict)
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
    def polls_every_s(self) -> float:
        """The seconds between two polls.

        What is set for this connector, else what the plugin's settings say, else the hub's
        usual. While the vendor's subscription is known to be out of order, at least the usual.
        """
        if self.poll_every_s is not None:
            return max(SHORTEST_POLL_S, self.poll_every_s)
        chosen = None
        if self.type is not None and self.type.poll_every is not None and self.is_ready:
            chosen = self.type.poll_every(self.settings)
        every = chosen or (BESIDE_WEBHOOKS_S if self.enabled_webhook else USUAL_POLL_S)
        blind = self.enabled_webhook and self.webhook_ok is False
        return max(SHORTEST_POLL_S, min(every, USUAL_POLL_S) if blind else every)

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


def closed_connector(row: Connector, tenant: str) -> OpenConnector:
    """Return a connector that can't be used yet: what its row says."""
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
        webhook_ok=row.webhook_ok,
        allowed_ips=tuple(row.allowed_ips),
        quota_guard=dict(row.quota_guard),
        log_level=row.log_level,
        log_days=row.log_days,
        on_dead_letter=row.on_dead_letter,
        acting_user=row.acting_user,
        row_version=row.row_version,
        limiter_key=str(row.id),
    )


def broken(closed: OpenConnector, detail: str) -> OpenConnector:
    """Return it as broken, unless a person paused it."""
    paused = closed.state is ConnectorState.PAUSED
    return replace(
        closed, state=closed.state if paused else ConnectorState.BROKEN, state_detail=detail
    )


def log_level_of(row: Connector, now: datetime) -> str:
    """Return the log level in force: debug keeps bodies, so it ends by itself after a day."""
    since = row.log_level_since
    if row.log_level == "debug" and since is not None and now - since > DEBUG_FOR:
        return "info"
    return row.log_level


def with_state(open_connector: OpenConnector, glance: Glance) -> OpenConnector:
    """Return an open connector in the state that the database has it in."""
    if not open_connector.is_ready:
        return open_connector  # its own reason is nearer to the truth
    state = ConnectorState(glance.state)
    now = (open_connector.state, open_connector.parked_until, open_connector.webhook_ok)
    if now == (state, glance.parked_until, glance.webhook_ok):
        return open_connector
    return replace(
        open_connector,
        state=state,
        webhook_ok=glance.webhook_ok,
        state_detail=glance.state_detail,
        parked_until=glance.parked_until,
    )


def limiter_key_of(
    row: Connector, type: ConnectorType[Any, Any], current: Mapping[str, str]
) -> str:
    """Return what the vendor counts its limit by: a hash of the credential, or the connector."""
    credential = current.get(type.limited_by or "")
    if not credential:
        return str(row.id)
    counted = f"{row.tenant_id}/{type.name}/{credential}".encode()
    return hashlib.sha256(counted).hexdigest()


def variants_of(
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
