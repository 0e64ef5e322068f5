"""What people call connectors and matters."""

import uuid
from collections.abc import Collection, Mapping

from sqlalchemy import Uuid, bindparam, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from hub.connectors.models import Connector
from hub.errors import NotFound


class Names:
    """The names in one tenant."""

    def __init__(self, session: AsyncSession, tenant: uuid.UUID) -> None:
        self._session, self._tenant = session, tenant

    async def connectors(self) -> Mapping[uuid.UUID, str]:
        """Return the connectors' names."""
        query = select(Connector.id, Connector.name).where(Connector.tenant_id == self._tenant)
        return {row[0]: row[1] for row in await self._session.execute(query)}

    async def codes(self, matters: Collection[uuid.UUID]) -> Mapping[uuid.UUID, str]:
        """Return the codes of matters."""
        if not matters:
            return {}
        statement = text(
            "SELECT id, code FROM correlations WHERE tenant_id = :tenant AND id IN :matters"
        ).bindparams(
            bindparam("tenant", type_=Uuid), bindparam("matters", type_=Uuid, expanding=True)
        )
        given = {"tenant": self._tenant, "matters": list(matters)}
        rows = await self._session.execute(statement.columns(id=Uuid), given)
        return {row[0]: row[1] for row in rows}

    async def matter(self, name: str) -> uuid.UUID:
        """Return the id of a matter by its code or id; NotFound when there is none."""
        statement = text(
            "SELECT id FROM correlations WHERE tenant_id = :tenant AND (code = :name OR id = :id)"
        ).bindparams(bindparam("tenant", type_=Uuid), bindparam("id", type_=Uuid))
        given = {"tenant": self._tenant, "name": name, "id": _as_id(name)}
        found = (await self._session.execute(statement.columns(id=Uuid), given)).scalar()
        if found is None:
            raise NotFound(f"There is no matter {name!r}.")
        number: uuid.UUID = found
        return number


def _as_id(name: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(name)
    except ValueError:
        return None
