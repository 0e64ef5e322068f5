"""How many deliveries a connector had in the last day, for its health."""

import uuid
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from hub.clock import Clock
from hub.connectors.clients import HealthPart
from hub.db import moments
from hub.deliveries.models import Delivery
from hub.metrics.models import MetricPoint

_STATES: Final = ("accepted", "unreadable", "ignored")
_DAY: Final = timedelta(days=1)


def delivery_counts(clock: Clock) -> HealthPart:
    """Return what adds the last day's deliveries to a connector's health, by what became of them.

    Those that were refused are counted within a minute.
    """

    async def part(
        session: AsyncSession, tenant_id: uuid.UUID, connector_id: uuid.UUID
    ) -> dict[str, Any]:
        since = clock() - _DAY
        found = await _stored(session, (tenant_id, connector_id), since)
        counts = {f"{state}_last_day": found.get(state, 0) for state in _STATES}
        refused = await _refused(session, (tenant_id, connector_id), since)
        return counts | {"refused_last_day": refused}

    return part


async def _stored(
    session: AsyncSession, whose: tuple[uuid.UUID, uuid.UUID], since: datetime
) -> dict[str, int]:
    first, _ = await moments.ids_between(session, moments.DELIVERIES, since, None)
    query = (
        select(Delivery.state, func.count())
        .where(Delivery.tenant_id == whose[0], Delivery.connector_id == whose[1])
        .where(Delivery.received_at >= since, Delivery.id >= first)
        .group_by(Delivery.state)
    )
    return {row[0]: row[1] for row in await session.execute(query)}


async def _refused(
    session: AsyncSession, whose: tuple[uuid.UUID, uuid.UUID], since: datetime
) -> int:
    query = (
        select(func.sum(MetricPoint.count))
        .where(MetricPoint.tenant_id == whose[0], MetricPoint.connector_id == whose[1])
        .where(MetricPoint.name == "deliveries_refused", MetricPoint.minute >= since)
    )
    return int(await session.scalar(query) or 0)
