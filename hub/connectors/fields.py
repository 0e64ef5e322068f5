"""The fields of one account: declared and discovered; and the adoption of vendors' objects."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from typing import Any, Final

from hub.connectors.calls import answered
from hub.connectors.clients import Clients, OpenConnector
from hub.connectors.models import ConnectorFields, ConnectorObject
from hub.connectors.repository import Fields, Objects
from hub.errors import NotFound
from hub.sdk.vocabulary import Choice, FieldSchema, FieldType, SourceObject

FRESH_FOR: Final = timedelta(hours=1)


def dump(field: FieldSchema) -> dict[str, Any]:
    """Return a field as it is stored."""
    empty = (None, "", False, ())
    stored = {key: value for key, value in asdict(field).items() if value not in empty}
    del stored["source_object"]
    stored["type"] = field.type.value
    stored["choices"] = [asdict(one) for one in field.choices]
    return stored


def load(source_object: str, stored: dict[str, Any]) -> FieldSchema:
    """Return a field that was stored."""
    members = dict(stored)
    members["type"] = FieldType(members.get("type", "text"))
    members["choices"] = tuple(Choice(**one) for one in members.get("choices", ()))
    return FieldSchema(source_object=source_object, **members)


def digest_of(stored: Sequence[dict[str, Any]]) -> str:
    """Return what is the same as long as the fields are."""
    told = json.dumps(stored, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(told.encode()).hexdigest()


def together(
    declared: Iterable[FieldSchema], discovered: Iterable[FieldSchema]
) -> Iterator[tuple[FieldSchema, bool]]:
    """Yield (field, declared?): the plugin's own first, with the account's choices, then the rest.

    A discovered field that is declared under its vendor name is left out.
    """
    found = {one.key: one for one in discovered}
    at_vendor = {one.vendor_name or one.key: one for one in found.values()}
    taken: set[str] = set()
    for one in declared:
        seen = found.get(one.key) or at_vendor.get(one.vendor_name)
        if seen is not None:
            taken.add(seen.key)
            one = _completed(one, seen)  # noqa: PLW2901 - the same field, completed
        yield one, True
    for key, one in found.items():
        if key not in taken:
            yield one, False


def _completed(declared: FieldSchema, seen: FieldSchema) -> FieldSchema:
    return replace(
        declared,
        choices=declared.choices or seen.choices,
        required=declared.required or seen.required,
        expected=declared.expected or seen.expected,
        max_length=declared.max_length or seen.max_length,
    )


class FieldBook:
    """Reads and renews what is known of a connector's objects."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients
        self._catalog = clients.catalog

    async def fields(
        self, connector: OpenConnector, source_object: str, *, refresh: bool
    ) -> tuple[list[tuple[FieldSchema, bool]], datetime | None]:
        """Return an object's fields, asking the vendor if nothing recent is known."""
        target = await self._object(connector, source_object)
        async with self._clients.database.reading() as session:
            kept = (await Fields(session, connector.tenant_id).of(connector.id)).get(source_object)
        if self._wants(connector, kept, refresh=refresh):
            kept = await self.renew(connector, target)
        discovered = [load(source_object, one) for one in kept.fields] if kept else []
        declared = self._catalog.fields_of(source_object)
        return list(together(declared, discovered)), kept.fetched_at if kept else None

    def _wants(
        self, connector: OpenConnector, kept: ConnectorFields | None, *, refresh: bool
    ) -> bool:
        if connector.type is None or connector.type.discovery is None:
            return False
        return refresh or kept is None or self._clients.clock() - kept.fetched_at > FRESH_FOR

    async def renew(self, connector: OpenConnector, target: SourceObject) -> ConnectorFields:
        """Ask the vendor for an object's fields and keep them."""
        discovery = connector.working_type.discovery
        if discovery is None:
            raise NotFound(f"{connector.type_name!r} has no fields but the declared ones.")
        async with answered(connector.name):
            found = await discovery.fields(connector.client, target)
        stored = [dump(one) for one in sorted(found, key=lambda one: one.key)]
        row = {
            "connector_id": connector.id,
            "source_object": target.name,
            "fields": stored,
            "digest": digest_of(stored),
            "fetched_at": self._clients.clock(),
        }
        async with self._clients.database.writing() as session:
            await Fields(session, connector.tenant_id).keep(row)
        return ConnectorFields(tenant_id=connector.tenant_id, **row)

    async def renew_all(self, connector: OpenConnector) -> int:
        """Renew the fields of all declared and adopted objects; return how many objects."""
        targets = await self._known(connector)
        for target in targets:
            await self.renew(connector, target)
        return len(targets)

    async def objects(
        self, connector: OpenConnector, search: str
    ) -> list[tuple[SourceObject, ConnectorObject | None]]:
        """Return the declared, the adopted and the vendor's other objects."""
        async with self._clients.database.reading() as session:
            rows = await Objects(session, connector.tenant_id).of(connector.id)
        adopted = {row.source_object: row for row in rows}
        known = {one.name: one for one in self._catalog.objects_of(connector.type_name)}
        known |= {name: _object(row) for name, row in adopted.items()}
        declared_at_vendor = {one.vendor_name for one in known.values() if one.vendor_name}
        discovery = connector.type.discovery if connector.type is not None else None
        if discovery is not None and connector.is_ready:
            async with answered(connector.name):
                found = await discovery.objects(connector.client, search)
            for one in found:
                if one.vendor_name not in declared_at_vendor:
                    known.setdefault(one.name, one)
        wanted = search.casefold()
        return [
            (one, adopted.get(name))
            for name, one in known.items()
            if wanted in one.name.casefold() or wanted in one.label.casefold()
        ]

    async def find(self, connector: OpenConnector, source_object: str) -> SourceObject:
        """Return one of the vendor's objects that is not declared; NotFound otherwise."""
        for one, _ in await self.objects(connector, source_object.partition(".")[2]):
            if one.name == source_object and source_object not in self._catalog.objects:
                return one
        raise NotFound(f"The vendor has no object {source_object!r} to adopt.")

    async def _object(self, connector: OpenConnector, source_object: str) -> SourceObject:
        for one in await self._known(connector):
            if one.name == source_object:
                return one
        raise NotFound(f"The connector {connector.name!r} has no object {source_object!r}.")

    async def _known(self, connector: OpenConnector) -> list[SourceObject]:
        async with self._clients.database.reading() as session:
            rows = await Objects(session, connector.tenant_id).of(connector.id)
        return [*self._catalog.objects_of(connector.type_name), *map(_object, rows)]


def _object(row: ConnectorObject) -> SourceObject:
    return SourceObject(name=row.source_object, label=row.label, vendor_name=row.vendor_name)
