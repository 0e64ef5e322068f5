"""Bad input from outside gets the answer that it should, and does no harm."""

import asyncio
import hashlib
import hmac
import json
import uuid
from pathlib import Path

import httpx
import pytest

from tests.acceptance.world import (
    CASE_CREATED,
    HIGH,
    JOHN,
    Json,
    World,
    act,
    all_,
    at_work,
    is_,
    page,
    rule,
)

SECRET = "a-secret-of-the-subscription"
WORKING = act("salesforce.set_field", field="salesforce.case.status", value="Working")


@pytest.fixture
async def hooked(empty_world: World) -> World:
    """A hub with a PagerDuty connector whose webhook secret the test knows."""
    await empty_world.connect_pagerduty(webhook=False, webhook_secret=SECRET)
    return empty_world


def annotated(incident: str = "Q1A2B3C4D5E6F7", **event: object) -> Json:
    """Return a note's webhook, as PagerDuty's v3 webhooks are."""
    return {
        "event": {
            "id": f"01{uuid.uuid4().hex[:20].upper()}",
            "event_type": "incident.annotated",
            "resource_type": "incident",
            "occurred_at": "2025-08-23T14:13:00.250Z",
            "agent": {"id": JOHN, "summary": "John Doe", "type": "user_reference"},
            "client": None,
            "data": {
                "incident": {
                    "id": incident,
                    "summary": "Locks",
                    "html_url": f"https://demo.pagerduty.com/incidents/{incident}",
                    "type": "incident_reference",
                },
                "id": f"PN{uuid.uuid4().hex[:6].upper()}",
                "content": "Locks cleared",
                "trimmed": False,
                "type": "incident_note",
            },
            **event,
        }
    }


async def send(
    world: World, body: bytes | Json, *, secret: str | None = SECRET, id: str = "", **more: str
) -> httpx.Response:
    """Send a webhook as PagerDuty does, signed with the secret (None: unsigned)."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {"Content-Type": "application/json", "X-Webhook-Id": id or str(uuid.uuid4()), **more}
    if secret is not None:
        signature = hmac.new(secret.encode(), content, hashlib.sha256).hexdigest()
        headers["X-PagerDuty-Signature"] = f"v1={signature}"
    url = f"{world.url}/t/{world.tenant}/connectors/pagerduty/webhook"
    return await world.http.post(url, content=content, headers=headers)


def is_problem(answer: httpx.Response, status: int) -> Json:
    """See that the answer is a problem of RFC 9457; return it."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"].startswith("application/problem+json")
    found: Json = answer.json()
    assert found["status"] == status
    assert found["detail"]
    return found


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
    assert [one["repeats"] for one in deliveries] == [5]


# ------------------------------------------------------------------- settings and rules


async def test_settings_that_are_wrong_are_told_all_at_once_with_a_pointer_each(
    empty_world: World,
) -> None:
    body = {
        "type": "pagerduty",
        "name": "pd",
        "settings": {
            "api_key": "with blanks in it",
            "from_email": "nobody",
            "sync_interval": "1s",
            "sync_direction": "sideways",
            "colour": "red",
        },
    }

    answer = await empty_world.ask("POST", "connectors", body)

    faults = {one["pointer"] for one in is_problem(answer, 422)["errors"]}
    assert faults == {
        f"/settings/{name}"
        for name in ("api_key", "from_email", "sync_interval", "sync_direction", "colour")
    }
    assert "with blanks in it" not in answer.text
    assert await empty_world.items("connectors") == []


async def test_a_rule_with_unknown_words_is_refused_all_at_once(world: World) -> None:
    bad = rule(
        "Bad",
        ["salesforce.case.created", "salesforce.case.vanished"],
        act("pagerduty.dance", title="x"),
        act("pagerduty.create_incident", title="x", colour="red"),
        when=all_(
            is_("salesforce.case.wish", "x"),
            is_("salesforce.case.subject", "x", "resembles"),
            is_("pagerduty.incident.urgency", "enormous"),
        ),
    )

    answer = await world.ask("POST", "rulesets", {"name": "Bad", "rules": [bad]})

    faults = {one["pointer"] for one in is_problem(answer, 422)["errors"]}
    assert {
        "/rules/0/on/1",
        "/rules/0/when/all/0/field",
        "/rules/0/when/all/1/op",
        "/rules/0/when/all/2/value",
        "/rules/0/then/0/do",
        "/rules/0/then/1/with/colour",
    } <= faults


# ------------------------------------------------------------------- credentials


async def test_a_wrong_key_is_told_and_what_came_is_held_until_it_is_right(world: World) -> None:
    await world.rules(rule("High pages", CASE_CREATED, page(), when=HIGH))
    await world.api("PATCH", "connectors/pagerduty", {"settings": {"api_key": "not-a-key"}})

    checks = await world.checks("pagerduty")

    assert checks["api"]["ok"] is False
    assert checks["api"]["text"]
    assert "api_key" in checks["api"]["fix"]
    marked = await world.connector_is("pagerduty", "needs_credentials")
    assert marked["state_detail"]

    case = await world.salesforce.create_case(Subject="Held, not lost", Priority="High")
    waiting = await held(world, "connector")
    assert waiting["connector"] == "pagerduty"
    assert await world.incidents("Held") == []

    await world.api("PATCH", "connectors/pagerduty", {"settings": {"api_key": "your-api-key"}})

    await world.the_incident("Held, not lost")
    await world.connector_is("pagerduty", "active")
    assert (await world.event("salesforce.case.created", case))["state"] == "done"


async def test_a_key_that_is_revoked_while_working_holds_what_comes(world: World) -> None:
    await world.rules(rule("All page", CASE_CREATED, page()))
    await world.paging.fault("status", path="^/incidents", method="POST", status=401, times=1)

    await world.salesforce.create_case(Subject="First")
    await world.connector_is("pagerduty", "needs_credentials")
    await world.salesforce.create_case(Subject="Second")
    await held(world, "connector")

    checks = await world.checks("pagerduty")

    assert checks["api"]["ok"] is True
    await world.the_incident("First")
    await world.the_incident("Second")
    assert len(await world.incidents("First")) == 1


async def held(world: World, reason: str) -> Json:
    """Wait for a lane that is held for the reason."""

    async def look() -> Json | None:
        return next((one for one in await world.items("holds") if one["reason"] == reason), None)

    found: Json = await world.until(look)
    return found


# ------------------------------------------------------------------- the vendor's troubles

TROUBLES = {
    "down": {"effect": "cut_before", "times": 2},
    "503": {"effect": "status", "status": 503, "times": 2},
    "500": {"effect": "status", "status": 500, "times": 2},
    "429": {"effect": "rate_limited_bare", "times": 1},
    "HTML": {"effect": "html", "times": 2},
    "answer lost": {"effect": "cut_after", "times": 1},
    "half an answer": {"effect": "truncated", "times": 1},
    "slow": {"effect": "timeout_before", "seconds": 3.0, "times": 1},
}


@pytest.mark.parametrize("trouble", TROUBLES.values(), ids=TROUBLES)
async def test_a_vendor_in_trouble_is_tried_again_in_order_and_visibly(
    tmp_path: Path, trouble: Json
) -> None:
    quick = {"retry_cap_s": 0.3, "http_timeout_s": 1.0, "heartbeat_s": 2.0}
    async with at_work(tmp_path, dispatch=quick) as world:
        await world.connect()
        close = rule(
            "Closing resolves",
            ["salesforce.case.updated"],
            act("pagerduty.resolve_incident"),
            when=all_(is_("salesforce.case.is_closed", True, "changed_to")),
        )
        await world.rules(rule("All page", CASE_CREATED, page()), close)
        how = {**trouble, "path": "^/incidents$", "method": "POST"}
        await world.paging.fault(how.pop("effect"), **how)

        case = await world.salesforce.create_case(Subject="In trouble")
        await world.salesforce.change_case(case, Status="Closed")

        async def resolved() -> bool:
            found = await world.incidents("In trouble")
            return [one["status"] for one in found] == ["resolved"]

        await world.until(resolved)
        created = await world.event("salesforce.case.created", case, state="done")
        await world.event("salesforce.case.updated", case, state="done")
        [run] = created["runs"]
        assert run["state"] == "done"
        assert len(run["attempts_made"]) >= 2
        lines = [one["text"] for one in await world.items("activity")]
        assert any("attempt 1 failed, again at" in one for one in lines)


async def test_a_lane_that_waits_for_a_vendor_is_shown_and_the_others_go_on(world: World) -> None:
    await world.rules(
        rule("All page", CASE_CREATED, page()),
        rule(
            "Closing resolves",
            ["salesforce.case.updated"],
            act("pagerduty.resolve_incident"),
            when=all_(is_("salesforce.case.is_closed", True, "changed_to")),
        ),
    )
    await world.paging.fault(
        "rate_limited", path="^/incidents$", method="POST", times=1, headers={"retry-after": "60"}
    )

    first = await world.salesforce.create_case(Subject="Has to wait")
    hold = await held(world, "retry")

    assert hold["waiting"] == 1
    assert hold["not_before"]
    assert "429" in hold["detail"] or "limit" in hold["detail"].lower()
    event = await world.event("salesforce.case.created", first, state="pending")
    assert event["held"]["reason"] == "retry"
    assert event["runs"][0]["state"] == "waiting"
