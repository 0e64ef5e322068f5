"""Create a record, set a field, update several fields."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

from pydantic import BaseModel, Field

from hub import Action, ActionCall, ActionResult, ConnectorType, Record, Repeat, Value
from hub_salesforce import composite, events, rows, soql
from hub_salesforce.actions.targets import done, label_of, target_of, value_of
from hub_salesforce.client import SalesforceClient, made_id
from hub_salesforce.errors import Conflict, Duplicate, SalesforceRejected
from hub_salesforce.requirements import learn
from hub_salesforce.sobjects import Objects, SObject
from hub_salesforce.values import instant

JsonValue: TypeAlias = str | int | float | bool | list[str] | None
_EARLIER = timedelta(minutes=10)
_ALLOW_DUPLICATES = {"Sforce-Duplicate-Rule-Header": "allowSave=true"}


class CreateRecord(BaseModel):
    """A record to make."""

    object: str = Field(
        default="Case",
        title="Object",
        description="API name of the object: Case, Account, My_Thing__c.",
        json_schema_extra={"x-hub": {"source": "objects"}},
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


class SetField(BaseModel):
    """A field to set."""

    field: str = Field(
        title="Field",
        description="The whole name: salesforce.case.status.",
        json_schema_extra={"x-hub": {"source": "fields"}},
    )
    value: JsonValue = Field(title="Value", description="Empty clears the field.")
    only_if_unchanged: bool = Field(
        default=False,
        title="Only if nobody changed it since",
        description="Leave the field as it is when someone changed it after the event.",
        json_schema_extra={"x-hub": {"advanced": True}},
    )


class UpdateRecord(BaseModel):
    """Fields to set in one call."""

    fields: dict[str, JsonValue] = Field(
        title="Fields",
        description="Value by field; empty clears a field.",
        json_schema_extra={"x-hub": {"source": "fields", "resolve": "service"}},
    )
    only_if_unchanged: bool = Field(
        default=False,
        title="Only if nobody changed them since",
        description="Leave the record as it is when someone changed these fields after the event.",
        json_schema_extra={"x-hub": {"advanced": True}},
    )


def actions(connector_type: ConnectorType[Any, Any], objects: Objects) -> list[Action[Any, Any]]:
    """Return create_record, set_field and update_record."""
    target = objects.declared[0].source_object
    label = objects.declared[0].label

    async def create(call: ActionCall[SalesforceClient, CreateRecord]) -> ActionResult:
        return await _create(call, objects.of(call.params.object))

    async def find(call: ActionCall[SalesforceClient, CreateRecord]) -> ActionResult | None:
        return await _find(call, objects.of(call.params.object))

    async def set_field(call: ActionCall[SalesforceClient, SetField]) -> ActionResult:
        wanted = {call.params.field: value_of(call.params.value)}
        return await write(call, objects, wanted, only_if_unchanged=call.params.only_if_unchanged)

    async def update(call: ActionCall[SalesforceClient, UpdateRecord]) -> ActionResult:
        wanted = {key: value_of(value) for key, value in call.params.fields.items()}
        return await write(call, objects, wanted, only_if_unchanged=call.params.only_if_unchanged)

    def writes_created(params: CreateRecord) -> Mapping[str, Value]:
        return _written(objects.of(params.object), params.fields)

    def writes_field(params: SetField) -> Mapping[str, Value]:
        return _written(_owner_of(objects, params.field), {params.field: params.value})

    def writes_fields(params: UpdateRecord) -> Mapping[str, Value]:
        first = next(iter(params.fields), "")
        return _written(_owner_of(objects, first), params.fields)

    return [
        connector_type.action(
            "create_record",
            "Create new record",
            CreateRecord,
            create,
            target=target,
            creates=True,
            repeat=Repeat.FIND_FIRST,
            calls=2,
            find=find,
            writes=writes_created,
        ),
        connector_type.action(
            "set_field",
            f"Set {label} field value",
            SetField,
            set_field,
            target=target,
            writes=writes_field,
        ),
        connector_type.action(
            "update_record",
            f"Set several {label} field values",
            UpdateRecord,
            update,
            target=target,
            writes=writes_fields,
        ),
    ]


async def write(
    call: ActionCall[SalesforceClient, Any],
    objects: Objects,
    wanted: Mapping[str, Value],
    *,
    only_if_unchanged: bool = False,
) -> ActionResult:
    """Set fields of the run's record; with `only_if_unchanged` someone's later change stays."""
    declared, record = target_of(call, objects)
    body = await rows.body_of(call.client, declared, wanted)
    if only_if_unchanged:
        return await _write_unchanged(call, declared, body)
    await call.client.update(declared.api_name, record.id, body.values)
    return _result(declared, record.id, body, wanted)


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
    row = rows.typed(body.describe, read.data) if read.status == 200 else {"Id": row_id}
    return _made(declared, row, await client.record_url(declared.api_name, row_id))


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
    row = await rows.read(client, declared, id)
    return _made(declared, row, await client.record_url(declared.api_name, id))


def _made(declared: SObject, row: Mapping[str, Any], url: str) -> ActionResult:
    record = replace(events.record_of(declared, row), url=url)
    words = f"Created {declared.label} {record.human_id or record.id}"
    return ActionResult(summary=words, record=record)


async def _write_unchanged(
    call: ActionCall[SalesforceClient, Any], declared: SObject, body: rows.Body
) -> ActionResult:
    """Write unless these fields were changed since the event; other fields may have been."""
    _, record = target_of(call, Objects(prefix="", declared=(declared,)))
    since = _known_since(call)
    for _ in range(3):
        try:
            await call.client.update(
                declared.api_name, record.id, body.values, unless_changed_since=since
            )
        except Conflict:
            row = await rows.read(call.client, declared, record.id)
            theirs = _changed(call, declared, row, body)
            if theirs:
                return done(f"Left as it is: {', '.join(theirs)} changed since", changed=False)
            since = instant(str(row["LastModifiedDate"]))
            continue
        return _result(declared, record.id, body, {})
    raise Conflict(f"{declared.label} {record.id} is changed again and again")


def _known_since(call: ActionCall[SalesforceClient, Any]) -> datetime:
    return call.event.occurred_at.astimezone(UTC).replace(microsecond=0)


def _changed(
    call: ActionCall[SalesforceClient, Any],
    declared: SObject,
    row: Mapping[str, Any],
    body: rows.Body,
) -> list[str]:
    """Return the labels of fields that no longer have the value that the event told."""
    if call.record is None or call.event.record.ref != call.record:
        return [label_of(body, name) for name in body.values]
    now, then = events.values_of(declared, row), call.event.record.values
    keys = {name: declared.key_of(name) for name in body.values}
    return [
        label_of(body, name)
        for name, key in keys.items()
        if key in then and now.get(key) != then[key]
    ]


def _result(
    declared: SObject, id: str, body: rows.Body, wanted: Mapping[str, Value]
) -> ActionResult:
    parts = [f"{label_of(body, name)} to {_shown(value)}" for name, value in body.values.items()]
    record = Record(source_object=declared.name, id=id, values=rows.as_stored(declared, wanted))
    return ActionResult(summary=f"Set {', '.join(parts)}", record=record)


def _shown(value: object) -> str:
    text = "empty" if value in {None, ""} else str(value)
    return text if len(text) <= 60 else f"{text[:59]}…"


def _key_field(client: SalesforceClient, body: rows.Body) -> str | None:
    """Return the API name of the org's key field, if the object has a usable one."""
    info = body.describe.field(client.settings.hub_key_field or "Id")
    usable = info and info.external_id and info.createable
    return info.name if info and usable else None


def _written(declared: SObject, given: Mapping[str, JsonValue]) -> Mapping[str, Value]:
    return rows.as_stored(declared, {key: value_of(value) for key, value in given.items()})


def _owner_of(objects: Objects, field: str) -> SObject:
    """Return the object that a whole field name belongs to; the main one for a bare key."""
    for one in objects.declared:
        if field.startswith(f"{one.name}."):
            return one
    parts = field.split(".")
    return objects.named(".".join(parts[:-1])) if len(parts) > 2 else objects.declared[0]
