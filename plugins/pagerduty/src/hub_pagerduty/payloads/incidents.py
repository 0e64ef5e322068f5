"""An incident's values, from a webhook's data object or from a REST answer."""

from collections.abc import Callable, Collection, Mapping
from typing import Any, Final

from hub import Record, Value
from hub_pagerduty.payloads.values import (
    Json,
    as_object,
    as_objects,
    custom_value,
    id_of,
    ids_and_names,
    integer,
    moment,
    text,
)
from hub_pagerduty.vocabulary import INCIDENT, custom_key

MERGE_REASON = "merge_resolve_reason"


def incident_record(incident: Json, **more: Value) -> Record:
    """Return the record of an incident; keys that the incident does not have are left out."""
    values = incident_values(incident)
    number, url = values.get("number"), values.get("url")
    values.update(more)
    return Record(
        source_object=INCIDENT.name,
        id=id_of(incident) or "",
        url=url if isinstance(url, str) else None,
        human_id=f"#{number}" if number is not None else None,
        values=values,
    )


def incident_values(incident: Json) -> dict[str, Value]:
    """Return what an incident says of itself, by field key."""
    values: dict[str, Value] = {}
    for name, value in incident.items():
        add = _READERS.get(name)
        if add is not None:
            add(values, value, incident)
    if "custom_fields" in incident:
        values.update(custom_values(incident["custom_fields"]))
    return values


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


_Add = Callable[[dict[str, Value], Any, Json], None]


def _text(key: str) -> _Add:
    def add(values: dict[str, Value], value: object, _: Json) -> None:
        values[key] = text(value)

    return add


def _known(key: str, known: Collection[str]) -> _Add:
    def add(values: dict[str, Value], value: object, _: Json) -> None:
        if isinstance(value, str) and value in known:
            values[key] = value

    return add


def _moment(key: str) -> _Add:
    def add(values: dict[str, Value], value: object, _: Json) -> None:
        values[key] = moment(value)

    return add


def _reference(id_key: str, name_key: str) -> _Add:
    def add(values: dict[str, Value], value: object, _: Json) -> None:
        reference = as_object(value)
        found = text(reference.get("id"))
        name = text(reference.get("summary")) or text(reference.get("name"))
        values[id_key] = found
        # A reference may come without its name: then the name is not said, rather than empty.
        if name is not None or found is None:
            values[name_key] = name

    return add


def _number(values: dict[str, Value], _: object, incident: Json) -> None:
    values["number"] = number_of(incident)


def _body(values: dict[str, Value], value: object, _: Json) -> None:
    # PagerDuty declares an object and sends text.
    details = as_object(value).get("details")
    values["description"] = text(details.get("details") if isinstance(details, dict) else details)


def _incident_type(values: dict[str, Value], value: object, _: Json) -> None:
    values["incident_type"] = text(as_object(value).get("name"))


def _assignees(values: dict[str, Value], _: object, incident: Json) -> None:
    people = as_objects(incident.get("assignees")) or [
        as_object(one.get("assignee")) for one in as_objects(incident.get("assignments"))
    ]
    values["assignees"], values["assignee_names"] = ids_and_names(people)


def _teams(values: dict[str, Value], value: object, _: Json) -> None:
    teams = as_objects(value)
    values["teams"], values["team_names"] = ids_and_names(teams)


def _bridge(values: dict[str, Value], value: object, _: Json) -> None:
    bridge = as_object(value)
    values["conference_number"] = text(bridge.get("conference_number"))
    values["conference_url"] = text(bridge.get("conference_url"))


def _reason(values: dict[str, Value], value: object, incident: Json) -> None:
    if not is_merged(incident):
        values["resolve_reason"], values["merged_into"] = text(value), None
        return
    values["resolve_reason"] = "merged"
    found = id_of(as_object(value).get("incident"))
    if found:
        values["merged_into"] = found


_READERS: Final[Mapping[str, _Add]] = {
    "title": _text("title"),
    "incident_key": _text("incident_key"),
    "html_url": _text("url"),
    "number": _number,
    "incident_number": _number,
    "status": _known("status", {"triggered", "acknowledged", "resolved"}),
    "urgency": _known("urgency", {"high", "low"}),
    "body": _body,
    "incident_type": _incident_type,
    "service": _reference("service", "service_name"),
    "escalation_policy": _reference("escalation_policy", "escalation_policy_name"),
    "priority": _reference("priority_id", "priority"),
    "assignees": _assignees,
    "assignments": _assignees,
    "teams": _teams,
    "conference_bridge": _bridge,
    "resolve_reason": _reason,
    "created_at": _moment("created_at"),
    "reopened_at": _moment("reopened_at"),
    "resolved_at": _moment("resolved_at"),
    "updated_at": _moment("updated_at"),
}
"""Member of an incident -> what adds it to the values: one pass over what there is."""
