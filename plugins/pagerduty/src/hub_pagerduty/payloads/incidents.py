"""An incident's values, from a webhook's data object or from a REST answer."""

from typing import Any

from hub import Record, Value
from hub_pagerduty.payloads.values import (
    Json,
    as_object,
    as_objects,
    custom_value,
    id_of,
    ids_of,
    integer,
    moment,
    name_of,
    names_of,
    text,
)
from hub_pagerduty.vocabulary import INCIDENT, custom_key

MERGE_REASON = "merge_resolve_reason"
_STATUSES, _URGENCIES = {"triggered", "acknowledged", "resolved"}, {"high", "low"}


def incident_record(incident: Json, **more: Value) -> Record:
    """Return the record of an incident; keys that the incident does not have are left out."""
    number = number_of(incident)
    return Record(
        source_object=INCIDENT.name,
        id=id_of(incident) or "",
        url=text(incident.get("html_url")),
        human_id=f"#{number}" if number is not None else None,
        values={**incident_values(incident), **more},
    )


def incident_values(incident: Json) -> dict[str, Value]:
    """Return what an incident says of itself, by field key."""
    return {
        **_plain(incident),
        **_references(incident),
        **_people(incident),
        **_bridge(incident),
        **_reason(incident),
        **_moments(incident),
        **custom_values(incident.get("custom_fields")),
    }


def custom_values(fields: object) -> dict[str, Value]:
    """Return custom fields by key."""
    return {
        custom_key(str(field["name"])): custom_value(field)
        for field in as_objects(fields)
        if text(field.get("name"))
    }


def number_of(incident: Json) -> int | None:
    """Return the number that people know the incident by: webhooks and REST name it apart."""
    return integer(incident.get("number")) or integer(incident.get("incident_number"))


def is_merged(incident: Json) -> bool:
    """Say whether the incident was resolved by being merged into another."""
    reason = incident.get("resolve_reason")
    return reason == "merged" or as_object(reason).get("type") == MERGE_REASON


def _plain(incident: Json) -> dict[str, Value]:
    values: dict[str, Value] = {}
    for key, name in (("title", "title"), ("incident_key", "incident_key"), ("url", "html_url")):
        if name in incident:
            values[key] = text(incident[name])
    if "number" in incident or "incident_number" in incident:
        values["number"] = number_of(incident)
    for key, known in (("status", _STATUSES), ("urgency", _URGENCIES)):
        if text(incident.get(key)) in known:
            values[key] = text(incident[key])
    if "body" in incident:
        values["description"] = _details(as_object(incident["body"]).get("details"))
    if "incident_type" in incident:
        values["incident_type"] = text(as_object(incident["incident_type"]).get("name"))
    return values


def _details(details: Any) -> str | None:  # noqa: ANN401 - PagerDuty declares an object and sends text
    return text(details) if not isinstance(details, dict) else text(details.get("details"))


def _references(incident: Json) -> dict[str, Value]:
    values: dict[str, Value] = {}
    for key in ("service", "escalation_policy"):
        if key in incident:
            values[key] = id_of(incident[key])
            values |= _named(f"{key}_name", incident[key])
    if "priority" in incident:
        values |= _named("priority", incident["priority"])
        values["priority_id"] = id_of(incident["priority"])
    return values


def _named(key: str, reference: object) -> dict[str, Value]:
    # A reference may come without its name: then the name is not said, rather than empty.
    name = name_of(reference)
    return {} if name is None and id_of(reference) else {key: name}


def _people(incident: Json) -> dict[str, Value]:
    values: dict[str, Value] = {}
    if "assignees" in incident or "assignments" in incident:
        people = as_objects(incident.get("assignees")) or [
            as_object(one.get("assignee")) for one in as_objects(incident.get("assignments"))
        ]
        values["assignees"], values["assignee_names"] = ids_of(people), names_of(people)
    if "teams" in incident:
        teams = as_objects(incident["teams"])
        values["teams"], values["team_names"] = ids_of(teams), names_of(teams)
    return values


def _bridge(incident: Json) -> dict[str, Value]:
    if "conference_bridge" not in incident:
        return {}
    bridge = as_object(incident["conference_bridge"])
    return {
        "conference_number": text(bridge.get("conference_number")),
        "conference_url": text(bridge.get("conference_url")),
    }


def _reason(incident: Json) -> dict[str, Value]:
    if "resolve_reason" not in incident:
        return {}
    if not is_merged(incident):
        return {"resolve_reason": text(incident["resolve_reason"]), "merged_into": None}
    target = as_object(as_object(incident["resolve_reason"]).get("incident"))
    found = id_of(target)
    return {"resolve_reason": "merged", **({"merged_into": found} if found else {})}


def _moments(incident: Json) -> dict[str, Value]:
    return {
        key: moment(incident[name])
        for key, name in (
            ("created_at", "created_at"),
            ("reopened_at", "reopened_at"),
            ("resolved_at", "resolved_at"),
            ("updated_at", "updated_at"),
        )
        if name in incident
    }
