"""What the operator does with tenants."""

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from hub import ids
from hub.activity import audit
from hub.clock import Clock
from hub.clock import now as present
from hub.db.conflicts import taken
from hub.db.engine import Database
from hub.db.tenancy import Tenant, raise_rules_version
from hub.errors import Conflict
from hub.http.actor import Actor
from hub.http.etags import require_version
from hub.tenants.repository import Tenants
from hub.tenants.schemas import TenantIn, TenantPatch

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

DEFAULT: Final = "default"
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class TenantsService:
    """The operator's work, in the request's transaction."""

    session: "AsyncSession"
    actor: Actor
    clock: Clock

    async def create(self, asked: TenantIn) -> Tenant:
        """Add a tenant; Conflict when the slug is taken."""
        tenants = Tenants(self.session)
        if await tenants.find(asked.slug) is not None:
            raise Conflict(f"There is a tenant {asked.slug!r} already.")
        if asked.is_default:
            await self._no_other_default(tenants)
        row = tenants.add(
            Tenant(
                id=ids.new_id(),
                slug=asked.slug,
                name=asked.name,
                time_zone=asked.time_zone,
                is_default=asked.is_default,
                settings=asked.settings.model_dump(mode="json"),
                created_at=self.clock(),
            )
        )
        with taken(f"There is a tenant {asked.slug!r} already."):
            await tenants.flush()
        await self._record("tenant added", row, after=_told(row))
        return row

    async def update(self, slug: str, asked: TenantPatch, if_match: str | None) -> Tenant:
        """Change a tenant."""
        tenants = Tenants(self.session)
        row = await tenants.by_slug(slug)
        require_version(if_match, row.row_version)
        before = _told(row)
        if asked.is_default and not row.is_default:
            await self._no_other_default(tenants)
        for name in ("name", "time_zone", "is_default"):
            value = getattr(asked, name)
            if value is not None:
                setattr(row, name, value)
        if asked.settings is not None:
            row.settings = asked.settings.model_dump(mode="json")
        self._activate(row, active=asked.active)
        row.row_version += 1
        await tenants.flush()
        if row.time_zone != before["time_zone"]:
            await raise_rules_version(self.session, row.id)
        await self._record("tenant changed", row, before=before, after=_told(row))
        return row

    async def deactivate(self, slug: str, if_match: str | None) -> Tenant:
        """Receive and work nothing of a tenant any more; nothing is deleted."""
        row = await Tenants(self.session).by_slug(slug)
        require_version(if_match, row.row_version)
        self._activate(row, active=False)
        row.row_version += 1
        await self._record("tenant deactivated", row)
        return row

    def _activate(self, row: Tenant, *, active: bool | None) -> None:
        if active is False and row.deactivated_at is None:
            row.deactivated_at = self.clock()
        elif active is True:
            row.deactivated_at = None

    async def _no_other_default(self, tenants: Tenants) -> None:
        other = await tenants.default()
        if other is not None:
            other.is_default = False
            await tenants.flush()

    async def _record(
        self,
        action: str,
        row: Tenant,
        before: dict[str, Any] | None = None,
        after: dict[str, Any] | None = None,
    ) -> None:
        await audit.record_for(
            self.session, self.actor, row.id, action, row.slug, before=before, after=after
        )


def _told(row: Tenant) -> dict[str, Any]:
    return {
        "name": row.name,
        "time_zone": row.time_zone,
        "is_default": row.is_default,
        "settings": row.settings,
        "active": row.deactivated_at is None,
    }


async def ensure_default(database: Database, clock: Clock = present) -> None:
    """At the first start, make the tenant that paths without a tenant mean.

    Of several processes that start at once one makes it.
    """
    try:
        with taken("Another process makes the default tenant."):
            await _make_default(database, clock)
    except Conflict as made:
        _log.info("%s", made.detail)


async def _make_default(database: Database, clock: Clock) -> None:
    async with database.writing() as session:
        tenants = Tenants(session)
        if not await tenants.any():
            tenants.add(
                Tenant(
                    id=ids.new_id(),
                    slug=DEFAULT,
                    name="Default",
                    is_default=True,
                    settings={},
                    created_at=clock(),
                )
            )
