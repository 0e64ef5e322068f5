"""Make a record so, by an external id: create it, or change the one that is there."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, Field

from hub import Action, ActionCall, ActionResult, ConnectorType, Value
from hub_salesforce import rows, soql
from hub_salesforce.actions.records import JsonValue
from hub_salesforce.actions.targets import value_of
from hub_salesforce.client import SalesforceClient
from hub_salesforce.sobjects import Objects


class UpsertRecord(BaseModel):
    """A record known by an external id."""

    object: str = Field(
        default="Case",
        title="Object",
        description="API name of the object.",
        json_schema_extra={"x-hub": {"source": "objects"}},
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
        id, made = await client.upsert(declared.api_name, field, params.external_id, fields)
        condition = f"{field} = {soql.literal(params.external_id)}"
        if id is None:
            found = await client.query_page(
                soql.select(["Id"], declared.api_name, condition, limit=1)
            )
            id = found[0]["Id"]
        record = await rows.read_record(client, declared, str(id))
        verb = "Created" if made else "Updated"
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
            target=objects.declared[0].source_object,
            creates=True,
            calls=2,
            writes=writes,
        )
    ]
