"""Reconciliations for people: begun, followed, read."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hub import ids
from hub.activity import audit
from hub.clock import Clock
from hub.connectors.models import Connector
from hub.connectors.repository import Connectors
from hub.errors import Conflict
from hub.http.actor import Actor
from hub.reconciliations.models import Drift, Reconciliation
from hub.reconciliations.names import Names
from hub.reconciliations.repository import Reconciliations
from hub.reconciliations.schemas import DriftOut, ReconciliationDetail, ReconciliationOut

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession


@dataclass(frozen=True, slots=True, kw_only=True)
class ReconciliationsService:
    """One actor's work on the reconciliations of a tenant's connectors, in one transaction."""

    session: "AsyncSession"
    actor: Actor
    clock: Clock

    async def begin(self, name: str, correlation: str | None, *, repair: bool) -> ReconciliationOut:
        """Compare linked records; the same that is under way is joined."""
        row = await self._connector(name)
        if row.state != "active":
            raise Conflict(f"The connector {name!r} is {row.state}: it can't be asked.")
        matter = await self._names.matter(correlation) if correlation else None
        found = await self._all.running(row.id, matter, repair=repair)
        if found is not None:
            return out(found, name)
        now = self.clock()
        made = self._all.add(
            Reconciliation(
                id=ids.new_id(),
                connector_id=row.id,
                correlation_id=matter,
                repair=repair,
                next_at=now,
                created_at=now,
                created_by=self.actor.name,
            )
        )
        await self.session.flush()
        what = "sync begun" if repair else "reconciliation begun"
        await audit.record(self.session, self.actor, what, name)
        return out(made, name)

    async def page(
        self, name: str, after: str | None, limit: int
    ) -> tuple[list[ReconciliationOut], str | None]:
        """Return a connector's reconciliations, the newest first, and the next page's cursor."""
        row = await self._connector(name)
        found, following = await self._all.newest(row.id, after, limit)
        return [out(one, name) for one in found], following

    async def get(self, name: str, number: uuid.UUID) -> ReconciliationDetail:
        """Return a reconciliation with what it found."""
        row = await self._connector(name)
        found = await self._all.of(row.id, number)
        drifts = await self._all.drifts(number)
        codes = await self._names.codes({one.correlation_id for one in drifts})
        connectors = await self._names.connectors()
        return ReconciliationDetail(
            **out(found, name).model_dump(),
            drifts=[drift_out(one, connectors, codes) for one in drifts],
        )

    @property
    def _all(self) -> Reconciliations:
        return Reconciliations(self.session, self.actor.home)

    @property
    def _names(self) -> Names:
        return Names(self.session, self.actor.home)

    async def _connector(self, name: str) -> Connector:
        return await Connectors(self.session, self.actor.home).by_name(name)


def out(row: Reconciliation, connector: str) -> ReconciliationOut:
    """Show a reconciliation."""
    members = {
        name: getattr(row, name) for name in ReconciliationOut.model_fields if hasattr(row, name)
    }
    return ReconciliationOut.model_validate({**members, "connector": connector})


def drift_out(
    row: Drift, connectors: Mapping[uuid.UUID, str], codes: Mapping[uuid.UUID, str]
) -> DriftOut:
    """Show a difference."""
    return DriftOut.model_validate(
        {
            "correlation": codes.get(row.correlation_id, str(row.correlation_id)),
            "connector": connectors.get(row.connector_id, str(row.connector_id)),
            "object": row.source_object,
            "record": row.record_id,
            "kind": row.kind,
            "text": row.text,
            "fields": row.fields,
            "repaired": row.repaired,
            "at": row.at,
        }
    )
