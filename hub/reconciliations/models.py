"""Reconciliations: linked records compared with what the hub knows of them."""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from hub import clock
from hub.db.base import Base, BigKey, UuidKey
from hub.db.tenancy import TenantOwned


class Reconciliation(TenantOwned, Base):
    """One look at all matters of a connector, or at one; `position` says how far it is."""

    __tablename__ = "reconciliations"
    __table_args__ = (
        CheckConstraint("state IN ('running', 'done', 'failed')", name="state"),
        Index("ix_reconciliations_connector_id_id", "connector_id", "id"),
        Index("ix_reconciliations_state_next_at", "state", "next_at"),
    )

    id: Mapped[UuidKey]
    connector_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("connectors.id", ondelete="CASCADE"))
    correlation_id: Mapped[uuid.UUID | None] = mapped_column(default=None)
    repair: Mapped[bool] = mapped_column(default=False)
    state: Mapped[str] = mapped_column(String(8), default="running")
    position: Mapped[uuid.UUID | None] = mapped_column(default=None)
    compared: Mapped[int] = mapped_column(default=0)
    unchanged: Mapped[int] = mapped_column(default=0)
    came_in: Mapped[int] = mapped_column(default=0)
    went_out: Mapped[int] = mapped_column(default=0)
    errors: Mapped[int] = mapped_column(default=0)
    error: Mapped[str | None] = mapped_column(Text, default=None)
    next_at: Mapped[datetime] = mapped_column(default=clock.now)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    created_by: Mapped[str] = mapped_column(String(200), default="")
    ended_at: Mapped[datetime | None] = mapped_column(default=None)


class Drift(TenantOwned, Base):
    """One difference that a reconciliation found."""

    __tablename__ = "drifts"
    __table_args__ = (
        CheckConstraint("kind IN ('gone', 'changed', 'given_up', 'unreadable')", name="kind"),
        Index("ix_drifts_reconciliation_id", "reconciliation_id"),
    )

    id: Mapped[BigKey]
    reconciliation_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("reconciliations.id", ondelete="CASCADE")
    )
    correlation_id: Mapped[uuid.UUID]
    connector_id: Mapped[uuid.UUID]
    source_object: Mapped[str] = mapped_column(String(120))
    record_id: Mapped[str] = mapped_column(String(255))
    kind: Mapped[str] = mapped_column(String(10))
    text: Mapped[str] = mapped_column(Text)
    fields: Mapped[dict[str, Any]] = mapped_column(default=dict)
    repaired: Mapped[bool] = mapped_column(default=False)
    at: Mapped[datetime] = mapped_column(default=clock.now)
