"""Set a field, set several fields, in one call with a comment if wanted."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

from pydantic import Field

from hub import Action, ActionCall, ActionResult, ConnectorType, Record, Value
from hub_salesforce import composite, events, rows
from hub_salesforce.actions.notes import comment_row, note_shape
from hub_salesforce.actions.targets import (
    JsonValue,
    done,
    label_of,
    target_of,
    value_of,
    written,
)
from hub_salesforce.client import SalesforceClient, made_id
from hub_salesforce.errors import Conflict
from hub_salesforce.forms import Form
from hub_salesforce.sobjects import Objects, SObject
from hub_salesforce.values import instant


class SetField(Form):
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


class UpdateRecord(Form):
    """Fields to set in one call."""

    object: str = Field(
        default="",
        title="Object",
        description="Empty for the rule's own object; else as salesforce.account.",
        json_schema_extra={"x-hub": {"source": "source_objects", "advanced": True}},
    )
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
    comment: str = Field(
        default="",
        title="Comment",
        description="Also written, in the same call: both are saved or neither.",
        json_schema_extra={"x-hub": {"multiline": True}},
    )


def actions(connector_type: ConnectorType[Any, Any], objects: Objects) -> list[Action[Any, Any]]:
    """Return set_field and update_record."""
    label = objects.declared[0].label

    async def set_field(call: ActionCall[SalesforceClient, SetField]) -> ActionResult:
        wanted = {call.params.field: value_of(call.params.value)}
        return await write(call, objects, wanted, only_if_unchanged=call.params.only_if_unchanged)

    async def update(call: ActionCall[SalesforceClient, UpdateRecord]) -> ActionResult:
        if call.params.comment:
            return await _update_and_comment(call, objects)
        wanted = {key: value_of(value) for key, value in call.params.fields.items()}
        return await write(call, objects, wanted, only_if_unchanged=call.params.only_if_unchanged)

    def writes_field(params: SetField) -> Mapping[str, Value]:
        return written(_owner_of(objects, params.field), {params.field: params.value})

    def writes_fields(params: UpdateRecord) -> Mapping[str, Value]:
        first = next(iter(params.fields), "")
        declared = objects.of(params.object) if params.object else _owner_of(objects, first)
        return written(declared, params.fields)

    return [
        connector_type.action(
            "set_field",
            f"Set {label} field value",
            SetField,
            set_field,
            writes=writes_field,
        ),
        connector_type.action(
            "update_record",
            f"Set several {label} field values",
            UpdateRecord,
            update,
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


async def _update_and_comment(
    call: ActionCall[SalesforceClient, UpdateRecord], objects: Objects
) -> ActionResult:
    client, (declared, record) = call.client, target_of(call, objects)
    wanted = {key: value_of(value) for key, value in call.params.fields.items()}
    body = await rows.body_of(client, declared, wanted)
    shape = note_shape(declared)
    note = comment_row(shape, record.id, call.params.comment, public=False)
    note |= await shape.complete(client) if shape.complete else {}
    path = f"{client.root}/sobjects"
    since = {"If-Unmodified-Since": format_datetime(_known_since(call), usegmt=True)}
    headers = since if call.params.only_if_unchanged else None
    url = f"{path}/{declared.api_name}/{record.id}"
    answers = await composite.send(
        client,
        [
            composite.part("update", "PATCH", url, body.values, headers),
            composite.part("note", "POST", f"{path}/{shape.api_name}", note),
        ],
        all_or_none=True,
    )
    updated, noted = composite.all_accepted(client, answers)
    done = _result(declared, record.id, body, wanted)
    words = f"{done.summary} and added a comment"
    return replace(done, summary=words, note=made_id(noted), changed=updated.status == 204)


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
    wrote = events.values_of(declared, body.values)
    return ActionResult(summary=f"Set {', '.join(parts)}", record=record, wrote=wrote)


def _shown(value: object) -> str:
    text = "empty" if value in {None, ""} else str(value)
    return text if len(text) <= 60 else f"{text[:59]}…"


def _owner_of(objects: Objects, field: str) -> SObject:
    """Return the object that a whole field name belongs to; the main one for a bare key."""
    for one in objects.declared:
        if field.startswith(f"{one.name}."):
            return one
    parts = field.split(".")
    return objects.named(".".join(parts[:-1])) if len(parts) > 2 else objects.declared[0]
