"""Write back to the record which incident it is linked with."""

from collections.abc import Mapping
from typing import Any

from pydantic import Field, JsonValue

from hub import Action, ActionCall, ActionResult, ConnectorType, Value
from hub_salesforce import rows
from hub_salesforce.actions.records import write
from hub_salesforce.actions.targets import done, target_of
from hub_salesforce.client import SalesforceClient
from hub_salesforce.forms import Form
from hub_salesforce.sobjects import Objects, SObject

_FIELD: dict[str, JsonValue] = {"x-hub": {"source": "fields", "advanced": True}}


class LinkBack(Form):
    """What to write about the linked incident, and where."""

    object: str = Field(
        default="",
        title="Object",
        description="Empty for the rule's own object; else as salesforce.account.",
        json_schema_extra={"x-hub": {"source": "source_objects", "advanced": True}},
    )
    incident_id: str = Field(
        default="", title="Incident ID", description="As {{ pagerduty.incident.id }}."
    )
    incident_url: str = Field(
        default="", title="Incident URL", description="The incident's page in PagerDuty."
    )
    incident_number: str = Field(
        default="", title="Incident number", description="The number that people say: 42."
    )
    incident_status: str = Field(
        default="", title="Incident status", description="As triggered, acknowledged, resolved."
    )
    id_field: str = Field(
        default="PagerDuty_Incident_Id__c",
        title="Field for the ID",
        description="API name; empty to leave it out.",
        json_schema_extra=_FIELD,
    )
    url_field: str = Field(
        default="PagerDuty_Incident_URL__c",
        title="Field for the URL",
        description="API name; empty to leave it out.",
        json_schema_extra=_FIELD,
    )
    number_field: str = Field(
        default="",
        title="Field for the number",
        description="API name; empty to leave it out.",
        json_schema_extra=_FIELD,
    )
    status_field: str = Field(
        default="",
        title="Field for the status",
        description="API name; empty to leave it out.",
        json_schema_extra=_FIELD,
    )


def actions(connector_type: ConnectorType[Any, Any], objects: Objects) -> list[Action[Any, Any]]:
    """Return link_back."""

    async def link_back(call: ActionCall[SalesforceClient, LinkBack]) -> ActionResult:
        declared, _ = target_of(call, objects)
        describe = await call.client.describe(declared.api_name)
        wanted = wanted_fields(call.params)
        known = {name: value for name, value in wanted.items() if describe.field(name)}
        missing = sorted(wanted.keys() - known.keys())
        if not known:
            words = f"Nothing to write: {declared.label} has no field {', '.join(missing) or 'set'}"
            return done(words, changed=False)
        result = await write(call, objects, known)
        note = f" (there is no field {', '.join(missing)})" if missing else ""
        return ActionResult(summary=result.summary + note, record=result.record)

    def _object(params: LinkBack) -> SObject:
        return objects.of(params.object) if params.object else objects.declared[0]

    def writes(params: LinkBack) -> Mapping[str, Value]:
        return rows.as_stored(_object(params), wanted_fields(params))

    return [
        connector_type.action(
            "link_back",
            "Write the incident's ID and URL into the record",
            LinkBack,
            link_back,
            writes=writes,
        )
    ]


def wanted_fields(params: LinkBack) -> dict[str, Value]:
    """Return the values by API name; parts without a field or a value are left out."""
    pairs = (
        (params.id_field, params.incident_id),
        (params.url_field, params.incident_url),
        (params.number_field, params.incident_number),
        (params.status_field, params.incident_status),
    )
    return {field: value for field, value in pairs if field and value}
