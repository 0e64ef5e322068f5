"""One tenant's runs and their attempts."""

import uuid
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, and_, func, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

from hub.connectors.models import Connector
from hub.correlations.linking import Reservation, free, reserve
from hub.correlations.repository import dropped_receipts
from hub.db import moments
from hub.db.bulk import write_all
from hub.db.repository import Repository, Rows
from hub.dispatch.models import Hold, Shard, WorkerProcess
from hub.runs.models import Attempt, Run

_MOST = 10_000
_SOON: Final = timedelta(seconds=2)
"""A hold that ends so soon may be worked before a request's transaction is through."""
_SILENT: Final = timedelta(minutes=1)
"""A process that gave no sign of life for so long is gone."""


class Runs(Repository[Run]):
    """One tenant's runs."""

    model = Run
    word = "run"
    prefix = "run"

    async def newest(
        self, *conditions: ColumnElement[bool], after: str | None, limit: int
    ) -> Rows[Run]:
        """Return a page of runs, the newest first."""
        return await self.page(*conditions, after=after, limit=limit, newest=True)

    async def of_events(self, event_ids: Iterable[int]) -> Sequence[Run]:
        """Return the runs of events, in the order in which they are worked."""
        query = self._mine().where(Run.event_id.in_(list(event_ids))).order_by(Run.id)
        return (await self.session.scalars(query)).all()

    async def dead(self, *conditions: ColumnElement[bool]) -> Sequence[Run]:
        """Return dead letters, the oldest first, at most 10,000."""
        query = self._mine().where(of_state("dead"), *conditions).order_by(Run.id)
        return (await self.session.scalars(query.limit(_MOST))).all()

    async def attempts(self, run_ids: Iterable[int]) -> dict[int, list[Attempt]]:
        """Return the requests made for runs."""
        query = (
            select(Attempt)
            .where(Attempt.tenant_id == self.tenant, Attempt.run_id.in_(list(run_ids)))
            .order_by(Attempt.id)
        )
        found: dict[int, list[Attempt]] = {}
        for one in await self.session.scalars(query):
            found.setdefault(one.run_id, []).append(one)
        return found

    async def names(self) -> dict[uuid.UUID, str]:
        """Return the names of the tenant's connectors."""
        query = select(Connector.id, Connector.name).where(Connector.tenant_id == self.tenant)
        return {row[0]: row[1] for row in await self.session.execute(query)}

    async def revive(self, runs: Sequence[Run], now: datetime) -> None:
        """Make dead letters due again, and what was skipped because they were given up.

        What was filled in just before sending, such as services, is asked for anew.
        """
        for run in runs:
            _plan_again(run, now)
        await self.session.flush()
        await self.session.run_sync(_reserve, runs, now)
        stopped = {(run.event_id, run.rule_id) for run in runs}
        for event_id, rule_id in stopped:
            await self.session.execute(
                update(Run)
                .where(
                    Run.tenant_id == self.tenant,
                    Run.event_id == event_id,
                    Run.rule_id == rule_id,
                    Run.state == "skipped",
                    Run.outcome == "stopped",
                )
                .values(state="intent", outcome=None, summary=None, done_at=None)
                .execution_options(synchronize_session=False)
            )

    async def is_idle(self, run: Run, now: datetime) -> bool:
        """Whether nobody works the run, nor will before this transaction ends.

        Its lane waits; or the process that had its shard is gone, and is fenced from now on.
        """
        of_event = text("SELECT lane, shard FROM events WHERE id = :event")
        place = (await self.session.execute(of_event, {"event": run.event_id})).one_or_none()
        if place is None:
            return True
        holds = select(Hold).where(Hold.tenant_id == self.tenant, Hold.lane == place.lane)
        hold = await self.session.scalar(holds.with_for_update())
        if hold is None:
            return await self._is_abandoned(place.shard, now)
        return hold.not_before is None or hold.not_before > now + _SOON

    async def _is_abandoned(self, number: int, now: datetime) -> bool:
        shards = select(Shard).where(Shard.id == number).with_for_update()
        shard = await self.session.scalar(shards)
        if shard is None:
            return True
        of_owner = select(WorkerProcess.beat_at).where(WorkerProcess.id == shard.owner)
        beat = await self.session.scalar(of_owner)
        lived = beat or shard.updated_at  # one that has just started did not beat yet
        if shard.owner is not None and lived > now - _SILENT:
            return False
        shard.epoch, shard.owner = shard.epoch + 1, None
        return True

    async def give_back(self, run: Run) -> None:
        """Forget what an unsettled run reserved, and what it was expected to write.

        What may have arrived at the vendor stays expected: it is no change of a person.
        """
        await self.session.run_sync(_give_back, run.id, run.may_have_arrived)

    async def count_dead(self) -> int:
        """Return how many dead letters there are."""
        query = select(func.count()).where(Run.tenant_id == self.tenant, of_state("dead"))
        return (await self.session.scalar(query)) or 0


def _plan_again(run: Run, now: datetime) -> None:
    """Put a run back to how it was planned; one that may have arrived is looked for first."""
    run.params = {**run.params, **run.late}
    run.outcome, run.attempts, run.done_at, run.first_at = None, 0, None, None
    run.error = run.summary = None
    if run.error_class == "OutcomeUnknown":
        run.state, run.due_at = "waiting", now
    else:
        run.state, run.due_at, run.sent_at, run.error_class = "intent", None, None, None


def _reserve(session: Session, runs: Sequence[Run], now: datetime) -> None:
    """Take the places of the records again that the runs shall make.

    Where another took one meanwhile, the worker finds it and skips the run.
    """
    wanted = [
        Reservation(
            tenant_id=run.tenant_id,
            correlation_id=run.correlation_id,
            connector_id=run.connector_id,
            source_object=run.source_object,
            run_id=run.id,
            ruleset=run.ruleset_id,
            slot=str(run.params.get("slot") or ""),
        )
        for run in runs
        if run.unless_linked and run.correlation_id and run.connector_id and run.source_object
    ]
    if wanted:
        reserve(session.connection(), wanted, now)


def _give_back(session: Session, run_id: int, may_have_arrived: bool) -> None:  # noqa: FBT001 - by run_sync
    connection = session.connection()
    if not may_have_arrived:
        write_all(connection, [dropped_receipts([run_id])])
    free(connection, run_id)


def of_state(state: str) -> ColumnElement[bool]:
    """Return the condition for runs of a state; dead letters have an index of their own."""
    if state == "dead":
        return and_(Run.state == state, Run.error_class > "")
    return Run.state == state


def of_connector(connector_id: uuid.UUID) -> ColumnElement[bool]:
    """Return the condition for runs at a connector."""
    return Run.connector_id == connector_id


def of_event(event_id: int) -> ColumnElement[bool]:
    """Return the condition for runs of an event."""
    return Run.event_id == event_id


def of_rule(rule_id: str) -> ColumnElement[bool]:
    """Return the condition for runs that a rule wanted."""
    return Run.rule_id == rule_id


def of_error(error_class: str) -> ColumnElement[bool]:
    """Return the condition for runs that failed with a class of error."""
    return Run.error_class == error_class


async def between(
    session: AsyncSession, since: datetime | None, until: datetime | None
) -> list[ColumnElement[bool]]:
    """Return the conditions for runs planned in a time."""
    first, last = await moments.ids_between(session, moments.RUNS, since, until)
    conditions: list[ColumnElement[bool]] = []
    if since is not None:
        conditions += [Run.created_at >= since, Run.id >= first]
    if until is not None:
        conditions += [Run.created_at < until, Run.id < last]
    return conditions
