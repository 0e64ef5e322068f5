"""Who may send webhooks by address and scheme, behind proxies that are trusted and others."""

import json
from pathlib import Path

import httpx
import pytest
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from hub.connectors.models import Connector
from hub.http.middleware import Front
from hub.settings import HttpSettings, HubSettings
from hub.testing.rig import SECRET, Rig, item
from hub.testing.workload import SIGNATURE, sign
from tests.delivery.app import app_of

HOOK = "/t/load/connectors/load/webhook"
PROXY, VENDOR, STRANGER = "10.1.2.3", "192.0.2.10", "198.51.100.9"


async def send(app, *, peer: str, **headers: str) -> httpx.Response:
    body = json.dumps({"events": [item("a", 1)]}).encode()
    transport = httpx.ASGITransport(app, client=(peer, 4000))
    async with httpx.AsyncClient(transport=transport, base_url="http://hub.test") as client:
        return await client.post(
            HOOK, content=body, headers={SIGNATURE: sign(SECRET, body), **headers}
        )


async def allow(rig: Rig, *networks: str) -> None:
    async with rig.database.writing() as session:
        row = await session.get(Connector, (await rig.connector()).id)
        row.allowed_ips = list(networks)
        row.row_version += 1
    rig.clients.changed((await rig.connector()).id)


@pytest.mark.parametrize(
    ("peer", "forwarded", "status"),
    [
        (VENDOR, None, 202),
        (STRANGER, None, 403),
        (PROXY, None, 403),
        (PROXY, VENDOR, 202),
        (PROXY, STRANGER, 403),
        (STRANGER, VENDOR, 403),
        (PROXY, f"{VENDOR}, {STRANGER}", 403),
        (PROXY, "nonsense", 403),
    ],
)
async def test_only_listed_addresses_may_send(
    rig: Rig, peer: str, forwarded: str | None, status: int
) -> None:
    await allow(rig, "192.0.2.0/24")
    app = ProxyHeadersMiddleware(app_of(rig), trusted_hosts=PROXY)
    headers = {"X-Forwarded-For": forwarded} if forwarded else {}

    answer = await send(app, peer=peer, **headers)

    assert answer.status_code == status
    stored = await rig.rows("SELECT count(*) FROM deliveries")
    assert stored == [(1 if status == 202 else 0,)]


async def test_a_connector_without_a_list_takes_webhooks_from_everywhere(rig: Rig) -> None:
    assert (await send(app_of(rig), peer=STRANGER)).status_code == 202


@pytest.mark.parametrize(
    ("peer", "scheme", "status"),
    [(PROXY, "https", 202), (PROXY, "http", 403), (PROXY, "", 403), (STRANGER, "https", 403)],
)
async def test_where_https_is_demanded_only_a_trusted_proxy_can_say_so(
    rig: Rig, tmp_path: Path, peer: str, scheme: str, status: int
) -> None:
    settings = HubSettings(data_dir=tmp_path, http=HttpSettings(require_https=True))
    app = ProxyHeadersMiddleware(Front(app_of(rig), settings), trusted_hosts=PROXY)
    headers = {"X-Forwarded-Proto": scheme} if scheme else {}

    answer = await send(app, peer=peer, **headers)

    assert answer.status_code == status
