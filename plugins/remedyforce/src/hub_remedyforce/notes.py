"""PagerDuty's notes written into the incident history."""

from datetime import UTC
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from hub import Action, ActionCall, ActionResult, ConnectorType, Repeat
from hub_remedyforce.history import LONGEST, PARENT, SUMMARY, TEXT, action_fields
from hub_remedyforce.names import HISTORY_API, api
from hub_remedyforce.objects import INCIDENT, OBJECTS
from hub_salesforce import kit
from hub_salesforce.kit import SalesforceClient


class AddNote(BaseModel):
    """A note to write."""

    model_config = ConfigDict(defer_build=True)

    body: str = Field(
        title="Note",
        description="Cut after 131,072 bytes.",
        min_length=1,
        json_schema_extra={"x-hub": {"multiline": True}},
    )
    summary: str = Field(
        default="PagerDuty note",
        title="Summary",
        description="What the history's list shows of the row.",
    )
    action: str = Field(
        default="",
        title="Action",
        description="Name or ID of an action of the history; empty for the connector's.",
        json_schema_extra={"x-hub": {"source": "note_actions", "advanced": True}},
    )


def add_note(connector_type: ConnectorType[Any, Any]) -> Action[Any, Any]:
    """Return the action add_note."""
    return connector_type.action(
        "add_note",
        "Add note to the incident history",
        AddNote,
        write_note,
        target=INCIDENT.source_object,
        repeat=Repeat.FIND_FIRST,
        find=find_note,
        calls=2,
        notes=True,
    )


async def write_note(call: ActionCall[SalesforceClient, AddNote]) -> ActionResult:
    """Write a row into the history of the run's incident."""
    _, record = kit.target_of(call, OBJECTS)
    text = kit.fitted(call.params.body, longest=LONGEST)
    row = {
        PARENT: record.id,
        TEXT: text,
        SUMMARY: call.params.summary[:32_000],
        api("date__c"): f"{call.client.now().astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
        **await action_fields(call.client, call.params.action),
    }
    made = await kit.made_note(call, HISTORY_API, row)
    return _added(made, cut=text != call.params.body)


async def find_note(call: ActionCall[SalesforceClient, AddNote]) -> ActionResult | None:
    """Return the note that an earlier send of the same run made."""
    _, record = kit.target_of(call, OBJECTS)
    text = kit.fitted(call.params.body, longest=LONGEST)
    made = await kit.own_note(call, HISTORY_API, f"{PARENT} = '{record.id}'", TEXT, text)
    return _added(made, cut=text != call.params.body) if made else None


def _added(made: str, *, cut: bool) -> ActionResult:
    words = "Added a note to the incident history"
    return ActionResult(
        summary=f"{words}, cut to the longest that Remedyforce stores" if cut else words, note=made
    )
