"""Reading and writing tenants; for the hub's operator, and for a tenant's own row."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from hub.db.tenancy import Tenant
from hub.errors import NotFound


class Tenants:
    """The hub's tenants."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def page(self, after: str | None, limit: int) -> tuple[Sequence[Tenant], str | None]:
        """Return tenants by slug, and the cursor of the next page."""
        query = select(Tenant).order_by(Tenant.slug).limit(limit + 1)
        if after is not None:
            query = query.where(Tenant.slug > after)
        rows = (await self._session.scalars(query)).all()
        return rows[:limit], rows[limit - 1].slug if len(rows) > limit else None

    async def by_slug(self, slug: str) -> Tenant:
        """Return a tenant; NotFound when there is none."""
        row = (await self._session.scalars(select(Tenant).where(Tenant.slug == slug))).one_or_none()
        if row is None:
            raise NotFound(f"There is no tenant {slug!r}.")
        return row

    async def find(self, slug: str) -> Tenant | None:
        """Return a tenant, or None."""
        return (
            await self._session.scalars(select(Tenant).where(Tenant.slug == slug))
        ).one_or_none()

    async def default(self) -> Tenant | None:
        """Return the tenant that paths without a tenant mean, or None."""
        return (await self._session.scalars(select(Tenant).where(Tenant.is_default))).one_or_none()

    async def any(self) -> bool:
        """Whether there is a tenant at all."""
        return (await self._session.scalar(select(Tenant.id).limit(1))) is not None

    def add(self, row: Tenant) -> Tenant:
        """Add a tenant."""
        self._session.add(row)
        return row

    async def flush(self) -> None:
        """Send what was added."""
        await self._session.flush()
