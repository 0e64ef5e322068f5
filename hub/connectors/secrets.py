"""Secrets of connectors and mappings: sealed, written but never shown, or kept elsewhere."""

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncSession

from hub.clock import Clock
from hub.connectors import repository
from hub.connectors.models import DataKey, Secret
from hub.connectors.repository import DataKeys, Secrets
from hub.crypto import (
    KEY_FILE,
    CannotOpen,
    Key,
    MasterKeys,
    has_master_key,
    new_key,
    seal,
    unseal,
)
from hub.db.engine import Database
from hub.errors import StartRefused
from hub.sdk.secrets import SecretBackend
from hub.settings import HubSettings

PREVIOUS_VALID: Final = timedelta(hours=24)
REFERENCES_KEPT_S: Final = 300.0
_ENDING: Final = 4
_ENDING_SHOWN_FROM: Final = 12

Backends = Mapping[str, SecretBackend]


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """An owner's secrets, readable: by field, and those that a rotation left valid."""

    current: Mapping[str, str] = field(default_factory=dict)
    previous: Mapping[str, str] = field(default_factory=dict)
    references: Mapping[str, str] = field(default_factory=dict)


class SecretStore:
    """One tenant's secrets, in the caller's transaction."""

    def __init__(
        self, session: AsyncSession, tenant: uuid.UUID, keys: MasterKeys, clock: Clock
    ) -> None:
        self._rows = Secrets(session, tenant)
        self._data_keys = DataKeys(session, tenant)
        self._tenant = tenant
        self._keys = keys
        self._clock = clock
        self._opened: dict[uuid.UUID, Key] = {}

    async def put(
        self, owner: uuid.UUID, name: str, value: str, *, by: str, backends: Backends
    ) -> bool:
        """Keep a secret or a reference to one; False when it is so already.

        The value before stays valid for verifying for a day.
        """
        row = (await self._rows.of(owner)).get(name)
        if row is not None and await self._is(row, value, backends):
            return False
        fresh = row is None
        row = row or Secret(owner_id=owner, field=name)
        if row.sealed is not None:
            row.previous_sealed = row.sealed
            row.previous_until = self._clock() + PREVIOUS_VALID
        await self._fill(row, value, is_reference=refers(value, backends))
        row.set_at, row.set_by = self._clock(), by
        if fresh:
            self._rows.add(row)
        return True

    async def _fill(self, row: Secret, value: str, *, is_reference: bool) -> None:
        if is_reference:
            row.reference, row.sealed, row.data_key_id, row.ending = value, None, None, ""
            return
        key_id, key = await self._key_in_use()
        row.reference, row.data_key_id = None, key_id
        row.sealed = seal(key, value.encode(), _bound(row))
        row.ending = _ending(value)

    async def remove(self, owner: uuid.UUID, name: str) -> bool:
        """Forget a secret; False when there was none."""
        row = (await self._rows.of(owner)).get(name)
        if row is not None:
            await self._rows.remove(row)
        return row is not None

    async def forget(self, owner: uuid.UUID) -> None:
        """Forget all secrets of an owner."""
        await self._rows.forget(owner)

    async def rows(self, owner: uuid.UUID) -> dict[str, Secret]:
        """Return what may be shown of an owner's secrets, by field."""
        return await self._rows.of(owner)

    async def opened(self, owner: uuid.UUID) -> Opened:
        """Return an owner's secrets, readable. References are not followed."""
        current, previous, references = {}, {}, {}
        now = self._clock()
        for name, row in (await self._rows.of(owner)).items():
            if row.reference is not None:
                references[name] = row.reference
            elif row.sealed is not None:
                current[name] = await self._unseal(row, row.sealed)
            if row.previous_sealed and row.previous_until and row.previous_until > now:
                previous[name] = await self._unseal(row, row.previous_sealed)
        return Opened(current=current, previous=previous, references=references)

    async def _is(self, row: Secret, value: str, backends: Backends) -> bool:
        if row.reference is not None or refers(value, backends):
            return row.reference == value
        return row.sealed is not None and await self._unseal(row, row.sealed) == value

    async def _unseal(self, row: Secret, sealed: bytes) -> str:
        if row.data_key_id is None:  # the previous value of what is a reference now
            key_id, _ = await self._key_in_use()
        else:
            key_id = row.data_key_id
        return unseal(await self._key(key_id), sealed, _bound(row)).decode()

    async def _key_in_use(self) -> tuple[uuid.UUID, Key]:
        row = await self._data_keys.in_use()
        if row is None:
            key = new_key()
            row = self._data_keys.add(DataKey(wrapped=self._keys.wrap(key, self._tenant.bytes)))
            await self._data_keys.session.flush()
            self._opened[row.id] = key
        return row.id, await self._key(row.id)

    async def _key(self, key_id: uuid.UUID) -> Key:
        if key_id not in self._opened:
            row = await self._data_keys.get(key_id)
            self._opened[key_id] = self._keys.unwrap(row.wrapped, self._tenant.bytes)
        return self._opened[key_id]


def _ending(value: str) -> str:
    """Return what people may see of a secret; nothing of short ones and of whole documents."""
    plain = value.strip()
    is_line = len(plain) >= _ENDING_SHOWN_FROM and plain.isprintable()
    return plain[-_ENDING:] if is_line else ""


def refers(value: str, backends: Backends) -> bool:
    """Whether a value only says where the secret lies: `env:PAGERDUTY_KEY`."""
    scheme, colon, rest = value.partition(":")
    return bool(colon and rest) and scheme in backends


def shown(row: Secret) -> dict[str, Any]:
    """Return what anybody may see of a secret: that it is set, since when, by whom."""
    seen: dict[str, Any] = {"set": True, "since": row.set_at, "by": row.set_by}
    if row.reference is not None:
        seen["reference"] = row.reference
    elif row.ending:
        seen["ending"] = row.ending
    if row.previous_sealed is not None and row.previous_until is not None:
        seen["previous_until"] = row.previous_until
    return seen


def _bound(row: Secret) -> bytes:
    return row.owner_id.bytes + row.field.encode()


class References:
    """Follows references, and keeps what it read for five minutes."""

    def __init__(self, backends: Backends, monotonic: Callable[[], float]) -> None:
        self.backends = backends
        self._now = monotonic
        self._read: dict[str, tuple[float, str]] = {}

    async def read(self, reference: str, *, fresh: bool = False) -> str:
        """Return the secret that is meant; ConnectorError when it can't be read."""
        known = self._read.get(reference)
        if known is not None and not fresh and self._now() - known[0] < REFERENCES_KEPT_S:
            return known[1]
        value = await self.backends[reference.partition(":")[0]].read(reference)
        self._read[reference] = (self._now(), value)
        return value

    def forget(self) -> None:
        """Read everything anew from now on."""
        self._read.clear()


async def refuse_lost_key(database: Database, settings: HubSettings) -> None:
    """Refuse to make a new master key beside secrets that another one sealed."""
    if has_master_key(settings):
        return
    async with database.reading() as session:
        rows = await repository.all_data_keys(session)
    if rows:
        raise StartRefused(
            f"The stored secrets were sealed with a master key, and {settings.data_dir / KEY_FILE} "
            "is not there. Restore it from the backup, or give the key as HUB_SECRETS__KEY."
        )


async def check_master_key(database: Database, keys: MasterKeys) -> None:
    """Refuse to start with another master key than the one that sealed the secrets."""
    async with database.reading() as session:
        rows = await repository.all_data_keys(session)
    for row in rows[:1]:
        try:
            keys.unwrap(row.wrapped, row.tenant_id.bytes)
        except CannotOpen as error:
            raise StartRefused(
                "The stored secrets were sealed with another master key. Give the one they were "
                "sealed with as HUB_SECRETS__KEY or as master.key in the data folder; "
                "to change it, give the old one as HUB_SECRETS__PREVIOUS_KEY."
            ) from error


async def rotate_master_key(database: Database, keys: MasterKeys) -> int:
    """Wrap all data keys anew with the current master key; return how many were changed."""
    changed = 0
    async with database.writing() as session:
        for row in await repository.all_data_keys(session):
            bound = row.tenant_id.bytes
            if not keys.is_current(row.wrapped, bound):
                row.wrapped = keys.wrap(keys.unwrap(row.wrapped, bound), bound)
                changed += 1
    return changed


async def forget_expired(database: Database, now: datetime) -> None:
    """Housekeeping: drop previous secrets and unfinished set-ups whose time is over."""
    async with database.writing() as session:
        await repository.drop_expired_secrets(session, now)
        await repository.drop_expired_handshakes(session, now)
