"""Matters, the records linked to them, what was last seen, and what we wrote ourselves."""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, Index, LargeBinary, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from hub import clock
from hub.db.base import Base, BigId, BigKey, UuidKey
from hub.db.tenancy import TenantMarked, TenantOwned

_LIVE = text("state = 'live'")
_RESERVED = text("state = 'reserved'")


class Correlation(TenantOwned, Base):
    """The set of linked records that are one matter."""

    __tablename__ = "correlations"
    __table_args__ = (UniqueConstraint("tenant_id", "code"),)

    id: Mapped[UuidKey]
    code: Mapped[str] = mapped_column(String(16))
    lane: Mapped[str] = mapped_column(String(16))
    merged_into: Mapped[uuid.UUID | None] = mapped_column(default=None)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)


class Link(TenantOwned, Base):
    """Membership of a record in a correlation; `reserved` while the record is being made."""

    __tablename__ = "links"
    __table_args__ = (
        CheckConstraint("state IN ('reserved', 'live', 'gone', 'unlinked')", name="state"),
        Index(
            "uq_links_live_record",
            "tenant_id",
            "connector_id",
            "source_object",
            "record_id",
            unique=True,
            sqlite_where=_LIVE,
            postgresql_where=_LIVE,
        ),
        Index(
            "uq_links_reserved_slot",
            "correlation_id",
            "connector_id",
            "source_object",
            "slot",
            unique=True,
            sqlite_where=_RESERVED,
            postgresql_where=_RESERVED,
        ),
        Index("ix_links_correlation_id", "correlation_id"),
        Index("ix_links_made_by_run", "made_by_run"),
    )

    id: Mapped[BigKey]
    correlation_id: Mapped[uuid.UUID]
    connector_id: Mapped[uuid.UUID]
    source_object: Mapped[str] = mapped_column(String(120))
    slot: Mapped[str] = mapped_column(String(120), default="", server_default="")
    record_id: Mapped[str | None] = mapped_column(String(255), default=None)
    human_id: Mapped[str | None] = mapped_column(String(120), default=None)
    url: Mapped[str | None] = mapped_column(Text, default=None)
    state: Mapped[str] = mapped_column(String(8), default="live")
    made_by_run: Mapped[int | None] = mapped_column(BigId, default=None)
    made_by_ruleset: Mapped[str | None] = mapped_column(String(36), default=None)
    precise: Mapped[dict[str, Any]] = mapped_column(default=dict)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    created_by: Mapped[str] = mapped_column(String(200), default="", server_default="")


class LastSeen(TenantMarked, Base):
    """The newest values the hub knows of a record.

    `values` are what the vendor reported; `written` what the hub set since: {field: [value, at]}.
    """

    __tablename__ = "last_seen"
    connector_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    source_object: Mapped[str] = mapped_column(String(120), primary_key=True)
    record_id: Mapped[str] = mapped_column(String(255), primary_key=True)
    values: Mapped[dict[str, Any]] = mapped_column(default=dict)
    written: Mapped[dict[str, Any]] = mapped_column(default=dict)
    url: Mapped[str | None] = mapped_column(Text, default=None)
    human_id: Mapped[str | None] = mapped_column(String(120), default=None)
    occurred_at: Mapped[datetime]
    seen_at: Mapped[datetime] = mapped_column(default=clock.now)


class Echo(TenantMarked, Base):
    """A write receipt: this field of this record was set to this by a run of ours."""

    __tablename__ = "echoes"
    __table_args__ = (
        Index(
            "ix_echoes_connector_id_source_object_record_id",
            "connector_id",
            "source_object",
            "record_id",
        ),
        Index("ix_echoes_expires_at", "expires_at"),
        Index("ix_echoes_run_id", "run_id"),
    )

    id: Mapped[BigKey]
    connector_id: Mapped[uuid.UUID]
    source_object: Mapped[str] = mapped_column(String(120))
    record_id: Mapped[str] = mapped_column(String(255))
    field: Mapped[str] = mapped_column(String(120))
    digest: Mapped[bytes] = mapped_column(LargeBinary(16))
    run_id: Mapped[int] = mapped_column(BigId)
    hops: Mapped[int] = mapped_column(default=0, server_default="0")
    sent_at: Mapped[datetime]
    ended_at: Mapped[datetime | None] = mapped_column(default=None)
    expires_at: Mapped[datetime]


class NoteLink(TenantOwned, Base):
    """A note and the one that was made of it at another vendor."""

    __tablename__ = "note_links"
    __table_args__ = (Index("ix_note_links_peer", "peer_connector_id", "peer_note_id"),)

    connector_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    note_id: Mapped[str] = mapped_column(String(255), primary_key=True)
    peer_connector_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    correlation_id: Mapped[uuid.UUID | None] = mapped_column(default=None)
    peer_note_id: Mapped[str] = mapped_column(String(255))
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
