"""What a person may ask while setting up: a key pair, the Apex to install, an object's mapping."""

import asyncio
from typing import TYPE_CHECKING, Any

from pydantic import Field

from hub import Query
from hub_salesforce import apex
from hub_salesforce.forms import Form
from hub_salesforce.keys import make_key_pair
from hub_salesforce.limits import calls_a_day
from hub_salesforce.requirements import required_of
from hub_salesforce.sobjects import Objects

if TYPE_CHECKING:
    from hub_salesforce.client import SalesforceClient

_TITLES = frozenset({"string", "email", "phone", "url", "picklist", "combobox"})
_DESCRIPTIONS = _TITLES | {"textarea"}
_CUSTOM_FIELDS = {
    "string": "text",
    "textarea": "text",
    "email": "text",
    "phone": "text",
    "picklist": "single select",
    "multipicklist": "multiple select",
    "url": "url",
    "boolean": "checkbox",
    "date": "date-time",
    "datetime": "date-time",
    "int": "integer",
    "double": "decimal",
    "currency": "decimal",
    "percent": "decimal",
}
"""Type of a field -> type of the PagerDuty custom field that it can be mapped to, one to one."""


class KeyPairParams(Form):
    """Whose certificate it is."""

    common_name: str = Field(
        default="PagerDuty",
        title="Name",
        description="Name in the certificate.",
        max_length=64,
        min_length=1,
    )


class ApexParams(Form):
    """For which objects."""

    objects: list[str] = Field(
        default=[],
        title="Objects",
        description="API names; empty for the connector's objects.",
        json_schema_extra={"x-hub": {"source": "objects"}},
    )


class ObjectMappingParams(Form):
    """Which object is mapped to the incident."""

    object: str = Field(
        default="Case",
        title="Business object",
        description="The object that is mapped to the PagerDuty incident.",
        json_schema_extra={"x-hub": {"source": "objects"}},
    )


class SoqlParams(Form):
    """What to ask the org."""

    statement: str = Field(
        title="SOQL",
        description="As SELECT Name, Id FROM Account; nothing can be changed by it.",
        min_length=1,
        json_schema_extra={"x-hub": {"multiline": True}},
    )


def queries_of(objects: Objects) -> "tuple[Query[SalesforceClient, Any], ...]":
    """Return the queries of a connector type on these objects."""

    async def mapping(client: "SalesforceClient", params: ObjectMappingParams) -> dict[str, Any]:
        return await object_mapping(client, objects, params.object)

    return (
        Query(name="key_pair", label="Make a key pair", params=KeyPairParams, run=key_pair),
        Query(name="apex", label="Apex to install", params=ApexParams, run=apex_sources),
        Query(
            name="object_mapping",
            label="Object mapping",
            params=ObjectMappingParams,
            run=mapping,
        ),
        Query(name="soql", label="Ask by SOQL", params=SoqlParams, run=soql_rows),
    )


async def key_pair(client: "SalesforceClient", params: KeyPairParams) -> dict[str, Any]:
    """Make a private key for the connector and the certificate for the connected app."""
    made = await asyncio.to_thread(make_key_pair, params.common_name, client.now())
    return {"private_key": made.private_key, "certificate": made.certificate}


async def soql_rows(client: "SalesforceClient", params: SoqlParams) -> dict[str, Any]:
    """Return the first rows of a query; SOQL wants no semicolon at the end, so one is dropped."""
    statement = params.statement.strip()
    dropped = statement.endswith(";")
    rows = await client.query_page(statement.removesuffix(";"))
    plain = [{name: row[name] for name in row if name != "attributes"} for row in rows]
    note = {"note": "SOQL wants no ; at the end: it was left out"} if dropped else {}
    return {"rows": plain, **note}


async def apex_sources(client: "SalesforceClient", params: ApexParams) -> dict[str, Any]:
    """Return the Apex files, filled in for the connector's named credential and objects."""
    credential = client.settings.named_credential
    files = dict(apex.sources(credential))
    for name in params.objects or client.settings.objects:
        describe = await client.describe(name)
        if describe.name != "Case":
            files.update([apex.trigger_for(describe.name, describe.label)])
    return {"named_credential": credential, "files": files}


async def object_mapping(
    client: "SalesforceClient", objects: Objects, api_name: str
) -> dict[str, Any]:
    """Return what the form of an object mapping needs: fields to choose, values, cost."""
    describe = await client.describe(api_name)
    declared = objects.of(describe.name)
    settings = client.settings
    count = len(settings.objects) + len(declared.notes)
    return {
        "object": declared.name,
        "label": describe.label,
        "read_at": describe.read_at.isoformat(),
        "title_fields": _fields(declared, describe, _TITLES),
        "description_fields": _fields(declared, describe, _DESCRIPTIONS),
        "picklists": {
            declared.key_of(one.name): [value for value, _ in one.picklist]
            for one in describe.fields
            if one.picklist
        },
        "required": [one.json() for one in await required_of(client, declared)],
        "syncs_comments": bool(declared.notes),
        "integration_user_email": settings.integration_user_email,
        "calls_a_day": calls_a_day(settings.poll_interval_seconds, objects=count),
        "usage": str(client.usage) if client.usage else "",
        "comments_warning": _warning(client) if declared.notes else "",
        "custom_fields": _custom_fields(declared, describe),
    }


def _warning(client: "SalesforceClient") -> str:
    """Say what copying comments costs: reading them is part of a poll, each written one a call."""
    used = f"; {client.usage}" if client.usage else ""
    return (
        "Copying comments may use up the org's API requests: each note that is written as a "
        f"comment costs one{used}. From 80 % on those that come together are one request, from "
        "85 % on they wait until requests are free."
    )


def _custom_fields(declared: Any, describe: Any) -> list[dict[str, str]]:  # noqa: ANN401
    """Return the fields that can be kept in step with a custom field; read-only ones can't."""
    return [
        {
            "key": declared.key_of(one.name),
            "label": one.label,
            "api_name": one.name,
            "custom_field_type": _CUSTOM_FIELDS[one.vendor_type],
        }
        for one in describe.fields
        if one.vendor_type in _CUSTOM_FIELDS and one.updateable
    ]


def _fields(declared: Any, describe: Any, types: frozenset[str]) -> list[dict[str, str]]:  # noqa: ANN401
    return [
        {"key": declared.key_of(one.name), "label": one.label, "api_name": one.name}
        for one in describe.fields
        if one.vendor_type in types
    ]
