"""The ledger: what is to be done, what was sent, how it ended."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection

from hub import ids
from hub.db.base import to_json
from hub.db.bulk import (
    Columns,
    Kind,
    Write,
    as_json,
    as_time,
    as_uuid,
    inserting,
    write_rows,
)
from hub.rules import Match, PlannedAction, run_key
from hub.sdk.events import RecordRef

UNSETTLED: Final = frozenset({"intent", "sent", "waiting"})


@dataclass(slots=True, kw_only=True)
class LedgerRun:
    """One planned action on its way: intent → sent → done, waiting, skipped or dead.

    `late` are the parameters that are finished just before sending, as they were planned.
    """

    tenant_id: uuid.UUID
    event_id: int
    ruleset_id: str
    ruleset_version: int
    rule_id: str
    rule_name: str
    about: str | None
    action: str
    action_index: int
    connector_id: uuid.UUID | None
    source_object: str | None
    record_id: str | None
    key: str
    base_key: str
    params: dict[str, Any]
    late: dict[str, Any] = field(default_factory=dict)
    unless_linked: bool = False
    on_error: str = "stop"
    hops: int = 0
    correlation_id: uuid.UUID | None = None
    state: str = "intent"
    outcome: str | None = None
    attempts: int = 0
    first_at: datetime | None = None
    due_at: datetime | None = None
    sent_at: datetime | None = None
    done_at: datetime | None = None
    error_class: str | None = None
    error: str | None = None
    summary: str | None = None
    result: dict[str, Any] | None = None
    created_at: datetime | None = None
    id: int = 0

    @property
    def settled(self) -> bool:
        """Whether nothing more happens by itself."""
        return self.state not in UNSETTLED

    @property
    def record(self) -> RecordRef | None:
        """The record that it acts on."""
        if self.record_id is None or self.source_object is None:
            return None
        return RecordRef(source_object=self.source_object, id=self.record_id)

    def skip(self, outcome: str, summary: str, now: datetime) -> None:
        """End it without sending."""
        self.state, self.outcome, self.summary, self.done_at = "skipped", outcome, summary, now
        self.due_at = self.error_class = self.error = None

    def give_up(self, reason: str, now: datetime, *, error: str = "Rejected") -> None:
        """Make it a dead letter."""
        self.state, self.outcome, self.error, self.done_at = "dead", "dead", reason, now
        self.error_class, self.due_at = error, None

    def finish(self, summary: str, result: dict[str, Any], now: datetime) -> None:
        """End it well."""
        changed = result.get("changed", True)
        self.state, self.outcome = "done", "done" if changed else "unchanged"
        self.summary, self.result, self.done_at = summary, result, now
        self.due_at = self.error_class = self.error = None


class NewAttempt(NamedTuple):
    """One request to a vendor."""

    tenant_id: uuid.UUID
    run: LedgerRun
    n: int
    at: datetime
    method: str
    url: str
    status: int | None
    took_ms: int
    request: str | None
    response: str | None
    error: str | None


class KnownRun(NamedTuple):
    """A run that a vendor gave the mark back of."""

    id: int
    action: str
    hops: int
    state: str
    correlation_id: uuid.UUID | None
    source_object: str | None


_INSERTED: Final[Columns] = {
    "id": Kind.INT,
    "tenant_id": Kind.UUID,
    "event_id": Kind.INT,
    "ruleset_id": Kind.TEXT,
    "ruleset_version": Kind.INT,
    "rule_id": Kind.TEXT,
    "rule_name": Kind.TEXT,
    "about": Kind.TEXT,
    "action": Kind.TEXT,
    "action_index": Kind.INT,
    "connector_id": Kind.UUID,
    "source_object": Kind.TEXT,
    "record_id": Kind.TEXT,
    "correlation_id": Kind.UUID,
    "key": Kind.TEXT,
    "base_key": Kind.TEXT,
    "params": Kind.JSON,
    "late": Kind.JSON,
    "unless_linked": Kind.BOOL,
    "on_error": Kind.TEXT,
    "hops": Kind.INT,
    "state": Kind.TEXT,
    "outcome": Kind.TEXT,
    "attempts": Kind.INT,
    "sent_at": Kind.TIME,
    "done_at": Kind.TIME,
    "error_class": Kind.TEXT,
    "error": Kind.TEXT,
    "summary": Kind.TEXT,
    "created_at": Kind.TIME,
}
_UPDATED: Final[Columns] = {
    "id": Kind.INT,
    "connector_id": Kind.UUID,
    "record_id": Kind.TEXT,
    "source_object": Kind.TEXT,
    "correlation_id": Kind.UUID,
    "params": Kind.JSON,
    "state": Kind.TEXT,
    "outcome": Kind.TEXT,
    "attempts": Kind.INT,
    "first_at": Kind.TIME,
    "due_at": Kind.TIME,
    "sent_at": Kind.TIME,
    "done_at": Kind.TIME,
    "error_class": Kind.TEXT,
    "error": Kind.TEXT,
    "summary": Kind.TEXT,
    "result": Kind.JSON,
}
_UPDATE: Final = (
    "UPDATE runs SET "  # noqa: S608 - our own names
    + ", ".join(f"{name} = v.{name}" for name in _UPDATED if name != "id")
    + " FROM {rows} WHERE runs.id = v.id"
    " AND coalesce(runs.state, '') IN ('intent', 'sent', 'waiting')"  # by id, not by an index of it
)
_ATTEMPT: Final[Columns] = {
    "tenant_id": Kind.UUID,
    "run_id": Kind.INT,
    "n": Kind.INT,
    "at": Kind.TIME,
    "method": Kind.TEXT,
    "url": Kind.TEXT,
    "status": Kind.INT,
    "took_ms": Kind.INT,
    "request": Kind.TEXT,
    "response": Kind.TEXT,
    "error": Kind.TEXT,
}
_LOADED: Final = (
    "id, tenant_id, event_id, ruleset_id, ruleset_version, rule_id, rule_name, about, action, "
    "action_index, connector_id, source_object, record_id, correlation_id, key, base_key, params, "
    "late, unless_linked, on_error, hops, state, outcome, attempts, first_at, due_at, sent_at, "
    "done_at, error_class, error, summary, result, created_at"
)
_OF_EVENTS: Final = (
    "SELECT "  # noqa: S608 - a constant
    + ", ".join(f"r.{name.strip()}" for name in _LOADED.split(","))
    + " FROM {rows} JOIN runs r ON r.event_id = v.id ORDER BY r.id"
)
_KNOWN: Final = "r.id, r.action, r.hops, r.state, r.correlation_id, r.source_object FROM {rows}"
_BY_KEY: Final = (
    f"SELECT r.tenant_id, r.key, {_KNOWN} "
    "JOIN runs r ON r.tenant_id = v.tenant_id AND r.key = v.key"
)
_BY_NUMBER: Final = (
    f"SELECT r.tenant_id, v.mark, {_KNOWN} JOIN runs r ON r.tenant_id = v.tenant_id AND r.id = v.id"
)


def base_key(event_id: int, match: Match, planned: PlannedAction) -> str:
    """Return the key that the action has in all repetitions of an event, by the first's id."""
    event = ids.shown("evt", event_id)
    return run_key(event, match.rule, planned.index, match.about, planned.record)


def new_runs(runs: Iterable[LedgerRun]) -> Write:
    """Store new runs, which have their ids."""
    return inserting("runs", _INSERTED, [_new_row(run) for run in runs])


def changed_runs(runs: Iterable[LedgerRun]) -> Write:
    """Store what became of runs; those that were settled meanwhile stay as they are."""
    return Write(_UPDATE, _UPDATED, [_changed_row(run) for run in runs])


def new_attempts(attempts: Iterable[NewAttempt]) -> Write:
    """Store requests that were made."""
    rows = [(one.tenant_id, one.run.id, *one[2:]) for one in attempts]
    return inserting("attempts", _ATTEMPT, rows)


def load_runs(connection: Connection, event_ids: Iterable[int]) -> dict[int, list[LedgerRun]]:
    """Return the runs of events, in the order in which they are worked."""
    listed: dict[int, list[LedgerRun]] = {}
    rows = write_rows(connection, _OF_EVENTS, {"id": Kind.INT}, [(one,) for one in event_ids])
    for row in rows:
        run = _run(row)
        listed.setdefault(run.event_id, []).append(run)
    return listed


def runs_by_mark(
    connection: Connection, marks: Iterable[tuple[uuid.UUID, str]]
) -> dict[tuple[uuid.UUID, str], KnownRun]:
    """Return the runs that vendors' marks name: a run's key, or "hub/<rule>/<run>"."""
    keys, numbers = [], []
    for tenant, mark in set(marks):
        number = mark.rpartition("/")[2] if mark.startswith("hub/") else ""
        if number.isascii() and number.isdigit() and len(number) <= 18:
            numbers.append((tenant, int(number), mark))
        else:
            keys.append((tenant, mark))
    by_key = write_rows(connection, _BY_KEY, {"tenant_id": Kind.UUID, "key": Kind.TEXT}, keys)
    columns = {"tenant_id": Kind.UUID, "id": Kind.INT, "mark": Kind.TEXT}
    by_number = write_rows(connection, _BY_NUMBER, columns, numbers)
    return {
        (as_uuid(row[0]), row[1]): KnownRun(
            row[2], row[3], row[4], row[5], as_uuid(row[6]) if row[6] else None, row[7]
        )
        for row in (*by_key, *by_number)
    }


_DONE: Final = """
WITH w AS (SELECT v.tenant_id, v.base_key FROM {rows})
SELECT r.tenant_id, r.base_key, r.id FROM w
JOIN runs r ON r.tenant_id = w.tenant_id AND r.key = w.base_key AND r.state = 'done'
UNION ALL
SELECT r.tenant_id, r.base_key, r.id FROM w JOIN runs r ON r.tenant_id = w.tenant_id
  AND r.base_key = w.base_key AND r.base_key <> r.key AND r.state = 'done'"""


def done_before(
    connection: Connection, keys: Iterable[tuple[uuid.UUID, str]]
) -> dict[tuple[uuid.UUID, str], int]:
    """Return the runs that did already what actions with these base keys plan."""
    rows = write_rows(
        connection,
        _DONE,
        {"tenant_id": Kind.UUID, "base_key": Kind.TEXT},
        list(set(keys)),
    )
    return {(as_uuid(row[0]), row[1]): row[2] for row in rows}


def _new_row(run: LedgerRun) -> tuple[Any, ...]:
    return (
        run.id,
        run.tenant_id,
        run.event_id,
        run.ruleset_id,
        run.ruleset_version,
        run.rule_id,
        run.rule_name,
        run.about,
        run.action,
        run.action_index,
        run.connector_id,
        run.source_object,
        run.record_id,
        run.correlation_id,
        run.key,
        run.base_key,
        to_json(run.params),
        to_json(run.late),
        run.unless_linked,
        run.on_error,
        run.hops,
        run.state,
        run.outcome,
        run.attempts,
        run.sent_at,
        run.done_at,
        run.error_class,
        run.error,
        run.summary,
        run.created_at,
    )


def _changed_row(run: LedgerRun) -> tuple[Any, ...]:
    return (
        run.id,
        run.connector_id,
        run.record_id,
        run.source_object,
        run.correlation_id,
        to_json(run.params),
        run.state,
        run.outcome,
        run.attempts,
        run.first_at,
        run.due_at,
        run.sent_at,
        run.done_at,
        run.error_class,
        run.error,
        run.summary,
        None if run.result is None else to_json(run.result),
    )


def _run(row: Any) -> LedgerRun:  # noqa: ANN401 - a row
    (number, tenant, event, *names) = row
    (ruleset, version, rule, rule_name, about, action, index, connector, *target) = names
    (source_object, record, correlation, key, base_key, params, late, unless_linked, *rest) = target
    (on_error, hops, state, outcome, attempts, first, due, sent, done, *told) = rest
    error_class, error, summary, result, created = told
    return LedgerRun(
        id=number,
        tenant_id=as_uuid(tenant),
        event_id=event,
        ruleset_id=ruleset,
        ruleset_version=version,
        rule_id=rule,
        rule_name=rule_name,
        about=about,
        action=action,
        action_index=index,
        connector_id=as_uuid(connector) if connector else None,
        source_object=source_object,
        record_id=record,
        correlation_id=as_uuid(correlation) if correlation else None,
        key=key,
        base_key=base_key,
        params=as_json(params),
        late=as_json(late),
        unless_linked=bool(unless_linked),
        on_error=on_error,
        hops=hops,
        state=state,
        outcome=outcome,
        attempts=attempts,
        first_at=as_time(first),
        due_at=as_time(due),
        sent_at=as_time(sent),
        done_at=as_time(done),
        error_class=error_class,
        error=error,
        summary=summary,
        result=as_json(result),
        created_at=as_time(created),
    )
