"""The status model: a status row says whether its incidents are open; closing locks them."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pydantic import Field

import hub
from hub import Action, ActionCall, ActionResult, ConnectorType, Value
from hub_remedyforce.lookups import STATUS
from hub_remedyforce.names import INCIDENT_API, STATUS_API, api
from hub_remedyforce.objects import INCIDENT, OBJECTS
from hub_remedyforce.validation import CLOSED, says
from hub_salesforce import kit
from hub_salesforce.kit import Form, JsonValue, SalesforceClient, SalesforceRejected

_OPEN, _DEFAULT = api("state__c"), api("defaultStatus__c")
_STATUS_HINT: dict[str, Any] = {"x-hub": {"source": "statuses"}}


class CloseIncident(Form):
    """How to close an incident: all in one save, for afterwards it is locked."""

    status: str = Field(
        default="",
        title="Status",
        description="Name or ID of a status that closes; empty for the org's first one.",
        json_schema_extra=_STATUS_HINT,
    )
    resolution: str = Field(
        default="",
        title="Resolution",
        description="Many orgs demand one for closing.",
        json_schema_extra={"x-hub": {"multiline": True}},
    )
    closure_category: str = Field(
        default="",
        title="Closure category",
        description="Empty to leave it as it is.",
        json_schema_extra={"x-hub": {"source": "closure_category"}},
    )
    fields: dict[str, JsonValue] = Field(
        default={},
        title="More fields",
        description="Whatever else the org demands for closing: value by field.",
        json_schema_extra={"x-hub": {"source": "fields", "advanced": True}},
    )


class ReopenIncident(Form):
    """How to reopen an incident, with the changes that made it necessary."""

    status: str = Field(
        default="",
        title="Status",
        description="Name or ID of an open status; empty for the org's default one.",
        json_schema_extra=_STATUS_HINT,
    )
    fields: dict[str, JsonValue] = Field(
        default={},
        title="More fields",
        description="Value by field, saved together with the status.",
        json_schema_extra={"x-hub": {"source": "fields"}},
    )


def status_actions(connector_type: ConnectorType[Any, Any]) -> list[Action[Any, Any]]:
    """Return close_incident and reopen_incident."""
    target = INCIDENT.source_object
    return [
        connector_type.action(
            "close_incident", "Close the incident", CloseIncident, close, target=target,
            calls=2, writes=close_writes, status=True,
        ),
        connector_type.action(
            "reopen_incident", "Reopen the incident", ReopenIncident, reopen, target=target,
            calls=2, writes=reopen_writes, status=True,
        ),
    ]  # fmt: skip


def status_label(row: Mapping[str, Any]) -> str:
    """Return a status as lists show it: which ones close, and which one is the default."""
    marks = [] if row[_OPEN] else ["closed"]
    marks += ["default"] if row[_DEFAULT] else []
    return f"{row['Name']} ({', '.join(marks)})" if marks else str(row["Name"])


STATUSES = kit.lookup("statuses", STATUS, reads=(_OPEN, _DEFAULT), label=status_label)


async def close(call: ActionCall[SalesforceClient, CloseIncident]) -> ActionResult:
    """Close the run's incident by one save; a closed one stays as it is."""
    wanted = _closing(call.params)
    status = call.params.status or await status_for(call.client, is_open=False)
    try:
        result = await kit.write(call, OBJECTS, {"status": status, **wanted})
    except SalesforceRejected as error:
        if not says(error, CLOSED):
            raise
        return ActionResult(summary="The incident is closed already", changed=False)
    return replace(result, summary=f"Closed the incident: {result.summary}")


async def reopen(call: ActionCall[SalesforceClient, ReopenIncident]) -> ActionResult:
    """Reopen the run's incident and change it by one save; of an open one the status stays."""
    _, record = kit.target_of(call, OBJECTS)
    wanted = {key: kit.value_of(value) for key, value in call.params.fields.items()}
    text = f"SELECT {_OPEN} FROM {INCIDENT_API} WHERE Id = '{record.id}'"  # noqa: S608 - an id
    rows = await call.client.query_page(text)
    if not rows:
        raise hub.Gone(f"incident {record.id} is deleted, or not visible to the hub's user")
    if rows[0][_OPEN] and not wanted:
        return ActionResult(summary="The incident is open already", changed=False)
    if rows[0][_OPEN]:
        return await kit.write(call, OBJECTS, wanted)
    status = call.params.status or await status_for(call.client, is_open=True)
    result = await kit.write(call, OBJECTS, {"status": status, **wanted})
    return replace(result, summary=f"Reopened the incident: {result.summary}")


def close_writes(params: CloseIncident) -> Mapping[str, Value]:
    """Return what closing writes, as far as the parameters tell."""
    status = {"status": params.status} if params.status else {}
    given = {"resolution": params.resolution, "closure_category": params.closure_category}
    named = {key: value for key, value in given.items() if value}
    return kit.written(INCIDENT, {**status, **named, **params.fields})


def reopen_writes(params: ReopenIncident) -> Mapping[str, Value]:
    """Return what reopening writes, as far as the parameters tell."""
    return kit.written(INCIDENT, params.fields)


async def status_for(client: SalesforceClient, *, is_open: bool) -> str:
    """Return the id of the org's default open status, or of the one that closes.

    Of several that close it is the one called "closed", else the first by name.
    """
    rows = await client.remembered("statuses", lambda: _statuses(client))
    fitting = [row for row in rows if bool(row[_OPEN]) is is_open]
    if not fitting:
        kind = "open" if is_open else "closed"
        raise hub.Rejected(f"this org has no active status of incidents that means {kind}")
    best = min(fitting, key=lambda row: not (row[_DEFAULT] or str(row["Name"]).lower() == "closed"))
    return str(best["Id"])


async def statuses_usable(client: SalesforceClient) -> str:
    """Check that the hub can open and close incidents."""
    names = []
    for is_open in (True, False):
        own = await status_for(client, is_open=is_open)
        rows = await client.remembered("statuses", lambda: _statuses(client))
        names += [str(row["Name"]) for row in rows if row["Id"] == own]
    return f"Incidents are opened as {names[0]} and closed as {names[1]}, unless a rule says else"


async def _statuses(client: SalesforceClient) -> list[Mapping[str, Any]]:
    conditions = " AND ".join(STATUS.conditions)
    return await client.query(
        f"SELECT Id, Name, {_OPEN}, {_DEFAULT} FROM {STATUS_API} "  # noqa: S608 - constants
        f"WHERE {conditions} ORDER BY Name ASC"
    )


def _closing(params: CloseIncident) -> dict[str, Value]:
    named = {"resolution": params.resolution, "closure_category": params.closure_category}
    given: dict[str, Value] = {key: value for key, value in named.items() if value}
    return {**given, **{key: kit.value_of(value) for key, value in params.fields.items()}}
