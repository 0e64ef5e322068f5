"""What follows from an attempt: the ledger's row, links, receipts, activity, the next attempt."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final

from hub import ids
from hub.connectors.clients import OpenConnector
from hub.connectors.transport import Call
from hub.correlations.linking import LinkWanted
from hub.correlations.repository import LinkView, Matter, NotePair, RecordKey
from hub.correlations.seen import Seen
from hub.deliveries.pending import PendingEvent
from hub.deliveries.repository import Hold
from hub.deliveries.steps import Finish, Line, ToWrite
from hub.runs import retry
from hub.runs.ledger import LedgerRun, NewAttempt
from hub.runs.runner import Attempted, Job, packed_result, writes_of
from hub.sdk.actions import ActionResult
from hub.sdk.errors import OutcomeUnknown, RateLimited, Unavailable
from hub.sdk.events import Record
from hub.sdk.vocabulary import Value
from hub.worker.intents import expect, run_record
from hub.worker.loading import Known
from hub.worker.parts import Parts
from hub.worker.telling import label_of, run_line

_BUSY_S: Final = 10.0


@dataclass(slots=True, kw_only=True)
class Outcomes:
    """Gathers what the finish of one event is going to write."""

    parts: Parts
    event: PendingEvent
    known: Known
    changed: dict[int, LedgerRun] = field(default_factory=dict)
    attempts: list[NewAttempt] = field(default_factory=list)
    links: list[LinkWanted] = field(default_factory=list)
    gone: list[RecordKey] = field(default_factory=list)
    notes: list[NotePair] = field(default_factory=list)
    seen: dict[RecordKey, Seen] = field(default_factory=dict)
    wrote_nothing: list[LedgerRun] = field(default_factory=list)
    wrote: list[ToWrite] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)

    def finish(self, *, outcome: str, hold: Hold | None, over: bool) -> Finish:
        """Return what is to be written; `over`: the event is done."""
        return Finish(
            event_id=self.event.id,
            lane=self.event.lane,
            runs=tuple(self.changed.values()),
            state="done" if over else None,
            outcome=outcome,
            hold=hold,
            lift=self.event.held,
            attempts=tuple(self.attempts),
            links=tuple(self.links),
            gone=tuple(self.gone),
            notes=tuple(self.notes),
            seen=tuple(self.seen.items()),
            wrote_nothing=tuple(self.wrote_nothing),
            wrote=tuple(self.wrote),
            lines=tuple(self.lines),
        )

    def tell(self, run: LedgerRun, text: str, level: Any = "info") -> None:  # noqa: ANN401 - a journal level
        """Write a line about the run."""
        matter = self.known.matter_of(self.event.record)
        row = run_line(
            run,
            f"{label_of(self.parts, run)}: {text}",
            level=level,
            correlation=matter.id if matter else None,
        )
        self.lines.append(Line(row=row, run=run))

    def skip(self, run: LedgerRun, outcome: str, text: str) -> None:
        """End a run without sending."""
        run.skip(outcome, text, self.parts.now())
        self.settle(run)
        self.tell(run, text)

    def give_up(self, run: LedgerRun, reason: str, error: str = "Rejected") -> None:
        """Make a run a dead letter."""
        run.give_up(reason, self.parts.now(), error=error)
        self.settle(run)
        self.tell(run, f"given up: {reason}", "error")

    def settle(self, run: LedgerRun) -> None:
        """Count a run that ended."""
        self.changed[run.id] = run
        self.parts.counters.add("hub_runs_total", outcome=run.outcome or run.state)
        if run.state != "done":
            self.wrote_nothing.append(run)
        if run.connector_id is not None:
            took = 0.0
            if run.first_at is not None and run.done_at is not None:
                took = (run.done_at - run.first_at).total_seconds()
            self.parts.counters.tally(run.tenant_id, run.connector_id, f"runs_{run.state}", took)

    def attempted(self, run: LedgerRun, attempted: Attempted) -> None:
        """Keep the requests that an attempt made."""
        for call in attempted.calls:
            self._span(run, call)
            self.attempts.append(
                NewAttempt(
                    run.tenant_id,
                    run,
                    run.attempts,
                    call.at,
                    call.method,
                    call.url,
                    call.status,
                    call.took_ms,
                    call.request or None,
                    call.response or None,
                    call.error or None,
                )
            )
        word = "ok" if attempted.error is None else type(attempted.error).__name__
        self.parts.counters.add("hub_attempts_total", outcome=word)

    def _span(self, run: LedgerRun, call: Call) -> None:
        told: dict[str, str | int | None] = {
            "hub.event": ids.shown("evt", run.event_id),
            "hub.run": ids.shown("run", run.id) if run.id else None,
            "hub.action": run.action,
            "hub.attempt": run.attempts,
            "http.request.method": call.method,
            "url.full": call.url,
            "http.response.status_code": call.status,
        }
        failed = call.error or ("" if (call.status or 500) < 400 else f"HTTP {call.status}")
        times = (call.at, call.at + timedelta(milliseconds=call.took_ms))
        self.parts.spans.ended("attempt", self.event.delivery_id, times, told, error=failed)

    def succeeded(self, job: Job, result: ActionResult) -> None:
        """Note what a run did."""
        run, now = job.run, self.parts.now()
        run.finish(result.summary, packed_result(result), now)
        self.settle(run)
        matter = self.known.matter_of(self.event.record)
        row = run_line(run, result.summary, correlation=matter.id if matter else None)
        self.lines.append(Line(row=row, run=run))
        age = (now - self.event.created_at).total_seconds()
        self.parts.counters.observe("hub_event_to_effect_seconds", age)
        self._note(run, result)
        self._record(job, result, now)

    def failed(self, job: Job, error: Exception) -> Hold | None:
        """Decide what happens after a failed attempt; the hold is what the lane waits for."""
        run, now = job.run, self.parts.now()
        run.error, run.error_class = str(error)[:4000], type(error).__name__
        self.changed[run.id] = run
        failure = retry.Failure(
            error=error, attempt=run.attempts, first_at=run.first_at or now, now=now
        )
        if isinstance(error, RateLimited):
            self.parts.limits.lower(job.connector, error.retry_after)
        match retry.decide(failure, self.parts.policy, self.parts.random):
            case retry.Again(at=at):
                return self._again(job, at)
            case retry.Park(state=state):
                run.attempts -= 1
                run.state = "waiting"
                self.tell(run, f"waiting: {error}", "error")
                return self.connector_hold(job.connector, run, state)
            case retry.Dead(reason=reason):
                return self._dead(job, reason, error)
            case retry.Skip(reason=reason):
                record = run_record(run)
                if record is not None:
                    self.gone.append(record)
                self.skip(run, "gone", f"The record is gone: {reason}")
        return None

    def connector_hold(self, connector: OpenConnector, run: LedgerRun, why: str) -> Hold:
        """Return the hold of a lane that waits for a connector."""
        return self.hold("connector", run, connector_id=connector.id, detail=why)

    def busy(self, run: LedgerRun, wait: float) -> Hold:
        """Return a hold until it may be the run's turn; no attempt counts."""
        until = self.parts.now() + timedelta(seconds=min(wait, _BUSY_S))
        return self.hold("busy", run, not_before=until)

    def hold(
        self,
        reason: str,
        run: LedgerRun,
        *,
        not_before: datetime | None = None,
        connector_id: uuid.UUID | None = None,
        detail: str = "",
    ) -> Hold:
        """Return a hold of the event's lane."""
        return Hold(
            lane=self.event.lane,
            tenant_id=self.event.tenant_id,
            shard=self.event.shard,
            reason=reason,
            not_before=not_before,
            detail=detail,
            connector_id=connector_id,
            run_id=run.id,
        )

    def _again(self, job: Job, at: datetime) -> Hold:
        run = job.run
        run.state, run.due_at = "waiting", at
        when = at.strftime("%H:%M:%S")
        self.tell(
            run, f"attempt {run.attempts} failed, again at {when} UTC: {run.error}", "warning"
        )
        return self.hold("retry", run, not_before=at, detail=run.error or "")

    def _dead(self, job: Job, reason: str, error: Exception) -> Hold | None:
        run = job.run
        self.give_up(run, reason, type(error).__name__)
        if isinstance(error, OutcomeUnknown):
            self.wrote_nothing.remove(run)
        if job.connector.on_dead_letter == "hold":
            return self.hold("dead", run, detail=reason)
        return None

    def _note(self, run: LedgerRun, result: ActionResult) -> None:
        if result.note is None or run.connector_id is None:
            return
        theirs = self.event.event.note
        matter = self.known.matter_of(self.event.record)
        self.notes.append(
            NotePair(
                tenant_id=run.tenant_id,
                connector_id=self.event.connector_id if theirs else run.connector_id,
                note_id=theirs or result.note,
                peer_connector_id=run.connector_id,
                peer_note_id=result.note,
                correlation_id=matter.id if matter else None,
            )
        )
        self.known.our_notes.add((run.connector_id, result.note))
        if result.record is None:  # nothing but a note, whose id says it better than receipts
            self.wrote_nothing.append(run)

    def _record(self, job: Job, result: ActionResult, now: datetime) -> None:
        """Remember the values that a run set, and link the record that it made."""
        run, record = job.run, result.record
        key = run_record(run)
        if job.action.creates and record is not None and run.connector_id is not None:
            run.source_object, run.record_id = record.source_object, record.id
            key = RecordKey(run.tenant_id, run.connector_id, record.source_object, record.id)
            self._link(run, key, record)
        writes = writes_of(job.action, run.params).values
        if key is None or not (writes or record or result.wrote or result.wrote_each):
            return
        seen = self.known.seen.get(key)
        if seen is None:
            told = record or Record(source_object=key.source_object, id=key.record_id)
            seen = Seen(
                values={}, occurred_at=run.sent_at or now, url=told.url, human_id=told.human_id
            )
        if record is not None:
            seen = replace(
                seen, url=record.url or seen.url, human_id=record.human_id or seen.human_id
            )
        if job.action.creates and record is not None:
            seen = replace(seen, values={**seen.values, **(writes or {}), **record.values})
        elif result.changed:
            more = self._wrote_besides(run, key, result, writes or {})
            if result.note is None:
                seen = seen.wrote({**(writes or {}), **more}, now)
        self.known.seen[key] = self.seen[key] = seen

    def _wrote_besides(
        self, run: LedgerRun, key: RecordKey, result: ActionResult, foreseen: Mapping[str, Value]
    ) -> Mapping[str, Value]:
        """Return what a run wrote that its parameters did not tell, and leave receipts of it.

        Such as the id that a name stood for.
        """
        more = {name: value for name, value in result.wrote.items() if name not in foreseen}
        each = [{name: one} for name, values in result.wrote_each.items() for one in values]
        wrote = [ToWrite(record=key, run=run, values=one) for one in (more, *each) if one]
        self.wrote += wrote
        expect(self.known, wrote, self.parts.now())
        return more

    def _link(self, run: LedgerRun, key: RecordKey, record: Record) -> None:
        if run.correlation_id is None:
            return
        self.links.append(
            LinkWanted(
                record=key,
                correlation_id=run.correlation_id,
                url=record.url,
                human_id=record.human_id,
                run_id=run.id,
                ruleset=run.ruleset_id,
            )
        )
        matter = self.known.matter_of(self.event.record)
        if matter is None:
            return
        link = LinkView(
            id=0,
            connector_id=key.connector_id,
            source_object=key.source_object,
            state="live",
            record_id=key.record_id,
            human_id=record.human_id,
            url=record.url,
            made_by_run=run.id,
            made_by_ruleset=run.ruleset_id,
        )
        grown = _grown(matter, link)
        for member, one in list(self.known.matters.items()):
            if one.id == matter.id:
                self.known.matters[member] = grown
        self.known.matters[key] = grown


def met_outage(error: Exception) -> bool:
    """Whether the vendor was away, as opposed to having said no."""
    return isinstance(error, Unavailable | OutcomeUnknown)


def _grown(matter: Matter, link: LinkView) -> Matter:
    return replace(matter, links=(*matter.links, link))
