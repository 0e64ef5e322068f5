"""The REST API's parts of an incident: notes, alerts, snooze, merge, responders, fields, log."""

from typing import Any

from hub_pagerduty.testing.lifecycle import Refusal
from hub_pagerduty.testing.model import Alert, CustomField, Json, LogEntry, Note, Ref
from hub_pagerduty.testing.references import stamp
from hub_pagerduty.testing.routes import Answer, Asked, page, route

_LONGEST_SNOOZE = 604_800


@route("GET", "/incidents/{id}/notes", scope="incidents.read")
def list_notes(asked: Asked) -> Answer:
    """List all notes."""
    return 200, {"notes": [asked.sim.show.note(one) for one in asked.incident().notes]}


@route("POST", "/incidents/{id}/notes", scope="incidents.write", needs_from=True)
def create_note(asked: Asked) -> Answer:
    """Add a note."""
    content = asked.content("note").get("content")
    if not content:
        raise Refusal(400, 2001, "Invalid Input Provided", "Content cannot be empty")
    note = asked.sim.lifecycle.annotate(asked.incident(), asked.user(), str(content))
    return 200, {"note": asked.sim.show.note(note)}


@route("PUT", "/incidents/{id}/notes/{note_id}", scope="incidents.write", needs_from=True)
def update_note(asked: Asked) -> Answer:
    """Change a note; no webhook tells of it."""
    note = _note(asked)
    note.content, note.updated_at = str(asked.content("note")["content"]), asked.sim.clock.now()
    return 200, {"note": asked.sim.show.note(note)}


@route("DELETE", "/incidents/{id}/notes/{note_id}", scope="incidents.write")
def delete_note(asked: Asked) -> Answer:
    """Remove a note; no webhook tells of it."""
    asked.incident().notes.remove(_note(asked))
    return 204, None


def _note(asked: Asked) -> Note:
    for one in asked.incident().notes:
        if one.id == asked.params["note_id"]:
            return one
    raise Refusal(404, 2100, "Not Found")


@route("POST", "/incidents/{id}/snooze", scope="incidents.write", needs_from=True)
def snooze(asked: Asked) -> Answer:
    """Snooze."""
    duration = asked.body.get("duration")
    if not isinstance(duration, int) or not 1 <= duration <= _LONGEST_SNOOZE:
        raise Refusal(400, 1013, "Snooze Duration is Invalid")
    it = asked.incident()
    asked.sim.lifecycle.snooze(it, asked.user(), duration)
    return 201, {"incident": asked.sim.show.incident(it)}


@route("PUT", "/incidents/{id}/merge", scope="incidents.write", needs_from=True)
def merge(asked: Asked) -> Answer:
    """Merge incidents into this one."""
    target, sources = asked.incident(), []
    for one in asked.body.get("source_incidents") or []:
        found = asked.sim.world.incidents.get(str(one.get("id")))
        if found is None:
            raise Refusal(404, 5001, "Incident Not Found")
        sources.append(found)
    asked.sim.lifecycle.merge(target, sources, asked.user())
    return 200, {"incident": asked.sim.show.ref("incident", target.id)}


@route("POST", "/incidents/{id}/responder_requests", scope="incidents.write")
def ask_responders(asked: Asked) -> Answer:
    """Ask for help."""
    sim, it = asked.sim, asked.incident()
    _needs_responders(asked)
    requester, message = str(asked.body.get("requester_id")), str(asked.body.get("message") or "")
    if requester not in sim.world.users:
        raise Refusal(400, 2011, "requester_id is missing or unknown")
    shown = []
    for row in asked.body.get("responder_request_targets") or []:
        target = row.get("responder_request_target") or {}
        kind = str(target.get("type")).removesuffix("_reference")
        asked_for = sim.lifecycle.ask(it, requester, Ref(kind, str(target["id"])), message)
        responder = sim.show.responder(asked_for)
        shown.append(
            {
                "responder_request_target": {
                    "type": kind,
                    "id": target["id"],
                    "incident_responders": [responder] if kind == "user" else [],
                }
            }
        )
    answer = {
        "incident": sim.show.ref("incident", it.id),
        "requester": sim.show.ref("user", requester),
        "requested_at": stamp(sim.clock.now()),
        "message": message,
        "responder_request_targets": shown,
    }
    return 200, {"responder_request": answer}


@route("PUT", "/incidents/{id}/responder_requests/cancel", scope="incidents.write")
def cancel_responders(asked: Asked) -> Answer:
    """Take a request for help back."""
    _needs_responders(asked)
    results = []
    for row in asked.body.get("responder_request_targets") or []:
        found = [one for one in asked.incident().responders if one.target.id == row.get("id")]
        state = found[0].state if found else "not_found"
        if state == "pending":
            found[0].state, state = "user_cancelled", "cancelled"
        results.append({"id": row.get("id"), "type": row.get("type"), "result": state})
    return 200, {"responder_request_targets": results}


def _needs_responders(asked: Asked) -> None:
    if "coordinated_responding" not in asked.sim.world.abilities:
        raise Refusal(402, 2014, "Account does not have the coordinated_responding ability")


@route("POST", "/incidents/{id}/status_updates", scope="incidents.write", needs_from=True)
def publish(asked: Asked) -> Answer:
    """Publish a status update."""
    message = str(asked.body.get("message") or "")
    if not message:
        raise Refusal(400, 2001, "Invalid Input Provided", "Message cannot be empty")
    update = asked.sim.lifecycle.publish(asked.incident(), asked.user(), message)
    sender = asked.sim.show.agent(asked.actor)
    shown = {**update, "created_at": stamp(asked.sim.clock.now()), "sender": sender}
    return 200, {"status_update": shown}


@route("GET", "/incidents/{id}/alerts", scope="incidents.read")
def list_alerts(asked: Asked) -> Answer:
    """List alerts."""
    it, wanted = asked.incident(), asked.all("statuses")
    rows = [one for one in it.alerts if not wanted or one.status in wanted]
    key = asked.first("alert_key")
    shown = [asked.sim.show.alert(one, it) for one in rows if not key or one.key == key]
    return page(asked, "alerts", shown)


@route("GET", "/incidents/{id}/alerts/{alert_id}", scope="incidents.read")
def get_alert(asked: Asked) -> Answer:
    """Show an alert."""
    it = asked.incident()
    return 200, {"alert": asked.sim.show.alert(_alert(asked, asked.params["alert_id"]), it)}


@route("PUT", "/incidents/{id}/alerts/{alert_id}", scope="incidents.write", needs_from=True)
def update_alert(asked: Asked) -> Answer:
    """Resolve an alert."""
    it, alert = asked.incident(), _alert(asked, asked.params["alert_id"])
    if asked.content("alert").get("status") == "resolved":
        asked.sim.lifecycle.resolve_alert(it, alert, asked.user())
    return 200, {"alert": asked.sim.show.alert(alert, it)}


@route("PUT", "/incidents/{id}/alerts", scope="incidents.write", needs_from=True)
def update_alerts(asked: Asked) -> Answer:
    """Resolve alerts."""
    it, rows = asked.incident(), asked.body.get("alerts") or []
    found = [_alert(asked, str(row.get("id"))) for row in rows]
    for alert, row in zip(found, rows, strict=True):
        if row.get("status") == "resolved":
            asked.sim.lifecycle.resolve_alert(it, alert, asked.user())
    return page(asked, "alerts", [asked.sim.show.alert(one, it) for one in found])


def _alert(asked: Asked, id: str) -> Alert:
    for one in asked.incident().alerts:
        if one.id == id:
            return one
    raise Refusal(404, 2100, "Not Found")


# ------------------------------------------------------------------- custom fields


@route("GET", "/incidents/{id}/custom_fields/values", scope="incidents.read")
def get_fields(asked: Asked) -> Answer:
    """Show custom field values."""
    return 200, {"custom_fields": asked.sim.show.custom_fields(asked.incident())}


@route("PUT", "/incidents/{id}/custom_fields/values", scope="incidents.write")
def set_fields(asked: Asked) -> Answer:
    """Set custom field values."""
    it, values = asked.incident(), {}
    for row in asked.body.get("custom_fields") or []:
        field = _field(asked, row)
        values[field.name] = _value(field, row.get("value"))
    asked.sim.lifecycle.set_custom(it, asked.actor, values)
    return 201, {"custom_fields": asked.sim.show.custom_fields(it)}


def _field(asked: Asked, row: Json) -> CustomField:
    for one in asked.sim.world.custom_fields:
        if one.id == row.get("id") or one.name == row.get("name"):
            return one
    raise Refusal(400, 2001, "Invalid Input Provided", f"Custom field {row.get('name')} not found")


def _value(field: CustomField, value: Any) -> Any:  # noqa: ANN401 - whatever JSON holds
    if value is None:
        return None
    kinds: dict[str, type | tuple[type, ...]] = {
        "integer": int,
        "float": (int, float),
        "boolean": bool,
    }
    several = field.field_type.startswith("multi")
    if several != isinstance(value, list):
        raise Refusal(400, 2001, "Invalid Input Provided", f"{field.name} has the wrong shape")
    for one in value if isinstance(value, list) else [value]:
        if not isinstance(one, kinds.get(field.data_type, str)):
            text = f"{field.name} must be of type {field.data_type}"
            raise Refusal(400, 2001, "Invalid Input Provided", text)
        if field.options and one not in field.options:
            raise Refusal(400, 2001, "Invalid Input Provided", f"{one} is no option")
        if isinstance(one, str) and len(one) > 255:
            raise Refusal(400, 2001, "Invalid Input Provided", f"{field.name} is too long")
    return value


@route("GET", "/incidents/types", scope="incident_types.read")
def list_types(asked: Asked) -> Answer:
    """List incident types."""
    rows = [
        {
            "id": one.id,
            "type": "incident_type",
            "name": one.name,
            "display_name": one.description or one.name,
            "description": one.description,
            "enabled": True,
            "created_at": "2024-01-01T00:00:00Z",
            "updated_at": "2024-01-01T00:00:00Z",
            "parent": None
            if one.name == "incident_default"
            else {
                "id": asked.sim.world.types[0].id,
                "type": "incident_type_reference",
            },
        }
        for one in asked.sim.world.types
    ]
    return 200, {"incident_types": rows}


@route("GET", "/incidents/types/{type}/custom_fields", scope="custom_fields.read")
def list_fields(asked: Asked) -> Answer:
    """List custom fields of an incident type."""
    world = asked.sim.world
    found = [one for one in world.types if asked.params["type"] in {one.id, one.name}]
    if not found:
        raise Refusal(404, 2100, "Not Found")
    rows = [_definition(one, found[0].id) for one in world.custom_fields]
    return 200, {"fields": rows}


def _definition(it: CustomField, type_id: str) -> Json:
    return {
        "id": it.id,
        "type": "field",
        "summary": it.display_name,
        "self": None,
        "name": it.name,
        "display_name": it.display_name,
        "description": "",
        "data_type": it.data_type,
        "field_type": it.field_type,
        "enabled": True,
        "incident_type": type_id,
        "default_value": None,
        "created_at": "2024-01-01T00:00:00Z",
        "updated_at": "2024-01-01T00:00:00Z",
        "field_options": [
            {
                "id": f"{it.id}{number}",
                "type": "field_option",
                "data": {"data_type": it.data_type, "value": option},
            }
            for number, option in enumerate(it.options)
        ],
    }


# --------------------------------------------------------------------- log entries


@route("GET", "/incidents/{id}/log_entries", scope="incidents.read")
def list_incident_log(asked: Asked) -> Answer:
    """List an incident's log, newest first."""
    return _log_page(asked, list(asked.incident().log))


@route("GET", "/log_entries", scope="incidents.read")
def list_log(asked: Asked) -> Answer:
    """List the account's log, newest first."""
    entries = [one for it in asked.sim.world.incidents.values() for one in it.log]
    return _log_page(asked, entries)


def _log_page(asked: Asked, entries: list[LogEntry]) -> Answer:
    since, until = asked.first("since"), asked.first("until")
    entries.sort(key=lambda one: one.created_at)
    entries.reverse()
    rows = []
    for one in entries:
        at = _comparable(stamp(one.created_at) or "")
        if (since and at < _comparable(since)) or (until and at > _comparable(until)):
            continue
        if asked.first("is_overview") == "true" and not one.overview:
            continue
        rows.append(one)
    include = asked.include()
    return page(asked, "log_entries", [asked.sim.show.entry(one, include) for one in rows])


def _comparable(text: str) -> str:
    return text.split(".", maxsplit=1)[0].removesuffix("Z").split("+", maxsplit=1)[0]


@route("GET", "/log_entries/{id}", scope="incidents.read")
def get_log_entry(asked: Asked) -> Answer:
    """Show a log entry."""
    entry = _log_entry(asked)
    return 200, {"log_entry": asked.sim.show.entry(entry, {"channels", *asked.include()})}


@route("PUT", "/log_entries/{id}/channel", scope="incidents.write", needs_from=True)
def update_channel(asked: Asked) -> Answer:
    """Change the description of an incident made by hand."""
    entry, given = _log_entry(asked), asked.content("channel")
    kind = entry.channel.get("type")
    if given.get("type") != kind or kind not in {"web_trigger", "mobile"}:
        raise Refusal(400, 2001, "Invalid Input Provided", "Channel type cannot be changed")
    entry.channel = {**entry.channel, "details": given.get("details")}
    it = asked.sim.world.incidents[entry.incident]
    asked.sim.lifecycle.set_field(it, asked.actor, None, details=str(given.get("details")))
    return 202, None


def _log_entry(asked: Asked) -> LogEntry:
    for it in asked.sim.world.incidents.values():
        for one in it.log:
            if one.id == asked.params["id"]:
                return one
    raise Refusal(404, 2100, "Not Found")
