"""What a run is worth while a vendor's quota runs out: paging and status never wait for it."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Protocol

from hub.clock import Clock
from hub.connectors.guard import Shed, Worth
from hub.connectors.limits import Limits
from hub.db.engine import Database
from hub.deliveries.reopening import Reopening
from hub.runs import putting_off
from hub.runs.ledger import LedgerRun
from hub.runs.putting_off import PutOff
from hub.runs.runner import Job, writes_of
from hub.worker.connectors import Connectors

_STATUS: Final = "status"
_UNHEARD: Final = timedelta(minutes=15)
"""After so long without a word from the vendor it is tried whether requests are free."""


def worth_of(job: Job, *, live: bool) -> Worth:
    """Return what a run is worth; what does not happen now is `bulk`, unless it is urgent."""
    urgent = job.run.params.get("urgency") == "high"
    return Worth(
        urgent=urgent,
        bulk=not live and not urgent,
        note=job.action.notes,
        spared=job.sparing and (_pages(job) or _changes_status(job)),
    )


def _pages(job: Job) -> bool:
    """Whether it makes something that calls people: what has an urgency."""
    return job.action.creates and "urgency" in job.action.params.model_fields


def _changes_status(job: Job) -> bool:
    if job.action.status:
        return True
    writes = writes_of(job.action, job.run.params).values or {}
    return any(one == _STATUS or one.startswith(f"{_STATUS}_") for one in writes)


class Skips(Protocol):
    """Ends runs without sending."""

    def skip(self, run: LedgerRun, outcome: str, text: str, /) -> None:
        """End a run."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class PuttingOff:
    """Puts notes off while a vendor's quota runs out, and lets them go on later.

    A lane does not wait for them: a change of status behind a note is not held back by it.
    """

    database: Database
    limits: Limits
    connectors: Connectors
    reopening: Reopening
    now: Clock

    async def takes(self, job: Job, outcomes: Skips, *, fresh: bool) -> bool:
        """Put a run off if it is a note and requests run out; False: it may go.

        One that may have arrived is not put off: that is found out first.
        """
        run = job.run
        if not (job.sparing and job.action.notes) or run.attempts:
            return False
        usage = self.limits.usage(job.connector)
        if usage.shed < Shed.NOTES or (run.state == "sent" and not fresh):
            return False
        async with self.database.writing() as session:
            await putting_off.note(session, run, self.now())
        used = f"{usage.used_percent or 0:.0f} % of the vendor's quota is used"
        text = f"Put off: {used}. It is sent when requests are free again."
        outcomes.skip(run, putting_off.OUTCOME, text)
        return True

    async def tick(self) -> None:
        """Let the notes go on of connectors whose quota is free again."""
        async with self.database.reading() as session:
            found = await putting_off.connectors(session)
        for one in found:
            if await self._is_free(one):
                async with self.database.writing() as session:
                    await putting_off.revive(session, one, self.reopening, self.now())

    async def _is_free(self, one: PutOff) -> bool:
        connector = await self.connectors.by_id(one.tenant_id, one.connector_id)
        if connector is None:
            return True  # the runs are given up then, and say why
        usage = self.limits.usage(connector)
        if usage.used_percent is None and self.now() - one.last_at < _UNHEARD:
            return False
        return usage.shed < Shed.NOTES
