"""What people do with runs: look at them, retry dead letters, put them aside."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

from hub import ids
from hub.activity import audit, journal
from hub.clock import Clock
from hub.errors import Conflict
from hub.http.actor import Actor
from hub.runs.models import Run
from hub.runs.repository import Runs
from hub.runs.schemas import RetryAllIn, RunOut, run_out

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

MOST_AT_ONCE = 1000


class Reopens(Protocol):
    """The inbox, as far as a retry uses it."""

    def reopen(
        self,
        connection: Any,  # noqa: ANN401 - the transaction's connection
        tenant_id: uuid.UUID,
        event_id: int,
        now: datetime,
    ) -> bool:
        """Make a worked event pending again, let its lane go on and schedule its shard."""
        ...


@dataclass(frozen=True, slots=True)
class RunsService:
    """One tenant's runs, in the request's transaction."""

    session: "AsyncSession"
    actor: Actor
    inbox: Reopens
    clock: Clock

    @property
    def runs(self) -> Runs:
        """The tenant's runs."""
        return Runs(self.session, self.actor.home)

    async def shown(self, rows: Sequence[Run], *, attempts: bool = False) -> list[RunOut]:
        """Return runs as the API shows them."""
        names = await self.runs.connectors()
        made = await self.runs.attempts(row.id for row in rows) if attempts else {}
        return [run_out(row, _name(names, row), list(made.get(row.id, ()))) for row in rows]

    async def one(self, id: str) -> Run:
        """Return a run; NotFound."""
        return await self.runs.get(ids.number("run", id))

    async def retry(self, id: str) -> Run:
        """Put a dead letter back to work, under the same key; Conflict when it is none."""
        run = await self.one(id)
        if run.state != "dead":
            raise Conflict(f"{id} is {run.state}; only a run that was given up can be retried.")
        names = await self.runs.connectors()
        if run.connector_id is not None and run.connector_id not in names:
            raise Conflict(f"The connector of {id} was deleted; replay the delivery instead.")
        await self._retry(run)
        return run

    async def retry_all(self, asked: RetryAllIn) -> tuple[int, list[Run]]:
        """Count the dead letters that match; with the count confirmed, retry them."""
        wanted = await self._wanted(asked)
        count = await self.runs.count_of(wanted)
        if asked.confirm is None:
            return count, []
        if asked.confirm != count:
            raise Conflict(f"{count} dead letters match now, not {asked.confirm}. Count again.")
        rows = await self.runs.having(wanted, MOST_AT_ONCE)
        for row in rows:
            await self._retry(row)
        return count, list(rows)

    async def dismiss(self, id: str, reason: str) -> Run:
        """Put a dead letter aside with a reason; Conflict when it is none."""
        run = await self.one(id)
        if run.state != "dead":
            raise Conflict(f"{id} is {run.state}; only a run that was given up can be dismissed.")
        await self.runs.put_aside(run, f"Dismissed by {self.actor.name}: {reason}", self.clock())
        await self._tell(run, f"dismissed by {self.actor.name}: {reason}")
        return run

    async def _retry(self, run: Run) -> None:
        await self.runs.put_back(run)
        now, tenant = self.clock(), self.actor.home

        def reopen(sync: Any) -> bool:  # noqa: ANN401 - the session's sync side
            return self.inbox.reopen(sync.connection(), tenant, run.event_id, now)

        if not await self.session.run_sync(reopen):
            raise Conflict(
                f"The event of {ids.shown('run', run.id)} is no longer kept; it can't be retried."
            )
        await self._tell(run, f"retried by {self.actor.name}")

    async def _tell(self, run: Run, text: str) -> None:
        id = ids.shown("run", run.id)
        await audit.record(self.session, self.actor, f"run {text.split(' by ', maxsplit=1)[0]}", id)
        await journal.write(
            self.session,
            journal.line(
                self.actor.home,
                "run",
                f"{run.action} {text}",
                connector_id=run.connector_id,
                correlation_id=run.correlation_id,
                event_id=run.event_id,
                run_id=run.id,
            ),
        )

    async def _wanted(self, asked: RetryAllIn) -> Mapping[str, object]:
        wanted: dict[str, object] = {"state": "dead"}
        wanted |= {"action": asked.action, "error_class": asked.error_class}
        if asked.connector is not None:
            wanted["connector_id"] = await connector_id(self.runs, asked.connector)
        return wanted


async def connector_id(runs: Runs, name: str) -> uuid.UUID:
    """Return the id of the tenant's connector; the nil id, which nothing has, for no such one."""
    names = await runs.connectors()
    return next((id for id, one in names.items() if one == name), uuid.UUID(int=0))


def _name(names: Mapping[uuid.UUID, str], run: Run) -> str | None:
    return names.get(run.connector_id) if run.connector_id is not None else None
