"""Reading and writing rulesets, drafts, versions and what-ifs."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any, NamedTuple

from sqlalchemy import func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from hub import clock, ids
from hub.connectors.models import Connector, ConnectorFields, ConnectorObject
from hub.db.repository import Repository
from hub.db.tenancy import Tenant
from hub.rulesets import neighbours, operators_off
from hub.rulesets.models import Ruleset, RulesetDraft, RulesetVersion, WhatIf
from hub.rulesets.operators_off import OperatorOff


class Rulesets(Repository[Ruleset]):
    """A tenant's rulesets."""

    model = Ruleset
    word = "ruleset"

    async def in_order(self) -> Sequence[Ruleset]:
        """Return all rulesets in the order in which they are considered."""
        query = self._mine().order_by(Ruleset.position, Ruleset.id)
        return (await self.session.scalars(query)).all()

    async def find_named(self, name: str, *, lock: bool = False) -> Ruleset | None:
        """Return the ruleset of this name, or None; with `lock` for this transaction alone."""
        return await self._first(Ruleset.name == name, lock=lock)

    async def next_position(self) -> int:
        """Return the place after the last ruleset."""
        query = select(func.max(Ruleset.position)).where(Ruleset.tenant_id == self.tenant)
        return ((await self.session.scalar(query)) or 0) + 10

    async def tenant_row(self) -> Tenant:
        """Return the tenant."""
        return (await self.session.scalars(select(Tenant).where(Tenant.id == self.tenant))).one()

    async def note_problems(self, ruleset_id: uuid.UUID, problems: Sequence[Any]) -> None:
        """Write down why the active version can't be used; nobody's change, so no new ETag."""
        await self.session.execute(
            update(Ruleset)
            .where(Ruleset.tenant_id == self.tenant, Ruleset.id == ruleset_id)
            .values(problems=list(problems), updated_at=Ruleset.updated_at)
        )


class Drafts(Repository[RulesetDraft]):
    """The working copies of a tenant's rulesets."""

    model = RulesetDraft
    word = "draft"

    async def of(self, ruleset_id: uuid.UUID) -> RulesetDraft | None:
        """Return a ruleset's working copy, or None."""
        return await self._first(RulesetDraft.ruleset_id == ruleset_id)

    async def all(self) -> Mapping[uuid.UUID, RulesetDraft]:
        """Return all working copies by ruleset."""
        return {one.ruleset_id: one for one in await self.find()}


class Versions(Repository[RulesetVersion]):
    """The published versions of a tenant's rulesets."""

    model = RulesetVersion
    word = "version"

    async def of(self, ruleset_id: uuid.UUID, version: int) -> RulesetVersion | None:
        """Return one version, or None."""
        return await self._first(
            RulesetVersion.ruleset_id == ruleset_id, RulesetVersion.version == version
        )

    async def history(
        self, ruleset_id: uuid.UUID, before: int | None, limit: int
    ) -> Sequence[RulesetVersion]:
        """Return versions, the newest first."""
        query = self._mine().where(RulesetVersion.ruleset_id == ruleset_id)
        if before is not None:
            query = query.where(RulesetVersion.version < before)
        ordered = query.order_by(RulesetVersion.version.desc()).limit(limit)
        return (await self.session.scalars(ordered)).all()

    async def until(
        self, ruleset_id: uuid.UUID, moment: datetime, limit: int
    ) -> Sequence[RulesetVersion]:
        """Return versions that were published by then, the newest first."""
        query = self._mine().where(
            RulesetVersion.ruleset_id == ruleset_id, RulesetVersion.published_at <= moment
        )
        ordered = query.order_by(RulesetVersion.version.desc()).limit(limit)
        return (await self.session.scalars(ordered)).all()

    async def last(self, ruleset_id: uuid.UUID) -> int:
        """Return the number of the newest version; 0 = none was published."""
        query = select(func.max(RulesetVersion.version)).where(
            RulesetVersion.tenant_id == self.tenant, RulesetVersion.ruleset_id == ruleset_id
        )
        return (await self.session.scalar(query)) or 0

    async def was_ever(self, ruleset_id: uuid.UUID) -> bool:
        """Whether the id is or was a ruleset's, of whichever tenant."""
        rulesets = select(Ruleset.id).where(Ruleset.id == ruleset_id).limit(1)
        versions = select(RulesetVersion.ruleset_id).where(RulesetVersion.ruleset_id == ruleset_id)
        for query in (rulesets, versions.limit(1)):
            if await self.session.scalar(query) is not None:
                return True
        return False

    async def active(
        self, only: Iterable[uuid.UUID] | None = None
    ) -> Mapping[uuid.UUID, RulesetVersion]:
        """Return the active versions by ruleset: of all rulesets, or only of some."""
        query = (
            self._mine()
            .join(Ruleset, Ruleset.id == RulesetVersion.ruleset_id)
            .where(RulesetVersion.version == Ruleset.active_version)
        )
        if only is not None:
            query = query.where(Ruleset.id.in_(list(only)))
        return {one.ruleset_id: one for one in await self.session.scalars(query)}


class WhatIfs(Repository[WhatIf]):
    """A tenant's questions about the past."""

    model = WhatIf
    word = "what-if"

    async def beat(self, key: uuid.UUID, at: datetime, **changes: Any) -> bool:  # noqa: ANN401
        """Write progress; False when it was cancelled meanwhile."""
        result = await self.session.execute(
            update(WhatIf)
            .where(
                WhatIf.tenant_id == self.tenant,
                WhatIf.id == key,
                WhatIf.state.in_(("waiting", "running")),
            )
            .values(beat_at=at, **changes)
            .returning(WhatIf.id)
        )
        return result.scalar_one_or_none() is not None


class Vocabulary(NamedTuple):
    """What a tenant's rules may name beside what the plugins declare, as rows."""

    zone: str
    connectors: Sequence[tuple[uuid.UUID, str, str, str]]
    """(id, name, type, state)"""
    fields: Sequence[tuple[str, str, Sequence[Any]]]
    """(object, digest, fields as JSON)"""
    objects: Sequence[tuple[str, str, str]]
    """(object, label, vendor's name)"""
    maps: Sequence[tuple[str, str, str | None, int]]
    """(name, on_missing, default, row version)"""
    map_rows: Sequence[tuple[str, str, str, bool]]
    """(map, key, value, back)"""
    operators_off: Mapping[str, OperatorOff] = MappingProxyType({})


async def vocabulary(session: AsyncSession, tenant_id: uuid.UUID) -> Vocabulary:
    """Read what makes a tenant's schema."""
    maps, rows = neighbours.table("value_maps"), neighbours.table("value_map_rows")
    zone = await session.scalar(select(Tenant.time_zone).where(Tenant.id == tenant_id))
    connectors = await session.execute(
        select(Connector.id, Connector.name, Connector.type, Connector.state)
        .where(Connector.tenant_id == tenant_id)
        .order_by(Connector.name)
    )
    fields = await session.execute(
        select(ConnectorFields.source_object, ConnectorFields.digest, ConnectorFields.fields)
        .where(ConnectorFields.tenant_id == tenant_id)
        .order_by(ConnectorFields.source_object, ConnectorFields.connector_id)
    )
    objects = await session.execute(
        select(ConnectorObject.source_object, ConnectorObject.label, ConnectorObject.vendor_name)
        .where(ConnectorObject.tenant_id == tenant_id)
        .order_by(ConnectorObject.source_object)
    )
    tables = await session.execute(
        select(maps.c.name, maps.c.on_missing, maps.c.default_value, maps.c.row_version)
        .where(maps.c.tenant_id == tenant_id)
        .order_by(maps.c.name)
    )
    table_rows = await session.execute(
        select(maps.c.name, rows.c.key, rows.c.value, rows.c.back)
        .join(rows, rows.c.map_id == maps.c.id)
        .where(maps.c.tenant_id == tenant_id)
        .order_by(maps.c.name, rows.c.position, rows.c.key)
    )
    return Vocabulary(
        zone=zone or "UTC",
        connectors=[(row[0], row[1], row[2], row[3]) for row in connectors],
        fields=[(row[0], row[1], row[2]) for row in fields],
        objects=[(row[0], row[1], row[2]) for row in objects],
        maps=[(row[0], row[1], row[2], row[3]) for row in tables],
        map_rows=[(row[0], row[1], row[2], row[3]) for row in table_rows],
        operators_off=await operators_off.kept(session),
    )


async def fingerprint(session: AsyncSession, tenant_id: uuid.UUID) -> tuple[Any, ...]:
    """Return what tells whether a tenant's vocabulary is still the same, cheaply."""
    maps = neighbours.table("value_maps")
    zone = await session.scalar(select(Tenant.time_zone).where(Tenant.id == tenant_id))
    connectors = await session.execute(
        select(Connector.name, Connector.type)
        .where(Connector.tenant_id == tenant_id)
        .order_by(Connector.name)
    )
    fields = await session.execute(
        select(ConnectorFields.connector_id, ConnectorFields.source_object, ConnectorFields.digest)
        .where(ConnectorFields.tenant_id == tenant_id)
        .order_by(ConnectorFields.connector_id, ConnectorFields.source_object)
    )
    adopted = await session.execute(
        select(ConnectorObject.source_object)
        .where(ConnectorObject.tenant_id == tenant_id)
        .order_by(ConnectorObject.source_object)
    )
    tables = await session.execute(
        select(maps.c.id, maps.c.row_version)
        .where(maps.c.tenant_id == tenant_id)
        .order_by(maps.c.name)
    )
    parts = (connectors, fields, adopted, tables)
    off = tuple((await operators_off.kept(session)).values())
    return (zone, off, *(tuple(tuple(row) for row in part) for part in parts))


async def rules_versions(
    session: AsyncSession, tenants: Sequence[uuid.UUID]
) -> Mapping[uuid.UUID, int]:
    """Return the present rules version of tenants."""
    query = select(Tenant.id, Tenant.rules_version).where(Tenant.id.in_(tenants))
    return {row[0]: row[1] for row in await session.execute(query)}


async def rules_version(session: AsyncSession, tenant_id: uuid.UUID) -> int:
    """Return a tenant's present rules version."""
    query = select(Tenant.rules_version).where(Tenant.id == tenant_id)
    return (await session.scalar(query)) or 0


async def waiting_whatifs(
    session: AsyncSession, before: datetime
) -> Sequence[tuple[uuid.UUID, uuid.UUID]]:
    """Return (tenant, key) of questions that nobody has worked since; for a process's start."""
    query = select(WhatIf.tenant_id, WhatIf.id).where(
        WhatIf.state.in_(("waiting", "running")), WhatIf.beat_at < before
    )
    return [(row[0], row[1]) for row in await session.execute(query)]


async def ensure_value_map(
    session: AsyncSession, tenant_id: uuid.UUID, table: tuple[str, Mapping[str, str]], by: str
) -> bool:
    """Make a value map that a template brings, unless one of its name exists; whether it was made.

    Of keys with one value the first is marked for the way back.
    """
    name, pairs = table
    maps, rows = neighbours.table("value_maps"), neighbours.table("value_map_rows")
    there = select(maps.c.id).where(maps.c.tenant_id == tenant_id, maps.c.name == name)
    if await session.scalar(there) is not None:
        return False
    key, at = ids.new_id(), clock.now()
    who = {"created_by": by, "updated_by": by, "created_at": at, "updated_at": at}
    await session.execute(
        insert(maps).values(
            id=key,
            tenant_id=tenant_id,
            name=name,
            label="",
            on_missing="error",
            row_version=1,
            **who,
        )
    )
    values = list(pairs.values())
    listed = [
        {
            "tenant_id": tenant_id,
            "map_id": key,
            "key": one,
            "value": value,
            "back": values.count(value) > 1 and values.index(value) == at_,
            "position": at_,
        }
        for at_, (one, value) in enumerate(pairs.items())
    ]
    if listed:
        await session.execute(insert(rows), listed)
    return True
