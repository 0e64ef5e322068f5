"""Which service a record belongs to: plugins' resolvers first, then the tenant's table."""

import uuid
from dataclasses import dataclass, replace
from typing import Any, Final, Protocol

from hub.catalog.catalog import Catalog
from hub.db.engine import Database
from hub.mappings.models import ServiceMapping
from hub.mappings.precedence import (
    Direction,
    Resolution,
    Row,
    inbound_of,
    outbound_of,
    service_of,
)
from hub.mappings.repository import ServiceMappings
from hub.sdk.events import Record

__all__ = ["Direction", "Resolution", "Resolver", "own_default_of", "row_of"]

_DEFAULT_SETTINGS: Final = ("default_service_id", "default_service", "service_id")


class Opened(Protocol):
    """An opened connector, as far as resolving uses it."""

    @property
    def settings(self) -> Any: ...  # noqa: ANN401 - the plugin's own model
    @property
    def client(self) -> Any: ...  # noqa: ANN401 - the plugin's own client


class Opens(Protocol):
    """Opens connectors."""

    async def by_id(self, tenant_id: uuid.UUID, connector_id: uuid.UUID, /) -> Opened:
        """Return the opened connector."""
        ...


def own_default_of(settings: object) -> str | None:
    """Return the default service that a connector's settings name, in one of the usual fields."""
    for name in _DEFAULT_SETTINGS:
        said = getattr(settings, name, None)
        if isinstance(said, str) and said:
            return said
    return None


@dataclass(frozen=True, slots=True)
class Resolver:
    """Finds services for the runs of a process: plugins' resolvers first, then the table."""

    database: Database
    catalog: Catalog
    clients: Opens

    async def service(
        self,
        tenant_id: uuid.UUID,
        connector_id: uuid.UUID,
        record: Record,
        direction: Direction = "outbound",
        *,
        target: str | None = None,
    ) -> Resolution:
        """Find the record's service, or with `inbound` the values that its service gives.

        `connector_id` is the connector whose services are meant. `target` is the object that
        gets the inbound values. The steps say how it was found. Raises the vendor's
        ConnectorError when a plugin's resolver met one.
        """
        if direction == "inbound":
            return await self._inbound(tenant_id, connector_id, (record, target))
        return await self._outbound(tenant_id, connector_id, record)

    async def from_table(
        self,
        tenant_id: uuid.UUID,
        connector_id: uuid.UUID,
        record: Record,
        direction: Direction = "outbound",
        *,
        target: str | None = None,
    ) -> Resolution:
        """Find what `service` would find without asking any vendor; the steps say so.

        For dry runs and what-if: the table and the connector's plain settings only.
        """
        asked = record.source_object if direction == "outbound" else target or ""
        left_out = [
            f"resolver {one.name}: left out, a run asks it first"
            for one in self.catalog.resolvers_of(asked)
        ]
        if direction == "inbound":
            rows = await self._inbound_rows(tenant_id, connector_id)
            found = inbound_of(rows, service_of(record) or "", target)
            return replace(found, steps=(*left_out, *found.steps))
        async with self.database.reading() as session:
            kept = ServiceMappings(session, tenant_id)
            rows = [row_of(one) for one in await kept.of_connector(connector_id)]
            connector = (await kept.connectors()).get(connector_id)
        own = connector.settings.get("service_id") if connector else None
        found = outbound_of(rows, record, own_default=own if isinstance(own, str) else None)
        return replace(found, steps=(*left_out, *found.steps))

    async def _outbound(
        self, tenant_id: uuid.UUID, connector_id: uuid.UUID, record: Record
    ) -> Resolution:
        steps: list[str] = []
        for resolver in self.catalog.resolvers_of(record.source_object):
            owner = await self._owner(tenant_id, record.source_object)
            if owner is None:
                steps.append(f"resolver {resolver.name}: left out, no single connector to ask")
                continue
            service_id = await resolver.outbound(owner.client, record)
            if service_id:
                step = f"resolver {resolver.name} → {service_id}"
                return Resolution(service_id=service_id, by="resolver", steps=(*steps, step))
            steps.append(f"resolver {resolver.name}: no answer")
        opened = await self.clients.by_id(tenant_id, connector_id)
        async with self.database.reading() as session:
            stored = await ServiceMappings(session, tenant_id).of_connector(connector_id)
        rows = [row_of(one) for one in stored]
        found = outbound_of(rows, record, own_default=own_default_of(opened.settings))
        return replace(found, steps=(*steps, *found.steps))

    async def _inbound(
        self, tenant_id: uuid.UUID, connector_id: uuid.UUID, of: tuple[Record, str | None]
    ) -> Resolution:
        record, target = of
        service_id = service_of(record)
        if service_id is None:
            return Resolution(steps=(f"{record.source_object} {record.id} names no service",))
        steps: list[str] = []
        for resolver in self.catalog.resolvers_of(target or ""):
            owner = await self._owner(tenant_id, target or "")
            if resolver.inbound is None or owner is None:
                continue
            values = await resolver.inbound(owner.client, service_id)
            if values:
                step = f"resolver {resolver.name}: service {service_id} → {', '.join(values)}"
                return Resolution(
                    service_id=service_id, by="resolver", fields=values, steps=(*steps, step)
                )
            steps.append(f"resolver {resolver.name}: no answer")
        rows = await self._inbound_rows(tenant_id, connector_id)
        found = inbound_of(rows, service_id, target)
        return replace(found, steps=(*steps, *found.steps))

    async def _inbound_rows(self, tenant_id: uuid.UUID, connector_id: uuid.UUID) -> list[Row]:
        """Return the connector's rows; all of the tenant where the connector has none."""
        async with self.database.reading() as session:
            stored = await ServiceMappings(session, tenant_id).every()
        own = [row for row in stored if row.connector_id == connector_id]
        return [row_of(row) for row in own or stored]

    async def _owner(self, tenant_id: uuid.UUID, source_object: str) -> Opened | None:
        """Open the one connector that the object's records lie in; None when it is not one."""
        kind = source_object.partition(".")[0]
        async with self.database.reading() as session:
            known = await ServiceMappings(session, tenant_id).connectors()
        fitting = [one.id for one in known.values() if one.type == kind]
        if len(fitting) != 1:
            return None
        return await self.clients.by_id(tenant_id, fitting[0])


def row_of(stored: ServiceMapping) -> Row:
    """Return a stored mapping as resolving sees it."""
    return Row(
        id=str(stored.id),
        name=stored.name,
        source_object=stored.source_object,
        field=stored.field,
        value=stored.value,
        service_id=stored.service_id,
        service_name=stored.service_name,
        outbound=stored.outbound,
        inbound=stored.inbound,
        is_default=stored.is_default,
        extra=stored.extra,
        position=stored.position,
    )
