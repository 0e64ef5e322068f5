"""What the linter is told of a tenant: its connectors, default services, runs and quotas."""

import uuid
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from hub import clock
from hub.catalog.catalog import Catalog
from hub.connectors.models import Connector, ConnectorObject
from hub.rules.params import target_of
from hub.rulesets import neighbours
from hub.rulesets.lint import Around

_DAYS: Final = 7
_MINUTES_A_DAY: Final = 1440
_LAST_RUNS: Final = 5_000


async def around(session: AsyncSession, tenant_id: uuid.UUID, catalog: Catalog) -> Around:
    """Read what the linter is told beside the schema."""
    connectors = list(
        await session.scalars(select(Connector).where(Connector.tenant_id == tenant_id))
    )
    names = {one.id: one.name for one in connectors}
    defaults, whole = await _service_rows(session, tenant_id, names)
    own = {one.name for one in connectors if one.settings.get("service_id")}
    return Around(
        states={one.name: one.state for one in connectors},
        unseen=await _unseen(session, tenant_id, catalog),
        defaults=frozenset(defaults | own),
        whole=frozenset(whole),
        learned=await _learned(session, connectors, catalog),
        daily=await _daily(session, tenant_id),
        quota=_quota(connectors, catalog),
    )


async def _service_rows(
    session: AsyncSession, tenant_id: uuid.UUID, names: Mapping[uuid.UUID, str]
) -> tuple[set[str], set[tuple[str, str]]]:
    rows = neighbours.table("service_mappings")
    query = select(rows.c.connector_id, rows.c.source_object, rows.c.is_default).where(
        rows.c.tenant_id == tenant_id,
        rows.c.is_default | (rows.c.outbound & rows.c.field.is_(None)),
    )
    defaults: set[str] = set()
    whole: set[tuple[str, str]] = set()
    for connector_id, source_object, is_default in await session.execute(query):
        name = names.get(connector_id, "")
        if is_default:
            defaults.add(name)
        elif source_object is not None:
            whole.add((name, source_object))
    return defaults, whole


async def _unseen(session: AsyncSession, tenant_id: uuid.UUID, catalog: Catalog) -> frozenset[str]:
    """Return objects whose connector type has no receiver, and which nothing polls."""
    polled = set(
        await session.scalars(
            select(ConnectorObject.source_object).where(
                ConnectorObject.tenant_id == tenant_id, ConnectorObject.polled
            )
        )
    )
    unseen = set()
    for name in catalog.objects:
        kind = catalog.connector_types.get(name.partition(".")[0])
        if kind is None or kind.receiver is not None or not kind.pollers:
            continue
        if name not in polled and name not in {one.source_object for one in kind.pollers}:
            unseen.add(name)
    return frozenset(unseen)


async def _learned(
    session: AsyncSession, connectors: list[Connector], catalog: Catalog
) -> Mapping[tuple[str, str], frozenset[str]]:
    """Return the fields for lack of which a vendor refused records lately."""
    found: dict[tuple[str, str], set[str]] = {}
    if not neighbours.is_there("runs"):
        return {}
    for one in connectors:
        kind = catalog.connector_types.get(one.type)
        if kind is None or kind.demanded is None:
            continue
        for action, params, made, words in await session.execute(_refused(one)):
            known = catalog.actions.get(action)
            if known is not None and known.creates:
                target = target_of(known, params, made or "")
                found.setdefault((one.name, target), set()).update(kind.demanded(words))
    return {place: frozenset(names) for place, names in found.items() if names}


def _refused(connector: Connector) -> Select[Any]:
    """Select what was given up among the connector's last runs."""
    runs = neighbours.table("runs")
    last = (
        select(runs.c.action, runs.c.params, runs.c.source_object, runs.c.error, runs.c.state)
        .where(runs.c.connector_id == connector.id)
        .order_by(runs.c.id.desc())
        .limit(_LAST_RUNS)
        .subquery()
    )
    return select(last.c.action, last.c.params, last.c.source_object, last.c.error).where(
        last.c.state == "dead", last.c.error.is_not(None)
    )


async def _daily(session: AsyncSession, tenant_id: uuid.UUID) -> Mapping[str, float]:
    """Return runs a day by rule over the last days."""
    if not neighbours.is_there("runs"):
        return {}
    runs = neighbours.table("runs")
    since = clock.now() - timedelta(days=_DAYS)
    query = (
        select(runs.c.rule_id, func.count())
        .where(runs.c.tenant_id == tenant_id, runs.c.created_at >= since)
        .group_by(runs.c.rule_id)
    )
    return {row[0]: row[1] / _DAYS for row in await session.execute(query)}


def _quota(connectors: list[Connector], catalog: Catalog) -> Mapping[str, float]:
    found = {}
    for one in connectors:
        kind = catalog.connector_types.get(one.type)
        if kind is not None and kind.requests_per_minute:
            found[one.name] = float(kind.requests_per_minute * _MINUTES_A_DAY)
    return found
