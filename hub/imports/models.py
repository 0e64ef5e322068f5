"""Imports: existing records that are read once, page by page."""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from hub import clock
from hub.db.base import Base, UuidKey
from hub.db.tenancy import TenantOwned


class ImportJob(TenantOwned, Base):
    """Existing records of one object, asked for by a person; `cursor` says how far it is."""

    __tablename__ = "imports"
    __table_args__ = (
        CheckConstraint("state IN ('running', 'done', 'stopped', 'failed')", name="state"),
        Index("ix_imports_state_next_at", "state", "next_at"),
        Index("ix_imports_tenant_id_id", "tenant_id", "id"),
    )

    id: Mapped[UuidKey]
    connector_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("connectors.id", ondelete="CASCADE"))
    source_object: Mapped[str] = mapped_column(String(200))
    since: Mapped[datetime | None] = mapped_column(default=None)
    until: Mapped[datetime | None] = mapped_column(default=None)
    filters: Mapped[dict[str, Any]] = mapped_column(default=dict)
    state: Mapped[str] = mapped_column(String(8), default="running")
    cursor: Mapped[str] = mapped_column(Text)
    pages: Mapped[int] = mapped_column(default=0)
    found: Mapped[int] = mapped_column(default=0)
    filed: Mapped[int] = mapped_column(default=0)
    failures: Mapped[int] = mapped_column(default=0)
    error: Mapped[str | None] = mapped_column(Text, default=None)
    next_at: Mapped[datetime] = mapped_column(default=clock.now)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    created_by: Mapped[str] = mapped_column(String(200), default="")
    ended_at: Mapped[datetime | None] = mapped_column(default=None)
