"""Deliveries, their events, what was seen before, and the traces of rules."""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, Index, LargeBinary, SmallInteger, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from hub import clock
from hub.db.base import Base, BigId, BigKey
from hub.db.tenancy import TenantMarked

_PENDING = text("state = 'pending'")
_AS_IT_IS = {"toast_tuple_target": 8160}
"""PostgreSQL compresses no row that fits a page: for rows that are written once. In those that
change it would copy the long values each time."""
_ROOM = {"fillfactor": 70}
"""PostgreSQL leaves room in a page, so that a row which changes stays in it."""


class Delivery(TenantMarked, Base):
    """One inbound request, poll page or hand-made input, exactly as it came."""

    __tablename__ = "deliveries"
    __table_args__ = (
        CheckConstraint("state IN ('accepted', 'unreadable', 'ignored')", name="state"),
        CheckConstraint(
            "source IN ('webhook', 'poll', 'import', 'replay', 'timer', 'desk', 'manual')",
            name="source",
        ),
        Index("ix_deliveries_tenant_id_id", "tenant_id", "id"),
        Index("ix_deliveries_connector_id_id", "connector_id", "id"),
        {"sqlite_autoincrement": True, "postgresql_with": _AS_IT_IS},
    )

    id: Mapped[BigKey]
    connector_id: Mapped[uuid.UUID]
    source: Mapped[str] = mapped_column(String(10), default="webhook")
    key: Mapped[str] = mapped_column(String(200))
    received_at: Mapped[datetime] = mapped_column(default=clock.now)
    headers: Mapped[dict[str, Any]] = mapped_column(default=dict)
    body: Mapped[bytes | None] = mapped_column(LargeBinary, default=None)
    size: Mapped[int] = mapped_column(default=0)
    state: Mapped[str] = mapped_column(String(10), default="accepted")
    detail: Mapped[str | None] = mapped_column(Text, default=None)
    events: Mapped[int] = mapped_column(default=0, server_default="0")
    replay_of: Mapped[int | None] = mapped_column(BigId, default=None)
    repeats: Mapped[int] = mapped_column(default=0, server_default="0")
    repeated_at: Mapped[datetime | None] = mapped_column(default=None)


class InboxEvent(TenantMarked, Base):
    """One occurrence of a trigger: waiting, planned (`plan_version` is set), or over."""

    __tablename__ = "events"
    __table_args__ = (
        CheckConstraint("state IN ('pending', 'done', 'echo', 'skipped')", name="state"),
        Index(
            "ix_events_shard_id", "shard", "id", sqlite_where=_PENDING, postgresql_where=_PENDING
        ),
        Index(
            "ix_events_shard_lane_id",
            "shard",
            "lane",
            "id",
            sqlite_where=_PENDING,
            postgresql_where=_PENDING,
        ),
        Index("ix_events_record_id_id", "record_id", "id"),
        Index("ix_events_delivery_id", "delivery_id"),
        {
            "sqlite_autoincrement": True,
            "postgresql_with": _ROOM,
        },
    )

    id: Mapped[BigKey]
    delivery_id: Mapped[int] = mapped_column(BigId)
    delivery_index: Mapped[int] = mapped_column(default=0)
    connector_id: Mapped[uuid.UUID]
    trigger: Mapped[str] = mapped_column(String(160))
    source_object: Mapped[str] = mapped_column(String(120))
    record_id: Mapped[str] = mapped_column(String(255))
    lane: Mapped[str] = mapped_column(String(16))
    shard: Mapped[int] = mapped_column(SmallInteger)
    body: Mapped[dict[str, Any]] = mapped_column(default=dict)
    facts: Mapped[dict[str, Any] | None] = mapped_column(default=None)
    hops: Mapped[int] = mapped_column(default=0)
    state: Mapped[str] = mapped_column(String(10), default="pending")
    outcome: Mapped[str | None] = mapped_column(Text, default=None)
    plan_version: Mapped[int | None] = mapped_column(default=None)
    replay_of: Mapped[int | None] = mapped_column(BigId, default=None)
    replay_mode: Mapped[str | None] = mapped_column(String(10), default=None)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    done_at: Mapped[datetime | None] = mapped_column(default=None)


class SeenKey(TenantMarked, Base):
    """A delivery's or an event's key that was filed: its repeats are answered, not filed."""

    __tablename__ = "seen_keys"
    __table_args__ = ({"sqlite_with_rowid": False},)

    connector_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    key_hash: Mapped[bytes] = mapped_column(LargeBinary(20), primary_key=True)
    delivery_id: Mapped[int] = mapped_column(BigId)
    seen_at: Mapped[datetime] = mapped_column(default=clock.now)


class StoredTrace(TenantMarked, Base):
    """Why a rule fired, or did not, on an event."""

    __tablename__ = "traces"
    __table_args__ = ({"postgresql_with": _AS_IT_IS},)

    event_id: Mapped[int] = mapped_column(BigId, primary_key=True)
    rule_id: Mapped[str] = mapped_column(String(36), primary_key=True)
    about: Mapped[str] = mapped_column(String(400), primary_key=True, default="")
    fired: Mapped[bool]
    because: Mapped[str] = mapped_column(Text, default="")
    body: Mapped[dict[str, Any]] = mapped_column(default=dict)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
