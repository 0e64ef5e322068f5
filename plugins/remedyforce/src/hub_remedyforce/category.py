"""Categories that name their PagerDuty service themselves: asked before the table of services."""

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import hub
from hub import Record, ServiceResolver, Value
from hub_remedyforce.names import CATEGORY_API, api
from hub_remedyforce.objects import INCIDENT
from hub_remedyforce.settings import CATEGORY_SERVICE
from hub_salesforce.kit import SalesforceClient, is_id

_SERVICE_ID = re.compile(r"P[A-Z0-9]{5,13}")
_OFFERED = f"{api('inactive__c')} = false AND {api('AvailableForIncidents__c')} = true"
_FRESH = timedelta(minutes=5)
Rows = list[Mapping[str, Any]]


def service_of(raw: object) -> str | None:
    """Return the service ID that a category's field holds; None for what is none."""
    text = str(raw or "").strip().upper()
    return text if _SERVICE_ID.fullmatch(text) else None


async def service_for(client: SalesforceClient, record: Record) -> str | None:
    """Return the service of the record's category, if the category names one."""
    category = str(record.values.get("category") or "")
    field = await field_of(client) if is_id(category) else None
    if field is None:
        return None

    async def read() -> object:
        text = f"SELECT {field} FROM {CATEGORY_API} WHERE Id = '{category}' LIMIT 1"  # noqa: S608 - checked names
        found = await client.query_page(text)
        return found[0][field] if found else None

    return service_of(await client.remembered(f"category {category}", read, fresh=_FRESH))


async def category_for(client: SalesforceClient, service: str) -> Mapping[str, Value] | None:
    """Return the category to set for a service: of several the first by name, then by id."""
    wanted, field = service_of(service), await field_of(client)
    if wanted is None or field is None:
        return None

    async def read() -> Rows:
        """Ask for what holds the ID: people leave spaces around it."""
        return await client.query(
            f"SELECT Id, Name, {field} FROM {CATEGORY_API} "  # noqa: S608 - checked names
            f"WHERE {field} LIKE '%{wanted}%' AND {_OFFERED} ORDER BY Name ASC, Id ASC"
        )

    rows = await client.remembered(f"categories of {wanted}", read, fresh=_FRESH)
    found = [row for row in rows if service_of(row[field]) == wanted]
    return {"category": str(found[0]["Id"])} if found else None


async def field_of(client: SalesforceClient) -> str | None:
    """Return the API name of the field, None where the hub's user sees none."""
    try:
        describe = await client.describe(CATEGORY_API)
    except hub.Gone:
        return None
    info = describe.field(getattr(client.settings, "category_service_field", CATEGORY_SERVICE))
    return info.name if info else None


async def mapped_categories(client: SalesforceClient) -> str:
    """Say which categories name a service, and what is wrong with them."""
    field = await field_of(client)
    if field is None:
        return "Alternate mapping not set up: Category has no service field that the user can read"
    rows = await client.query(
        f"SELECT Name, {field} FROM {CATEGORY_API} WHERE {field} != null AND {_OFFERED} "  # noqa: S608 - checked names
        "ORDER BY Name ASC, Id ASC"
    )
    problems = _malformed(rows, field) + _repeated(rows, field)
    if problems:
        raise hub.Rejected("; ".join(problems))
    return f"{len(rows)} categories name their PagerDuty service, before the table"


RESOLVER = ServiceResolver(
    name="remedyforce.category",
    source_object=INCIDENT.name,
    outbound=service_for,
    inbound=category_for,
)


def _malformed(rows: Rows, field: str) -> list[str]:
    bad = [f"{row['Name']} ({row[field]})" for row in rows if service_of(row[field]) is None]
    return [f"no PagerDuty service ID: {', '.join(bad)}"] if bad else []


def _repeated(rows: Rows, field: str) -> list[str]:
    names: dict[str, list[str]] = {}
    for row in rows:
        service = service_of(row[field])
        if service:
            names.setdefault(service, []).append(str(row["Name"]))
    return [
        f"{service} is named by {', '.join(of)}: incidents of it get {of[0]}"
        for service, of in names.items()
        if len(of) > 1
    ]
