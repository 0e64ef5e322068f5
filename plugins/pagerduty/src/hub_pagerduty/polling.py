"""What no webhook told: the account's log entries, oldest first, each once.

A cursor is JSON. {"since", "seen"} reads the log from a time on, leaving out what was seen in
the overlap. One of `imports` reads existing incidents and goes on with the log.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from hub import Batch, Event, Poller, Record, Value, clock
from hub_pagerduty.client import DEEPEST, PAGE, Json, PagerDutyClient
from hub_pagerduty.imports import IMPORT, import_page, read_incident, stamp
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
    REOPENED,
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
_FOR_EACH_TARGET: Final = {"escalate", "delegate", "assign"}
_MOVES: Final = {
    "trigger": "triggered",
    "acknowledge": "acknowledged",
    "unacknowledge": "triggered",
    "resolve": "resolved",
}
_LATER: Final = {
    "status",
    "assignees",
    "assignee_names",
    "resolve_reason",
    "merged_into",
    "resolved_at",
    "reopened_at",
    "updated_at",
}
_STATUSES: Final = {
    TRIGGERED.name: "triggered",
    REOPENED.name: "triggered",
    ACKNOWLEDGED.name: "acknowledged",
    UNACKNOWLEDGED.name: "triggered",
    RESOLVED.name: "resolved",
    MERGED.name: "resolved",
}


class _Around(NamedTuple):
    """What entries need to be understood.

    An entry comes with its incident as it is now, not as it was: `last` are the entries that
    tell of now, `then` is the status after the others, as far as the log says it.
    """

    notes: Mapping[tuple[str, str], Json]
    started: set[tuple[str, str]]
    reopening: frozenset[str]
    last: frozenset[str]
    then: Mapping[str, str]


def since(moment: datetime) -> str:
    """Return the cursor that reads the log from a time on."""
    return json.dumps({"since": stamp(moment), "seen": [], "floor": stamp(moment)})


async def fetch(client: PagerDutyClient, cursor: str | None) -> Batch:
    """Return what happened since the cursor; without one, or without a key for it, nothing."""
    if not client.has_rest:
        return Batch(events=(), cursor=cursor or _following(clock.now(), ()))
    if cursor is None:
        return Batch(events=(), cursor=_following(clock.now(), ()))
    state = json.loads(cursor)
    if "import" in state:
        return await import_page(client, state)
    start = moment(state.get("since")) or clock.now()
    batch = await _changes(client, start, set(state.get("seen") or ()))
    return _from(batch, state.get("floor"))


async def fetch_one(client: PagerDutyClient, incident_id: str) -> Event:
    """Read an incident as it is now, with all that only a read tells."""
    incident = await client.get_one(f"/incidents/{incident_id}", "incident", _WHOLE)
    return read_incident(incident)


# ------------------------------------------------------------------------ the log


async def _changes(client: PagerDutyClient, since: datetime, seen: set[str]) -> Batch:
    now = clock.now()
    entries, reached = await _entries(client, since, now)
    fresh = [one for one in entries if _id(one) not in seen]
    started = {_moment_of(one) for one in entries if _kind(one) in _ASSIGNING}
    reopening = await _reopening(client, entries, fresh)
    around = _Around(
        notes=await _notes(client, fresh),
        started=started,
        reopening=reopening,
        last=_last(entries, started),
        then=_statuses(entries, reopening),
    )
    once = _once(fresh)
    events = [event for one in once if (event := _event(one, around)) is not None]
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
    query = [("since", stamp(since)), ("until", stamp(until + _SECOND)), *_INCLUDE]
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


def _once(entries: Sequence[Json]) -> list[Json]:
    """Leave one entry of those that tell of one escalation: the log has one for each target."""
    kept: dict[tuple[str, ...], Json] = {}
    for one in entries:
        kind = _kind(one)
        each = kind if kind in _FOR_EACH_TARGET else str(one.get("id"))
        kept.setdefault((each, *_moment_of(one)), one)
    return list(kept.values())


async def _reopening(
    client: PagerDutyClient, entries: Sequence[Json], fresh: Sequence[Json]
) -> frozenset[str]:
    """Return the ids of trigger entries that reopened a resolved incident.

    Another alert leaves such an entry, too: what the incident was before tells them apart.
    """
    found = set()
    for one in fresh:
        if _kind(one) != "trigger" or _is_first(one):
            continue
        before = _before_it(one, entries) or _before_it(one, await _log_of(client, one))
        if before == "resolve":
            found.add(str(one.get("id")))
    return frozenset(found)


def _before_it(entry: Json, entries: Sequence[Json]) -> str | None:
    """Return the kind of the latest change of status before an entry; `entries` ascend."""
    before = None
    for one in entries:
        if one.get("id") == entry.get("id"):
            return before
        if id_of(one.get("incident")) == id_of(entry.get("incident")) and _kind(one) in _MOVES:
            before = _kind(one)
    return None


async def _log_of(client: PagerDutyClient, entry: Json) -> list[Json]:
    incident = id_of(entry.get("incident"))
    path = f"/incidents/{incident}/log_entries"
    rows = [
        {**one, "incident": {"id": incident}} async for one in client.pages(path, "log_entries")
    ]
    return rows[::-1]


def _is_first(entry: Json) -> bool:
    first = as_object(entry.get("incident")).get("first_trigger_log_entry")
    return id_of(first) == id_of(entry)


def _event(entry: Json, around: "_Around") -> Event | None:
    incident = as_object(entry.get("incident"))
    occurred = moment(entry.get("created_at"))
    trigger = _trigger(entry, incident, around)
    if trigger is None or occurred is None or not id_of(incident):
        return None
    agent = as_object(entry.get("agent"))
    note = around.notes.get((str(id_of(incident)), _note_text(entry)))
    record = incident_record(incident, **_values(trigger, entry, agent))
    if _id(entry) not in around.last:
        record = _as_it_was(record, trigger, around.then.get(_id(entry)))
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


def _last(entries: Sequence[Json], started: set[tuple[str, str]]) -> frozenset[str]:
    """Return the newest entry of each incident, of those that tell of a change."""
    return frozenset(
        {
            str(id_of(one.get("incident"))): _id(one)
            for one in entries
            if _kind(one) in _TRIGGERS
            and not (_kind(one) == "assign" and _moment_of(one) in started)
        }.values()
    )


def _statuses(entries: Sequence[Json], reopening: frozenset[str]) -> dict[str, str]:
    """Return the status after each entry, where an entry of this log says it."""
    now, then = dict[str, str](), dict[str, str]()
    for one in entries:
        incident = str(id_of(one.get("incident")))
        alert = _kind(one) == "trigger" and not _is_first(one) and _id(one) not in reopening
        if _kind(one) in _MOVES and not alert:
            now[incident] = _MOVES[_kind(one)]
        if incident in now:
            then[_id(one)] = now[incident]
    return then


def _as_it_was(record: Record, trigger: str, status: str | None) -> Record:
    """Leave out what may have become so only after the entry."""
    kept = {name: value for name, value in record.values.items() if name not in _LATER}
    if trigger == MERGED.name:
        kept |= {name: record.values.get(name) for name in ("resolve_reason", "merged_into")}
    if status is not None:
        kept["status"] = status
    return replace(record, values=kept)


def _id(entry: Json) -> str:
    return str(entry.get("id"))


def _trigger(entry: Json, incident: Mapping[str, Any], around: "_Around") -> str | None:
    kind = _kind(entry)
    trigger = _TRIGGERS.get(kind)
    if str(entry.get("id")) in around.reopening:
        return REOPENED.name
    if kind == "trigger" and not _is_first(entry):
        return UPDATED.name  # one more alert
    if kind == "assign" and _moment_of(entry) in around.started:
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


def _following(since: datetime, seen: Sequence[str]) -> str:
    kept = list(seen)[-_REMEMBERED:]
    return json.dumps({"since": stamp(since - OVERLAP), "seen": kept})


def _from(batch: Batch, floor: str | None) -> Batch:
    """Have the overlap of the next poll end where this log began to be read."""
    if floor is None:
        return batch
    state = json.loads(batch.cursor)
    if state["since"] >= floor:
        return batch
    return replace(batch, cursor=json.dumps({**state, "since": floor, "floor": floor}))


POLLERS: Final[tuple[Poller[PagerDutyClient], ...]] = (
    Poller(
        source_object=INCIDENT.name,
        fetch=fetch,
        fetch_one=fetch_one,
        since=since,
        imports=IMPORT,
    ),
)
