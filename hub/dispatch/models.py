"""Shards, lanes that wait, timers, processes, and what the hub knows of itself."""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    Integer,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from hub import clock
from hub.db.base import Base, BigId, BigKey
from hub.db.tenancy import TenantOwned


class Shard(Base):
    """A bucket of lanes: the unit of waking and claiming. `wake_no` and `epoch` never fall."""

    __tablename__ = "shards"
    __table_args__ = ({"postgresql_with": {"fillfactor": 70}},)

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    scheduled: Mapped[bool] = mapped_column(default=False)
    wake_no: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    epoch: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    owner: Mapped[str | None] = mapped_column(String(100), default=None)
    due_at: Mapped[datetime | None] = mapped_column(default=None)
    updated_at: Mapped[datetime] = mapped_column(default=clock.now)


class Hold(TenantOwned, Base):
    """A lane that waits: until a time, until a connector is usable, or until a person lets go."""

    __tablename__ = "holds"
    __table_args__ = (
        CheckConstraint(
            "reason IN ('retry', 'busy', 'connector', 'dead', 'breaker', 'budget', 'person')",
            name="reason",
        ),
        Index("ix_holds_shard_not_before", "shard", "not_before"),
        Index("ix_holds_connector_id", "connector_id"),
    )

    lane: Mapped[str] = mapped_column(String(16), primary_key=True)
    shard: Mapped[int]
    not_before: Mapped[datetime | None] = mapped_column(default=None)
    reason: Mapped[str] = mapped_column(String(10))
    detail: Mapped[str] = mapped_column(Text, default="", server_default="")
    connector_id: Mapped[uuid.UUID | None] = mapped_column(default=None)
    run_id: Mapped[int | None] = mapped_column(BigId, default=None)
    since: Mapped[datetime] = mapped_column(default=clock.now)


class Timer(Base):
    """Something that is due at a time; filed as an event, or called."""

    __tablename__ = "timers"
    __table_args__ = (UniqueConstraint("kind", "key"), Index("ix_timers_due_at", "due_at"))

    id: Mapped[BigKey]
    tenant_id: Mapped[uuid.UUID | None] = mapped_column(
        ForeignKey("tenants.id", ondelete="CASCADE"), default=None
    )
    kind: Mapped[str] = mapped_column(String(64))
    key: Mapped[str] = mapped_column(String(200))
    lane: Mapped[str | None] = mapped_column(String(16), default=None)
    due_at: Mapped[datetime]
    every_s: Mapped[int | None] = mapped_column(default=None)
    payload: Mapped[dict[str, Any]] = mapped_column(default=dict)
    attempts: Mapped[int] = mapped_column(default=0, server_default="0")


class WorkerProcess(Base):
    """A process of this hub, for health; no claim reads it."""

    __tablename__ = "workers"

    id: Mapped[str] = mapped_column(String(100), primary_key=True)
    host: Mapped[str] = mapped_column(String(253))
    version: Mapped[str] = mapped_column(String(40))
    started_at: Mapped[datetime]
    beat_at: Mapped[datetime]
    role: Mapped[str] = mapped_column(String(20))
    plan_versions: Mapped[dict[str, Any]] = mapped_column(default=dict)


class HubFact(Base):
    """What the hub knows of itself: its instance id, the number of shards."""

    __tablename__ = "hub_meta"

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    value: Mapped[dict[str, Any]] = mapped_column(default=dict)
