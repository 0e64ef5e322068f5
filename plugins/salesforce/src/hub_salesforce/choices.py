"""Live lists for forms: objects, statuses, owners, record types, fields."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, TypeAlias

from hub import Choice, ChoiceSource
from hub_salesforce import soql
from hub_salesforce.discovery import usable
from hub_salesforce.sobjects import Objects

if TYPE_CHECKING:
    from hub_salesforce.client import SalesforceClient

Fetch: TypeAlias = "Callable[[SalesforceClient, str], Awaitable[Sequence[Choice]]]"
_MOST = 200


def choices_of(objects: Objects) -> "tuple[ChoiceSource[SalesforceClient], ...]":
    """Return the choice sources that every connector type of an org has."""
    main = objects.declared[0].api_name
    return (
        ChoiceSource(name="objects", fetch=all_objects),
        ChoiceSource(name="source_objects", fetch=source_objects_of(objects)),
        ChoiceSource(name="owners", fetch=owners_of(main)),
        ChoiceSource(name="users", fetch=users),
        ChoiceSource(name="queues", fetch=queues_of(main)),
        ChoiceSource(name="record_types", fetch=record_types_of(main)),
        ChoiceSource(name="fields", fetch=fields_of(main)),
        ChoiceSource(name="text_fields", fetch=text_fields_of(main)),
        ChoiceSource(name="external_ids", fetch=external_ids_of(main)),
    )


def picklist(name: str, api_name: str, field: str) -> "ChoiceSource[SalesforceClient]":
    """Return the choice source of a picklist: the values that this org has."""

    async def fetch(client: "SalesforceClient", search: str) -> Sequence[Choice]:
        info = (await client.describe(api_name)).field(field)
        values = info.picklist if info else ()
        return _matching([Choice(value=v, label=label) for v, label in values], search)

    return ChoiceSource(name=name, fetch=fetch)


async def case_statuses(client: "SalesforceClient", search: str) -> Sequence[Choice]:
    """Return the statuses of Cases in the org's order, those that close a Case marked."""
    rows = await client.query(
        "SELECT ApiName, MasterLabel, IsClosed FROM CaseStatus ORDER BY SortOrder"
    )
    listed = [
        Choice(
            value=str(row["ApiName"]),
            label=f"{row['MasterLabel']} (closed)" if row["IsClosed"] else str(row["MasterLabel"]),
        )
        for row in rows
    ]
    return _matching(listed, search)


async def all_objects(client: "SalesforceClient", search: str) -> Sequence[Choice]:
    """Return the objects that rules can be about."""
    rows = [row for row in await client.objects() if usable(row)]
    listed = [
        Choice(value=str(r["name"]), label=f"{r.get('label') or r['name']} ({r['name']})")
        for r in rows
    ]
    return _matching(listed, search)


def source_objects_of(objects: Objects) -> Fetch:
    """Return the source of the same objects by the names that rules have for them."""

    async def fetch(client: "SalesforceClient", search: str) -> Sequence[Choice]:
        listed = await all_objects(client, search)
        return [Choice(value=objects.of(one.value).name, label=one.label) for one in listed]

    return fetch


async def users(client: "SalesforceClient", search: str) -> Sequence[Choice]:
    """Return the active users by name."""
    conditions = ["IsActive = true", "UserType = 'Standard'"]
    if search:
        conditions.append(f"Name LIKE {soql.like(search)}")
    fields = ("Id", "Name", "Username")
    rows = await client.query_page(
        soql.select(fields, "User", *conditions, order="Name", limit=_MOST)
    )
    return [Choice(value=str(r["Id"]), label=f"{r['Name']} ({r['Username']})") for r in rows]


def queues_of(api_name: str) -> Fetch:
    """Return the source of the queues that can own records of an object."""

    async def fetch(client: "SalesforceClient", search: str) -> Sequence[Choice]:
        condition = f"SobjectType = {soql.literal(api_name)}"
        fields = ("QueueId", "Queue.Name")
        rows = await client.query_page(soql.select(fields, "QueueSobject", condition, limit=_MOST))
        listed = [
            Choice(value=str(row["QueueId"]), label=f"{(row['Queue'] or {}).get('Name')} (queue)")
            for row in rows
        ]
        return _matching(listed, search)

    return fetch


def owners_of(api_name: str) -> Fetch:
    """Return the source of queues and users together."""
    queues = queues_of(api_name)

    async def fetch(client: "SalesforceClient", search: str) -> Sequence[Choice]:
        return [*await queues(client, search), *await users(client, search)]

    return fetch


def record_types_of(api_name: str) -> Fetch:
    """Return the source of an object's record types."""

    async def fetch(client: "SalesforceClient", search: str) -> Sequence[Choice]:
        types = (await client.describe(api_name)).record_types
        return _matching([Choice(value=value, label=name) for value, name in types], search)

    return fetch


def fields_of(api_name: str) -> Fetch:
    """Return the source of an object's fields that can be written."""

    async def fetch(client: "SalesforceClient", search: str) -> Sequence[Choice]:
        found = (await client.describe(api_name)).fields
        return _matching([_field(f.name, f.label) for f in found if f.updateable], search)

    return fetch


def text_fields_of(api_name: str) -> Fetch:
    """Return the source of an object's fields that hold text, for title and description."""
    texts = {"string", "textarea", "email", "phone", "url", "picklist", "combobox"}

    async def fetch(client: "SalesforceClient", search: str) -> Sequence[Choice]:
        found = (await client.describe(api_name)).fields
        return _matching([_field(f.name, f.label) for f in found if f.vendor_type in texts], search)

    return fetch


def external_ids_of(api_name: str) -> Fetch:
    """Return the source of an object's External ID fields."""

    async def fetch(client: "SalesforceClient", search: str) -> Sequence[Choice]:
        found = (await client.describe(api_name)).fields
        return _matching([_field(f.name, f.label) for f in found if f.external_id], search)

    return fetch


def _field(name: str, label: str) -> Choice:
    return Choice(value=name, label=f"{label} ({name})")


def _matching(listed: Sequence[Choice], search: str) -> list[Choice]:
    wanted = search.strip().lower()
    return [c for c in listed if wanted in c.label.lower() or wanted in c.value.lower()][:_MOST]
