"""What people do with value maps."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias, cast

from hub.activity import audit
from hub.errors import Fault, Invalid
from hub.http.actor import Actor
from hub.mappings.document import value_map_changes, value_map_faults
from hub.mappings.models import ValueMap, ValueMapRow
from hub.mappings.repository import ValueMaps
from hub.mappings.schemas import (
    NamedValueMap,
    TriedValueMap,
    TryValueMap,
    ValueMapIn,
    ValueMapRowIO,
    ValueMapsDocument,
    ValueMapsPlan,
)
from hub.rules.value_maps import MapRow, NoRow
from hub.rules.value_maps import ValueMap as Table
from hub.rules.values import text_of

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession


Missing: TypeAlias = Literal["error", "keep", "default"]


class RulesVersion(Protocol):
    """Tells the processes that what a tenant's rules mean has changed."""

    async def bump(self, session: "AsyncSession", tenant_id: uuid.UUID, /) -> int:
        """Raise the tenant's version in this transaction and return it."""
        ...


@dataclass(frozen=True, slots=True)
class Tables:
    """One request's work on a tenant's value maps."""

    session: "AsyncSession"
    actor: Actor

    @property
    def _kept(self) -> ValueMaps:
        return ValueMaps(self.session, self.actor.home)

    async def listed(self) -> list[tuple[ValueMap, NamedValueMap]]:
        """Return all maps with their rows, by name."""
        rows = await self._kept.rows()
        return [(one, said_of(one, rows.get(one.id, []))) for one in await self._kept.every()]

    async def got(self, name: str) -> tuple[ValueMap, NamedValueMap]:
        """Return a map with its rows."""
        found = await self._kept.named(name)
        return found, said_of(found, await self._kept.rows_of(found.id))

    async def to_replace(self, name: str) -> tuple[ValueMap, NamedValueMap] | None:
        """Return the map with its rows, kept from others until this transaction ends, or None."""
        found = await self._kept.find_named(name, lock=True)
        if found is None:
            return None
        return found, said_of(found, await self._kept.rows_of(found.id))

    async def put(self, name: str, asked: ValueMapIn, versions: RulesVersion) -> NamedValueMap:
        """Create a map or replace it whole; Invalid lists every fault."""
        wanted = NamedValueMap.model_validate({"name": name, **asked.model_dump()})
        faults = value_map_faults(wanted)
        if faults:
            raise Invalid("The value map can't be used.", errors=faults)
        await self._write(wanted)
        await versions.bump(self.session, self.actor.home)
        return wanted

    async def remove(self, found: ValueMap, versions: RulesVersion) -> None:
        """Delete a map; rules that use it become invalid, and say so."""
        before = said_of(found, await self._kept.rows_of(found.id))
        await self._kept.replace_rows(found.id, [])
        await self._kept.remove(found)
        await versions.bump(self.session, self.actor.home)
        await audit.record(
            self.session, self.actor, "value map deleted", found.name, before.model_dump(), None
        )

    async def tried(self, name: str, asked: TryValueMap) -> TriedValueMap:
        """Take a value through a map, as a template would."""
        _, said = await self.got(name)
        table = table_of(said)
        try:
            if not asked.back:
                return TriedValueMap(value=text_of(table.forth(asked.value)), how="row or default")
            value, how = table.back(asked.value, asked.precise)
            return TriedValueMap(value=text_of(value), how=how)
        except NoRow as error:
            return TriedValueMap(value=None, how=str(error))

    async def take_in(
        self, asked: ValueMapsDocument, versions: RulesVersion, *, plan: bool
    ) -> ValueMapsPlan:
        """Make the named maps what the document says, or only tell the difference."""
        self._refuse_wrong(asked.value_maps)
        kept = {said.name: said for _, said in await self.listed()}
        added = [one for one in asked.value_maps if one.name not in kept]
        changes = {
            one.name: value_map_changes(kept[one.name], one)
            for one in asked.value_maps
            if one.name in kept
        }
        changed = {name: lines for name, lines in changes.items() if lines}
        if not plan:
            for one in asked.value_maps:
                if one.name in changed or one.name not in kept:
                    await self._write(one)
            if added or changed:
                await versions.bump(self.session, self.actor.home)
        return ValueMapsPlan(
            applied=not plan,
            added=[one.name for one in added],
            changed=changed,
            unchanged=len(changes) - len(changed),
        )

    def _refuse_wrong(self, asked: Sequence[NamedValueMap]) -> None:
        faults: list[Fault] = []
        names: set[str] = set()
        for at, one in enumerate(asked):
            prefix = f"/value_maps/{at}"
            if one.name in names:
                text = f"'{one.name}' is there twice"
                faults.append(Fault(f"{prefix}/name", text, "value_map.name"))
            names.add(one.name)
            faults.extend(value_map_faults(one, prefix))
        if faults:
            raise Invalid("Nothing was changed; some maps can't be used.", errors=faults)

    async def _write(self, wanted: NamedValueMap) -> None:
        found = await self._kept.find_named(wanted.name)
        before = None
        if found is None:
            found = self._kept.add(ValueMap(name=wanted.name, created_by=self.actor.name))
        else:
            before = said_of(found, await self._kept.rows_of(found.id)).model_dump()
            found.row_version += 1
        found.label, found.on_missing = wanted.label, wanted.on_missing
        found.default_value, found.updated_by = wanted.default_value, self.actor.name
        await self.session.flush()
        await self._kept.replace_rows(found.id, _rows(found.id, wanted.rows))
        done = "value map created" if before is None else "value map updated"
        await audit.record(self.session, self.actor, done, wanted.name, before, wanted.model_dump())


def _rows(map_id: uuid.UUID, rows: Sequence[ValueMapRowIO]) -> list[ValueMapRow]:
    return [
        ValueMapRow(map_id=map_id, key=row.key, value=row.value, back=row.back, position=at)
        for at, row in enumerate(rows)
    ]


def said_of(kept: ValueMap, rows: Sequence[ValueMapRow]) -> NamedValueMap:
    """Return a kept map as it could be sent."""
    said = [ValueMapRowIO.model_construct(key=r.key, value=r.value, back=r.back) for r in rows]
    return NamedValueMap.model_construct(
        name=kept.name,
        label=kept.label,
        on_missing=cast("Missing", kept.on_missing),
        default_value=kept.default_value,
        rows=said,
    )


def table_of(said: NamedValueMap) -> Table:
    """Return a map as templates read it."""
    return Table(
        name=said.name,
        rows=tuple(MapRow(key=row.key, value=row.value, back=row.back) for row in said.rows),
        on_missing=said.on_missing,
        default_value=said.default_value,
    )
