import contextlib
import secrets
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hub.connectors.clients import Clients
from hub.connectors.models import Connector
from hub.crypto import MasterKeys, new_key
from hub.db.engine import Database
from hub.db.tenancy import Tenant
from hub.settings import HubSettings
from tests.toy import ToyVendor, toy_catalog


@pytest.fixture
async def vendor() -> AsyncIterator[ToyVendor]:
    async with ToyVendor().serving() as vendor:
        yield vendor


class Ticking:
    """A monotonic clock that tests move."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def ticking() -> Ticking:
    return Ticking()


@pytest.fixture
def keys() -> MasterKeys:
    return MasterKeys(current=new_key())


@pytest.fixture
async def clients(
    database: Database, tmp_path: Path, keys: MasterKeys, ticking: Ticking
) -> AsyncIterator[Clients]:
    settings = HubSettings(data_dir=tmp_path)
    made = Clients(database, toy_catalog(), settings, keys=keys, monotonic=ticking)
    async with contextlib.aclosing(_Closing(made)):
        yield made


class _Closing:
    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    async def aclose(self) -> None:
        await self._clients.close()


@pytest.fixture
async def connector(clients: Clients, vendor: ToyVendor, tenant: Tenant) -> Connector:
    return await add_connector(clients, tenant, vendor.url)


async def add_connector(clients: Clients, tenant: Tenant, base_url: str, **more) -> Connector:
    async with clients.database.writing() as session:
        row = Connector(
            id=uuid.UUID(bytes=secrets.token_bytes(16)),
            tenant_id=tenant.id,
            name=more.pop("name", "my-toy"),
            type="toy",
            settings={"base_url": base_url},
            **more,
        )
        session.add(row)
        await session.flush()
        store = clients.store(session, tenant.id)
        await store.put(row.id, "api_key", "good-key-0000a1f3", by="Ana", backends={})
        await store.put(row.id, "webhook_secret", "whsec-old", by="Ana", backends={})
    return row
