"""Service mappings between their kept and their sent form."""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from hub.catalog.catalog import Catalog
from hub.errors import Fault, Invalid
from hub.http.etags import etag_of
from hub.mappings.document import Difference, members_changed
from hub.mappings.models import ServiceMapping
from hub.mappings.naming import vendor_names
from hub.mappings.precedence import folded
from hub.mappings.schemas import (
    ImportPlan,
    RowChange,
    ServiceMappingIn,
    ServiceMappingOut,
    ServiceMappingPatch,
)

_CLEARED = frozenset({"object", "field", "value"})


def said_of(row: ServiceMapping, connector: str) -> ServiceMappingIn:
    """Return a kept row as it could be sent."""
    return ServiceMappingIn.model_construct(
        connector=connector,
        name=row.name,
        object=row.source_object,
        field=row.field,
        value=row.value,
        service=row.service_id,
        service_name=row.service_name,
        outbound=row.outbound,
        inbound=row.inbound,
        default=row.is_default,
        extra=dict(row.extra),
    )


def shown_of(
    row: ServiceMapping, connector: str, catalog: Catalog, flags: list[str] | None = None
) -> ServiceMappingOut:
    """Return a kept row as the API shows it."""
    object_api, field_api = vendor_names(catalog, row.source_object, row.field)
    return ServiceMappingOut(
        class_api_name=object_api,
        field_api_name=field_api,
        id=row.id,
        connector=connector,
        name=row.name,
        object=row.source_object,
        field=row.field,
        value=row.value,
        service=row.service_id,
        service_name=row.service_name,
        outbound=row.outbound,
        inbound=row.inbound,
        default=row.is_default,
        extra=row.extra,
        position=row.position,
        flags=flags or [],
        created_at=row.created_at,
        created_by=row.created_by,
        updated_at=row.updated_at,
        updated_by=row.updated_by,
        etag=etag_of(row.row_version),
    )


def fill(row: ServiceMapping, asked: ServiceMappingIn) -> None:
    """Write what was sent into a row."""
    row.name = asked.name
    row.source_object, row.field, row.value = asked.object, asked.field, asked.value
    row.service_id, row.service_name = asked.service, asked.service_name
    row.outbound, row.inbound, row.is_default = asked.outbound, asked.inbound, asked.default
    row.extra = dict(asked.extra)


def validated(members: Mapping[str, Any]) -> ServiceMappingIn:
    """Return members as a row that was sent; Invalid when they do not fit together."""
    try:
        return ServiceMappingIn.model_validate(members)
    except ValueError as error:
        text = str(error).partition("Value error, ")[2].partition(" [type=")[0] or str(error)
        raise Invalid("The row can't be used.", errors=[Fault("", text)]) from error


def changed_by(before: ServiceMappingIn, asked: ServiceMappingPatch) -> ServiceMappingIn:
    """Return a row as a change makes it; Invalid when its members do not fit together."""
    given = asked.model_dump(exclude_unset=True)
    kept = {name: value for name, value in given.items() if value is not None}
    cleared = {name: None for name in given.keys() - kept.keys() if name in _CLEARED}
    return validated(before.model_dump() | kept | cleared)


def flags_of(rows: Sequence[ServiceMapping]) -> dict[uuid.UUID, list[str]]:
    """Say which rows no record can reach, since an earlier one has the same value."""
    seen: set[tuple[Any, ...]] = set()
    flags: dict[uuid.UUID, list[str]] = {}
    for row in rows:
        if row.is_default or not row.outbound:
            continue
        place = (row.connector_id, row.source_object, row.field, folded(row.value or ""))
        if place in seen:
            flags[row.id] = ["mapped_twice"]
        seen.add(place)
    return flags


def plain_default(settings: Mapping[str, Any]) -> str | None:
    """Return the default service that a connector's plain settings name."""
    said = settings.get("service_id") or settings.get("default_service")
    return said if isinstance(said, str) else None


def plan_of(found: Difference, *, applied: bool) -> ImportPlan:
    """Return a difference as the API shows it."""
    return ImportPlan(
        applied=applied,
        added=[RowChange(connector=row.connector, name=row.name) for row in found.added],
        changed=[
            RowChange(connector=new.connector, name=new.name, changes=members_changed(old, new))
            for old, new in found.changed
        ],
        removed=[RowChange(connector=row.connector, name=row.name) for row in found.removed],
        unchanged=found.unchanged,
    )
