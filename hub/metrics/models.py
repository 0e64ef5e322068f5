"""Counters over time, per connector."""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from hub.db.base import Base
from hub.db.tenancy import TenantOwned


class MetricPoint(TenantOwned, Base):
    """What was counted in one minute."""

    __tablename__ = "metric_points"

    connector_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    minute: Mapped[datetime] = mapped_column(primary_key=True)
    count: Mapped[int] = mapped_column(BigInteger, default=0)
    total: Mapped[float] = mapped_column(default=0.0)
    buckets: Mapped[list[Any]] = mapped_column(default=list)
