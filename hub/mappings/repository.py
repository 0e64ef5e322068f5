"""Reading and writing service mappings and value maps."""

import uuid
from collections.abc import Mapping, Sequence

from sqlalchemy import delete, func, select

from hub.connectors.models import Connector, ConnectorFields, ConnectorObject
from hub.db.repository import Repository
from hub.errors import NotFound
from hub.mappings.models import ServiceMapping, ValueMap, ValueMapRow


class ServiceMappings(Repository[ServiceMapping]):
    """A tenant's service mappings."""

    model = ServiceMapping
    word = "service mapping"

    async def of_connector(self, connector_id: uuid.UUID) -> Sequence[ServiceMapping]:
        """Return a connector's rows in order, the default row last."""
        query = self._mine().where(ServiceMapping.connector_id == connector_id)
        ordered = query.order_by(
            ServiceMapping.is_default, ServiceMapping.position, ServiceMapping.id
        )
        return (await self.session.scalars(ordered)).all()

    async def every(self) -> Sequence[ServiceMapping]:
        """Return all rows in order."""
        ordered = self._mine().order_by(
            ServiceMapping.connector_id,
            ServiceMapping.is_default,
            ServiceMapping.position,
            ServiceMapping.id,
        )
        return (await self.session.scalars(ordered)).all()

    async def next_position(self, connector_id: uuid.UUID) -> int:
        """Return the place after a connector's last row."""
        query = select(func.max(ServiceMapping.position)).where(
            ServiceMapping.tenant_id == self.tenant, ServiceMapping.connector_id == connector_id
        )
        return ((await self.session.scalar(query)) or 0) + 10

    async def connectors(self) -> Mapping[uuid.UUID, Connector]:
        """Return the tenant's connectors by id."""
        query = select(Connector).where(Connector.tenant_id == self.tenant)
        return {one.id: one for one in await self.session.scalars(query)}

    async def discovered_fields(self) -> Mapping[str, frozenset[str]]:
        """Return the keys of the fields that accounts were seen to have, by object."""
        found: dict[str, frozenset[str]] = {}
        adopted = select(ConnectorObject.source_object).where(
            ConnectorObject.tenant_id == self.tenant
        )
        for name in await self.session.scalars(adopted):
            found[name] = frozenset()
        query = select(ConnectorFields).where(ConnectorFields.tenant_id == self.tenant)
        for one in await self.session.scalars(query):
            keys = frozenset(str(field["key"]) for field in one.fields if "key" in field)
            found[one.source_object] = found.get(one.source_object, frozenset()) | keys
        return found

    async def connector_named(self, name: str) -> Connector:
        """Return the connector; NotFound when the tenant has none of this name."""
        query = select(Connector).where(Connector.tenant_id == self.tenant, Connector.name == name)
        found = (await self.session.scalars(query)).first()
        if found is None:
            raise NotFound(f"There is no connector {name!r}.")
        return found


class ValueMaps(Repository[ValueMap]):
    """A tenant's value maps."""

    model = ValueMap
    word = "value map"

    async def named(self, name: str) -> ValueMap:
        """Return the map; NotFound when the tenant has none of this name."""
        found = await self.find_named(name)
        if found is None:
            raise NotFound(f"There is no value map {name!r}.")
        return found

    async def find_named(self, name: str, *, lock: bool = False) -> ValueMap | None:
        """Return the map of this name, or None; with `lock` for this transaction alone."""
        return await self._first(ValueMap.name == name, lock=lock)

    async def every(self) -> Sequence[ValueMap]:
        """Return all maps by name."""
        return (await self.session.scalars(self._mine().order_by(ValueMap.name))).all()

    async def rows(self) -> Mapping[uuid.UUID, list[ValueMapRow]]:
        """Return the rows of all maps, in order, by map."""
        query = (
            select(ValueMapRow)
            .where(ValueMapRow.tenant_id == self.tenant)
            .order_by(ValueMapRow.map_id, ValueMapRow.position, ValueMapRow.key)
        )
        found: dict[uuid.UUID, list[ValueMapRow]] = {}
        for row in await self.session.scalars(query):
            found.setdefault(row.map_id, []).append(row)
        return found

    async def rows_of(self, map_id: uuid.UUID) -> Sequence[ValueMapRow]:
        """Return the rows of a map, in order."""
        query = (
            select(ValueMapRow)
            .where(ValueMapRow.tenant_id == self.tenant, ValueMapRow.map_id == map_id)
            .order_by(ValueMapRow.position, ValueMapRow.key)
        )
        return (await self.session.scalars(query)).all()

    async def replace_rows(self, map_id: uuid.UUID, rows: Sequence[ValueMapRow]) -> None:
        """Put other rows in the place of a map's rows."""
        await self.session.execute(
            delete(ValueMapRow).where(
                ValueMapRow.tenant_id == self.tenant, ValueMapRow.map_id == map_id
            )
        )
        for row in rows:
            row.tenant_id = self.tenant
            self.session.add(row)
        await self.session.flush()
