"""Remedyforce's own REST calls, simulated: 200 always, `Success` tells."""

import json
from functools import partial
from typing import TYPE_CHECKING, Any

from hub_remedyforce.names import ACTION_API, HISTORY_API, INCIDENT_API, STATUS_API, api
from hub_salesforce.testing import INTEGRATION, FakeSalesforce
from hub_salesforce.testing.answers import Refused

if TYPE_CHECKING:
    from collections.abc import Callable

_ROOT = "BMCServiceDesk/1.0"


def add_calls(org: FakeSalesforce) -> None:
    """Answer the calls that connectors are known to use."""
    calls: dict[str, Callable[[str, str, Any], Any]] = {
        "ServiceUtil/Version": _version,
        "ServiceUtil/UserDetail": partial(_user, org),
        "Incident": partial(_create, org),
        "ServiceRequest/*/clientnote": partial(_client_note, org),
    }
    org.world.apex_classes.update({f"{_ROOT}/{name}": call for name, call in calls.items()})


def _version(_method: str, _name: str, _body: Any) -> Any:  # noqa: ANN401 - JSON
    return _answer(json.dumps({"Version": "20.20.01", "Namespace": "BMCServiceDesk"}))


def _user(org: FakeSalesforce, _method: str, _name: str, _body: Any) -> Any:  # noqa: ANN401 - JSON
    own = org.world.users[INTEGRATION]
    return _answer({"Id": own.id, "Name": own.name, "IsStaff": True})


def _create(org: FakeSalesforce, method: str, _name: str, body: Any) -> Any:  # noqa: ANN401 - JSON
    if method != "POST" or not isinstance(body, dict):
        return _refusal("Method not supported")
    try:
        own = org.create(INTEGRATION, INCIDENT_API, **_fields(org, body))
    except Refused as no:
        return _refusal(str(no.errors[0]["message"]))
    row = org.record(INCIDENT_API, own)
    at = str(row["CreatedDate"]).replace("T", " ")[:19]
    return _answer({"Id": own, "Number": row["Name"], "CreatedDate": at})


def _client_note(org: FakeSalesforce, method: str, name: str, body: Any) -> Any:  # noqa: ANN401
    logs = body.get("ActivityLog") if isinstance(body, dict) else None
    if method != "POST" or not logs:
        return _refusal("ActivityLog is missing")
    try:
        return _answer({"ActivityLog": [_note(org, name.split("/")[-2], one) for one in logs]})
    except Refused as no:
        return _refusal(str(no.errors[0]["message"]))


def _fields(org: FakeSalesforce, body: dict[str, Any]) -> dict[str, Any]:
    default = api("defaultStatus__c")
    status = next((s["Id"] for s in org.world.rows(STATUS_API) if s[default]), None)
    return {
        api("incidentDescription__c"): body.get("Description"),
        api("contactType__c"): body.get("IncidentSource"),
        api("FKTemplate__c"): body.get("TemplateId") or None,
        api("FKClient__c"): body.get("ClientId") or None,
        api("FKStatus__c"): status,
    }


def _note(org: FakeSalesforce, incident: str, given: dict[str, Any]) -> dict[str, Any]:
    action = next(one["Id"] for one in org.world.rows(ACTION_API) if one["Name"] == "Notes")
    text, summary = given.get("Notes"), given.get("Summary")
    values = {
        api("FKIncident__c"): incident,
        api("FKAction__c"): action,
        api("note__c"): text,
        api("description__c"): summary,
    }
    own = org.create(INTEGRATION, HISTORY_API, **values)
    at = str(org.record(HISTORY_API, own)["CreatedDate"]).replace("T", " ")[:19]
    person = org.world.users[INTEGRATION]
    return {
        **dict.fromkeys(("WorkInfoType", "ViewAccess", "SubmitterUsername", "SubmitterUserImgURL")),
        "Summary": summary,
        "Submitter": person.name,
        "srId": incident,
        "Notes": text,
        "ModifiedDate": at,
        "Id": own,
        "CreatedDate": at,
    }


def _answer(result: object) -> dict[str, Any]:
    return {"Success": True, "Result": result, "ErrorMessage": None, "ErrorCode": None}


def _refusal(words: str) -> dict[str, Any]:
    return {"Success": False, "ErrorMessage": words, "ErrorCode": None}
