"""Existing incidents, read once on request, oldest first, page by page.

A cursor is JSON: {"import": {"statuses", "services", "since"}, "offset", "began"}. PagerDuty
lists no more than 10,000 incidents and no more than six months at a time; beyond the first and
from a given time on, the cursor has "from" as well and goes through windows of time.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from hub import Batch, Event, Import, clock
from hub_pagerduty.client import DEEPEST, PAGE, Json, PagerDutyClient
from hub_pagerduty.payloads.incidents import incident_record
from hub_pagerduty.payloads.values import as_objects, moment, text
from hub_pagerduty.vocabulary import UPDATED

WINDOW: Final = timedelta(days=150)
"""PagerDuty refuses more than six months between since and until."""
_SECOND: Final = timedelta(seconds=1)


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


def import_cursor(
    *, statuses: Sequence[str] = (), services: Sequence[str] = (), since: str = ""
) -> str:
    """Return a cursor that reads existing incidents before it follows the log."""
    asked = {"statuses": list(statuses), "services": list(services), "since": since}
    return json.dumps({"import": asked, "offset": 0})


def existing(params: Existing, since: datetime | None, until: datetime | None) -> str:
    """Return the cursor that reads the incidents that were asked for."""
    del until  # the hub leaves out what is newer
    return import_cursor(
        statuses=params.statuses,
        services=params.services,
        since=stamp(since) if since is not None else "",
    )


async def import_page(client: PagerDutyClient, state: Json) -> Batch:
    """Read the next page; after the last one the cursor follows the log."""
    asked, offset = state["import"], int(state.get("offset") or 0)
    began = moment(state.get("began")) or clock.now()
    start = moment(state.get("from") or asked.get("since"))
    query = [
        ("limit", str(PAGE)),
        ("offset", str(offset)),
        ("sort_by", "created_at:asc"),
        *(("statuses[]", one) for one in asked.get("statuses") or ()),
        *(("service_ids[]", one) for one in asked.get("services") or ()),
        ("include[]", "body"),
        *_window(start, began),
    ]
    page = await client.get("/incidents", query)
    rows = as_objects(page.get("incidents"))
    here = {"import": asked, "began": stamp(began)}
    following = offset + len(rows)
    cursor: Json | None
    if not page.get("more") or not rows:
        cursor = _next_window(start, began)
    elif following + PAGE <= DEEPEST:
        cursor = {"offset": following, **({"from": stamp(start)} if start else {})}
    else:
        cursor = _beyond(start, rows)
    events = [read_incident(one) for one in rows]
    if cursor is None:
        return Batch(events=events, cursor=json.dumps({"since": stamp(began)}))
    return Batch(events=events, cursor=json.dumps({**here, **cursor}), more=True)


def read_incident(incident: Mapping[str, Any]) -> Event:
    """Return an incident that was read as it is now, as an event that it changed."""
    changed = moment(incident.get("updated_at")) or moment(incident.get("last_status_change_at"))
    occurred = changed or moment(incident.get("created_at")) or clock.now()
    return Event(
        trigger=UPDATED.name,
        record=incident_record(incident),
        occurred_at=occurred,
        key=f"read.{incident.get('id')}.{stamp(occurred)}",
        origin=text(incident.get("incident_key")),
    )


def stamp(when: datetime) -> str:
    """Return a time as PagerDuty's queries take it."""
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _window(start: datetime | None, began: datetime) -> list[tuple[str, str]]:
    if start is None:
        return [("date_range", "all")]
    until = min(start + WINDOW, began + _SECOND)
    return [("since", stamp(start)), ("until", stamp(max(until, start + _SECOND)))]


def _next_window(start: datetime | None, began: datetime) -> Json | None:
    if start is None or start + WINDOW >= began:
        return None
    return {"offset": 0, "from": stamp(start + WINDOW)}


def _beyond(start: datetime | None, rows: Sequence[Mapping[str, Any]]) -> Json:
    """Go on where the cap ends: incidents of the last second are read again, to miss none."""
    last = moment(rows[-1].get("created_at"))
    if last is None or (start is not None and last <= start):
        last = (start or last or clock.now()) + _SECOND
    return {"offset": 0, "from": stamp(last)}


IMPORT: Final = Import(params=Existing, cursor=existing)
