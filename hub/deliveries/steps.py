"""The commits of a worker: plan, mark and finish of events, many in one transaction.

All are fenced: what is written for a shard that another process owns by now is refused.
The plan also checks that the event is still where the worker read it and has no plan yet.
"""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, NamedTuple, TypeVar

from sqlalchemy import Connection

from hub.activity import journal
from hub.correlations import linking
from hub.correlations import repository as matters
from hub.correlations.echo import Receipt, receipts_of
from hub.correlations.linking import Linker, LinkWanted, NewMatter, Reservation
from hub.correlations.repository import NotePair, RecordKey
from hub.correlations.seen import Seen
from hub.db.bulk import Columns, Kind, Write, inserting, take_ids, write_all, write_rows
from hub.deliveries.repository import EventInbox, Hold
from hub.runs import ledger
from hub.runs.breakers import Opened, new_open
from hub.runs.ledger import LedgerRun, NewAttempt
from hub.sdk.vocabulary import Value

T = TypeVar("T")
# coalesce(): of rows found by their id PostgreSQL must not think of indexes of what is pending; it
# takes them for small, and reads one from end to end for each row.
_PLAN: Final = """
UPDATE events SET plan_version = v.plan_version, facts = v.facts, state = v.state, hops = v.hops,
  outcome = v.outcome, done_at = v.done_at FROM {rows}
WHERE events.id = v.id AND events.lane = v.lane AND coalesce(events.state, '') = 'pending'
  AND events.plan_version IS NULL RETURNING events.id"""
_PLAN_AND_IDS: Final = f"""
WITH v AS MATERIALIZED (SELECT * FROM {{rows}}), taken AS ({_PLAN.format(rows="v")})
SELECT id, NULL::bigint FROM taken UNION ALL
SELECT NULL, nextval(pg_get_serial_sequence('runs', 'id')) FROM v, generate_series(1, v.runs)"""  # noqa: S608 - constants
"""A round trip costs more than what it does."""
_PLAN_ROW: Final[Columns] = {
    "id": Kind.INT,
    "lane": Kind.TEXT,
    "plan_version": Kind.INT,
    "facts": Kind.JSON,
    "state": Kind.TEXT,
    "hops": Kind.INT,
    "outcome": Kind.TEXT,
    "done_at": Kind.TIME,
    "runs": Kind.INT,
}
_END: Final = """
UPDATE events SET state = v.state, outcome = v.outcome, done_at = v.done_at FROM {rows}
WHERE events.id = v.id AND coalesce(events.state, '') = 'pending'"""
_END_ROW: Final[Columns] = {
    "id": Kind.INT,
    "state": Kind.TEXT,
    "outcome": Kind.TEXT,
    "done_at": Kind.TIME,
}
_TRACE: Final[Columns] = {
    "tenant_id": Kind.UUID,
    "event_id": Kind.INT,
    "rule_id": Kind.TEXT,
    "about": Kind.TEXT,
    "fired": Kind.BOOL,
    "because": Kind.TEXT,
    "body": Kind.JSON,
    "created_at": Kind.TIME,
}


class TraceRow(NamedTuple):
    """Why a rule fired, or was suppressed."""

    tenant_id: uuid.UUID
    event_id: int
    rule_id: str
    about: str
    fired: bool
    because: str
    body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line of the activity (a row of `journal.line`), of a run whose id may be new."""

    row: Mapping[str, Any]
    run: LedgerRun | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ToWrite:
    """What a run will set on its record, for receipts."""

    record: RecordKey
    run: LedgerRun
    values: Mapping[str, Value]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is to be done for an event; `state` other than pending ends it at once."""

    event_id: int
    lane: str
    version: int
    facts: str | None = None
    state: str = "pending"
    hops: int = 0
    outcome: str | None = None
    runs: tuple[LedgerRun, ...] = ()
    matter: NewMatter | None = None
    reserving: tuple[LedgerRun, ...] = ()
    seen: tuple[tuple[RecordKey, Seen], ...] = ()
    writes: tuple[ToWrite, ...] = ()
    ended: tuple[tuple[RecordKey, Receipt, datetime], ...] = ()
    opened: tuple[Opened, ...] = ()
    link: LinkWanted | None = None
    traces: tuple[TraceRow, ...] = ()
    lines: tuple[Line, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A run is about to be sent: `sent` and its receipts are durable before the request."""

    run: LedgerRun
    writes: ToWrite | None = None
    again: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Finish:
    """What became of an event's runs; with a `hold` the event stays pending, its lane waits."""

    event_id: int
    lane: str
    runs: tuple[LedgerRun, ...] = ()
    state: str | None = "done"
    outcome: str | None = None
    hold: Hold | None = None
    lift: bool = False
    attempts: tuple[NewAttempt, ...] = ()
    links: tuple[LinkWanted, ...] = ()
    gone: tuple[RecordKey, ...] = ()
    notes: tuple[NotePair, ...] = ()
    seen: tuple[tuple[RecordKey, Seen], ...] = ()
    wrote_nothing: tuple[LedgerRun, ...] = ()
    wrote: tuple[ToWrite, ...] = ()
    lines: tuple[Line, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One commit of a lane: the end of an event together with the plan of the next."""

    shard: int
    epoch: int
    now: datetime
    finish: Finish | None = None
    mark: Mark | None = None
    plan: Plan | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stepped:
    """What was written. `fenced`: nothing. `moved`: the order of the lane has to be read anew."""

    fenced: bool = False
    planned: bool = False
    moved: bool = False


@dataclass(slots=True)
class _Moves:
    events: set[int] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class StepWriter:
    """Writes steps; `write` is work for a GroupCommit."""

    inbox: EventInbox
    linker: Linker

    def write(self, connection: Connection, steps: Sequence[Step]) -> list[Stepped]:
        """Write the steps of shards that are still ours; one answer for each."""
        finishing = [step.finish for step in steps if step.finish is not None]
        linking.lock_records(
            connection,
            [link.record for one in finishing for link in one.links]
            + [step.plan.link.record for step in steps if step.plan and step.plan.link],
        )
        owned = _owned(connection, steps)
        valid = [step for step, mine in zip(steps, owned, strict=True) if mine]
        if not valid:
            return [Stepped(fenced=True)] * len(steps)
        now = max(step.now for step in valid)
        moved = self._finish(connection, [s.finish for s in valid if s.finish], now)
        self._mark(connection, [step.mark for step in valid if step.mark is not None], now)
        planned = self._plan(connection, [step.plan for step in valid if step.plan], now, moved)
        return [
            Stepped(
                fenced=not mine,
                planned=step.plan is not None and step.plan.event_id in planned,
                moved=_event_of(step) in moved.events,
            )
            for step, mine in zip(steps, owned, strict=True)
        ]

    def _finish(self, connection: Connection, ends: Sequence[Finish], now: datetime) -> _Moves:
        moves = _Moves()
        if not ends:
            return moves
        ended = [(one.event_id, one.state, one.outcome, now) for one in ends if one.state]
        silent = [run.id for run in _joined(one.wrote_nothing for one in ends)]
        write_all(
            connection,
            [
                ledger.changed_runs(_joined(one.runs for one in ends)),
                ledger.new_attempts(_joined(one.attempts for one in ends)),
                Write(_END, _END_ROW, ended),
                matters.new_note_pairs(_joined(one.notes for one in ends), now),
                matters.dropped_receipts(silent),
                _receipts(_joined(one.wrote for one in ends), now),
                matters.new_seen(_joined(one.seen for one in ends), now),
                _lines(_joined(one.lines for one in ends)),
            ],
        )
        for one in ends:
            self._settle_records(connection, one, now, moves)
        self.inbox.lift(connection, [one.lane for one in ends if one.lift and one.hold is None])
        self.inbox.hold(connection, [one.hold for one in ends if one.hold is not None], now)
        return moves

    def _settle_records(
        self, connection: Connection, end: Finish, now: datetime, moves: _Moves
    ) -> None:
        for wanted in end.links:
            linked = self.linker.link(connection, wanted, now)
            if linked.moved or linked.merged:
                moves.events.add(end.event_id)
        for record in end.gone:
            linking.break_link(connection, record, "gone")
        for run in end.runs:
            if run.unless_linked and run.settled and run.state != "done":
                linking.free(connection, run.id)

    def _mark(self, connection: Connection, marks: Sequence[Mark], now: datetime) -> None:
        if not marks:
            return
        write_all(
            connection,
            [
                ledger.changed_runs([mark.run for mark in marks]),
                matters.resent_receipts([(mark.run.id, now) for mark in marks if mark.again]),
                _receipts([one.writes for one in marks if one.writes is not None], now),
            ],
        )

    def _plan(
        self, connection: Connection, plans: Sequence[Plan], now: datetime, moves: _Moves
    ) -> frozenset[int]:
        if not plans:
            return frozenset()
        taken = _take(connection, plans, now)
        valid = [plan for plan in plans if plan.event_id in taken]
        linking.begin(connection, [plan.matter for plan in valid if plan.matter], now)
        traces = [(*trace, now) for plan in valid for trace in plan.traces]
        write_all(
            connection,
            [
                ledger.new_runs(_joined(plan.runs for plan in valid)),
                matters.new_seen(_joined(plan.seen for plan in valid), now),
                matters.ended_receipts(_joined(plan.ended for plan in valid)),
                _receipts(_joined(plan.writes for plan in valid), now),
                new_open(_joined(plan.opened for plan in valid), now),
                inserting("traces", _TRACE, traces, suffix="ON CONFLICT DO NOTHING"),
                _lines(_joined(plan.lines for plan in valid)),
            ],
        )
        self._reserve(connection, valid, now)
        for plan in valid:
            if plan.link is None:
                continue
            if self.linker.link(connection, plan.link, now).moved or plan.link.instead_of:
                moves.events.add(plan.event_id)
        return taken

    def _reserve(self, connection: Connection, plans: Sequence[Plan], now: datetime) -> None:
        runs = _joined(plan.reserving for plan in plans)
        if not runs:
            return
        got = linking.reserve(connection, [_reservation(run) for run in runs], now)
        refused = [run for run in runs if run.id not in got]
        for run in refused:
            run.skip("already_linked", "Already linked, or being created.", now)
        write_all(connection, [ledger.changed_runs(refused)])


def _take(connection: Connection, plans: Sequence[Plan], now: datetime) -> frozenset[int]:
    """Give events their plans; return those that were still to be planned. Runs get ids."""
    rows = [_plan_row(plan, now) for plan in plans]
    runs = _joined(plan.runs for plan in plans)
    if connection.dialect.name == "postgresql":
        found = write_rows(connection, _PLAN_AND_IDS, _PLAN_ROW, rows)
        ids = sorted(row[1] for row in found if row[1] is not None)
    else:
        found = write_rows(connection, _PLAN, _PLAN_ROW, rows)
        ids = take_ids(connection, "runs", len(runs))
    for run, number in zip(runs, ids, strict=True):
        run.id = number
    return frozenset(row[0] for row in found if row[0] is not None)


def _owned(connection: Connection, steps: Sequence[Step]) -> list[bool]:
    rows = write_rows(
        connection,
        "SELECT s.id, s.epoch FROM {rows} JOIN shards s ON s.id = v.id",
        {"id": Kind.INT},
        [(shard,) for shard in {step.shard for step in steps}],
    )
    epochs = {row[0]: row[1] for row in rows}
    return [epochs.get(step.shard) == step.epoch for step in steps]


def _plan_row(plan: Plan, now: datetime) -> tuple[Any, ...]:
    return (
        plan.event_id,
        plan.lane,
        plan.version,
        plan.facts,
        plan.state,
        plan.hops,
        plan.outcome,
        None if plan.state == "pending" else now,
        len(plan.runs),
    )


def _reservation(run: LedgerRun) -> Reservation:
    assert run.correlation_id is not None  # noqa: S101 - set by the planner
    assert run.connector_id is not None  # noqa: S101 - set by the planner
    return Reservation(
        tenant_id=run.tenant_id,
        correlation_id=run.correlation_id,
        connector_id=run.connector_id,
        source_object=run.source_object or "",
        run_id=run.id,
        ruleset=run.ruleset_id,
        slot=str(run.params.get("slot") or ""),
    )


def _receipts(writes: Sequence[ToWrite], now: datetime) -> Write:
    receipts = [
        (one.record, receipt)
        for one in writes
        for receipt in receipts_of(one.values, one.run.id, one.run.sent_at or now)
    ]
    hops = {one.run.id: one.run.hops for one in writes}
    return matters.new_receipts(
        [
            (
                key,
                Receipt(
                    field=one.field,
                    digest=one.digest,
                    run_id=one.run_id,
                    sent_at=one.sent_at,
                    hops=hops[one.run_id],
                ),
            )
            for key, one in receipts
        ],
    )


def _lines(lines: Iterable[Line]) -> Write:
    return journal.new_lines(
        one.row if one.run is None else {**one.row, "run_id": one.run.id} for one in lines
    )


def _event_of(step: Step) -> int | None:
    if step.finish is not None:
        return step.finish.event_id
    return step.plan.event_id if step.plan is not None else None


def _joined(parts: Iterable[Sequence[T]]) -> list[T]:
    return [one for part in parts for one in part]
