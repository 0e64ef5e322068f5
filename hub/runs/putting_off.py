"""Notes that were put off while a vendor's quota ran out, and are sent when requests are free.

Their runs are `skipped`, so that nothing waits behind them, with an outcome of their own. A row
of `hub_meta` for each connector says from which run on there may be some.
"""

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from sqlalchemy import delete, select, update

from hub import ids
from hub.activity import journal
from hub.db.dialects import insert
from hub.dispatch.models import HubFact
from hub.runs.models import Run
from hub.runs.repository import Runs

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from hub.runs.service import Reopens

OUTCOME: Final = "put_off"
_KEY: Final = "put_off:"
_AT_ONCE: Final = 500
_STILL_WRITTEN: Final = timedelta(minutes=2)
"""A run that was noted so lately may not be stored yet."""


class PutOff(NamedTuple):
    """A connector that has notes which were put off."""

    tenant_id: uuid.UUID
    connector_id: uuid.UUID
    first_run: int
    last_at: datetime


async def note(session: "AsyncSession", run: Any, at: datetime) -> None:  # noqa: ANN401 - a LedgerRun
    """Remember that a run is being put off."""
    key = f"{_KEY}{run.connector_id}"
    known = {"tenant": str(run.tenant_id), "first": run.id, "at": at.isoformat()}
    dialect = session.get_bind().dialect.name
    first = insert(dialect, HubFact).values(key=key, value=known).on_conflict_do_nothing()
    await session.execute(first)
    query = select(HubFact.value).where(HubFact.key == key).with_for_update()
    there = (await session.scalar(query)) or known
    value = {**there, "first": min(there["first"], run.id), "at": at.isoformat()}
    await session.execute(update(HubFact).where(HubFact.key == key).values(value=value))


async def connectors(session: "AsyncSession") -> Sequence[PutOff]:
    """Return the connectors that may have notes which were put off."""
    query = select(HubFact.key, HubFact.value).where(HubFact.key.startswith(_KEY))
    return [
        PutOff(
            uuid.UUID(value["tenant"]),
            uuid.UUID(key.removeprefix(_KEY)),
            value["first"],
            datetime.fromisoformat(value["at"]),
        )
        for key, value in await session.execute(query)
    ]


async def revive(session: "AsyncSession", one: PutOff, reopens: "Reopens", now: datetime) -> int:
    """Make a connector's notes due that were put off; return how many."""
    runs = Runs(session, one.tenant_id)
    query = (
        select(Run)
        .where(
            Run.tenant_id == one.tenant_id,
            Run.connector_id == one.connector_id,
            Run.id >= one.first_run,
            Run.state == "skipped",
            Run.outcome == OUTCOME,
        )
        .order_by(Run.id)
        .limit(_AT_ONCE)
    )
    found = (await session.scalars(query)).all()
    if len(found) < _AT_ONCE and now - one.last_at > _STILL_WRITTEN:
        key = f"{_KEY}{one.connector_id}"
        await session.execute(delete(HubFact).where(HubFact.key == key))
    if found:
        await runs.revive(found, now)
        await reopens.reopen(session, [run.event_id for run in found], [run.id for run in found])
        first, last = ids.shown("run", found[0].id), ids.shown("run", found[-1].id)
        which = f"{len(found)} notes that were put off go on ({first} … {last})"
        text = f"Requests are free again: {which}."
        line = journal.line(one.tenant_id, "run", text, connector_id=one.connector_id)
        await journal.write(session, line)
    return len(found)
