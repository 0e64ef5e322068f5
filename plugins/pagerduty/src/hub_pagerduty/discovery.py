"""The account's custom fields, as fields that conditions and actions can use."""

from collections.abc import Sequence
from typing import Final

import hub
from hub import Choice, FieldSchema, FieldType, SchemaDiscovery, SourceObject
from hub_pagerduty import lookups
from hub_pagerduty.client import Json, PagerDutyClient
from hub_pagerduty.payloads.values import as_object, as_objects, text
from hub_pagerduty.vocabulary import INCIDENT, custom_key

_TYPES: Final = {
    "boolean": FieldType.BOOLEAN,
    "integer": FieldType.INTEGER,
    "float": FieldType.DECIMAL,
    "datetime": FieldType.TIMESTAMP,
}
_LENGTHS: Final = {"string": 255, "url": 500}


async def objects(_client: PagerDutyClient, _search: str) -> Sequence[SourceObject]:
    """Return nothing: PagerDuty's objects are all declared."""
    return []


async def fields(client: PagerDutyClient, source_object: SourceObject) -> Sequence[FieldSchema]:
    """Return the custom fields of all incident types, each once."""
    if source_object.name != INCIDENT.name:
        return []
    found: dict[str, FieldSchema] = {}
    for kind in await _types(client):
        for field in await lookups.custom_fields(client, kind):
            if text(field.get("name")) and field.get("enabled", True):
                found.setdefault(str(field["name"]), _schema(field))
    return list(found.values())


async def _types(client: PagerDutyClient) -> list[str]:
    try:
        found = await client.get("/incidents/types", [("filter", "enabled")])
    except hub.Gone:
        return ["incident_default"]
    names = [str(one.get("name")) for one in as_objects(found.get("incident_types"))]
    return names or ["incident_default"]


def _schema(field: Json) -> FieldSchema:
    name, data_type = str(field["name"]), str(field.get("data_type"))
    kind = _TYPES.get(data_type, FieldType.TEXT)
    if str(field.get("field_type")).startswith("multi"):
        kind = FieldType.LIST
    return INCIDENT.field(
        custom_key(name),
        str(field.get("display_name") or name),
        kind,
        choices=_options(field),
        writable=True,
        max_length=_LENGTHS.get(data_type) if kind is FieldType.TEXT else None,
        vendor_name=name,
    )


def _options(field: Json) -> list[Choice]:
    if not str(field.get("field_type")).endswith("_fixed"):
        return []
    values = [
        text(as_object(one.get("data")).get("value"))
        for one in as_objects(field.get("field_options"))
    ]
    return [Choice(value=one, label=one) for one in values if one]


DISCOVERY: Final[SchemaDiscovery[PagerDutyClient]] = SchemaDiscovery(objects=objects, fields=fields)
