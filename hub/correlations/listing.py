"""One tenant's matters, for people who look and link."""

import uuid
from collections.abc import Iterable, Sequence

from sqlalchemy import select

from hub.activity.models import Activity
from hub.connectors.models import Connector
from hub.correlations.models import Correlation, Link
from hub.db.repository import Repository, Rows
from hub.errors import NotFound


class Correlations(Repository[Correlation]):
    """One tenant's correlations."""

    model = Correlation
    word = "correlation"

    async def newest(
        self, record: str | None, connector: uuid.UUID | None, after: str | None, limit: int
    ) -> Rows[Correlation]:
        """Return a page of matters, the newest first; with a record those it is linked in."""
        conditions = [Correlation.merged_into.is_(None)]
        if record is not None or connector is not None:
            links = select(Link.correlation_id).where(
                Link.tenant_id == self.tenant, Link.state != "unlinked"
            )
            if record is not None:
                links = links.where((Link.record_id == record) | (Link.human_id == record))
            if connector is not None:
                links = links.where(Link.connector_id == connector)
            conditions.append(Correlation.id.in_(links))
        return await self.page(*conditions, after=after, limit=limit, newest=True)

    async def named(self, shown: str) -> Correlation:
        """Return a matter by its id or code, the one it was merged into; NotFound."""
        try:
            found = await self._first(Correlation.id == uuid.UUID(shown))
        except ValueError:
            found = await self._first(Correlation.code == shown.upper())
        if found is None:
            raise NotFound(f"There is no correlation {shown}.")
        if found.merged_into is not None:
            return await self.named(str(found.merged_into))
        return found

    async def links(self, matters: Iterable[uuid.UUID]) -> dict[uuid.UUID, list[Link]]:
        """Return the links of matters."""
        query = (
            select(Link)
            .where(Link.tenant_id == self.tenant, Link.correlation_id.in_(list(matters)))
            .order_by(Link.id)
        )
        found: dict[uuid.UUID, list[Link]] = {}
        for one in await self.session.scalars(query):
            found.setdefault(one.correlation_id, []).append(one)
        return found

    async def link(self, matter: uuid.UUID, number: int) -> Link:
        """Return one link of a matter."""
        query = select(Link).where(
            Link.tenant_id == self.tenant, Link.correlation_id == matter, Link.id == number
        )
        found = (await self.session.scalars(query)).first()
        if found is None:
            raise NotFound(f"There is no link lnk_{number} in this correlation.")
        return found

    async def timeline(
        self, matter: uuid.UUID, after: int | None, limit: int
    ) -> tuple[Sequence[Activity], int | None]:
        """Return what happened in a matter, in order."""
        query = select(Activity).where(
            Activity.tenant_id == self.tenant, Activity.correlation_id == matter
        )
        if after is not None:
            query = query.where(Activity.id > after)
        rows = (await self.session.scalars(query.order_by(Activity.id).limit(limit + 1))).all()
        return rows[:limit], rows[limit - 1].id if len(rows) > limit else None

    async def names(self) -> dict[uuid.UUID, str]:
        """Return the names of the tenant's connectors."""
        query = select(Connector.id, Connector.name).where(Connector.tenant_id == self.tenant)
        return {row[0]: row[1] for row in await self.session.execute(query)}
