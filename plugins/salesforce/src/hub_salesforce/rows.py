"""Reading and preparing rows by an object's description."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import hub
from hub import Record, Value
from hub_salesforce import events, lookups, soql
from hub_salesforce.errors import SalesforceRejected
from hub_salesforce.ids import is_id
from hub_salesforce.sobjects import NOISE, SObject
from hub_salesforce.values import to_json, to_value

if TYPE_CHECKING:
    from hub_salesforce.client import Row, SalesforceClient
    from hub_salesforce.describe import Describe, DescribedField

_PEOPLE = {
    "CreatedById": "CreatedBy.Name",
    "LastModifiedById": "LastModifiedBy.Name",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """What a write sends: values by API name."""

    describe: "Describe"
    values: dict[str, Any]


async def selected(client: "SalesforceClient", declared: SObject) -> list[str]:
    """Return the fields to SELECT: all that the user can see, and the names of the people."""
    describe = await client.describe(declared.api_name)
    names = [one.name for one in describe.fields if one.offered]
    people = [path for field, path in _PEOPLE.items() if describe.field(field)]
    joined = [
        path
        for path in declared.by_api_name
        if "." in path and describe.field(f"{path.partition('.')[0]}Id")
    ]
    return [*names, *people, *joined]


async def read(client: "SalesforceClient", declared: SObject, id: str) -> "Row":
    """Return the row of a record; Gone if it is deleted or not visible."""
    names = await selected(client, declared)
    statement = soql.select(names, declared.api_name, f"Id = {soql.literal(id)}")
    rows = await client.query_page(statement)
    if not rows:
        raise hub.Gone(f"{declared.label} {id} is deleted, or not visible to the hub's user")
    return typed(await client.describe(declared.api_name), rows[0])


async def read_record(client: "SalesforceClient", declared: SObject, id: str) -> Record:
    """Return a record as it is now."""
    access = await client.session.access()
    return events.record_of(declared, await read(client, declared, id), access.instance_url)


def typed(describe: "Describe", row: "Row") -> "Row":
    """Return the row with numbers as the description types them: 3.0 of an int field is 3."""
    return {name: _typed(describe, name, raw) for name, raw in row.items()}


async def body_of(
    client: "SalesforceClient", declared: SObject, given: Mapping[str, Value]
) -> Body:
    """Return what a write of `given` (by key, whole name or API name) sends.

    SalesforceRejected names a field that the user cannot see, or a value of a wrong type.
    """
    describe = await client.describe(declared.api_name)
    values: dict[str, Any] = {}
    for key, value in given.items():
        info = describe.field(declared.api_name_of(key))
        if info is None:
            raise SalesforceRejected(_unknown(declared, describe, key))
        try:
            values[info.name] = to_json(await _pointed(client, declared, info, value), info.type)
        except ValueError as error:
            raise SalesforceRejected(f"{info.label} ({info.name}): {error}") from error
    return Body(describe=describe, values=values)


def as_stored(declared: SObject, given: Mapping[str, Value]) -> dict[str, Value]:
    """Return the values by key as Salesforce will report them back; pure.

    A name given for a lookup is reported by the field that shows it.
    """
    found: dict[str, Value] = {}
    for key, value in given.items():
        api_name = declared.api_name_of(key)
        known = declared.by_api_name.get(api_name)
        if known and known.lookup and isinstance(value, str) and value and not is_id(value):
            found.update({known.lookup.shown_by: value} if known.lookup.shown_by else {})
            continue
        found[declared.key_of(api_name)] = (
            value
            if isinstance(value, tuple)
            else to_value(to_json(value), known.type if known else None)
        )
    return found


async def _pointed(
    client: "SalesforceClient", declared: SObject, info: "DescribedField", value: Value
) -> Value:
    """Return the id of what a lookup's value names; any other value as it is."""
    known = declared.by_api_name.get(info.name)
    if known is None or known.lookup is None or not isinstance(value, str) or not value.strip():
        return value
    return await lookups.id_of(client, known.lookup, value)


def _typed(describe: "Describe", name: str, raw: Any) -> Any:  # noqa: ANN401 - JSON values
    info = describe.field(name)
    if info is None or raw is None or name in NOISE:
        return raw
    if info.vendor_type in {"int", "long"} and not isinstance(raw, str):
        return int(raw)
    return raw


def _unknown(declared: SObject, describe: "Describe", key: str) -> str:
    near = _nearest(key, (one.name for one in describe.fields))
    hint = f"; did you mean {near}?" if near else ""
    return (
        f"{declared.label} has no field {key} that the integration user can see: check the name "
        f"and grant Read and Edit on the field{hint}"
    )


def _nearest(key: str, names: Iterable[str]) -> str | None:
    """Return the API name that is most like `key`, prefixes of packages left out."""
    import difflib  # noqa: PLC0415 - only for what is misspelt

    wanted = key.rpartition(".")[2].lower()
    by_tail: dict[str, str] = {}
    for name in names:
        tail = name.removesuffix("__c").rpartition("__")[2]
        by_tail.setdefault(tail.lower(), name)
        by_tail.setdefault(name.lower(), name)
    near = difflib.get_close_matches(wanted.removesuffix("__c"), by_tail, n=1, cutoff=0.75)
    return by_tail[near[0]] if near else None
