"""What people and vendors see of the delivery engine."""

import asyncio
import json

import pytest

from hub.testing.rig import SECRET, Rig, item, posting
from hub.testing.sink import Fault, Sink
from hub.testing.workload import SIGNATURE, sign
from tests.delivery.app import api_of

HOME = "/api/v1/tenants/load"
HOOK = "/t/load/connectors/load/webhook"


def webhook(*events, key="", secret=SECRET):
    body = json.dumps({"events": list(events)}).encode()
    headers = {SIGNATURE: sign(secret, body)}
    if key:
        headers["x-load-delivery"] = key
    return {"content": body, "headers": headers}


async def test_a_webhook_is_answered_after_it_is_stored(rig: Rig, sink: Sink) -> None:
    rig.use(posting())
    async with api_of(rig) as api:
        answer = await api.post(HOOK, **webhook(item("a", 1), key="D1"))
        again = await api.post(HOOK, **webhook(item("a", 1), key="D1"))
        await rig.settled()
        found = (await api.get(f"{HOME}/deliveries/{answer.json()['delivery']}")).json()

    assert 202 == answer.status_code == again.status_code
    assert answer.json() == again.json()
    assert found["repeats"] == 1
    assert len(sink.counted) == 1


@pytest.mark.parametrize(
    ("path", "status", "slug"),
    [
        ("/t/load/connectors/nobody/webhook", 404, "not-found"),
        ("/t/nobody/connectors/load/webhook", 404, "not-found"),
        ("/connectors/load/webhook", 404, "not-found"),
        (HOOK, 401, "invalid-delivery-signature"),
    ],
)
async def test_what_is_not_for_us_is_refused(rig: Rig, path, status, slug) -> None:
    async with api_of(rig) as api:
        answer = await api.post(path, **webhook(item("a", 1), secret="wrong"))

    assert (status, f"/problems/{slug}") == (answer.status_code, answer.json()["type"])
    assert await rig.rows("SELECT count(*) FROM deliveries") == [(0,)]


async def test_a_body_over_the_limit_is_refused(rig: Rig) -> None:
    async with api_of(rig) as api:
        answer = await api.post(HOOK, content=b"x" * (5 * 1024 * 1024 + 1))

    assert answer.status_code == 413


async def test_unreadable_deliveries_are_answered_well_and_kept(rig: Rig) -> None:
    body = b'{"events": [{"kind": "created"}]}'
    async with api_of(rig) as api:
        answer = await api.post(HOOK, content=body, headers={SIGNATURE: sign(SECRET, body)})
        found = (await api.get(f"{HOME}/deliveries/{answer.json()['delivery']}")).json()

    assert answer.status_code == 202
    assert found["state"] == "unreadable"
    assert "KeyError" in found["detail"]
    assert body.decode() == found["body"]


async def warnings(rig: Rig) -> list[tuple[str, str]]:
    """Wait for a warning of the activity; return kind and text of all."""
    wanted = "SELECT kind, text FROM activity WHERE level = 'warning' ORDER BY id"
    for _ in range(200):
        found = [tuple(row) for row in await rig.rows(wanted)]
        if found:
            return found
        await asyncio.sleep(0.02)
    raise AssertionError("nothing was told")


async def test_an_unreadable_delivery_is_told_traced_and_logged(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    body = b'{"events": [{"kind": "created"}]}'
    async with api_of(rig) as api:
        answer = await api.post(HOOK, content=body, headers={SIGNATURE: sign(SECRET, body)})
        number = answer.json()["delivery"]
        trace = (await api.get(f"{HOME}/deliveries/{number}/trace")).json()

    [(kind, text)] = await warnings(rig)
    assert kind == "delivery"
    assert text.startswith(f"The delivery {number} can't be read: KeyError")
    assert any(f"hub delivery show {number} --body" in line for line in trace["trace"])
    [logged] = [one for one in caplog.records if one.getMessage() == "parse failed"]
    told = {"delivery": number, "connector": "load", "plugin": "load"}
    assert told.items() <= vars(logged).items()


async def test_refused_deliveries_are_told_once_a_minute_with_their_count(rig: Rig) -> None:
    async with api_of(rig) as api:
        for number in range(3):
            await api.post(HOOK, **webhook(item("a", number), secret="wrong"))
        first = await warnings(rig)
        for number in range(3):
            await api.post(HOOK, **webhook(item("b", number), secret="wrong"))
        await asyncio.sleep(1.2)

    assert len(first) == len(await warnings(rig)) == 1
    assert first[0][0] == "delivery"
    assert "refused (signature): " in first[0][1]


async def test_a_nul_is_kept_as_unreadable(rig: Rig) -> None:
    async with api_of(rig) as api:
        answer = await api.post(HOOK, **webhook(item("a", 1, human_id="x\x00y")))
        found = (await api.get(f"{HOME}/deliveries/{answer.json()['delivery']}")).json()

    assert found["state"] == "unreadable"
    assert "NUL" in found["detail"]


async def test_a_lone_surrogate_is_kept_as_unreadable(rig: Rig) -> None:
    body = b'{"events": [{"kind": "created", "id": "\\ud800", "key": "k"}]}'
    async with api_of(rig) as api:
        answer = await api.post(HOOK, content=body, headers={SIGNATURE: sign(SECRET, body)})
        other = await api.post(HOOK, **webhook(item("b", 1)))
        found = (await api.get(f"{HOME}/deliveries/{answer.json()['delivery']}")).json()

    assert (answer.status_code, other.status_code) == (202, 202)
    assert found["state"] == "unreadable"


async def test_a_trace_tells_the_whole_way(rig: Rig, sink: Sink) -> None:
    rig.use(posting(name="Page the owner"))
    sink.faults.append(Fault(status=503))
    async with api_of(rig) as api:
        answer = await api.post(HOOK, **webhook(item("a", 1)))
        await rig.settled()
        trace = (await api.get(f"{HOME}/deliveries/{answer.json()['delivery']}/trace")).json()

    event = trace["events"][0]
    assert (event["state"], event["trigger"], event["record"]) == ("done", "load.item.created", "a")
    assert [(one["rule"]["name"], one["fired"]) for one in event["traces"]] == [
        ("Page the owner", True)
    ]
    run = event["runs"][0]
    assert (run["state"], run["connector"], run["attempts"]) == ("done", "load", 2)
    assert [one["status"] for one in run["attempts_made"]] == [503, 202]
    assert [one["n"] for one in run["attempts_made"]] == [1, 2]
    assert any("Page the owner" in line for line in trace["trace"])


async def test_a_replay_does_not_repeat_what_was_done(rig: Rig, sink: Sink) -> None:
    rig.use(posting())
    async with api_of(rig) as api:
        first = (await api.post(HOOK, **webhook(item("a", 1)))).json()["delivery"]
        await rig.settled()
        missing = (await api.post(f"{HOME}/deliveries/{first}/replay", json={})).json()
        await rig.settled()
        once = len(sink.counted)
        again = await api.post(f"{HOME}/deliveries/{first}/replay", json={"mode": "all"})
        await rig.settled()
        trace = (await api.get(f"{HOME}/deliveries/{missing['id']}/trace")).json()

    assert (first, "replay") == (missing["replay_of"], missing["source"])
    assert again.status_code == 202
    assert once == 1
    assert len(sink.counted) == 2
    assert trace["events"][0]["runs"][0]["outcome"] == "done_before"


async def test_bulk_replay_counts_first(rig: Rig) -> None:
    async with api_of(rig) as api:
        for seq in range(3):
            await api.post(HOOK, **webhook(item("a", seq)))
        await rig.settled()
        counted = (await api.post(f"{HOME}/deliveries/replay", json={})).json()
        wrong = await api.post(f"{HOME}/deliveries/replay", json={"confirm": 2})
        done = (await api.post(f"{HOME}/deliveries/replay", json={"confirm": 3})).json()

    assert (counted["count"], counted["done"]) == (3, False)
    assert wrong.status_code == 409
    assert (done["count"], done["done"], len(done["deliveries"])) == (3, True, 3)


async def test_dead_letters_are_retried_or_dismissed(rig: Rig, sink: Sink) -> None:
    rig.use(posting())
    sink.faults.append(Fault(times=2, status=400))
    async with api_of(rig) as api:
        await api.post(HOOK, **webhook(item("a", 1), item("b", 1)))
        await rig.settled()
        dead = (await api.get(f"{HOME}/runs?state=dead")).json()["items"]
        retried = await api.post(f"{HOME}/runs/{dead[0]['id']}/retry")
        await rig.settled()
        dismissed = await api.post(
            f"{HOME}/runs/{dead[1]['id']}/dismiss", json={"reason": "not needed"}
        )
        refused = await api.post(f"{HOME}/runs/{dead[0]['id']}/retry")
        left = (await api.get(f"{HOME}/runs?state=dead")).json()["items"]

    assert len(dead) == 2
    assert dead[0]["error_class"] == "Rejected"
    assert (retried.status_code, dismissed.status_code, refused.status_code) == (200, 200, 409)
    assert len(sink.counted) == 1
    assert left == []


async def test_a_run_that_waits_can_be_given_up_and_its_lane_goes_on(rig: Rig, sink: Sink) -> None:
    rig.use(posting())
    sink.faults.append(Fault(status=503, headers={"retry-after": "60"}))
    async with api_of(rig) as api:
        await api.post(HOOK, **webhook(item("a", 1), item("a", 2)))
        for _ in range(400):
            holds = (await api.get(f"{HOME}/holds")).json()["items"]
            if holds:
                break
            await asyncio.sleep(0.02)
        given_up = await api.post(
            f"{HOME}/runs/{holds[0]['run']}/dismiss", json={"reason": "done by hand"}
        )
        await rig.settled()
        runs = (await api.get(f"{HOME}/runs")).json()["items"]
        again = await api.post(f"{HOME}/runs/{runs[0]['id']}/dismiss", json={"reason": "x"})

    assert (holds[0]["object"], holds[0]["record"]) == ("load.item", "a")
    assert (given_up.status_code, again.status_code) == (200, 409)
    assert (given_up.json()["state"], given_up.json()["outcome"]) == ("skipped", "dismissed")
    assert "done by hand" in given_up.json()["summary"]
    assert [one.seq for one in sink.counted] == [2]
    assert [one["state"] for one in runs] == ["done", "skipped"]


async def test_the_inbox_shows_shards_and_holds(rig: Rig, sink: Sink) -> None:
    rig.use(posting())
    sink.faults.append(Fault(status=429, headers={"retry-after": "60"}))
    async with api_of(rig) as api:
        await api.post(HOOK, **webhook(item("a", 1), item("a", 2)))
        for _ in range(200):
            holds = (await api.get(f"{HOME}/holds")).json()["items"]
            if holds:
                break
            await asyncio.sleep(0.02)
        inbox = (await api.get("/api/v1/inbox")).json()
        released = await api.post(f"{HOME}/holds/{holds[0]['lane']}/release")
        again = await api.post(f"{HOME}/holds/0000000000000000/release")
        text = (await api.get("/metrics")).text

    assert (holds[0]["reason"], holds[0]["waiting"]) == ("retry", 2)
    assert inbox["held"] == {"retry": 1}
    assert inbox["pending"] == 2
    assert (released.status_code, again.status_code) == (200, 404)
    assert 'hub_deliveries_total{outcome="accepted",source="webhook"} 1' in text
