"""The short way of deliveries answers as the long one does, and takes only what is ordinary."""

import json
from typing import Any

import httpx
import pytest

from hub.deliveries.ingress import Door, place_of
from hub.http.middleware import Front
from hub.settings import HttpSettings, HubSettings
from hub.testing.rig import SECRET, Rig, item
from hub.testing.workload import SIGNATURE, sign
from tests.delivery.app import app_of

HOOK = "/t/load/connectors/load/webhook"
BODY = json.dumps({"events": [item("a", 1)]}).encode()
SIGNED = {SIGNATURE: sign(SECRET, BODY), "content-type": "application/json"}


def settings(**http: Any) -> HubSettings:
    return HubSettings(http=HttpSettings(public_url="https://hub.test", **http))


async def answer(app: Any, path: str, headers: dict[str, str], body: bytes) -> httpx.Response:
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://hub.test") as client:
        return await client.post(path, content=body, headers=headers)


def told(answer: httpx.Response) -> tuple[Any, ...]:
    said = {name: one for name, one in answer.json().items() if name != "instance"}
    headers = {name: one for name, one in answer.headers.items() if name != "x-request-id"}
    assert len(answer.headers["x-request-id"]) == 36
    headers.pop("content-length")
    return answer.status_code, said.keys(), said.get("type"), headers


@pytest.mark.parametrize(
    ("path", "headers", "body", "status"),
    [
        (HOOK, SIGNED, BODY, 202),
        (HOOK, SIGNED, b"not json", 401),
        (HOOK, {SIGNATURE: sign(SECRET, b"not json")}, b"not json", 202),
        (HOOK, {}, BODY, 401),
        (HOOK.replace("/load/w", "/nobody/w"), SIGNED, BODY, 404),
        (HOOK.replace("/t/load", ""), SIGNED, BODY, 404),
    ],
)
async def test_both_ways_give_the_same_answer(
    rig: Rig, path: str, headers: dict[str, str], body: bytes, status: int
) -> None:
    long_way = app_of(rig)
    long_way.state.settings = settings()
    door = Door(long_way, settings())

    short = await answer(door, path, headers, body)
    long = await answer(Front(long_way, settings()), path, headers, body)

    assert short.status_code == status
    assert told(short) == told(long)


async def test_a_delivery_by_either_way_is_the_same_delivery(rig: Rig) -> None:
    app = app_of(rig)

    short = await answer(Door(app, settings()), HOOK, SIGNED, BODY)
    long = await answer(app, HOOK, SIGNED, BODY)

    assert short.json() == long.json()


def scope(**more: Any) -> dict[str, Any]:
    return {
        "type": "http",
        "method": "POST",
        "scheme": "https",
        "path": HOOK,
        "query_string": b"",
        "headers": [(b"content-length", b"10")],
    } | more


@pytest.mark.parametrize(
    "unusual",
    [
        {"type": "websocket"},
        {"method": "GET"},
        {"scheme": "http"},
        {"path": "/api/v1/deliveries"},
        {"path": HOOK + "/"},
        {"path": "/t//connectors/load/webhook"},
        {"path": "/t/load/connectors/lo\x00ad/webhook"},
        {"query_string": b"token=1"},
        {"headers": []},
        {"headers": [(b"content-length", b"1025")]},
        {"headers": [(b"content-length", b"-1")]},
        {"headers": [(b"transfer-encoding", b"chunked")]},
    ],
)
def test_what_is_unusual_goes_the_long_way(unusual: dict[str, Any]) -> None:
    door = Door(None, settings(require_https=True, max_body_bytes=1024))

    assert door.takes(scope())
    assert not door.takes(scope(**unusual))


def test_the_place_is_read_from_the_address() -> None:
    assert place_of(HOOK) == ("load", "load")
    assert place_of("/connectors/load/webhook") == ("", "load")
    assert place_of("/connectors//webhook") is None
