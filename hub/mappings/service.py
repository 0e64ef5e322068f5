"""What people do with service mappings."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Protocol

from hub.activity import audit
from hub.catalog.catalog import Catalog
from hub.connectors.calls import answered
from hub.connectors.models import Connector
from hub.errors import Conflict, Fault, Invalid
from hub.http.actor import Actor
from hub.mappings.document import (
    Difference,
    difference,
    identity,
    repeated,
)
from hub.mappings.models import ServiceMapping
from hub.mappings.naming import object_named
from hub.mappings.precedence import Resolution, inbound_of, outbound_of
from hub.mappings.repository import ServiceMappings
from hub.mappings.resolve import Resolver, row_of
from hub.mappings.rows import changed_by, fill, flags_of, plain_default, plan_of, said_of
from hub.mappings.schemas import (
    ImportPlan,
    MappingOrder,
    MappingsDocument,
    ServiceMappingIn,
    ServiceMappingPatch,
    TryMapping,
)
from hub.sdk.events import Record
from hub.sdk.vocabulary import Value

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

_SERVICE_LISTS = ("services",)
_MOST_ASKED = 200


class Lists(Protocol):
    """Opens connectors, whose types have live lists."""

    async def by_name(self, tenant: str, name: str, /) -> Any:  # noqa: ANN401 - an OpenConnector
        """Return the opened connector."""
        ...


@dataclass(frozen=True, slots=True)
class Mappings:
    """One request's work on a tenant's service mappings."""

    session: "AsyncSession"
    actor: Actor
    catalog: Catalog

    @property
    def _kept(self) -> ServiceMappings:
        return ServiceMappings(self.session, self.actor.home)

    async def listed(
        self, connector: str | None, source_object: str | None, direction: str | None
    ) -> list[tuple[ServiceMapping, str, list[str]]]:
        """Return rows in order with their connector's name and what is odd about them."""
        connectors = await self._kept.connectors()
        if connector is not None:
            await self._kept.connector_named(connector)
        rows = await self._kept.every()
        flags = flags_of(rows)
        return [
            (row, connectors[row.connector_id].name, flags.get(row.id, []))
            for row in rows
            if connector in {None, connectors[row.connector_id].name}
            and source_object in {None, row.source_object}
            and (direction is None or getattr(row, direction))
        ]

    async def got(self, key: uuid.UUID, *, lock: bool = False) -> tuple[ServiceMapping, str]:
        """Return a row with its connector's name; with `lock` nobody else changes it meanwhile."""
        row = await self._kept.get(key, lock=lock)
        return row, (await self._kept.connectors())[row.connector_id].name

    async def flags(self, row: ServiceMapping) -> list[str]:
        """Say what is odd about a row among the others of its connector."""
        return flags_of(await self._kept.of_connector(row.connector_id)).get(row.id, [])

    async def create(self, asked: ServiceMappingIn) -> tuple[ServiceMapping, str]:
        """Add a row at the end; Conflict when its value or its service is mapped already."""
        connector = await self._connector(asked.connector, "/connector")
        asked = await self._cleaned(asked, "")
        await self._refuse_twice(asked, connector, except_for=None)
        row = await self._add(asked, connector, await self._kept.next_position(connector.id))
        await self._audit("service mapping created", asked.name, None, asked)
        return row, connector.name

    async def change(self, row: ServiceMapping, asked: ServiceMappingPatch) -> str:
        """Change a row; returns its connector's name."""
        connector = (await self._kept.connectors())[row.connector_id]
        before = said_of(row, connector.name)
        after = await self._cleaned(changed_by(before, asked), "")
        await self._refuse_twice(after, connector, except_for=row.id)
        await self._write(row, after)
        await self._audit("service mapping updated", row.name, before, after)
        return connector.name

    async def remove(self, row: ServiceMapping) -> None:
        """Delete a row."""
        connector = (await self._kept.connectors())[row.connector_id]
        await self._audit("service mapping deleted", row.name, said_of(row, connector.name), None)
        await self._kept.remove(row)

    async def order(self, asked: MappingOrder) -> None:
        """Put a connector's rows in this order; Conflict when the list is not exactly they."""
        connector = await self._connector(asked.connector, "/connector")
        rows = [row for row in await self._kept.of_connector(connector.id) if not row.is_default]
        if sorted(row.id for row in rows) != sorted(asked.ids):
            raise Conflict("The list does not name each row of the connector once; read it again.")
        place = {key: 10 * (at + 1) for at, key in enumerate(asked.ids)}
        for row in rows:
            row.position = place[row.id]
        await self.session.flush()
        after = {"order": [str(key) for key in asked.ids]}
        await self._record("service mappings ordered", connector.name, None, after)

    async def tried(self, asked: TryMapping) -> Resolution:
        """Say which row would win; plugins' resolvers are not asked, and the steps say so."""
        connector = await self._connector(asked.connector, "/connector")
        rows = [row_of(row) for row in await self._kept.of_connector(connector.id)]
        if asked.direction == "inbound":
            return inbound_of(rows, asked.service or "", asked.object)
        record = Record(source_object=asked.object or "", id="", values=_values(asked))
        return outbound_of(rows, record, own_default=plain_default(connector.settings))

    async def resolved(self, asked: TryMapping, resolver: Resolver) -> Resolution:
        """Say what a run would find, plugins' resolvers first; the vendors are asked."""
        connector = await self._connector(asked.connector, "/connector")
        kind, tenant, key = connector.type, self.actor.home, connector.id
        await self.session.close()
        if asked.direction == "inbound":
            paged = Record(source_object=f"{kind}.", id="", values={"service": asked.service})
            return await resolver.service(tenant, key, paged, "inbound", target=asked.object)
        record = Record(source_object=asked.object or "", id="", values=_values(asked))
        return await resolver.service(tenant, key, record)

    def unasked(self, source_object: str | None) -> list[str]:
        """Name the plugins' resolvers that a real run would ask first."""
        return [
            f"resolver {one.name}: not asked here, a run asks it first"
            for one in self.catalog.resolvers_of(source_object or "")
        ]

    async def dead(self, connector: str, clients: Lists) -> list[ServiceMapping]:
        """Return a connector's rows whose service the vendor does not have any more."""
        kept = await self._kept.connector_named(connector)
        opened = await clients.by_name(self.actor.slug, connector)
        lists = {one.name: one for one in opened.working_type.choices}
        source = next((lists[name] for name in _SERVICE_LISTS if name in lists), None)
        if source is None:
            return []
        rows = await self._kept.of_connector(kept.id)
        await self.session.close()
        alive: dict[str, bool] = {}
        async with answered(connector):
            alive |= {one.value: True for one in await source.fetch(opened.client, "")}
            for row in rows[:_MOST_ASKED]:
                if row.service_id not in alive:
                    named = await source.fetch(opened.client, row.service_name or row.service_id)
                    alive[row.service_id] = any(one.value == row.service_id for one in named)
        return [row for row in rows if alive.get(row.service_id) is False]

    async def exported(self, connector: str | None) -> list[ServiceMappingIn]:
        """Return rows as an import takes them."""
        return [said_of(row, name) for row, name, _ in await self.listed(connector, None, None)]

    async def take_in(self, asked: MappingsDocument, *, plan: bool) -> ImportPlan:
        """Make the kept rows what the document says, or only tell the difference.

        Nothing is changed when any row is wrong; Invalid lists every fault.
        """
        rows, connectors = await self._checked(asked.service_mappings)
        kept = {identity(said): (row, said) for row, said in await self._all_said()}
        found = difference([said for _, said in kept.values()], rows, mode=asked.mode)
        self._refuse_inbound_twice(found, [said for _, said in kept.values()])
        if not plan:
            await self._apply(found, kept, connectors)
        return plan_of(found, applied=not plan)

    async def _checked(
        self, asked: Sequence[ServiceMappingIn]
    ) -> tuple[list[ServiceMappingIn], dict[str, Connector]]:
        known = {one.name: one for one in (await self._kept.connectors()).values()}
        faults: list[Fault] = []
        rows = []
        fields = await self._known_fields()
        for at, row in enumerate(asked):
            prefix = f"/service_mappings/{at}"
            if row.connector not in known:
                text = f"There is no connector {row.connector!r}."
                faults.append(Fault(f"{prefix}/connector", text, "connector.unknown"))
            clean, wrong = self._clean(row, prefix, fields)
            rows.append(clean)
            faults.extend(wrong)
        faults.extend(repeated(rows))
        if faults:
            raise Invalid("Nothing was changed; some rows can't be used.", errors=faults)
        return rows, known

    async def _all_said(self) -> list[tuple[ServiceMapping, ServiceMappingIn]]:
        connectors = await self._kept.connectors()
        return [
            (row, said_of(row, connectors[row.connector_id].name))
            for row in await self._kept.every()
        ]

    def _refuse_inbound_twice(self, found: Difference, kept: Sequence[ServiceMappingIn]) -> None:
        gone = {identity(row) for row in found.removed}
        after = {identity(row): row for row in kept if identity(row) not in gone}
        after |= {identity(row): row for row in found.added}
        after |= {identity(new): new for _, new in found.changed}
        faults = repeated(list(after.values()))
        if faults:
            raise Invalid("Nothing was changed; rows would clash.", errors=faults)

    async def _apply(
        self,
        found: Difference,
        kept: Mapping[Any, tuple[ServiceMapping, ServiceMappingIn]],
        connectors: Mapping[str, Connector],
    ) -> None:
        for gone in found.removed:
            await self._kept.remove(kept[identity(gone)][0])
        await self.session.flush()
        for _, new in found.changed:
            await self._write(kept[identity(new)][0], new)
        for row in found.added:
            connector = connectors[row.connector]
            await self._add(row, connector, await self._kept.next_position(connector.id))
        if found.added or found.changed or found.removed:
            plan = plan_of(found, applied=True).model_dump(mode="json")
            await self._record("service mappings imported", "service mappings", None, plan)

    async def _connector(self, name: str, pointer: str) -> Connector:
        known = {one.name: one for one in (await self._kept.connectors()).values()}
        if name not in known:
            close = get_close_matches(name, list(known), 1)
            hint = f" Nearest: {close[0]!r}." if close else ""
            text = f"There is no connector {name!r}.{hint}"
            raise Invalid(text, errors=[Fault(pointer, text, "connector.unknown")])
        return known[name]

    async def _cleaned(self, asked: ServiceMappingIn, prefix: str) -> ServiceMappingIn:
        row, faults = self._clean(asked, prefix, await self._known_fields())
        if faults:
            raise Invalid("The row can't be used.", errors=faults)
        return row

    async def _known_fields(self) -> Mapping[str, frozenset[str]]:
        return await self._kept.discovered_fields()

    def _clean(
        self, asked: ServiceMappingIn, prefix: str, discovered: Mapping[str, frozenset[str]]
    ) -> tuple[ServiceMappingIn, list[Fault]]:
        """Write the field by its key, and name the row; with what is wrong about it."""
        name = asked.name or ("default" if asked.default else asked.value or asked.object or "")
        row = asked.model_copy(update={"name": name[:200]})
        if asked.object is None:
            return row, []
        known = object_named(asked.object, self.catalog, discovered)
        if known is None:
            close = get_close_matches(asked.object, [*self.catalog.objects, *discovered], 1)
            hint = f" Nearest: {close[0]!r}." if close else ""
            text = f"No source object {asked.object!r}.{hint}"
            return row, [Fault(f"{prefix}/object", text, "object.unknown")]
        row = row.model_copy(update={"object": known})
        if asked.field is None:
            return row, []
        return self._clean_field(row, prefix, discovered.get(known, frozenset()))

    def _clean_field(
        self, row: ServiceMappingIn, prefix: str, discovered: frozenset[str]
    ) -> tuple[ServiceMappingIn, list[Fault]]:
        declared = self.catalog.fields_of(row.object or "")
        key = (row.field or "").removeprefix(f"{row.object}.")
        by_vendor = {one.vendor_name: one.key for one in declared if one.vendor_name}
        keys = {one.key for one in declared} | discovered
        found = key if key in keys else by_vendor.get(key)
        if found is None and self._may_be_discovered(row.object or "") and not discovered:
            found = key
        if found is None:
            close = get_close_matches(key, [*keys, *by_vendor], 1)
            hint = f" Nearest: {close[0]!r}." if close else ""
            text = f"No field {key!r} on {row.object}.{hint}"
            return row, [Fault(f"{prefix}/field", text, "field.unknown")]
        return row.model_copy(update={"field": found}), []

    def _may_be_discovered(self, source_object: str) -> bool:
        kind = self.catalog.connector_types.get(source_object.partition(".")[0])
        return kind is None or kind.discovery is not None

    async def _refuse_twice(
        self, asked: ServiceMappingIn, connector: Connector, *, except_for: uuid.UUID | None
    ) -> None:
        for row in await self._kept.of_connector(connector.id):
            if row.id == except_for:
                continue
            said = said_of(row, connector.name)
            if identity(said) == identity(asked):
                what = "The default row" if asked.default else repr(asked.value or asked.object)
                raise Conflict(f"{what} is mapped already: row {row.name!r} → {row.service_id}.")
            both_in = asked.inbound and row.inbound and not asked.default
            same = (row.source_object, row.field, row.service_id)
            if both_in and same == (asked.object, asked.field, asked.service):
                raise Conflict(
                    f"Service {asked.service} has an inbound row already for "
                    f"{asked.field or asked.object}: {row.name!r}. "
                    "Switch inbound off in one of them."
                )

    async def _add(
        self, asked: ServiceMappingIn, connector: Connector, position: int
    ) -> ServiceMapping:
        row = ServiceMapping(connector_id=connector.id, created_by=self.actor.name)
        row.position = 0 if asked.default else position
        fill(row, asked)
        row.updated_by = self.actor.name
        self._kept.add(row)
        await self.session.flush()
        return row

    async def _write(self, row: ServiceMapping, asked: ServiceMappingIn) -> None:
        fill(row, asked)
        row.updated_by = self.actor.name
        row.row_version += 1
        await self.session.flush()

    async def _audit(
        self,
        action: str,
        subject: str,
        before: ServiceMappingIn | None,
        after: ServiceMappingIn | None,
    ) -> None:
        await self._record(
            action,
            subject,
            before.model_dump() if before else None,
            after.model_dump() if after else None,
        )

    async def _record(
        self, action: str, subject: str, before: dict[str, Any] | None, after: dict[str, Any] | None
    ) -> None:
        await audit.record(self.session, self.actor, action, subject, before, after)


def _values(asked: TryMapping) -> dict[str, Value]:
    return {
        key: tuple(value) if isinstance(value, list) else value
        for key, value in asked.values.items()
    }
