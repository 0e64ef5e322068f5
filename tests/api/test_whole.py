"""The whole hub, put together: every route with every role, no tenant sees another."""

import re
from collections.abc import AsyncIterator

import httpx
import pytest

from hub.auth import roles
from hub.http.openapi import permission_of, routes_of
from hub.settings import local_token

pytest.importorskip("hub.app")
TENANTS = ("acme", "globex")
_FILLED = "01990000-0000-7000-8000-000000000000"


@pytest.fixture
async def api_of(hub_app, client) -> AsyncIterator:
    """Return a function that makes a client for a role in one of two tenants."""
    for slug in TENANTS:
        made = await client.post("/api/v1/tenants", json={"slug": slug, "name": slug})
        assert made.status_code == 201, made.text
    opened = []

    async def act(role: str, tenant: str) -> httpx.AsyncClient:
        body = {"name": role, "role": role}
        made = await client.post(f"/api/v1/tenants/{tenant}/tokens", json=body)
        headers = {"Authorization": f"Bearer {made.json()['token']}"}
        opened.append(
            httpx.AsyncClient(
                transport=httpx.ASGITransport(hub_app),
                base_url="http://hub.test",
                headers=headers,
            )
        )
        return opened[-1]

    yield act
    for one in opened:
        await one.aclose()


def guarded(app):
    for route in routes_of(app):
        for method in route.methods:
            yield method, route.path_format, permission_of(route)


def path_of(template: str, tenant: str) -> str:
    return re.sub(r"\{\w+(:\w+)?\}", _FILLED, template.replace("{tenant}", tenant))


def test_every_route_names_who_may_call_it(hub_app):
    assert [path for _, path, needed in guarded(hub_app) if needed is None] == []


@pytest.mark.slow
@pytest.mark.parametrize("role", sorted(roles.BUILT_IN))
async def test_every_route_admits_a_role_or_refuses_it(hub_app, api_of, role):
    api = await api_of(role, "acme")
    wrong = []
    for method, template, needed in guarded(hub_app):
        if needed == "anyone":
            continue
        answer = await api.request(method, path_of(template, "acme"), json={})
        admitted = needed == "signed-in" or needed in roles.BUILT_IN[role]
        if admitted == (answer.status_code in {401, 403}) or answer.status_code == 500:
            wrong.append((method, template, needed, answer.status_code, answer.text[:200]))

    assert wrong == []


@pytest.mark.slow
async def test_a_stranger_finds_nothing_of_another_tenant(hub_app, api_of):
    stranger = await api_of("administrator", "globex")
    wrong = []
    for method, template, needed in guarded(hub_app):
        if "{tenant}" in template and needed != "anyone":
            answer = await stranger.request(method, path_of(template, "acme"), json={})
            if answer.status_code != 404:
                wrong.append((method, template, answer.status_code))

    assert wrong == []


async def test_nobody_gets_in_without_credentials(hub_app):
    transport = httpx.ASGITransport(hub_app)
    async with httpx.AsyncClient(transport=transport, base_url="http://hub.test") as api:
        wrong = [
            (method, template)
            for method, template, needed in guarded(hub_app)
            if needed != "anyone"
            and (await api.request(method, path_of(template, "acme"), json={})).status_code != 401
        ]

    assert wrong == []


async def test_the_description_is_complete(hub_app, client):
    described = hub_app.openapi()
    ids = [
        operation["operationId"]
        for operations in described["paths"].values()
        for operation in operations.values()
    ]

    assert len(ids) == len(set(ids))
    assert local_token(hub_app.state.settings.data_dir)
    assert (await client.get("/openapi.json")).json() == described
