"""Remedyforce's own REST calls, simulated: 200 always, `Success` tells."""

import json
from typing import Any

from hub_remedyforce.names import ACTION_API, HISTORY_API, INCIDENT_API, STATUS_API, api
from hub_salesforce.testing import INTEGRATION, FakeSalesforce
from hub_salesforce.testing.answers import Refused

_ROOT = "BMCServiceDesk/1.0"


def add_calls(org: FakeSalesforce) -> None:
    """Answer the calls that connectors are known to use."""

    def version(_method: str, _name: str, _body: Any) -> Any:  # noqa: ANN401 - JSON
        return _answer(json.dumps({"Version": "20.20.01", "Namespace": "BMCServiceDesk"}))

    def user(_method: str, _name: str, _body: Any) -> Any:  # noqa: ANN401 - JSON
        own = org.world.users[INTEGRATION]
        return _answer({"Id": own.id, "Name": own.name, "IsStaff": True})

    def incident(method: str, _name: str, body: Any) -> Any:  # noqa: ANN401 - JSON
        if method != "POST" or not isinstance(body, dict):
            return _refusal("Method not supported")
        try:
            own = org.create(INTEGRATION, INCIDENT_API, **_fields(org, body))
        except Refused as no:
            return _refusal(str(no.errors[0]["message"]))
        row = org.record(INCIDENT_API, own)
        at = str(row["CreatedDate"]).replace("T", " ")[:19]
        return _answer({"Id": own, "Number": row["Name"], "CreatedDate": at})

    def note(method: str, name: str, body: Any) -> Any:  # noqa: ANN401 - JSON
        logs = body.get("ActivityLog") if isinstance(body, dict) else None
        if method != "POST" or not logs:
            return _refusal("ActivityLog is missing")
        try:
            return _answer({"ActivityLog": [_note(org, name.split("/")[-2], one) for one in logs]})
        except Refused as no:
            return _refusal(str(no.errors[0]["message"]))

    org.world.apex_classes.update(
        {
            f"{_ROOT}/ServiceUtil/Version": version,
            f"{_ROOT}/ServiceUtil/UserDetail": user,
            f"{_ROOT}/Incident": incident,
            f"{_ROOT}/ServiceRequest/*/clientnote": note,
        }
    )


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
