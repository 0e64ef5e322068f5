"""Operators of plugins that are switched off since they kept failing: kept, shown, let go."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from pydantic import BaseModel, ConfigDict
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from hub.activity import audit
from hub.catalog.catalog import Catalog
from hub.db.dialects import insert
from hub.errors import NotFound
from hub.http.actor import Actor
from hub.rulesets.neighbours import table

_KEY: Final = "operators_off"


class OperatorOff(BaseModel):
    """An operator that is off in the whole hub, and what it did."""

    model_config = ConfigDict(frozen=True)

    operator: str
    plugin: str
    version: str
    """Of the plugin's distribution: another one is another chance."""
    since: datetime
    failures: int
    minutes: int
    error: str
    """The kind of what it raised last; its text may tell of one tenant's data."""

    @property
    def reason(self) -> str:
        """Say why it is off, and how it comes on again."""
        return (
            f"The operator is off: '{self.operator}' of the plugin {self.plugin} {self.version} "
            f"failed on {self.failures} events within {self.minutes} minutes ({self.error}). It is "
            "on again with another version of the plugin, or when who operates the hub switches it "
            f"on (hub plugins switch-on {self.operator})."
        )

    def still(self, catalog: Catalog) -> bool:
        """Whether the plugin is what it was when the operator was switched off."""
        return (
            catalog.owner("operators", self.operator) == self.plugin
            and catalog.versions.get(self.plugin, "") == self.version
        )


async def kept(session: AsyncSession) -> Mapping[str, OperatorOff]:
    """Return what was switched off, by operator; ask `still` whether that holds."""
    rows = table("hub_meta")
    value = await session.scalar(select(rows.c.value).where(rows.c.key == _KEY))
    return {name: OperatorOff.model_validate(one) for name, one in sorted((value or {}).items())}


async def listed(session: AsyncSession, catalog: Catalog) -> list[OperatorOff]:
    """Return the operators that are off."""
    return [one for one in (await kept(session)).values() if one.still(catalog)]


async def switch_off(session: AsyncSession, which: Iterable[OperatorOff]) -> None:
    """Switch operators off in all processes; what is off keeps when and why."""
    there = await _locked(session)
    for one in which:
        known = there.get(one.operator)
        if known is None or known["version"] != one.version:
            there[one.operator] = one.model_dump(mode="json")
    await _write(session, there)


async def switch_on(session: AsyncSession, actor: Actor, name: str) -> None:
    """Switch an operator on again in all processes; NotFound when it is not off."""
    there = await _locked(session)
    if there.pop(name, None) is None:
        raise NotFound(f"The operator {name!r} is not off.")
    await _write(session, there)
    await audit.record(session, actor, "operator switched on", name)


async def _locked(session: AsyncSession) -> dict[str, Any]:
    rows = table("hub_meta")
    dialect = session.get_bind().dialect.name
    first = insert(dialect, rows).values(key=_KEY, value={}).on_conflict_do_nothing()
    await session.execute(first)
    query = select(rows.c.value).where(rows.c.key == _KEY).with_for_update()
    return dict((await session.scalar(query)) or {})


async def _write(session: AsyncSession, there: Mapping[str, Any]) -> None:
    rows = table("hub_meta")
    await session.execute(update(rows).where(rows.c.key == _KEY).values(value=dict(there)))
