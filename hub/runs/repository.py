"""Reading runs for people, and putting dead letters back to work."""

import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, select, update

from hub.connectors.models import Connector
from hub.db.repository import Repository, Rows
from hub.runs.models import Attempt, Run


class Runs(Repository[Run]):
    """One tenant's runs."""

    model = Run
    word = "run"

    async def newest(
        self, wanted: Mapping[str, object], after: str | None, limit: int
    ) -> Rows[Run]:
        """Return a page of runs whose columns have these values, the newest first."""
        return await self.page(*_equal(wanted), after=after, limit=limit, newest=True)

    async def having(self, wanted: Mapping[str, object], limit: int) -> Sequence[Run]:
        """Return the oldest runs whose columns have these values."""
        query = self._mine().where(*_equal(wanted)).order_by(Run.id).limit(limit)
        return (await self.session.scalars(query)).all()

    async def count_of(self, wanted: Mapping[str, object]) -> int:
        """Return how many runs have these values."""
        return await self.count(*_equal(wanted))

    async def of_events(self, events: Sequence[int]) -> Mapping[int, list[Run]]:
        """Return events' runs in the order in which they are worked."""
        found: dict[int, list[Run]] = defaultdict(list)
        query = self._mine().where(Run.event_id.in_(events)).order_by(Run.id)
        for row in await self.session.scalars(query):
            found[row.event_id].append(row)
        return found

    async def attempts(self, runs: Iterable[int]) -> Mapping[int, list[Attempt]]:
        """Return the attempts of runs, in their order."""
        found: dict[int, list[Attempt]] = defaultdict(list)
        query = (
            select(Attempt)
            .where(Attempt.tenant_id == self.tenant, Attempt.run_id.in_(list(runs)))
            .order_by(Attempt.id)
        )
        for row in await self.session.scalars(query):
            found[row.run_id].append(row)
        return found

    async def connectors(self) -> Mapping[uuid.UUID, str]:
        """Return the names of the tenant's connectors by id."""
        query = select(Connector.id, Connector.name).where(Connector.tenant_id == self.tenant)
        return {row.id: row.name for row in (await self.session.execute(query)).all()}

    async def put_back(self, run: Run) -> None:
        """Make a dead run and those that stopped with it unsettled again, without attempts."""
        unknown = run.error_class == "OutcomeUnknown" and run.sent_at is not None
        run.state = "sent" if unknown else "intent"
        run.outcome = run.error = run.done_at = run.due_at = run.first_at = None
        run.attempts = 0
        await self.session.execute(
            update(Run)
            .where(
                Run.tenant_id == self.tenant,
                Run.event_id == run.event_id,
                Run.rule_id == run.rule_id,
                Run.action_index > run.action_index,
                Run.state == "skipped",
                Run.outcome == "stopped",
            )
            .values(state="intent", outcome=None, summary=None, done_at=None)
        )
        await self.session.flush()

    async def put_aside(self, run: Run, reason: str, now: datetime) -> None:
        """Settle a dead run: it need not be done any more."""
        run.state, run.outcome, run.summary, run.done_at = "skipped", "dismissed", reason, now
        await self.session.flush()


def _equal(wanted: Mapping[str, object]) -> list[ColumnElement[bool]]:
    return [getattr(Run, name) == value for name, value in wanted.items() if value is not None]
