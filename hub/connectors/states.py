"""A connector's state: who may set which, and who is told when it can be used again."""

import uuid
from collections.abc import Awaitable, Callable, Collection
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

from hub import clock
from hub.activity import journal
from hub.connectors import repository
from hub.connectors.repository import Transaction
from hub.db.engine import Database


class ConnectorState(StrEnum):
    """Whether a connector's events are worked."""

    ACTIVE = "active"
    PAUSED = "paused"
    """A person turned it off."""
    NEEDS_CREDENTIALS = "needs_credentials"
    """The vendor refused the credentials; a good check lifts it."""
    PARKED = "parked"
    """The vendor is away or its quota is used up; tried again at `parked_until`."""
    BROKEN = "broken"
    """Its plugin is not in working order."""


WhenUsable: TypeAlias = Callable[[Transaction, uuid.UUID, uuid.UUID], Awaitable[None]]
"""Called with (transaction, tenant id, connector id), in the transaction that lifts a state."""


class States:
    """Sets states in the caller's transaction, says so in the activity, wakes what waited."""

    def __init__(self) -> None:
        self._usable: list[WhenUsable] = []

    def when_usable(self, callback: WhenUsable) -> None:
        """Ask to be called when a connector that was not usable becomes active."""
        self._usable.append(callback)

    async def needs_credentials(
        self, transaction: Transaction, tenant_id: uuid.UUID, connector_id: uuid.UUID, detail: str
    ) -> None:
        """Hold a connector because the vendor refused its credentials."""
        changed = await repository.change_state(
            transaction,
            connector_id,
            ConnectorState.NEEDS_CREDENTIALS,
            detail=detail[:1000],
            only_from=(ConnectorState.ACTIVE, ConnectorState.PARKED),
        )
        if changed:
            text = f"The vendor refused the credentials: {detail} Deliveries are held, not lost."
            await _tell(transaction, tenant_id, connector_id, text, level="error")

    async def park(
        self,
        transaction: Transaction,
        tenant_id: uuid.UUID,
        connector_id: uuid.UUID,
        *,
        until: datetime,
        detail: str,
    ) -> None:
        """Leave a connector alone until a time: its vendor is away, or a quota is used up."""
        changed = await repository.change_state(
            transaction,
            connector_id,
            ConnectorState.PARKED,
            detail=detail[:1000],
            parked_until=until,
            only_from=(ConnectorState.ACTIVE, ConnectorState.PARKED),
        )
        if changed:
            when = until.isoformat(timespec="seconds").replace("+00:00", "Z")
            text = f"Parked until {when}: {detail}"
            await _tell(transaction, tenant_id, connector_id, text, level="warning")

    async def unpark(
        self, transaction: Transaction, tenant_id: uuid.UUID, connector_id: uuid.UUID
    ) -> bool:
        """End a parking; True when the connector was parked."""
        return await self._lift(
            transaction, tenant_id, connector_id, (ConnectorState.PARKED,), "The vendor is back."
        )

    async def good_check(
        self, transaction: Transaction, tenant_id: uuid.UUID, connector_id: uuid.UUID
    ) -> bool:
        """Make a connector active again whose checks are all well; True when it was held."""
        return await self._lift(
            transaction,
            tenant_id,
            connector_id,
            (ConnectorState.NEEDS_CREDENTIALS, ConnectorState.PARKED),
            "The check passed: the connector is in use again.",
        )

    async def credentials_changed(
        self, transaction: Transaction, tenant_id: uuid.UUID, connector_id: uuid.UUID
    ) -> bool:
        """Give a connector with new settings another try; True when it was held."""
        return await self._lift(
            transaction,
            tenant_id,
            connector_id,
            (ConnectorState.NEEDS_CREDENTIALS,),
            "The settings changed: the connector is tried again.",
        )

    async def enabled(
        self, transaction: Transaction, tenant_id: uuid.UUID, connector_id: uuid.UUID
    ) -> bool:
        """Wake what waited for a connector that a person turned on."""
        return await self._lift(
            transaction, tenant_id, connector_id, (ConnectorState.PAUSED,), "Turned on."
        )

    async def repaired(
        self, transaction: Transaction, tenant_id: uuid.UUID, connector_id: uuid.UUID
    ) -> bool:
        """Make a connector active again whose plugin works again."""
        return await self._lift(
            transaction,
            tenant_id,
            connector_id,
            (ConnectorState.BROKEN,),
            "The plugin works again: the connector is in use again.",
        )

    async def webhook_seen(
        self,
        transaction: Transaction,
        connector: tuple[uuid.UUID, uuid.UUID],
        *,
        ok: bool,
        detail: str,
        now: datetime,
    ) -> bool:
        """Note whether the vendor's subscription is in order; poll at once when that changed.

        `connector` is (tenant id, connector id). True when it changed.
        """
        tenant_id, connector_id = connector
        news = await repository.webhook_seen(transaction, connector_id, ok=ok, now=now)
        if news:
            found = "in order again" if ok else "out of order"
            text = f"The webhook is {found}: {detail} What was missed is read now."
            level: journal.Level = "info" if ok else "error"
            await _tell(transaction, tenant_id, connector_id, text, level=level)
        return news

    async def _lift(
        self,
        transaction: Transaction,
        tenant_id: uuid.UUID,
        connector_id: uuid.UUID,
        only_from: Collection[ConnectorState],
        text: str,
    ) -> bool:
        lifted = await repository.change_state(
            transaction, connector_id, ConnectorState.ACTIVE, only_from=tuple(only_from)
        )
        if lifted:
            await _tell(transaction, tenant_id, connector_id, text, level="info")
            await repository.poll_at_once(transaction, connector_id, clock.now())
            for callback in self._usable:
                await callback(transaction, tenant_id, connector_id)
        return lifted


async def mark_broken(database: Database, states: States, known_types: Collection[str]) -> None:
    """At start: connectors whose type no plugin brings are broken; those it brings again work."""
    async with database.writing() as session:
        for row in await repository.all_connectors(session):
            if row.type in known_types:
                await states.repaired(session, row.tenant_id, row.id)
                continue
            changed = await repository.change_state(
                session,
                row.id,
                ConnectorState.BROKEN,
                detail=f"No plugin in working order brings the connector type {row.type!r}.",
                only_from=(
                    ConnectorState.ACTIVE,
                    ConnectorState.NEEDS_CREDENTIALS,
                    ConnectorState.PARKED,
                ),
            )
            if changed:
                text = f"The plugin of {row.type!r} is missing or in quarantine."
                await _tell(session, row.tenant_id, row.id, text, level="error")


async def _tell(
    transaction: Transaction,
    tenant_id: uuid.UUID,
    connector_id: uuid.UUID,
    text: str,
    *,
    level: journal.Level,
) -> None:
    line = journal.line(tenant_id, "connector", text, level=level, connector_id=connector_id)
    await journal.write(transaction, line)
