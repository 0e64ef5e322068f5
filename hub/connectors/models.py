"""Connectors and what the hub keeps beside them."""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    Index,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from hub import clock
from hub.db.base import Base, Configured, UuidKey
from hub.db.tenancy import TenantOwned

_CONNECTOR = "connectors.id"


class Connector(TenantOwned, Configured, Base):
    """A tenant's named, configured instance of a connector type."""

    __tablename__ = "connectors"
    __table_args__ = (
        UniqueConstraint("tenant_id", "name"),
        CheckConstraint(
            "state IN ('active', 'paused', 'needs_credentials', 'parked', 'broken')", name="state"
        ),
        CheckConstraint("on_dead_letter IN ('continue', 'hold')", name="on_dead_letter"),
        CheckConstraint("log_level IN ('error', 'info', 'debug')", name="log_level"),
        Index("ix_connectors_type", "type"),
    )

    id: Mapped[UuidKey]
    name: Mapped[str] = mapped_column(String(63))
    type: Mapped[str] = mapped_column(String(63))
    label: Mapped[str] = mapped_column(String(200), default="")
    settings: Mapped[dict[str, Any]] = mapped_column(default=dict)
    state: Mapped[str] = mapped_column(String(20), default="active")
    state_detail: Mapped[str] = mapped_column(Text, default="")
    parked_until: Mapped[datetime | None] = mapped_column(default=None)
    enabled_webhook: Mapped[bool] = mapped_column(default=True)
    allow_unsigned: Mapped[bool] = mapped_column(default=False)
    poll_every_s: Mapped[int | None] = mapped_column(default=None)
    log_level: Mapped[str] = mapped_column(String(8), default="info")
    log_level_since: Mapped[datetime | None] = mapped_column(default=None)
    log_days: Mapped[int] = mapped_column(default=30)
    on_dead_letter: Mapped[str] = mapped_column(String(8), default="continue")
    acting_user: Mapped[str | None] = mapped_column(String(254), default=None)
    ingress_rate: Mapped[int] = mapped_column(default=100)
    allowed_ips: Mapped[list[Any]] = mapped_column(default=list)
    quota_guard: Mapped[dict[str, Any]] = mapped_column(default=dict)
    reconcile_every_h: Mapped[int] = mapped_column(default=24)
    reconciled_at: Mapped[datetime | None] = mapped_column(default=None)
    webhook_ok: Mapped[bool | None] = mapped_column(default=None)
    webhook_checked_at: Mapped[datetime | None] = mapped_column(default=None)


class ConnectorObject(TenantOwned, Base):
    """A vendor's object that the tenant adopted, beside the declared ones."""

    __tablename__ = "connector_objects"

    connector_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey(_CONNECTOR, ondelete="CASCADE"), primary_key=True
    )
    source_object: Mapped[str] = mapped_column(String(200), primary_key=True)
    label: Mapped[str] = mapped_column(String(200))
    vendor_name: Mapped[str] = mapped_column(String(200), default="")
    polled: Mapped[bool] = mapped_column(default=False)
    adopted_at: Mapped[datetime] = mapped_column(default=clock.now)


class ConnectorFields(TenantOwned, Base):
    """The fields that one account's object was seen to have."""

    __tablename__ = "connector_fields"

    connector_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey(_CONNECTOR, ondelete="CASCADE"), primary_key=True
    )
    source_object: Mapped[str] = mapped_column(String(200), primary_key=True)
    fields: Mapped[list[Any]] = mapped_column(default=list)
    digest: Mapped[str] = mapped_column(String(64))
    fetched_at: Mapped[datetime] = mapped_column(default=clock.now)


class PollCursor(TenantOwned, Base):
    """How far a poller has read."""

    __tablename__ = "poll_cursors"
    __table_args__ = (Index("ix_poll_cursors_next_at", "next_at"),)

    connector_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey(_CONNECTOR, ondelete="CASCADE"), primary_key=True
    )
    source_object: Mapped[str] = mapped_column(String(200), primary_key=True)
    cursor: Mapped[str | None] = mapped_column(Text, default=None)
    polled_at: Mapped[datetime | None] = mapped_column(default=None)
    next_at: Mapped[datetime] = mapped_column(default=clock.now)
    error: Mapped[str | None] = mapped_column(Text, default=None)


class CheckResult(TenantOwned, Base):
    """How a check of a connector ended last."""

    __tablename__ = "check_results"

    connector_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey(_CONNECTOR, ondelete="CASCADE"), primary_key=True
    )
    name: Mapped[str] = mapped_column(String(63), primary_key=True)
    ok: Mapped[bool]
    text: Mapped[str] = mapped_column(Text)
    took_ms: Mapped[int] = mapped_column(default=0)
    at: Mapped[datetime] = mapped_column(default=clock.now)


class RateBucket(TenantOwned, Base):
    """The tokens that connectors with one credential share, and what the vendor said of them."""

    __tablename__ = "rate_buckets"

    tenant_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("tenants.id", ondelete="CASCADE"), primary_key=True
    )
    limiter_key: Mapped[str] = mapped_column(String(64), primary_key=True)
    tokens: Mapped[float]
    refilled_at: Mapped[datetime]
    limit_seen: Mapped[int | None] = mapped_column(default=None)
    remaining_seen: Mapped[int | None] = mapped_column(default=None)
    reset_at: Mapped[datetime | None] = mapped_column(default=None)
    blocked_until: Mapped[datetime | None] = mapped_column(default=None)


class Secret(TenantOwned, Base):
    """One secret value of a connector or mapping: sealed here, or a reference to elsewhere."""

    __tablename__ = "secrets"
    __table_args__ = (
        UniqueConstraint("tenant_id", "owner_id", "field"),
        CheckConstraint("(reference IS NULL) <> (sealed IS NULL)", name="one_place"),
    )

    id: Mapped[UuidKey]
    owner_id: Mapped[uuid.UUID]
    field: Mapped[str] = mapped_column(String(200))
    reference: Mapped[str | None] = mapped_column(Text, default=None)
    sealed: Mapped[bytes | None] = mapped_column(LargeBinary, default=None)
    data_key_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("data_keys.id"), default=None)
    ending: Mapped[str] = mapped_column(String(8), default="")
    set_at: Mapped[datetime] = mapped_column(default=clock.now)
    set_by: Mapped[str] = mapped_column(String(200), default="")
    previous_sealed: Mapped[bytes | None] = mapped_column(LargeBinary, default=None)
    previous_until: Mapped[datetime | None] = mapped_column(default=None)


class DataKey(TenantOwned, Base):
    """A tenant's key for its secrets, wrapped by the master key."""

    __tablename__ = "data_keys"
    __table_args__ = (Index("ix_data_keys_tenant_id", "tenant_id"),)

    id: Mapped[UuidKey]
    wrapped: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    retired_at: Mapped[datetime | None] = mapped_column(default=None)


class HandshakeState(TenantOwned, Base):
    """A set-up by redirect that was begun and not yet answered."""

    __tablename__ = "handshakes"

    state_hash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    connector_id: Mapped[uuid.UUID] = mapped_column(ForeignKey(_CONNECTOR, ondelete="CASCADE"))
    session_hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    expires_at: Mapped[datetime]
