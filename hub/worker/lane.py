"""One lane: its events in order, each planned, worked, finished; until one has to wait."""

from dataclasses import dataclass
from datetime import timedelta

from hub.deliveries.pending import PendingEvent
from hub.deliveries.repository import Hold
from hub.deliveries.steps import Finish, Step, Stepped
from hub.dispatch.shards import Lease, monotonic
from hub.worker.intents import expect
from hub.worker.loading import LaneWork
from hub.worker.outcomes import Outcomes
from hub.worker.parts import Parts
from hub.worker.planning import Planner
from hub.worker.sending import Fenced, Sending
from hub.worker.telling import run_settled

_BROKEN_WAIT = timedelta(minutes=1)


@dataclass(slots=True, kw_only=True)
class Lane:
    """A turn of a lane: at most as many events as were read; `left`: it ended before the last."""

    parts: Parts
    lease: Lease
    work: LaneWork
    stopping: bool = False
    left: bool = False

    async def run(self) -> None:
        """Work the events. Raises Fenced when the shard is lost."""
        finish: Finish | None = None
        self.left = True
        for event in self.work.events:
            if self.stopping or self.lease.lost:
                break
            sending, moved = await self._begin(event, finish)
            finish = None
            if sending is not None:
                finish = await sending.work()
            if sending is None and moved is None:
                return
            if moved or (finish is not None and (finish.hold is not None or finish.links)):
                break
        else:
            self.left = False
        if finish is not None:
            await self._commit(finish=finish)

    async def _begin(
        self, event: PendingEvent, finish: Finish | None
    ) -> tuple[Sending | None, bool | None]:
        """Plan the event, in one commit with the end of the one before.

        Returns what is to be sent (None: nothing) and whether the lane has to be read anew
        (None: at once, the event is not ours any more).
        """
        runs = self.work.runs.get(event.id)
        if event.planned:
            stepped = await self._commit(finish=finish) if finish is not None else Stepped()
            outcomes = Outcomes(parts=self.parts, event=event, known=self.work.known)
            sending = Sending(
                parts=self.parts,
                lease=self.lease,
                event=event,
                runs=runs or [],
                known=self.work.known,
                outcomes=outcomes,
            )
            return sending, stepped.moved
        return await self._plan(event, finish)

    async def _plan(
        self, event: PendingEvent, finish: Finish | None
    ) -> tuple[Sending | None, bool | None]:
        known = self.work.known
        held = await self._source_waits(event)
        if held is not None:
            if finish is not None:
                await self._commit(finish=finish)
            waiting = Finish(event_id=event.id, lane=event.lane, state=None, hold=held)
            await self._commit(finish=waiting)
            return None, None
        planned = await Planner(parts=self.parts).plan(event, known)
        self.parts.passing("before_plan")
        at = monotonic()
        stepped = await self.parts.commit(
            Step(
                shard=self.lease.shard,
                epoch=self.lease.epoch,
                now=self.parts.now(),
                finish=finish,
                plan=planned.write,
            )
        )
        self._check(stepped, at)
        self.parts.passing("after_plan")
        if finish is not None:
            self._ended(finish)
        if not stepped.planned:
            return None, None
        self._planned(event, planned.write.state)
        expect(known, planned.write.writes, self.parts.now())
        if planned.write.state != "pending":
            return None, stepped.moved
        outcomes = Outcomes(parts=self.parts, event=event, known=known)
        sending = Sending(
            parts=self.parts,
            lease=self.lease,
            event=event,
            runs=planned.runs,
            known=known,
            outcomes=outcomes,
            rules=planned.rules,
            fresh=True,
        )
        return sending, stepped.moved

    async def _source_waits(self, event: PendingEvent) -> Hold | None:
        """Return the hold of an event whose own connector is paused or can't be used."""
        source = await self.parts.connectors.by_id(event.tenant_id, event.connector_id)
        if source is None or source.state.value not in {"paused", "broken", "needs_credentials"}:
            return None
        return Hold(
            lane=event.lane,
            tenant_id=event.tenant_id,
            shard=event.shard,
            reason="connector",
            connector_id=source.id,
            detail=source.state.value,
        )

    async def _commit(self, *, finish: Finish) -> Stepped:
        self.parts.passing("before_finish")
        at = monotonic()
        stepped = await self.parts.commit(
            Step(
                shard=self.lease.shard,
                epoch=self.lease.epoch,
                now=self.parts.now(),
                finish=finish,
            )
        )
        self._check(stepped, at)
        self.parts.passing("after_finish")
        self._ended(finish)
        return stepped

    def _check(self, stepped: Stepped, at: float) -> None:
        if stepped.fenced:
            self.lease.lost = True
            self.parts.counters.add("hub_fenced_writes_total")
            raise Fenced
        self.lease.proved(at)

    def _ended(self, finish: Finish) -> None:
        """Tell observers of runs that ended; after the commit."""
        for run in finish.runs:
            if run.settled:
                self.parts.settled("hub_run_settled", {"run": run_settled(run)})

    def _planned(self, event: PendingEvent, state: str) -> None:
        self.parts.counters.add("hub_events_total", outcome=state)
        self.parts.ended.add(event.delivery_id)
        age = (self.parts.now() - event.created_at).total_seconds()
        self.parts.counters.observe("hub_dispatch_seconds", age)
