"""The ledger: runs and their attempts; and the breaker of rules that fire too often."""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from hub import clock
from hub.db.base import Base, BigId, BigKey
from hub.db.tenancy import TenantMarked, TenantOwned

_REPLAYED = text("base_key <> key")
_FAILED = text("error_class IS NOT NULL")


class Run(TenantMarked, Base):
    """The attempt series of one planned action."""

    __tablename__ = "runs"
    __table_args__ = (
        UniqueConstraint("tenant_id", "key"),
        CheckConstraint(
            "state IN ('intent', 'sent', 'waiting', 'done', 'skipped', 'dead')", name="state"
        ),
        Index(
            "ix_runs_tenant_id_base_key",
            "tenant_id",
            "base_key",
            sqlite_where=_REPLAYED,
            postgresql_where=_REPLAYED,
        ),
        # Of the dead ones; not by the state, which every run changes: it would be no HOT update.
        Index(
            "ix_runs_tenant_id_error_class",
            "tenant_id",
            "error_class",
            sqlite_where=_FAILED,
            postgresql_where=_FAILED,
        ),
        Index("ix_runs_tenant_id_id", "tenant_id", "id"),
        Index("ix_runs_event_id", "event_id"),
        Index("ix_runs_connector_id_id", "connector_id", "id"),
        {
            "sqlite_autoincrement": True,
            "postgresql_with": {"fillfactor": 70},
        },
    )

    id: Mapped[BigKey]
    event_id: Mapped[int] = mapped_column(BigId)
    ruleset_id: Mapped[str] = mapped_column(String(36))
    ruleset_version: Mapped[int] = mapped_column(default=0)
    rule_id: Mapped[str] = mapped_column(String(36))
    rule_name: Mapped[str] = mapped_column(String(120), default="", server_default="")
    about: Mapped[str | None] = mapped_column(String(400), default=None)
    action: Mapped[str] = mapped_column(String(120))
    action_index: Mapped[int]
    connector_id: Mapped[uuid.UUID | None] = mapped_column(default=None)
    source_object: Mapped[str | None] = mapped_column(String(120), default=None)
    record_id: Mapped[str | None] = mapped_column(String(255), default=None)
    correlation_id: Mapped[uuid.UUID | None] = mapped_column(default=None)
    key: Mapped[str] = mapped_column(String(33))
    base_key: Mapped[str] = mapped_column(String(33))
    params: Mapped[dict[str, Any]] = mapped_column(default=dict)
    late: Mapped[dict[str, Any]] = mapped_column(default=dict)
    unless_linked: Mapped[bool] = mapped_column(default=False)
    on_error: Mapped[str] = mapped_column(String(8), default="stop")
    hops: Mapped[int] = mapped_column(default=0)
    state: Mapped[str] = mapped_column(String(8), default="intent")
    outcome: Mapped[str | None] = mapped_column(String(40), default=None)
    attempts: Mapped[int] = mapped_column(default=0)
    first_at: Mapped[datetime | None] = mapped_column(default=None)
    due_at: Mapped[datetime | None] = mapped_column(default=None)
    sent_at: Mapped[datetime | None] = mapped_column(default=None)
    done_at: Mapped[datetime | None] = mapped_column(default=None)
    error_class: Mapped[str | None] = mapped_column(String(40), default=None)
    error: Mapped[str | None] = mapped_column(Text, default=None)
    summary: Mapped[str | None] = mapped_column(Text, default=None)
    result: Mapped[dict[str, Any] | None] = mapped_column(default=None)
    created_at: Mapped[datetime] = mapped_column(default=clock.now)

    @property
    def may_have_arrived(self) -> bool:
        """Whether the vendor may have done it although nobody knows."""
        return self.state == "sent" or self.error_class == "OutcomeUnknown"


class Attempt(TenantMarked, Base):
    """One request to a vendor for a run, as far as the connector's log level keeps it."""

    __tablename__ = "attempts"
    __table_args__ = (Index("ix_attempts_run_id", "run_id"),)

    id: Mapped[BigKey]
    run_id: Mapped[int] = mapped_column(BigId)
    n: Mapped[int]
    at: Mapped[datetime] = mapped_column(default=clock.now)
    method: Mapped[str] = mapped_column(String(10), default="")
    url: Mapped[str] = mapped_column(Text, default="")
    status: Mapped[int | None] = mapped_column(default=None)
    took_ms: Mapped[int] = mapped_column(default=0)
    request: Mapped[str | None] = mapped_column(Text, default=None)
    response: Mapped[str | None] = mapped_column(Text, default=None)
    error: Mapped[str | None] = mapped_column(Text, default=None)


class RuleBreaker(TenantOwned, Base):
    """How often a rule fired on a record lately, and until when the pair is off."""

    __tablename__ = "rule_breakers"

    rule_id: Mapped[str] = mapped_column(String(36), primary_key=True)
    connector_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    record_id: Mapped[str] = mapped_column(String(255), primary_key=True)
    firings: Mapped[int] = mapped_column(default=0)
    since: Mapped[datetime] = mapped_column(default=clock.now)
    open_until: Mapped[datetime | None] = mapped_column(default=None)
