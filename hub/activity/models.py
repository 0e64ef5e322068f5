"""The tenant's readable log, and the audit of changes."""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from hub import clock
from hub.db.base import Base, BigId, BigKey
from hub.db.tenancy import TenantMarked


class Activity(TenantMarked, Base):
    """One line for people: what happened and why."""

    __tablename__ = "activity"
    __table_args__ = (
        CheckConstraint("level IN ('debug', 'info', 'warning', 'error')", name="level"),
        Index("ix_activity_tenant_id_id", "tenant_id", "id"),
        Index("ix_activity_correlation_id_id", "correlation_id", "id"),
    )

    id: Mapped[BigKey]
    at: Mapped[datetime] = mapped_column(default=clock.now)
    kind: Mapped[str] = mapped_column(String(64))
    level: Mapped[str] = mapped_column(String(8), default="info")
    connector_id: Mapped[uuid.UUID | None] = mapped_column(default=None)
    correlation_id: Mapped[uuid.UUID | None] = mapped_column(default=None)
    event_id: Mapped[int | None] = mapped_column(BigId, default=None)
    run_id: Mapped[int | None] = mapped_column(BigId, default=None)
    text: Mapped[str] = mapped_column(Text)
    facts: Mapped[dict[str, Any]] = mapped_column(default=dict)


class AuditLine(Base):
    """Who changed what; rows are only ever inserted. No tenant: the hub itself."""

    __tablename__ = "audit"
    __table_args__ = (Index("ix_audit_tenant_id_id", "tenant_id", "id"),)

    id: Mapped[BigKey]
    tenant_id: Mapped[uuid.UUID | None] = mapped_column(
        ForeignKey("tenants.id", ondelete="SET NULL"), default=None
    )
    at: Mapped[datetime] = mapped_column(default=clock.now)
    actor: Mapped[str] = mapped_column(String(200))
    address: Mapped[str] = mapped_column(String(64), default="")
    action: Mapped[str] = mapped_column(String(64))
    subject: Mapped[str] = mapped_column(String(200))
    before: Mapped[dict[str, Any] | None] = mapped_column(default=None)
    after: Mapped[dict[str, Any] | None] = mapped_column(default=None)
