"""The platform's part of the API in process, with the toy vendor beside it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from hub.activity import endpoints as activity
from hub.auth import endpoints as auth
from hub.auth import roles, tokens
from hub.auth.authenticate import Authenticator
from hub.auth.bootstrap import ensure_local_token
from hub.auth.models import Token
from hub.builtins.secrets import SecretPlaces
from hub.clock import now
from hub.connectors import endpoints as connectors
from hub.connectors.clients import Clients
from hub.db.engine import Database
from hub.db.tenancy import Tenant
from hub.http.application import equip
from hub.settings import HubSettings
from hub.tenants import endpoints as tenants
from tests.toy import ToyVendor, toy_catalog


@pytest.fixture
async def vendor() -> AsyncIterator[ToyVendor]:
    async with ToyVendor().serving() as vendor:
        yield vendor


class Clock:
    """The present, which tests move."""

    def __init__(self) -> None:
        self._now = now
        self.ahead = None

    def __call__(self):
        present = self._now()
        return present + self.ahead if self.ahead else present


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def variables() -> dict[str, str]:
    return {"TOY_KEY": "good-key-0000a1f3"}


def build_app(
    database: Database, folder: Path, clock: Callable, variables: dict[str, str]
) -> FastAPI:
    """Put the platform's part together, with the toy as its only plugin."""
    settings = HubSettings(data_dir=folder, http={"max_body_bytes": 64 * 1024})
    places = SecretPlaces(variable=variables.get, variables="*", data_dir=folder)
    catalog = toy_catalog(("secrets", places))
    app = FastAPI(docs_url=None, redoc_url=None)
    for domain in (connectors, auth, tenants, activity):
        app.include_router(domain.router)
    app.state.catalog = catalog
    app.state.plugins = ()
    app.state.clock = clock
    app.state.clients = Clients(database, catalog, settings, clock=clock)
    app.state.authenticate = Authenticator(database, settings, clock)
    equip(app, settings, database)
    return app


@pytest.fixture
def platform_database(sqlite_database: Database) -> Database:
    """Return the app's database; modules that try both kinds override it."""
    return sqlite_database


@pytest.fixture
async def app(
    platform_database: Database, tmp_path: Path, clock: Clock, variables: dict[str, str]
) -> AsyncIterator[FastAPI]:
    built = build_app(platform_database, tmp_path, clock, variables)
    yield built
    await built.state.clients.close()


Api = httpx.AsyncClient
As = Callable[..., Awaitable[Api]]


@pytest.fixture
async def calling(app: FastAPI) -> AsyncIterator[Callable[[str | None], Api]]:
    """Return a function that makes a client with a token."""
    opened: list[Api] = []

    def call(token: str | None) -> Api:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        transport = httpx.ASGITransport(app)
        client = Api(transport=transport, base_url="http://hub.test", headers=headers)
        opened.append(client)
        return client

    yield call
    for client in opened:
        await client.aclose()


@pytest.fixture
def acting(calling, platform_database: Database) -> As:
    """Return a function that makes a client for a role in a tenant."""

    async def act(role: str, tenant: Tenant, permissions=None) -> Api:
        made = tokens.new_token()
        granted = roles.BUILT_IN[role] if permissions is None else permissions
        async with platform_database.writing() as session:
            session.add(
                Token(
                    tenant_id=tenant.id,
                    name=f"{role} of {tenant.slug}",
                    prefix=made.prefix,
                    hash=made.hash,
                    permissions=sorted(granted),
                )
            )
        return calling(made.text)

    return act


@pytest.fixture
async def admin(acting: As, tenant: Tenant) -> Api:
    return await acting("administrator", tenant)


@pytest.fixture
async def operator(calling, platform_database: Database, tmp_path: Path) -> Api:
    """A client with the token that `hub serve` leaves on its machine."""
    return calling(await ensure_local_token(platform_database, tmp_path))


ACME = "/api/v1/tenants/acme"


@pytest.fixture
def acme() -> str:
    return ACME


@pytest.fixture
async def toy(admin: Api, vendor: ToyVendor) -> dict:
    """Add a working connector and return it as the API shows it."""
    answer = await admin.post(f"{ACME}/connectors", json=toy_body(vendor))
    assert answer.status_code == 201, answer.text
    return answer.json()


def toy_body(vendor: ToyVendor, **settings) -> dict:
    return {
        "type": "toy",
        "name": "my-toy",
        "settings": {"base_url": vendor.url, "api_key": "good-key-0000a1f3"} | settings,
    }
