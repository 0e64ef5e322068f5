"""The short way of deliveries answers as the long one does, and takes only what is ordinary."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import httpx
import pytest

from hub import logs
from hub.deliveries.ingress import Door, place_of
from hub.deliveries.patience import Patience
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


@pytest.mark.parametrize("way", [Door, Front])
async def test_lines_of_the_log_name_the_request(
    rig: Rig, written: Callable[[], list[dict[str, Any]]], way: Any
) -> None:
    app = way(app_of(rig), settings())

    answers = await asyncio.gather(*(answer(app, HOOK, {}, BODY) for _ in range(3)))

    told = [one["request"] for one in written() if one["event"] == "delivery refused"]
    assert sorted(told) == sorted(one.headers["x-request-id"] for one in answers)
    assert logs.request_id.get(None) is None


async def test_what_is_not_stored_in_time_is_refused_and_known_when_it_comes_again(
    rig: Rig,
) -> None:
    door = Door(app_of(rig), settings())
    door._ingress._patience = Patience(0.1)
    commits, go_on = rig.engine.intake.commits, asyncio.Event()
    transact = commits._transact

    async def held(work: Any) -> Any:
        await go_on.wait()
        return await transact(work)

    commits._transact = held
    late = await answer(door, HOOK, SIGNED, BODY)
    go_on.set()
    again = await answer(door, HOOK, SIGNED, BODY)

    assert (late.status_code, late.headers["retry-after"]) == (503, "5")
    assert late.json()["detail"] == "The delivery could not be stored now."
    assert again.status_code == 202
    assert [tuple(one) for one in await rig.rows("SELECT events FROM deliveries")] == [(1,)]


async def test_a_caller_that_goes_away_does_not_take_its_row_along(rig: Rig) -> None:
    door = Door(app_of(rig), settings())
    commits, held, go_on = rig.engine.intake.commits, asyncio.Event(), asyncio.Event()
    transact = commits._transact

    async def holding(work: Any) -> Any:
        held.set()
        await go_on.wait()
        return await transact(work)

    commits._transact = holding
    caller = asyncio.create_task(answer(door, HOOK, SIGNED, BODY))
    await held.wait()
    caller.cancel()
    go_on.set()
    await asyncio.wait([caller])
    for _ in range(1000):
        if await rig.rows("SELECT id FROM deliveries"):
            break
        await asyncio.sleep(0.01)

    assert caller.cancelled()
    assert [tuple(one) for one in await rig.rows("SELECT events FROM deliveries")] == [(1,)]


@pytest.mark.parametrize(
    ("answer_type", "sent"),
    [
        ("application/json", "application/json"),
        ("text/xml", "text/xml; charset=utf-8"),
        ("text/xml; charset=UTF-8", "text/xml; charset=UTF-8"),
    ],
)
async def test_a_vendor_that_reads_the_answer_gets_its_own(
    rig: Rig, answer_type: str, sent: str
) -> None:
    connector = await rig.connector()
    receiver = replace(connector.type.receiver, answer=b"<ok/>", answer_type=answer_type)
    kept = rig.clients._kept[connector.id]
    kept.open = replace(connector, type=replace(connector.type, receiver=receiver))

    for app in (Door(app_of(rig), settings()), Front(app_of(rig), settings())):
        said = await answer(app, HOOK, SIGNED, BODY)
        assert (said.status_code, said.content) == (200, b"<ok/>")
        assert said.headers["content-type"] == sent


async def test_a_body_may_come_in_pieces(rig: Rig) -> None:
    pieces = [BODY[:5], b"", BODY[5:]]
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": pieces.pop(0), "more_body": bool(pieces)}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    length = (b"content-length", str(len(BODY)).encode())
    headers = [length, (SIGNATURE.encode(), sign(SECRET, BODY).encode())]
    await Door(app_of(rig), settings())(scope(headers=headers), receive, send)

    assert [one.get("status") for one in sent] == [202, None]


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
    assert place_of(f"/t/load/connectors/{'x' * 600}/webhook") is None
