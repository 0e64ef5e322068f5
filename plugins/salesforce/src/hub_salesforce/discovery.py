"""What this one org has: its objects and the fields that its user can see."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from hub import Choice, FieldSchema, FieldType, SchemaDiscovery, SourceObject
from hub_salesforce.requirements import required_of
from hub_salesforce.sobjects import NOISE, Objects, SObject

if TYPE_CHECKING:
    from hub_salesforce.client import Row, SalesforceClient
    from hub_salesforce.describe import DescribedField

_MOST = 200


def discovery_of(objects: Objects) -> "SchemaDiscovery[SalesforceClient]":
    """Return the discovery of a connector type; objects nobody declared get its prefix."""

    async def found(client: "SalesforceClient", search: str) -> Sequence[SourceObject]:
        rows = [row for row in await client.objects() if usable(row)]
        wanted = search.strip().lower()
        named = [objects.of(str(row["name"])) for row in rows if _matches(row, wanted)]
        labels = {str(row["name"]).lower(): str(row.get("label")) for row in rows}
        return [
            SourceObject(
                name=one.name,
                label=labels.get(one.api_name.lower(), one.label),
                vendor_name=one.api_name,
            )
            for one in named[:_MOST]
        ]

    async def fields(
        client: "SalesforceClient", source_object: SourceObject
    ) -> Sequence[FieldSchema]:
        declared = objects.named(source_object.name)
        describe = await client.describe(source_object.vendor_name or declared.api_name)
        needed = {one.api_name: one for one in await required_of(client, declared)}
        return [
            _as_declared(
                replace(
                    schema_of(source_object, one),
                    expected=one.name in needed and not one.required,
                ),
                declared,
            )
            for one in describe.fields
            if one.offered and one.name != "Id"
        ]

    return SchemaDiscovery(objects=found, fields=fields, verbs=("created", "updated", "deleted"))


def schema_of(source_object: SourceObject, info: "DescribedField") -> FieldSchema:
    """Return a described field as the hub's schema; its key is the API name."""
    choices = tuple(Choice(value=value, label=label) for value, label in info.picklist)
    return source_object.field(
        info.name,
        info.label,
        info.type,
        choices=choices if info.type in {FieldType.CHOICE, FieldType.LIST} else (),
        writable=info.createable or info.updateable,
        required=info.required,
        secret=info.vendor_type == "encryptedstring",
        noise=info.name in NOISE,
        max_length=info.length or None,
        vendor_name=info.name,
    )


def _as_declared(found: FieldSchema, declared: SObject) -> FieldSchema:
    """Return a found field under its declared key; live lists tell a declared one's choices."""
    if found.vendor_name not in declared.by_api_name:
        return found
    return replace(found, key=declared.key_of(found.vendor_name), choices=())


def usable(row: "Row") -> bool:
    """Tell whether rules can be about an object of the global describe."""
    return (
        bool(row.get("queryable")) and bool(row.get("createable")) and bool(row.get("triggerable"))
    )


def _matches(row: "Row", wanted: str) -> bool:
    return wanted in str(row["name"]).lower() or wanted in str(row.get("label", "")).lower()
