"""Assign to a person or a queue; close."""

from typing import Any

from pydantic import Field

import hub
from hub import Action, ActionCall, ActionResult, ConnectorType
from hub_salesforce import soql
from hub_salesforce.actions.records import write
from hub_salesforce.actions.targets import target_of
from hub_salesforce.client import SalesforceClient
from hub_salesforce.forms import Form
from hub_salesforce.ids import is_id, to_18
from hub_salesforce.sobjects import Objects


class AssignOwner(Form):
    """Whom a record shall belong to."""

    object: str = Field(
        default="",
        title="Object",
        description="Empty for the rule's own object; else as salesforce.account.",
        json_schema_extra={"x-hub": {"source": "source_objects", "advanced": True}},
    )
    owner: str = Field(
        title="Owner",
        description="Id, username or e-mail of a user, or the name of a queue.",
        min_length=1,
        json_schema_extra={"x-hub": {"source": "owners"}},
    )


class CloseRecord(Form):
    """How to close a Case."""

    status: str = Field(
        default="",
        title="Status",
        description="A status that closes; empty for the first one that the org has.",
        json_schema_extra={"x-hub": {"source": "case_status"}},
    )


def actions(connector_type: ConnectorType[Any, Any], objects: Objects) -> list[Action[Any, Any]]:
    """Return assign_owner, and close_case where the Case is declared."""
    target = objects.declared[0].source_object

    async def assign(call: ActionCall[SalesforceClient, AssignOwner]) -> ActionResult:
        declared, _ = target_of(call, objects)
        owner, label = await _owner(call.client, declared.api_name, call.params.owner)
        result = await write(call, objects, {"OwnerId": owner})
        return ActionResult(summary=f"Assigned to {label}", record=result.record)

    async def close(call: ActionCall[SalesforceClient, CloseRecord]) -> ActionResult:
        status = call.params.status or await _closing(call.client)
        return await write(call, objects, {"Status": status})

    made: list[Action[Any, Any]] = [
        connector_type.action(
            "assign_owner",
            "Assign to a user or a queue",
            AssignOwner,
            assign,
            calls=2,
        )
    ]
    if objects.declared[0].api_name == "Case":
        made.append(
            connector_type.action(
                "close_case",
                "Close the Case",
                CloseRecord,
                close,
                target=target,
                calls=2,
                status=True,
            )
        )
    return made


async def _owner(client: SalesforceClient, api_name: str, given: str) -> tuple[str, str]:
    """Return the id and the label of a user or queue; Rejected when it is not one exactly."""
    if is_id(given):
        return to_18(given), given
    text = soql.literal(given)
    people = await client.query_page(
        f"SELECT Id, Name, IsActive FROM User WHERE IsActive = true"  # noqa: S608 - quoted literals
        f" AND (Username = {text} OR Email = {text} OR Name = {text}) LIMIT 3"
    )
    queues = await client.query_page(
        f"SELECT QueueId, Queue.Name FROM QueueSobject WHERE SobjectType = "  # noqa: S608 - as above
        f"{soql.literal(api_name)} AND Queue.Name = {text} LIMIT 3"
    )
    found = [(str(one["Id"]), str(one["Name"])) for one in people]
    found += [(str(one["QueueId"]), str(one["Queue"]["Name"])) for one in queues]
    if len(found) != 1:
        count = "no active user and no queue" if not found else "more than one user or queue"
        raise hub.Rejected(f"{given!r} names {count}: give a username or an id")
    return found[0]


async def _closing(client: SalesforceClient) -> str:
    rows = await client.query_page(
        "SELECT ApiName FROM CaseStatus WHERE IsClosed = true ORDER BY SortOrder LIMIT 1"
    )
    if not rows:
        raise hub.Rejected("this org has no status that closes a Case")
    return str(rows[0]["ApiName"])
