"""Reading and writing connectors and what is kept beside them."""

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple, TypeAlias

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from hub.connectors.models import (
    CheckResult,
    Connector,
    ConnectorFields,
    ConnectorObject,
    DataKey,
    HandshakeState,
    PollCursor,
    Secret,
)
from hub.db import dialects
from hub.db.repository import Repository
from hub.db.tenancy import Tenant, raise_rules_version
from hub.errors import NotFound

Transaction: TypeAlias = AsyncSession | AsyncConnection
_AT_ONCE: Final = 500


class Connectors(Repository[Connector]):
    """One tenant's connectors."""

    model = Connector
    word = "connector"

    async def by_name(self, name: str) -> Connector:
        """Return the connector; NotFound when the tenant has none of this name."""
        row = await self._first(Connector.name == name)
        if row is None:
            raise NotFound(f"There is no connector {name!r}.")
        return row

    async def find_by_name(self, name: str) -> Connector | None:
        """Return the connector, or None."""
        return await self._first(Connector.name == name)

    async def named(self, after: str | None, limit: int) -> tuple[Sequence[Connector], str | None]:
        """Return connectors in order of their names, and the cursor of the next page."""
        query = self._mine().order_by(Connector.name).limit(limit + 1)
        if after is not None:
            query = query.where(Connector.name > after)
        rows = (await self.session.scalars(query)).all()
        return rows[:limit], rows[limit - 1].name if len(rows) > limit else None


class Secrets(Repository[Secret]):
    """One tenant's secrets."""

    model = Secret
    word = "secret"

    async def of(self, owner_id: uuid.UUID) -> dict[str, Secret]:
        """Return an owner's secrets by field."""
        return {row.field: row for row in await self.find(Secret.owner_id == owner_id)}

    async def forget(self, owner_id: uuid.UUID) -> None:
        """Delete all secrets of an owner."""
        await self.session.execute(
            delete(Secret).where(Secret.tenant_id == self.tenant, Secret.owner_id == owner_id)
        )


class DataKeys(Repository[DataKey]):
    """One tenant's data keys."""

    model = DataKey
    word = "data key"

    async def in_use(self) -> DataKey | None:
        """Return the key that new secrets are sealed with."""
        query = self._mine().where(DataKey.retired_at.is_(None)).order_by(DataKey.id).limit(1)
        return (await self.session.scalars(query)).first()


class Checks(Repository[CheckResult]):
    """How the checks of one tenant's connectors ended last."""

    model = CheckResult
    word = "check"

    async def of(self, connector_id: uuid.UUID) -> Sequence[CheckResult]:
        """Return the results of one connector, in the order in which they were run."""
        query = self._mine().where(CheckResult.connector_id == connector_id)
        return (await self.session.scalars(query.order_by(CheckResult.at, CheckResult.name))).all()

    async def keep(self, connector_id: uuid.UUID, results: Sequence[Mapping[str, Any]]) -> None:
        """Replace the results of one connector."""
        mine = CheckResult.tenant_id == self.tenant
        await self.session.execute(
            delete(CheckResult).where(mine, CheckResult.connector_id == connector_id)
        )
        for one in results:
            self.add(CheckResult(connector_id=connector_id, **one))


class Objects(Repository[ConnectorObject]):
    """The vendors' objects that one tenant adopted."""

    model = ConnectorObject
    word = "object"

    async def of(self, connector_id: uuid.UUID) -> Sequence[ConnectorObject]:
        """Return the objects adopted by one connector."""
        query = self._mine().where(ConnectorObject.connector_id == connector_id)
        return (await self.session.scalars(query.order_by(ConnectorObject.source_object))).all()

    async def one(self, connector_id: uuid.UUID, source_object: str) -> ConnectorObject | None:
        """Return an adopted object, or None."""
        return await self._first(
            ConnectorObject.connector_id == connector_id,
            ConnectorObject.source_object == source_object,
        )


class Fields(Repository[ConnectorFields]):
    """The fields that one tenant's accounts were seen to have."""

    model = ConnectorFields
    word = "object"

    async def of(self, connector_id: uuid.UUID) -> dict[str, ConnectorFields]:
        """Return what is known of one connector's objects, by source object."""
        found = await self.find(ConnectorFields.connector_id == connector_id)
        return {row.source_object: row for row in found}

    async def keep(self, row: Mapping[str, Any]) -> None:
        """Replace what is known of one object; rules are told when it differs."""
        known = select(ConnectorFields.digest).where(
            ConnectorFields.tenant_id == self.tenant,
            ConnectorFields.connector_id == row["connector_id"],
            ConnectorFields.source_object == row["source_object"],
        )
        if await self.session.scalar(known) != row["digest"]:
            await raise_rules_version(self.session, self.tenant)
        statement = dialects.insert(self.session.get_bind().dialect.name, ConnectorFields)
        statement = statement.values(tenant_id=self.tenant, **row)
        changed = {name: statement.excluded[name] for name in ("fields", "digest", "fetched_at")}
        await self.session.execute(
            statement.on_conflict_do_update(
                index_elements=["connector_id", "source_object"], set_=changed
            )
        )

    async def forget(self, connector_id: uuid.UUID, source_object: str) -> None:
        """Delete what is known of one object."""
        await self.session.execute(
            delete(ConnectorFields).where(
                ConnectorFields.tenant_id == self.tenant,
                ConnectorFields.connector_id == connector_id,
                ConnectorFields.source_object == source_object,
            )
        )


class Cursors(Repository[PollCursor]):
    """How far one tenant's pollers have read."""

    model = PollCursor
    word = "poll cursor"

    async def of(self, connector_id: uuid.UUID) -> Sequence[PollCursor]:
        """Return the cursors of one connector."""
        return await self.find(PollCursor.connector_id == connector_id)


class Handshakes(Repository[HandshakeState]):
    """Set-ups by redirect that one tenant began."""

    model = HandshakeState
    word = "handshake"

    async def take(self, state_hash: bytes) -> HandshakeState | None:
        """Return the set-up that was begun with this state, once."""
        statement = (
            delete(HandshakeState)
            .where(HandshakeState.tenant_id == self.tenant, HandshakeState.state_hash == state_hash)
            .returning(HandshakeState)
        )
        return (await self.session.scalars(statement)).one_or_none()


class Glance(NamedTuple):
    """What tells whether an open connector is still as the database has it."""

    id: uuid.UUID
    row_version: int
    state: str
    state_detail: str
    parked_until: datetime | None
    webhook_ok: bool | None = None


async def glance_by_id(
    session: AsyncSession, tenant_id: uuid.UUID, connector_id: uuid.UUID
) -> Glance | None:
    """Return a connector's version and state, or None."""
    query = _glance().where(Connector.tenant_id == tenant_id, Connector.id == connector_id)
    row = (await session.execute(query)).one_or_none()
    return None if row is None else Glance(*row)


async def glance_by_name(session: AsyncSession, tenant: str, name: str) -> Glance | None:
    """Return a connector's version and state by tenant and name, or None."""
    query = _glance().where(Tenant.slug == tenant, Connector.name == name)
    row = (await session.execute(query)).one_or_none()
    return None if row is None else Glance(*row)


async def glances(session: AsyncSession, connector_ids: Sequence[uuid.UUID]) -> list[Glance]:
    """Return versions and states of connectors, whoever's they are; those gone are missing."""
    found: list[Glance] = []
    for start in range(0, len(connector_ids), _AT_ONCE):
        query = _glance().where(Connector.id.in_(connector_ids[start : start + _AT_ONCE]))
        found += [Glance(*row) for row in await session.execute(query)]
    return found


def _glance() -> Any:  # noqa: ANN401 - a select of five columns
    return (
        select(
            Connector.id,
            Connector.row_version,
            Connector.state,
            Connector.state_detail,
            Connector.parked_until,
            Connector.webhook_ok,
        )
        .join(Tenant, Tenant.id == Connector.tenant_id)
        .where(Tenant.deactivated_at.is_(None))
    )


async def whole(session: AsyncSession, connector_id: uuid.UUID) -> tuple[Connector, str] | None:
    """Return a connector and its tenant's slug, or None."""
    query = (
        select(Connector, Tenant.slug)
        .join(Tenant, Tenant.id == Connector.tenant_id)
        .where(Connector.id == connector_id)
    )
    row = (await session.execute(query)).one_or_none()
    return None if row is None else (row[0], row[1])


async def change_state(
    transaction: Transaction,
    connector_id: uuid.UUID,
    state: str,
    *,
    detail: str = "",
    parked_until: datetime | None = None,
    only_from: Sequence[str],
) -> bool:
    """Set a connector's state if it is in one of `only_from`; True when it was."""
    statement = (
        update(Connector)
        .where(Connector.id == connector_id, Connector.state.in_(only_from))
        .values(
            state=state,
            state_detail=detail,
            parked_until=parked_until,
            updated_at=Connector.updated_at,
        )
        .returning(Connector.id)
    )
    changed = await transaction.execute(statement, execution_options={"synchronize_session": False})
    return changed.first() is not None


async def poll_at_once(transaction: Transaction, connector_id: uuid.UUID, now: datetime) -> None:
    """Make a connector's pollers due: they read on from the last good poll."""
    await transaction.execute(
        update(PollCursor).where(PollCursor.connector_id == connector_id).values(next_at=now),
        execution_options={"synchronize_session": False},
    )


async def watch_at_once(transaction: Transaction, connector_id: uuid.UUID) -> None:
    """Have the worker look at the vendor's subscription within a second."""
    await transaction.execute(
        update(Connector)
        .where(Connector.id == connector_id)
        .values(webhook_checked_at=None, updated_at=Connector.updated_at),
        execution_options={"synchronize_session": False},
    )


async def webhook_seen(
    transaction: Transaction, connector_id: uuid.UUID, *, ok: bool, now: datetime
) -> bool:
    """Keep whether the vendor's subscription is in order; True when that is news.

    On news the connector is polled at once: what was missed meanwhile is read.
    """
    before = await transaction.scalar(
        select(Connector.webhook_ok).where(Connector.id == connector_id)
    )
    await transaction.execute(
        update(Connector)
        .where(Connector.id == connector_id)
        .values(webhook_ok=ok, webhook_checked_at=now, updated_at=Connector.updated_at),
        execution_options={"synchronize_session": False},
    )
    news = before is not ok and not (before is None and ok)
    if news:
        await poll_at_once(transaction, connector_id, now)
    return news


async def all_connectors(session: AsyncSession) -> Sequence[Connector]:
    """Return the connectors of all tenants; for the hub's start only."""
    return (await session.scalars(select(Connector).order_by(Connector.id))).all()


async def all_data_keys(session: AsyncSession) -> Sequence[DataKey]:
    """Return the data keys of all tenants; for start and key rotation only."""
    return (await session.scalars(select(DataKey).order_by(DataKey.id))).all()


async def drop_expired_secrets(transaction: Transaction, now: datetime) -> None:
    """Delete previous secrets whose time is over; housekeeping."""
    await transaction.execute(
        update(Secret)
        .where(Secret.previous_until.is_not(None), Secret.previous_until <= now)
        .values(previous_sealed=None, previous_until=None),
        execution_options={"synchronize_session": False},
    )


async def drop_expired_handshakes(transaction: Transaction, now: datetime) -> None:
    """Delete set-ups by redirect that nobody finished; housekeeping."""
    await transaction.execute(
        delete(HandshakeState).where(HandshakeState.expires_at <= now),
        execution_options={"synchronize_session": False},
    )
