"""The whole way of a delivery, put together for people. Pure."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from hub import ids
from hub.correlations.models import Link
from hub.correlations.values import plain, unpack_event
from hub.deliveries.models import Delivery, InboxEvent, StoredTrace
from hub.deliveries.schemas import (
    DeliveryDetail,
    DeliveryOut,
    DeliveryTrace,
    EventTrace,
    HeldBy,
    LinkedRecord,
)
from hub.dispatch.models import Hold
from hub.runs.models import Attempt, Run
from hub.runs.service import run_detail

Names = Mapping[uuid.UUID, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """What belongs to one event."""

    event: InboxEvent
    traces: Sequence[StoredTrace] = ()
    runs: Sequence[Run] = ()
    attempts: Mapping[int, list[Attempt]] = field(default_factory=dict)
    hold: Hold | None = None
    correlation: str | None = None
    links: Sequence[Link] = ()


def delivery_out(row: Delivery, names: Names) -> DeliveryOut:
    """Return a delivery as lists show it."""
    return DeliveryOut(**_members(row, names))


def delivery_detail(row: Delivery, names: Names) -> DeliveryDetail:
    """Return a delivery as it came; what is no UTF-8 in the body is replaced."""
    return DeliveryDetail(**_members(row, names), **_whole(row))


def delivery_trace(row: Delivery, ways: Sequence[Way], names: Names, home: str) -> DeliveryTrace:
    """Return the whole way of a delivery; `home` is the path of the tenant's API."""
    return DeliveryTrace(
        **(_members(row, names) | {"events": [_event(way, names, home) for way in ways]}),
        **_whole(row),
        trace=[*_received(row), *(line for way in ways for line in _lines(way, names))],
    )


def _members(row: Delivery, names: Names) -> dict[str, Any]:
    return {
        "id": ids.shown("dlv", row.id),
        "connector": names.get(row.connector_id),
        "source": row.source,
        "received_at": row.received_at,
        "state": row.state,
        "detail": row.detail,
        "size": row.size,
        "events": row.events,
        "repeats": row.repeats,
        "replay_of": ids.shown("dlv", row.replay_of) if row.replay_of else None,
    }


def _whole(row: Delivery) -> dict[str, Any]:
    body = row.body.decode("utf-8", "replace") if row.body is not None else None
    return {
        "key": row.key,
        "headers": row.headers,
        "body": body,
        "repeated_at": row.repeated_at,
    }


def _event(way: Way, names: Names, home: str) -> EventTrace:
    row, told = way.event, unpack_event(way.event.body)
    number = ids.shown("evt", row.id)
    return EventTrace(
        id=number,
        trigger=row.trigger,
        object=row.source_object,
        record=row.record_id,
        human_id=told.record.human_id,
        occurred_at=told.occurred_at,
        actor=told.actor_name or told.actor,
        changed=None if told.before is None else _shown(told.before),
        values=_shown(told.record.values),
        state=row.state,
        outcome=row.outcome,
        lane=row.lane,
        shard=row.shard,
        hops=row.hops,
        plan=row.plan_version,
        created_at=row.created_at,
        done_at=row.done_at,
        held=_held(way.hold) if row.state == "pending" else None,
        traces=[trace.body for trace in way.traces],
        runs=[run_detail(run, dict(names), way.attempts.get(run.id, [])) for run in way.runs],
        correlation=way.correlation,
        links=[linked_record(link, names) for link in way.links],
        explain=f"{home}/events/{number}/explain",
    )


def linked_record(link: Link, names: Names) -> LinkedRecord:
    """Return a link as it is shown."""
    return LinkedRecord(
        connector=names.get(link.connector_id),
        object=link.source_object,
        record=link.record_id,
        human_id=link.human_id,
        url=link.url,
        state=link.state,
    )


def _shown(values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: value if value is None or isinstance(value, str | int | bool) else plain(value)
        for name, value in values.items()
    }


def _held(hold: Hold | None) -> HeldBy | None:
    if hold is None:
        return None
    return HeldBy(
        reason=hold.reason, not_before=hold.not_before, detail=hold.detail, since=hold.since
    )


def _received(row: Delivery) -> list[str]:
    lines = [f"{_at(row.received_at)} received by {row.source}, {row.size} bytes: {row.state}"]
    if row.detail:
        lines.append(f"  {row.detail}")
    if row.state != "accepted" and row.body is not None:
        lines.append(f"  its body is kept: hub delivery show {ids.shown('dlv', row.id)} --body")
    if row.repeats:
        again = f", last at {_at(row.repeated_at)}" if row.repeated_at else ""
        lines.append(f"  sent again {row.repeats} times{again}: not worked again")
    if row.replay_of:
        lines.append(f"  replay of {ids.shown('dlv', row.replay_of)}")
    return lines


def _lines(way: Way, names: Names) -> list[str]:
    row = way.event
    number = ids.shown("evt", row.id)
    lines = [f"{number} {row.trigger} of {row.record_id}: lane {row.lane}, shard {row.shard}"]
    if way.correlation is not None:
        linked = [f"{names.get(one.connector_id)} {one.record_id}" for one in way.links]
        lines.append(f"  matter {way.correlation}: {', '.join(linked)}")
    for trace in way.traces:
        name = (trace.body.get("rule") or {}).get("name", trace.rule_id)
        because = trace.because if trace.fired else trace.body.get("skipped") or trace.because
        lines.append(f'  rule "{name}" {"fired" if trace.fired else "did not fire"}: {because}')
    if row.plan_version is not None and not way.traces:
        lines.append("  no rule fired")
    for run in way.runs:
        lines += _run_lines(run, way.attempts.get(run.id, []), names)
    if row.state == "pending":
        lines.append(f"  {_waits(way)}")
    else:
        lines.append(f"  {_at(row.done_at)} {row.state}: {row.outcome or 'done'}")
    return lines


def _run_lines(run: Run, attempts: Sequence[Attempt], names: Names) -> list[str]:
    where = names.get(run.connector_id) if run.connector_id else None
    ended = run.summary or run.outcome or ""
    said = ended if ended and run.state in {"done", "skipped"} else run.error or ended
    lines = [f"  {ids.shown('run', run.id)} {run.action} at {where}: {run.state} {said}".rstrip()]
    for one in attempts:
        answer = one.status if one.status is not None else one.error or "no answer"
        lines.append(f"    {_at(one.at)} {one.method} {one.url} → {answer} ({one.took_ms} ms)")
    return lines


def _waits(way: Way) -> str:
    hold = way.hold
    if hold is None:
        return "waits for its turn" if way.event.plan_version is None else "is in work"
    until = f" until {_at(hold.not_before)}" if hold.not_before else ""
    return f"waits ({hold.reason}{until}): {hold.detail}".rstrip(": ")


def _at(moment: datetime | None) -> str:
    return moment.strftime("%Y-%m-%d %H:%M:%S.%f")[:-3] + "Z" if moment else "-"
