"""What is written down for people: activity lines and traces."""

import uuid
from collections.abc import Iterable, Mapping
from typing import Any

from hub import ids
from hub.activity import journal
from hub.db.base import to_json
from hub.deliveries.pending import PendingEvent
from hub.deliveries.steps import Line, TraceRow
from hub.rules import RuleTrace
from hub.runs.ledger import LedgerRun
from hub.sdk.actions import RunSettled
from hub.worker.breakers import pair_of
from hub.worker.loading import Known
from hub.worker.parts import Parts


def run_line(
    run: LedgerRun,
    text: str,
    *,
    level: journal.Level = "info",
    correlation: uuid.UUID | None = None,
) -> dict[str, Any]:
    """Return the activity line of a run."""
    return journal.line(
        run.tenant_id,
        "run",
        text,
        level=level,
        connector_id=run.connector_id,
        correlation_id=correlation or run.correlation_id,
        event_id=run.event_id,
        run_id=run.id or None,
        facts={"action": run.action, "rule": run.rule_name},
    )


def run_settled(run: LedgerRun) -> RunSettled:
    """Return what observers are told of a run that ended."""
    took = 0.0
    if run.first_at is not None and run.done_at is not None:
        took = (run.done_at - run.first_at).total_seconds()
    return RunSettled(
        id=ids.shown("run", run.id),
        action=run.action,
        outcome=run.outcome or run.state,
        attempts=run.attempts,
        took=took,
    )


def label_of(parts: Parts, run: LedgerRun) -> str:
    """Return what people call the run's action."""
    action = parts.catalog.actions.get(run.action)
    return action.label if action is not None else run.action


def outcome_of(runs: Iterable[LedgerRun]) -> str:
    """Say in a word how an event ended whose runs are all settled."""
    listed = list(runs)
    if not listed:
        return "no rule matched"
    if any(run.state == "dead" for run in listed):
        return "given up"
    return listed[0].outcome or "skipped"


def trace_rows(
    event: PendingEvent, traces: Iterable[RuleTrace], suppressed: Mapping[str, str]
) -> tuple[TraceRow, ...]:
    """Return the traces as they are stored; `suppressed` says which rules were kept from acting."""
    rows = []
    for trace in traces:
        reason = suppressed.get(trace.rule)
        told = trace if reason is None else trace._replace(fired=False, skipped=reason)
        about = told.about
        rows.append(
            TraceRow(
                event.tenant_id,
                event.id,
                told.rule,
                f"{about.source_object}:{about.id}" if about else "",
                told.fired,
                told.because,
                to_json(told.as_json()),
            )
        )
    return tuple(rows)


def plan_lines(
    parts: Parts,
    event: tuple[PendingEvent, Known],
    traces: Iterable[RuleTrace],
    runs: Iterable[LedgerRun],
    suppressed: Mapping[str, str],
) -> tuple[Line, ...]:
    """Return the lines of an event that was planned: what fired, what was kept from firing."""
    names = {trace.rule: trace.name for trace in traces}
    fired = [f'rule "{name}"' for rule, name in names.items() if rule not in suppressed]
    said = f"{', '.join(fired)} matched" if fired else "no rule matched"
    lines = [event_line(parts, *event, said, "info" if fired else "debug")]
    for rule, reason in suppressed.items():
        times = parts.breakers.firings(pair_of(rule, event[0].record))
        text = f'rule "{names.get(rule, rule)}" is off for this record: it fired {times} times'
        lines.append(event_line(parts, *event, text, "error" if "opened" in reason else "warning"))
    for run in runs:
        if run.settled:
            text = f"{label_of(parts, run)}: {run.summary or run.error}"
            row = run_line(run, text, level="error" if run.state == "dead" else "info")
            lines.append(Line(row=row, run=run))
    return tuple(lines)


def event_line(
    parts: Parts, event: PendingEvent, known: Known, said: str, level: journal.Level
) -> Line:
    """Return the activity line of an event."""
    trigger = parts.catalog.triggers.get(event.event.trigger)
    record = event.event.record
    matter = known.matter_of(event.record)
    name = record.human_id or record.id
    label = trigger.label if trigger is not None else event.event.trigger
    return Line(
        row=journal.line(
            event.tenant_id,
            "event",
            f"{label} ({name}): {said}.",
            level=level,
            connector_id=event.connector_id,
            correlation_id=matter.id if matter else None,
            event_id=event.id,
            facts={"trigger": event.event.trigger, "record": record.id},
        )
    )
