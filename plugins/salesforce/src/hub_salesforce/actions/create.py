"""Create a record, once."""

from collections.abc import Mapping
from datetime import UTC, timedelta
from typing import Any

from pydantic import Field

from hub import Action, ActionCall, ActionResult, ConnectorType, Repeat, Value
from hub_salesforce import composite, events, rows, soql
from hub_salesforce.actions.targets import JsonValue, value_of, written
from hub_salesforce.client import SalesforceClient, made_id
from hub_salesforce.errors import Duplicate, SalesforceRejected
from hub_salesforce.forms import Form
from hub_salesforce.requirements import learn
from hub_salesforce.sobjects import Objects, SObject

_EARLIER = timedelta(minutes=10)
_ALLOW_DUPLICATES = {"Sforce-Duplicate-Rule-Header": "allowSave=true"}


class CreateRecord(Form):
    """A record to make."""

    object: str = Field(
        title="Object",
        description="As salesforce.case, salesforce.account, salesforce.my_thing__c.",
        json_schema_extra={"x-hub": {"source": "source_objects"}},
    )
    fields: dict[str, JsonValue] = Field(
        title="Fields",
        description="Value by field. Give all fields that the org requires.",
        json_schema_extra={"x-hub": {"source": "fields", "resolve": "service"}},
    )
    allow_duplicates: bool = Field(
        default=False,
        title="Save duplicates",
        description="Save also when a duplicate rule of the org only warns.",
        json_schema_extra={"x-hub": {"advanced": True}},
    )


def actions(connector_type: ConnectorType[Any, Any], objects: Objects) -> list[Action[Any, Any]]:
    """Return create_record."""

    async def create(call: ActionCall[SalesforceClient, CreateRecord]) -> ActionResult:
        return await _create(call, objects.of(call.params.object))

    async def find(call: ActionCall[SalesforceClient, CreateRecord]) -> ActionResult | None:
        return await _find(call, objects.of(call.params.object))

    def writes(params: CreateRecord) -> Mapping[str, Value]:
        return written(objects.of(params.object), params.fields)

    return [
        connector_type.action(
            "create_record",
            "Create new record",
            CreateRecord,
            create,
            creates=True,
            repeat=Repeat.FIND_FIRST,
            find=find,
            writes=writes,
        )
    ]


async def _create(
    call: ActionCall[SalesforceClient, CreateRecord], declared: SObject
) -> ActionResult:
    """Create the record and read it back by one call, so that no answer in between gets lost."""
    client = call.client
    wanted = {key: value_of(value) for key, value in call.params.fields.items()}
    body = await rows.body_of(client, declared, wanted)
    keyed = _key_field(client, body)
    if keyed:
        body.values[keyed] = call.key
    headers = _ALLOW_DUPLICATES if call.params.allow_duplicates else None
    path = f"{client.root}/sobjects/{body.describe.name}"
    made, read = await composite.send(
        client,
        [
            composite.part("made", "POST", path, body.values, headers),
            composite.part("read", "GET", f"{path}/@{{made.id}}"),
        ],
    )
    try:
        row_id = made_id(composite.accepted(client, made))
    except Duplicate as error:
        if keyed and error.existing and keyed.lower() in str(error).lower():
            return await _existing(client, declared, error.existing)
        raise
    except SalesforceRejected as error:
        learn(client, body.describe.name, error)
        raise
    bare = {"Id": row_id, "attributes": {"type": body.describe.name}}
    row = rows.typed(body.describe, read.data) if read.status == 200 else bare
    return await _made(client, declared, row)


async def _find(
    call: ActionCall[SalesforceClient, CreateRecord], declared: SObject
) -> ActionResult | None:
    client = call.client
    wanted = {key: value_of(value) for key, value in call.params.fields.items()}
    body = await rows.body_of(client, declared, wanted)
    keyed = _key_field(client, body)
    conditions = [f"{keyed} = {soql.literal(call.key)}"] if keyed else await _marks(call, body)
    statement = soql.select(["Id"], declared.api_name, *conditions, order="CreatedDate", limit=1)
    found = await client.query_page(statement)
    return await _existing(client, declared, str(found[0]["Id"])) if found else None


async def _marks(call: ActionCall[SalesforceClient, CreateRecord], body: rows.Body) -> list[str]:
    """Return what tells a record of ours where there is no key field: who, when, what text."""
    access = await call.client.session.access()
    since = call.event.occurred_at.astimezone(UTC) - _EARLIER
    marks = [
        f"CreatedById = {soql.literal(access.user_id)}",
        f"CreatedDate >= {soql.literal(since)}",
    ]
    for name, value in body.values.items():
        info = body.describe.field(name)
        plain = info is not None and info.filterable and info.vendor_type in {"string", "picklist"}
        if plain and isinstance(value, str):
            marks.append(f"{name} = {soql.literal(value)}")
    return marks


async def _existing(client: SalesforceClient, declared: SObject, id: str) -> ActionResult:
    """Return the record that an earlier send of the same run made."""
    return await _made(client, declared, await rows.read(client, declared, id))


async def _made(
    client: SalesforceClient, declared: SObject, row: Mapping[str, Any]
) -> ActionResult:
    access = await client.session.access()
    record = events.record_of(declared, row, access.instance_url)
    words = f"Created {declared.label} {record.human_id or record.id}"
    return ActionResult(summary=words, record=record)


def _key_field(client: SalesforceClient, body: rows.Body) -> str | None:
    """Return the API name of the org's key field, if the object has a usable one."""
    info = body.describe.field(client.settings.hub_key_field or "Id")
    usable = info and info.external_id and info.createable
    return info.name if info and usable else None
