"""Webhooks that are forged, unreadable, too large, unknown or repeated do no harm."""

import asyncio
import json
from pathlib import Path

import pytest

from tests.acceptance.webhooks import SECRET, annotated, is_problem, send
from tests.acceptance.world import (
    CASE_CREATED,
    World,
    act,
    at_work,
    page,
    rule,
)

# ------------------------------------------------------------------- not genuine


@pytest.mark.covers("IM-115")
@pytest.mark.parametrize("secret", [None, "somebody else's"], ids=["unsigned", "wrongly signed"])
async def test_a_webhook_that_is_not_rightly_signed_is_refused_counted_and_not_stored(
    hooked: World, secret: str | None, caplog
) -> None:
    answer = await send(hooked, {"test": "ping"}, secret=secret)

    problem = is_problem(answer, 401)
    assert "pagerduty" in problem["detail"]
    assert "hub connector webhook" in problem["detail"]
    assert await hooked.items("deliveries") == []
    metrics = await hooked.ask("GET", "/metrics")
    assert 'hub_deliveries_refused_total{reason="signature"} 1' in metrics.text
    assert any("delivery refused" in str(one.msg) for one in caplog.records)


async def test_a_push_that_is_not_rightly_signed_is_refused_and_not_stored(
    empty_world: World,
) -> None:
    await empty_world.connect_salesforce(push=False, poll_enabled=False)
    url = f"{empty_world.url}/t/acme/connectors/salesforce/webhook"

    for headers in ({}, {"Authorization": "Bearer wrong"}, {"X-Hub-Signature": "sha256=00"}):
        is_problem(await empty_world.http.post(url, json={"records": []}, headers=headers), 401)

    assert await empty_world.items("deliveries") == []


async def test_an_unknown_connector_answers_as_any_unknown_path(hooked: World) -> None:
    known = f"{hooked.url}/t/acme/connectors"

    nobody = await hooked.http.post(f"{known}/nobody/webhook", json={})
    nowhere = await hooked.http.post(f"{hooked.url}/t/nobody/connectors/pagerduty/webhook", json={})

    is_problem(nobody, 404)
    is_problem(nowhere, 404)


# ------------------------------------------------------------------- genuine, but unreadable

DEEP = b'{"event":' * 3000 + b"1" + b"}" * 3000
NUL = json.dumps(annotated()).replace("Locks cleared", "Locks\\u0000cleared").encode()
UNREADABLE = {
    "not JSON": (b"<html>maintenance</html>", ""),
    "wrong encoding": (b'{"event": "\xff\xfe"}', ""),
    "cut off": (json.dumps(annotated()).encode()[:200], ""),
    "a list": (b"[]", ""),
    "NUL": (NUL, "/event/data/content"),
    "too deep": (DEEP, ""),
    "no event": (b'{"other": 1}', "/event"),
    "no type": (json.dumps(annotated(event_type=None)).encode(), "/event/event_type"),
    "no data": (json.dumps(annotated(data=None)).encode(), "/event/data"),
    "no time": (json.dumps(annotated(occurred_at="noon")).encode(), "/event/occurred_at"),
}


@pytest.mark.parametrize(("body", "place"), UNREADABLE.values(), ids=UNREADABLE)
async def test_what_is_signed_but_unreadable_is_kept_with_the_place_of_the_fault_and_replayable(
    hooked: World, body: bytes, place: str
) -> None:
    answer = await send(hooked, body)

    assert answer.is_success, answer.text
    [kept] = await hooked.items("deliveries")
    assert (kept["state"], kept["events"]) == ("unreadable", 0)
    assert kept["detail"]
    assert place in kept["detail"]
    whole = await hooked.get(f"deliveries/{kept['id']}")
    assert whole["body"]
    replayed = await hooked.post(f"deliveries/{kept['id']}/replay", {})
    again = await hooked.get(f"deliveries/{replayed['id']}")
    assert (again["state"], again["replay_of"]) == ("unreadable", kept["id"])


@pytest.mark.parametrize(
    "body", [UNREADABLE[name][0] for name in ("not JSON", "wrong encoding", "too deep")]
)
async def test_such_a_body_is_a_problem_at_the_hubs_own_api(hooked: World, body: bytes) -> None:
    answer = await hooked.http.post(
        f"{hooked.url}/api/v1/tenants/acme/connectors",
        content=body,
        headers={"Authorization": f"Bearer {hooked.token}", "Content-Type": "application/json"},
    )

    assert answer.status_code in {400, 422}
    is_problem(answer, answer.status_code)


async def test_a_nul_in_a_name_is_a_problem_at_the_hubs_own_api(hooked: World) -> None:
    body = {"name": "a\x00b", "rules": []}

    assert (await hooked.ask("POST", "rulesets", body)).status_code in {400, 422}


# ------------------------------------------------------------------- too large


async def test_a_body_over_the_limit_is_refused_before_it_is_read_whole(tmp_path: Path) -> None:
    async with at_work(tmp_path, http={"max_body_bytes": 4096}) as world:
        await world.connect_pagerduty(webhook=False, webhook_secret=SECRET)
        chunk = b"1000\r\n" + b"x" * 4096 + b"\r\n"

        told = await begun(world, "Content-Length: 100000000", b"x" * 10)
        untold = await begun(world, "Transfer-Encoding: chunked", chunk * 2)

        assert told == untold == "HTTP/1.1 413 Request Entity Too Large"
        is_problem(await send(world, b"x" * 5000), 413)
        assert await world.items("deliveries") == []


async def begun(world: World, length: str, content: bytes) -> str:
    """Begin to send a webhook and never end; return the first line of the answer."""
    port = int(world.url.rpartition(":")[2])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    head = f"POST /t/acme/connectors/pagerduty/webhook HTTP/1.1\r\nHost: hub\r\n{length}\r\n\r\n"
    writer.write(head.encode() + content)
    async with asyncio.timeout(5):
        line = await reader.readline()
    writer.close()
    await writer.wait_closed()
    return line.decode().strip()


async def test_the_limit_is_five_mib_unless_set(hooked: World) -> None:
    limit = 5 * 1024 * 1024
    padded = json.dumps(annotated()).encode()

    at_the_limit = await send(hooked, padded.ljust(limit))
    over = await send(hooked, padded.ljust(limit + 1))

    assert at_the_limit.is_success
    is_problem(over, 413)


# ------------------------------------------------------------------- not for us, or again


async def test_an_unknown_event_type_is_taken_and_ignored_with_its_reason(hooked: World) -> None:
    unknown = annotated(event_type="planet.aligned", data={"type": "planet"})

    answer = await send(hooked, unknown)

    assert answer.is_success
    [kept] = await hooked.items("deliveries")
    assert (kept["state"], kept["events"]) == ("ignored", 0)
    assert kept["detail"]


async def test_the_same_delivery_again_has_one_effect(world: World) -> None:
    secret = {"settings": {"webhook_secret": SECRET}, "enabled_webhook": True}
    await world.api("DELETE", "connectors/pagerduty/subscription")
    await world.api("PATCH", "connectors/pagerduty", secret)
    comment = act("salesforce.add_comment", body="{{ pagerduty.incident.note }}")
    await world.rules(
        rule("All page", CASE_CREATED, page()),
        rule("Notes", ["pagerduty.incident.annotated"], comment),
    )
    case = await world.salesforce.create_case(Subject="Once")
    incident = await world.the_incident("Once")
    body = annotated(incident["id"])

    answers = await asyncio.gather(*(send(world, body, id="the-same") for _ in range(5)))
    answers.append(await send(world, body, id="the-same"))

    assert [one.is_success for one in answers] == [True] * 6
    await world.event("pagerduty.incident.annotated", incident["id"], state="done")
    await world.quiet()
    assert await world.salesforce.comments(case) == ["Locks cleared"]
    deliveries = await world.items("deliveries", connector="pagerduty")
    sent = [one for one in deliveries if one["source"] == "webhook"]  # the hub may poll beside
    assert [one["repeats"] for one in sent] == [5]
