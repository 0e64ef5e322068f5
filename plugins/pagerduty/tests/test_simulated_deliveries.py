"""The simulator delivers webhooks by PagerDuty's rules."""

import asyncio

import httpx
import pytest

from hub_pagerduty.subscription import ensure

NEW, WORKED_ON = "QDEMO000000123", "QDEMO000000122"
URL = "https://hub.test/webhook"


def states(sim):
    return [one.state for one in sim.dispatcher.deliveries]


async def annotate(do, sim, *texts, record=NEW):
    for text in texts:
        await do("add_note", record, content=text)
    await sim.dispatcher.settle()


async def test_an_incidents_events_arrive_in_order(do, sim, receiver, subscribed):
    await annotate(do, sim, *(f"Note {number}" for number in range(20)))

    assert [one.record.values["note"] for one in receiver.events] == [
        f"Note {number}" for number in range(20)
    ]


@pytest.mark.parametrize("status", [500, 503, 429])
async def test_what_was_not_taken_is_tried_again_with_its_id(do, sim, receiver, subscribed, status):
    receiver.answer = status
    await annotate(do, sim, "One", "Two")
    waiting = states(sim)
    receiver.answer = 202

    sim.clock.advance(61)
    await sim.dispatcher.settle()

    assert waiting == ["retrying", "waiting"]
    assert states(sim) == ["delivered", "delivered"]
    assert [one.record.values["note"] for one in receiver.events] == ["One", "Two"]
    first = sim.dispatcher.deliveries[0]
    assert [one["status"] for one in first.attempts] == [status, 202]


async def test_other_incidents_do_not_wait(do, sim, receiver, subscribed):
    receiver.answer = 503
    await annotate(do, sim, "Stuck")
    receiver.answer = 202

    await annotate(do, sim, "Free", record=WORKED_ON)

    assert [one.record.values["note"] for one in receiver.events] == ["Free"]


async def test_after_two_days_it_gives_up(do, sim, receiver, subscribed):
    receiver.answer = 503
    await annotate(do, sim, "Lost")

    for _ in range(60):
        sim.clock.advance(3600)
        await sim.dispatcher.settle()

    first = sim.dispatcher.deliveries[0]
    assert first.state == "dropped"
    assert len(first.attempts) > 40


async def test_three_refusals_disable_the_subscription_for_a_day(
    client, do, sim, receiver, subscribed
):
    receiver.answer = 400
    await annotate(do, sim, "One", "Two", "Three", "Four")

    found = (await client.get(f"/webhook_subscriptions/{subscribed.id}"))["webhook_subscription"]
    assert found["delivery_method"]["temporarily_disabled"] is True
    assert states(sim)[:3] == ["dropped"] * 3
    receiver.answer = 202
    await annotate(do, sim, "Into the void")
    assert receiver.events == []

    sim.clock.advance(24 * 3600 + 1)
    await annotate(do, sim, "Back again")
    assert [one.record.values["note"] for one in receiver.events] == ["Back again"]


async def test_enabling_ends_the_disablement(client, do, sim, receiver, subscribed):
    receiver.answer = 404
    await annotate(do, sim, "One", "Two", "Three")
    receiver.answer = 202

    await ensure(client, URL)
    await annotate(do, sim, "Back again")

    assert len(receiver.events) == 1


async def test_a_success_forgives(do, sim, receiver, subscribed):
    for answer in (400, 400, 202, 400, 400):
        receiver.answer = answer
        await annotate(do, sim, "Note")

    assert sim.world.subscriptions[subscribed.id].disabled_until is None


async def test_the_secret_is_shown_once_and_signs(client, subscribed):
    found = (await client.get(f"/webhook_subscriptions/{subscribed.id}"))["webhook_subscription"]

    assert len(subscribed.secret) == 64
    assert found["delivery_method"]["secret"] is None


async def test_two_secrets_sign_while_one_is_rotated(http, do, sim, receiver, subscribed):
    asked = {"subscription": subscribed.id}
    new = (await http.post("/_sim/rotate", json=asked)).json()["secret"]
    await annotate(do, sim, "Old secret is still known")
    receiver.trust(new)
    await annotate(do, sim, "New secret is known")

    assert len(receiver.events) == 2
    assert receiver.requests[-1].headers["x-pagerduty-signature"].count("v1=") == 2


async def test_overlapping_subscriptions_send_one_event_twice(client, do, sim, receiver):
    first, second = await ensure(client, URL), await ensure(client, f"{URL}2")
    receiver.trust(first.secret, second.secret)

    await annotate(do, sim, "Note")

    assert len({one.key for one in receiver.events}) == 1
    assert len({one.headers["x-webhook-id"] for one in receiver.requests}) == 2


async def test_a_filter_leaves_other_services_out(client, do, sim, receiver, subscribed):
    sim.world.subscriptions[subscribed.id].filter = {"type": "service_reference", "id": "PAPI001"}

    await annotate(do, sim, "Not told")
    await annotate(do, sim, "Told", record=WORKED_ON)

    assert [one.record.values["note"] for one in receiver.events] == ["Told"]


@pytest.mark.parametrize("schema", ["PJFWPEP", "PV1WEBH"])
async def test_older_extensions_are_told_beside(client, do, sim, receiver, subscribed, schema):
    body = {
        "extension": {
            "name": "Old",
            "endpoint_url": f"{URL}?token=t0ken",
            "extension_schema": {"id": schema, "type": "extension_schema_reference"},
            "extension_objects": [{"id": "PDAT001", "type": "service_reference"}],
        }
    }
    await client.post("/extensions", body)
    receiver.legacy("t0ken")

    await do("acknowledge_incident", NEW)
    await sim.dispatcher.settle()

    assert receiver.triggers() == ["incident.acknowledged", "incident.acknowledged"]
    assert len({one.key for one in receiver.events}) == 2


async def test_faults_can_be_put_into_deliveries(do, sim, receiver, subscribed):
    def lose_the_first(delivery, headers, body):
        return None if not delivery.attempts else (headers, body)

    sim.dispatcher.tamper.append(lose_the_first)
    await annotate(do, sim, "Note")
    sim.clock.advance(61)
    await sim.dispatcher.settle()

    assert [one["error"] for one in sim.dispatcher.deliveries[0].attempts] == ["lost", None]


async def test_a_delivery_can_be_held_back_and_repeated(http, do, sim, receiver, subscribed):
    await http.post("/_sim/deliveries", json={"do": "pause"})
    await do("add_note", NEW, content="Held")
    await sim.dispatcher.settle()
    assert receiver.events == []

    await http.post("/_sim/deliveries", json={"do": "resume"})
    await sim.dispatcher.settle()
    (delivery,) = (await http.get("/_sim/deliveries")).json()
    await http.post("/_sim/deliveries", json={"do": "replay", "id": delivery["id"]})
    await sim.dispatcher.settle()

    assert len({one.headers["x-webhook-id"] for one in receiver.requests}) == 1
    assert len(receiver.requests) == 2


async def test_an_answer_that_takes_too_long_counts_as_none(do, sim, subscribed):
    async def slow(_scope, _receive, _send):
        await asyncio.sleep(5)

    sim.world.switches.timeout = 0.05
    await sim.dispatcher.close()
    transport = httpx.ASGITransport(app=slow)

    class Impatient(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request):
            try:
                async with asyncio.timeout(request.extensions["timeout"]["read"]):
                    return await transport.handle_async_request(request)
            except TimeoutError as error:
                raise httpx.ReadTimeout("too slow", request=request) from error

    sim.dispatcher.client = lambda: httpx.AsyncClient(transport=Impatient())
    await annotate(do, sim, "Note")

    assert states(sim) == ["retrying"]
    assert "ReadTimeout" in sim.dispatcher.deliveries[0].attempts[0]["error"]
