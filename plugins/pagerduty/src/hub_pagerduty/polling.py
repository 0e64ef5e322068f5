"""What no webhook told: the account's log entries, oldest first, each once.

A cursor is JSON. {"since", "seen"} reads the log from a time on, leaving out what was seen in
the overlap. {"import": {"statuses", "services", "since"}, "offset"} reads existing incidents,
page by page, and goes on with the log.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from hub import Batch, Event, Import, Poller, Value, clock
from hub_pagerduty.client import DEEPEST, PAGE, Json, PagerDutyClient
from hub_pagerduty.payloads.incidents import custom_values, incident_record, is_merged
from hub_pagerduty.payloads.values import as_object, as_objects, id_of, moment, name_of, text
from hub_pagerduty.payloads.ways import joined, told
from hub_pagerduty.vocabulary import (
    ACKNOWLEDGED,
    ANNOTATED,
    DELEGATED,
    ESCALATED,
    FIELD_VALUES,
    INCIDENT,
    MERGED,
    OLDER_NAMES,
    REASSIGNED,
    RESOLVED,
    TRIGGERED,
    UNACKNOWLEDGED,
    UPDATED,
)

OVERLAP: Final = timedelta(minutes=2)
"""Entries may become visible a little late, and clocks differ."""
_REMEMBERED: Final = 2000
_SECOND: Final = timedelta(seconds=1)
_INCLUDE: Final = (("include[]", "incidents"), ("include[]", "channels"))
_WHOLE: Final = (
    ("include[]", "body"),
    ("include[]", "conference_bridge"),
    ("include[]", "custom_fields"),
)

_TRIGGERS: Final = {
    "trigger": TRIGGERED.name,
    "acknowledge": ACKNOWLEDGED.name,
    "unacknowledge": UNACKNOWLEDGED.name,
    "resolve": RESOLVED.name,
    "assign": REASSIGNED.name,
    "escalate": ESCALATED.name,
    "delegate": DELEGATED.name,
    "annotate": ANNOTATED.name,
    "urgency_change": UPDATED.name,
    "field_value_change": UPDATED.name,
    "custom_field_value_change": FIELD_VALUES.name,
}
_ASSIGNING: Final = {"trigger", "acknowledge", "delegate", "escalate"}
"""These assign the incident as well: an assign entry at the same moment is part of them."""
_STATUSES: Final = {
    TRIGGERED.name: "triggered",
    ACKNOWLEDGED.name: "acknowledged",
    UNACKNOWLEDGED.name: "triggered",
    RESOLVED.name: "resolved",
    MERGED.name: "resolved",
}


def import_cursor(
    *, statuses: Sequence[str] = (), services: Sequence[str] = (), since: str = ""
) -> str:
    """Return a cursor that reads existing incidents before it follows the log."""
    asked = {"statuses": list(statuses), "services": list(services), "since": since}
    return json.dumps({"import": asked, "offset": 0})


class Existing(BaseModel):
    """Which existing incidents are read on request."""

    model_config = ConfigDict(extra="forbid")

    statuses: list[Literal["triggered", "acknowledged", "resolved"]] = Field(
        default=["triggered", "acknowledged"],
        title="Statuses",
        description="Empty: incidents in every status.",
    )
    services: list[str] = Field(
        default_factory=list,
        title="Services",
        description="Ids of services. Empty: incidents of all services.",
    )


def existing(params: Existing, since: datetime | None, until: datetime | None) -> str:
    """Return the cursor that reads the incidents that were asked for."""
    del until  # the hub leaves out what is newer
    return import_cursor(
        statuses=params.statuses,
        services=params.services,
        since=_stamp(since) if since is not None else "",
    )


def since(moment: datetime) -> str:
    """Return the cursor that reads the log from a time on."""
    return json.dumps({"since": _stamp(moment), "seen": [], "floor": _stamp(moment)})


async def fetch(client: PagerDutyClient, cursor: str | None) -> Batch:
    """Return what happened since the cursor; without one, nothing yet."""
    if cursor is None:
        return Batch(events=(), cursor=_following(clock.now(), ()))
    state = json.loads(cursor)
    if "import" in state:
        return await _import_page(client, state)
    start = moment(state.get("since")) or clock.now()
    batch = await _changes(client, start, set(state.get("seen") or ()))
    return _from(batch, state.get("floor"))


async def fetch_one(client: PagerDutyClient, incident_id: str) -> Event:
    """Read an incident as it is now, with all that only a read tells."""
    incident = await client.get_one(f"/incidents/{incident_id}", "incident", _WHOLE)
    return _read(incident)


# ------------------------------------------------------------------------ the log


async def _changes(client: PagerDutyClient, since: datetime, seen: set[str]) -> Batch:
    now = clock.now()
    entries, reached = await _entries(client, since, now)
    fresh = [one for one in entries if str(one.get("id")) not in seen]
    notes = await _notes(client, fresh)
    started = {_moment_of(one) for one in entries if _kind(one) in _ASSIGNING}
    events = [event for one in fresh if (event := _event(one, notes, started)) is not None]
    recent = [
        str(one.get("id"))
        for one in entries
        if (moment(one.get("created_at")) or since) >= reached - OVERLAP
    ]
    return Batch(events=events, cursor=_following(reached, recent), more=reached < now)


async def _entries(
    client: PagerDutyClient, since: datetime, until: datetime
) -> tuple[list[Json], datetime]:
    """Return entries, oldest first, and up to when they were read.

    The log is listed newest first and cannot be read beyond PagerDuty's cap: of too many
    entries only the older half of the time is read.
    """
    query = [("since", _stamp(since)), ("until", _stamp(until + _SECOND)), *_INCLUDE]
    asked = [*query, ("limit", str(PAGE)), ("offset", "0"), ("total", "true")]
    first = await client.get("/log_entries", asked)
    total = first.get("total")
    if isinstance(total, int) and total > DEEPEST - PAGE and until - since > OVERLAP * 2:
        return await _entries(client, since, since + (until - since) / 2)
    rows = [dict(one) for one in as_objects(first.get("log_entries"))]
    if first.get("more"):
        rows = [one async for one in client.pages("/log_entries", "log_entries", query)]
    rows.reverse()  # the order within a second is the log's own
    rows.sort(key=lambda one: str(one.get("created_at")))
    return rows, until


def _event(
    entry: Json, notes: Mapping[tuple[str, str], Json], started: set[tuple[str, str]]
) -> Event | None:
    incident = as_object(entry.get("incident"))
    occurred = moment(entry.get("created_at"))
    trigger = _trigger(entry, incident, started)
    if trigger is None or occurred is None or not id_of(incident):
        return None
    agent = as_object(entry.get("agent"))
    note = notes.get((str(id_of(incident)), _note_text(entry)))
    record = incident_record(incident, **_values(trigger, entry, agent))
    return Event(
        trigger=trigger,
        record=record,
        occurred_at=occurred,
        key=f"log.{entry.get('id')}",
        before=_before(trigger, entry),
        actor=id_of(agent),
        actor_name=name_of(agent),
        origin=text(incident.get("incident_key")),
        note=id_of(note) if note and trigger == ANNOTATED.name else None,
        told=told(trigger, "log"),
        joins=joined(trigger, record),
    )


def _trigger(entry: Json, incident: Mapping[str, Any], started: set[tuple[str, str]]) -> str | None:
    kind = _kind(entry)
    trigger = _TRIGGERS.get(kind)
    if kind == "trigger" and id_of(incident.get("first_trigger_log_entry")) != id_of(entry):
        return UPDATED.name  # one more alert, or the incident was reopened
    if kind == "assign" and _moment_of(entry) in started:
        return None
    if kind == "resolve" and is_merged(incident):
        return MERGED.name
    return trigger


def _values(trigger: str, entry: Json, agent: Mapping[str, Any]) -> dict[str, Value]:
    agent_type = text(agent.get("type"))
    values: dict[str, Value] = {
        "event_type": OLDER_NAMES.get(trigger),
        "vendor_event": text(entry.get("type")),
        "agent": id_of(agent),
        "agent_name": name_of(agent),
        "agent_type": agent_type.removesuffix("_reference") if agent_type else None,
    }
    if trigger in _STATUSES:
        values["status"] = _STATUSES[trigger]
    if trigger == ANNOTATED.name:
        values["note"], values["note_author"] = _note_text(entry), name_of(agent)
    if trigger == FIELD_VALUES.name:
        values |= custom_values(_changed_fields(entry, "value"))
    return values


def _before(trigger: str, entry: Json) -> Mapping[str, Value] | None:
    if trigger == TRIGGERED.name:
        return {}
    if trigger == ANNOTATED.name:
        return {"note": None}
    if trigger == FIELD_VALUES.name:
        return custom_values(_changed_fields(entry, "old_value")) or None
    return None


def _changed_fields(entry: Json, which: str) -> list[Json]:
    """Return the custom fields of a change, with their new or their old values."""
    changes = as_object(as_object(entry.get("channel")).get("changeset"))
    rows = as_objects(changes.get("customer_fields")) or as_objects(changes.get("custom_fields"))
    return [{"name": one.get("name"), "value": one.get(which)} for one in rows]


async def _notes(client: PagerDutyClient, entries: Sequence[Json]) -> dict[tuple[str, str], Json]:
    """Return notes by incident and text: log entries do not carry a note's id."""
    annotated = {str(id_of(one.get("incident"))) for one in entries if _kind(one) == "annotate"} - {
        "None"
    }
    found: dict[tuple[str, str], Json] = {}
    for incident in sorted(annotated):
        listed = await client.get(f"/incidents/{incident}/notes")
        for note in as_objects(listed.get("notes")):
            found[incident, str(note.get("content"))] = dict(note)
    return found


def _note_text(entry: Json) -> str:
    channel = as_object(entry.get("channel"))
    return str(channel.get("content") or channel.get("summary") or "")


def _kind(entry: Json) -> str:
    return str(entry.get("type", "")).removesuffix("_reference").removesuffix("_log_entry")


def _moment_of(entry: Json) -> tuple[str, str]:
    return str(id_of(entry.get("incident"))), str(entry.get("created_at"))


# ------------------------------------------------------------- existing incidents


async def _import_page(client: PagerDutyClient, state: Json) -> Batch:
    asked, offset = state["import"], int(state.get("offset") or 0)
    began = state.get("began") or _stamp(clock.now())
    query = [
        ("limit", str(PAGE)),
        ("offset", str(offset)),
        ("sort_by", "created_at:asc"),
        *(("statuses[]", one) for one in asked.get("statuses") or ()),
        *(("service_ids[]", one) for one in asked.get("services") or ()),
        ("include[]", "body"),
        *([("since", asked["since"])] if asked.get("since") else [("date_range", "all")]),
    ]
    page = await client.get("/incidents", query)
    rows = as_objects(page.get("incidents"))
    following = offset + len(rows)
    more = bool(page.get("more")) and bool(rows) and following + PAGE <= DEEPEST
    cursor = (
        json.dumps({"import": asked, "offset": following, "began": began})
        if more
        else json.dumps({"since": began})
    )
    return Batch(events=[_read(one) for one in rows], cursor=cursor, more=more)


def _read(incident: Mapping[str, Any]) -> Event:
    changed = moment(incident.get("updated_at")) or moment(incident.get("last_status_change_at"))
    occurred = changed or moment(incident.get("created_at")) or clock.now()
    return Event(
        trigger=UPDATED.name,
        record=incident_record(incident),
        occurred_at=occurred,
        key=f"read.{incident.get('id')}.{_stamp(occurred)}",
        origin=text(incident.get("incident_key")),
    )


def _following(since: datetime, seen: Sequence[str]) -> str:
    kept = list(seen)[-_REMEMBERED:]
    return json.dumps({"since": _stamp(since - OVERLAP), "seen": kept})


def _from(batch: Batch, floor: str | None) -> Batch:
    """Have the overlap of the next poll end where this log began to be read."""
    if floor is None:
        return batch
    state = json.loads(batch.cursor)
    if state["since"] >= floor:
        return batch
    return replace(batch, cursor=json.dumps({**state, "since": floor, "floor": floor}))


def _stamp(when: datetime) -> str:
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


POLLERS: Final[tuple[Poller[PagerDutyClient], ...]] = (
    Poller(
        source_object=INCIDENT.name,
        fetch=fetch,
        fetch_one=fetch_one,
        since=since,
        imports=Import(params=Existing, cursor=existing),
    ),
)
