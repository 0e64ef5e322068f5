"""Working the runs of one event in order: fill in, ask, mark, send, settle."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from typing import Any, Final

from hub.connectors.clients import OpenConnector
from hub.connectors.states import ConnectorState
from hub.connectors.transport import Withdrawn, asking_before_sending
from hub.deliveries.pending import PendingEvent
from hub.deliveries.repository import Hold
from hub.deliveries.steps import Finish, Mark, Step, ToWrite
from hub.dispatch.shards import Lease, monotonic, prove
from hub.rules import ActionOutcome, NoRow, TemplateError, render_late, services_needed
from hub.rules import Plan as RulePlan
from hub.runs.ledger import UNSETTLED, LedgerRun
from hub.runs.runner import Attempted, Job, stored_record, writes_of
from hub.sdk.actions import Repeat
from hub.sdk.errors import ConnectorError
from hub.sdk.events import Record, RecordRef
from hub.worker.intents import already_so, expect, linked_meanwhile, run_record
from hub.worker.loading import Known
from hub.worker.outages import ConnectorStates
from hub.worker.outcomes import Outcomes, met_outage
from hub.worker.parts import Parts
from hub.worker.worth import worth_of

_PATIENCE_S: Final = 1.0
_NOT_LIVE: Final = frozenset({"import", "replay"})
"""What happens now goes before events of these sources."""
_BUDGET_WAIT: Final = timedelta(minutes=5)


class Fenced(Withdrawn):
    """Another process owns the shard by now: nothing more may be sent or written for it."""


@dataclass(slots=True, kw_only=True)
class Sending:
    """The runs of one event on their way; `fresh`: planned a moment ago by this lane."""

    parts: Parts
    lease: Lease
    event: PendingEvent
    runs: list[LedgerRun]
    known: Known
    outcomes: Outcomes
    rules: RulePlan | None = None
    fresh: bool = False
    aimed: set[int] = field(default_factory=set)

    async def work(self) -> Finish:
        """Work the runs until all are settled or one has to wait. Raises Fenced."""
        hold: Hold | None = None
        for run in self.runs:
            if run.settled:
                continue
            hold = await self._run(run)
            if run.state in UNSETTLED:
                return self.outcomes.finish(outcome="waiting", hold=hold, over=False)
            if hold is not None:
                break
        over = all(run.settled for run in self.runs)
        return self.outcomes.finish(outcome=self._outcome(), hold=hold, over=over)

    async def _run(self, run: LedgerRun) -> Hold | None:
        stopped_by = self._stopped_by(run)
        if stopped_by is not None:
            self.outcomes.skip(run, "stopped", f"Skipped: action {stopped_by + 1} was given up.")
            return None
        now = self.parts.now()
        if run.state == "waiting" and run.due_at is not None and run.due_at > now:
            return self.outcomes.hold("retry", run, not_before=run.due_at, detail=run.error or "")
        job = await self._job(run)
        if job is None or not self._aimed(job) or (not self.fresh and self._linked_meanwhile(job)):
            return None
        waits = self._connector_waits(job) or await self._fill(job)
        if waits is not None or run.settled:
            return waits
        if await self.parts.putting_off.takes(job, self.outcomes, fresh=self.fresh):
            return None
        return await self._find_or_send(job)

    def _stopped_by(self, run: LedgerRun) -> int | None:
        for other in self.runs:
            same_rule = other.rule_id == run.rule_id and other.about == run.about
            if other is run or not same_rule or other.action_index >= run.action_index:
                continue
            given_up = other.state == "dead" or other.outcome == "dismissed"
            if given_up and other.on_error == "stop":
                return other.action_index
        return None

    async def _job(self, run: LedgerRun) -> Job | None:
        action = self.parts.catalog.actions.get(run.action)
        connector = await self._connector(run)
        if action is None or connector is None:
            missing = f"action {run.action!r}" if action is None else "connector"
            self.outcomes.give_up(run, f"There is no such {missing} any more.")
            return None
        return Job(
            run=run,
            action=action,
            connector=connector,
            event=self.event.event,
            timeout_s=self.parts.settings.http_timeout_s,
            sparing=self.parts.limits.sparing(connector),
        )

    def _linked_meanwhile(self, job: Job) -> bool:
        """Skip a create that waited, or was tried again, where another made the record by now."""
        if not job.action.creates or not linked_meanwhile(self.event, self.known, job.run):
            return False
        self.outcomes.skip(job.run, "already_linked", "Already linked, or being created.")
        return True

    def _aimed(self, job: Job) -> bool:
        """Let a run act on what an earlier action of its rule made; without that it is skipped."""
        run, action = job.run, job.action
        if run.record_id is not None or action.creates or not run.source_object:
            return True
        run.record_id = next((one.record_id for one in self._before(run) if _made(one, run)), None)
        if run.record_id is None:
            self.outcomes.skip(run, "no_record", "Skipped: there is no linked record.")
            return False
        if not run.late and self._is_so(job):
            self.outcomes.skip(run, "already_so", "Already so.")
            return False
        self.aimed.add(run.id)
        return True

    async def _connector(self, run: LedgerRun) -> OpenConnector | None:
        if run.connector_id is None:
            return None
        return await self.parts.connectors.by_id(run.tenant_id, run.connector_id)

    def _connector_waits(self, job: Job) -> Hold | None:
        connector = job.connector
        if connector.state is ConnectorState.PARKED:
            until = connector.parked_until
            early = until is not None and until > self.parts.now()
            if early or self.parts.limits.may_try(connector.id) > 0:
                return self._wait_for(job, "parked")
        elif connector.state is not ConnectorState.ACTIVE or not connector.is_ready:
            return self._wait_for(job, connector.state.value)
        return None

    def _not_sent(self, run: LedgerRun) -> None:
        """Take back that a run was called sent with the plan: it waits before it is sent."""
        if self.fresh and run.state == "sent" and run.attempts == 0:
            run.state, run.sent_at = "intent", None
            self.outcomes.changed[run.id] = run

    def _wait_for(self, job: Job, why: str) -> Hold:
        run = job.run
        self._not_sent(run)
        if run.state == "intent" and run.attempts == 0 and run.outcome is None:
            run.outcome = "waiting"
            self.outcomes.tell(run, f"waiting, the connector is {why}.", "warning")
            self.outcomes.changed[run.id] = run
        return self.outcomes.connector_hold(job.connector, run, why)

    async def _fill(self, job: Job) -> Hold | None:
        """Fill in what is known only now: services, results of earlier actions."""
        run = job.run
        if not run.late:
            return None
        try:
            services = await self._services(run)
            schema = (await self._rules()).schema
            run.params = render_late(
                run.params, schema, outcomes=self._earlier(run), services=services
            )
        except (TemplateError, NoRow, NoService) as error:
            self.outcomes.give_up(run, str(error))
            return None
        except ConnectorError as error:
            run.attempts += 1
            run.first_at = run.first_at or self.parts.now()
            return self.outcomes.failed(job, error)
        if not job.action.creates and self._is_so(job):
            self.outcomes.skip(run, "already_so", "Already so.")
        return None

    async def _rules(self) -> RulePlan:
        if self.rules is None:
            self.rules = await self.parts.plans.plan_for(self.event.tenant_id)
        return self.rules

    async def _services(self, run: LedgerRun) -> Mapping[str, Any]:
        found: dict[str, Any] = {}
        for direction in services_needed(run.params):
            if direction == "inbound":
                resolution = await self.parts.resolver.service(
                    run.tenant_id,
                    self.event.connector_id,
                    self._whole(self.event.event.record),
                    "inbound",
                    target=run.source_object,
                )
            else:
                assert run.connector_id is not None  # noqa: S101 - runs without one are settled
                resolution = await self.parts.resolver.service(
                    run.tenant_id, run.connector_id, self._about(run), "outbound"
                )
            if resolution.by == "none":
                raise NoService("; ".join(("no service", *resolution.steps)))
            if resolution.fell_back:
                self.outcomes.tell(run, f"service by default: {resolution.steps[-1]}", "warning")
            found[direction] = dict(resolution.fields) or resolution.value
        return found

    def _about(self, run: LedgerRun) -> Record:
        record = self.event.event.record
        if run.about is None:
            return self._whole(record)
        source_object, _, number = run.about.partition(":")
        ref = RecordRef(source_object=source_object, id=number)
        seen = next((one for key, one in self.known.seen.items() if key.ref == ref), None)
        values = seen.present if seen is not None else {}
        return Record(source_object=source_object, id=number, values=values)

    def _whole(self, record: Record) -> Record:
        seen = self.known.seen.get(self.event.record)
        if seen is None:
            return record
        return replace(record, values={**seen.present, **record.values})

    def _earlier(self, run: LedgerRun) -> dict[int, ActionOutcome]:
        found = {}
        for other in self._before(run):
            made = stored_record(other.result)
            found[other.action_index] = ActionOutcome(
                id=made.id if made else other.record_id,
                url=made.url if made else None,
                summary=other.summary,
            )
        return found

    def _before(self, run: LedgerRun) -> list[LedgerRun]:
        """Return the done runs of the same rule, about the same record."""
        return [
            one
            for one in self.runs
            if one.rule_id == run.rule_id and one.about == run.about and one.state == "done"
        ]

    def _is_so(self, job: Job) -> bool:
        record = run_record(job.run)
        writes = writes_of(job.action, job.run.params).values
        return bool(record and writes and already_so(self.known, record, writes))

    async def _find_or_send(self, job: Job) -> Hold | None:
        run, finding = job.run, job.action.repeat is Repeat.FIND_FIRST
        unknown = run.state == "sent" or run.error_class == "OutcomeUnknown"
        if finding and unknown and not (self.fresh and run.attempts == 0):
            not_before = run.sent_at and run.sent_at + timedelta(seconds=job.timeout_s)
            if not_before is not None and not_before > self.parts.now():
                return self.outcomes.hold("retry", run, not_before=not_before)
            looked = await self._guarded(job, look=True)
            if isinstance(looked, Hold):
                return looked
            if looked.result is not None or looked.error is not None:
                return await self._settle(job, looked)
        return await self._send(job)

    async def _send(self, job: Job) -> Hold | None:
        run = job.run
        first_in_plan = self.fresh and run.state == "sent" and run.attempts == 0
        repeated = run.attempts > 0 or not self.fresh
        finding = job.action.repeat is Repeat.FIND_FIRST
        if not first_in_plan and (finding or run.late or repeated or run.id in self.aimed):
            await self._mark(job, again=repeated)
        attempted = await self._guarded(job, look=False)
        return attempted if isinstance(attempted, Hold) else await self._settle(job, attempted)

    async def _mark(self, job: Job, *, again: bool) -> None:
        run, now = job.run, self.parts.now()
        never_marked = run.sent_at is None
        run.state, run.sent_at = "sent", now
        writes = None
        record = run_record(run)
        if (run.late or run.id in self.aimed) and record is not None and never_marked:
            values = writes_of(job.action, run.params).values
            writes = ToWrite(record=record, run=run, values=values) if values else None
        self.parts.passing("before_mark")
        await self._commit(Mark(run=run, writes=writes, again=again))
        self.parts.passing("after_mark")
        if writes is not None:
            expect(self.known, [writes], now)

    async def _commit(self, mark: Mark) -> None:
        at = monotonic()
        step = Step(shard=self.lease.shard, epoch=self.lease.epoch, now=self.parts.now(), mark=mark)
        if (await self.parts.commit(step)).fenced:
            raise Fenced
        self.lease.proved(at)

    async def _guarded(self, job: Job, *, look: bool) -> Attempted | Hold:
        """Make an attempt, at its turn at the connector's connections."""
        turns, whose = self.parts.turns, (job.connector.id, self.event.tenant_id)
        async with turns.turn(*whose, _PATIENCE_S) as wait:
            if wait > 0:
                self._not_sent(job.run)
                return self.outcomes.busy(job.run, wait)
            return await self._permitted(job, look=look)

    async def _permitted(self, job: Job, *, look: bool) -> Attempted | Hold:
        """Make an attempt, with a permit, and only while the shard is provably ours."""
        busy = await self._permit(job)
        if busy is not None:
            self._not_sent(job.run)
            return busy
        await self._prove()
        run = job.run
        if look:
            looked = await job.look()
            self.outcomes.attempted(run, looked)
            if looked.error is not None:
                run.attempts += 1
            return looked
        run.attempts += 1
        now = self.parts.now()
        run.first_at, run.sent_at = run.first_at or now, run.sent_at or now
        self.parts.passing("before_send")
        with asking_before_sending(self._prove):
            attempted = await job.perform()
        self.parts.passing("after_send")
        self.outcomes.attempted(run, attempted)
        return attempted

    async def _permit(self, job: Job) -> Hold | None:
        now, run, event = self.parts.now(), job.run, self.event
        if not self.parts.breakers.within_budget(event.tenant_id, event.lane, now):
            self.outcomes.tell(run, "the lane sends too much; it waits 5 minutes.", "error")
            return self.outcomes.hold("budget", run, not_before=now + _BUDGET_WAIT)
        worth = worth_of(job, live=event.source not in _NOT_LIVE)._asdict()
        ask = partial(self.parts.limits.permit, job.connector, calls=job.action.calls, **worth)
        wait = await ask(patience=0.0)
        if wait <= 0:
            return None
        if wait <= _PATIENCE_S:
            wait = await self.parts.slots.lent(event.tenant_id, ask(patience=_PATIENCE_S))
        return None if wait <= 0 else self.outcomes.busy(run, wait)

    async def _prove(self) -> None:
        while self.lease.remaining() <= 0:  # the process may stand still while it asks, too
            at = monotonic()
            if not await self.parts.store.read(lambda connection: prove(connection, self.lease)):
                self.lease.lost = True
                raise Fenced
            self.lease.proved(at)

    async def _settle(self, job: Job, attempted: Attempted) -> Hold | None:
        if attempted.result is not None:
            self.outcomes.succeeded(job, attempted.result)
            await self._states.answered(job.connector)
            return None
        error = attempted.error
        assert error is not None  # noqa: S101 - an attempt has a result or an error
        hold = self.outcomes.failed(job, error)
        if hold is not None and hold.reason == "connector":
            await self._states.refused(job.connector, error)
        elif met_outage(error):
            return await self._outage(job, error, hold)
        elif isinstance(error, ConnectorError):
            await self._states.answered(job.connector)  # it said no, but it is there
        else:
            self.parts.counters.add("hub_plugin_errors_total", action=job.action.name)
        return hold

    async def _outage(self, job: Job, error: Exception, hold: Hold | None) -> Hold | None:
        """Park the connector when it seems to be away as a whole; then the attempt is free."""
        await self._prove()  # a process that slept takes its own delay for the vendor's
        run = job.run
        parked = await self._states.met_outage(job.connector, self.event.lane, error)
        if run.settled or not parked:
            return hold
        run.attempts = max(0, run.attempts - 1)
        return self.outcomes.connector_hold(job.connector, run, "parked")

    @property
    def _states(self) -> ConnectorStates:
        return ConnectorStates(self.parts)

    def _outcome(self) -> str:
        if any(run.state == "dead" for run in self.runs):
            return "given up"
        return "done" if any(run.state == "done" for run in self.runs) else "skipped"


class NoService(Exception):
    """No service is mapped, and there is no default."""


def _made(one: LedgerRun, run: LedgerRun) -> bool:
    return (one.connector_id, one.source_object) == (run.connector_id, run.source_object)
