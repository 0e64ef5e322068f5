"""Make a record so, by an external id: create it, or change the one that is there."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from pydantic import Field

import hub
from hub import Action, ActionCall, ActionResult, ConnectorType, Value
from hub_salesforce import composite, events, rows
from hub_salesforce.actions.targets import JsonValue, value_of
from hub_salesforce.client import SalesforceClient
from hub_salesforce.errors import Answer
from hub_salesforce.forms import Form
from hub_salesforce.sobjects import Objects


class UpsertRecord(Form):
    """A record known by an external id."""

    object: str = Field(
        title="Object",
        description="As salesforce.case, salesforce.account, salesforce.my_thing__c.",
        json_schema_extra={"x-hub": {"source": "source_objects"}},
    )
    external_id_field: str = Field(
        title="External ID field",
        description="A field that is an External ID, as PagerDuty_Incident_Id__c.",
        json_schema_extra={"x-hub": {"source": "external_ids"}},
    )
    external_id: str = Field(title="External ID", description="Its value.", min_length=1)
    fields: dict[str, JsonValue] = Field(
        title="Fields",
        description="Value by field; what people changed there is written over.",
        json_schema_extra={"x-hub": {"source": "fields", "resolve": "service"}},
    )


def actions(connector_type: ConnectorType[Any, Any], objects: Objects) -> list[Action[Any, Any]]:
    """Return upsert_record; a second send sets the same values again."""

    async def upsert(call: ActionCall[SalesforceClient, UpsertRecord]) -> ActionResult:
        params, client = call.params, call.client
        declared = objects.of(params.object)
        wanted = {key: value_of(value) for key, value in params.fields.items()}
        body = await rows.body_of(client, declared, wanted)
        field = declared.api_name_of(params.external_id_field)
        fields = {name: value for name, value in body.values.items() if name != field}
        path = f"{client.root}/sobjects/{declared.api_name}/{field}/"
        path += quote(params.external_id, safe="")
        sent, read = await composite.send(
            client,
            [
                composite.part("sent", "PATCH", path, fields),
                composite.part("read", "GET", path),
            ],
        )
        _accepted(client, sent, field)
        row = rows.typed(body.describe, composite.accepted(client, read).data)
        access = await client.session.access()
        record = events.record_of(declared, row, access.instance_url)
        verb = "Created" if sent.status == 201 else "Updated"
        words = f"{verb} {declared.label} {record.human_id or record.id}"
        return ActionResult(summary=words, record=record)

    def writes(params: UpsertRecord) -> Mapping[str, Value]:
        declared = objects.of(params.object)
        given = {key: value_of(value) for key, value in params.fields.items()}
        return rows.as_stored(declared, {**given, params.external_id_field: params.external_id})

    return [
        connector_type.action(
            "upsert_record",
            "Create or update a record by external ID",
            UpsertRecord,
            upsert,
            creates=True,
            calls=2,
            writes=writes,
        )
    ]


def _accepted(client: SalesforceClient, answer: Answer, field: str) -> None:
    try:
        composite.accepted(client, answer)
    except hub.Gone as error:
        raise hub.Rejected(
            f"{error} - {field} must be an External ID that the integration user can see"
        ) from error
