"""The whole way on the embedded driver: delivery, event, rule, request, result."""

import pytest

from hub.errors import InvalidDeliverySignature
from hub.sdk.connector_types import WebhookRequest
from hub.testing.rig import Rig, item, posting, request_of, signed
from hub.testing.sink import Sink


async def test_a_delivery_becomes_a_request(rig: Rig, sink: Sink) -> None:
    rig.use(posting())

    await rig.send(item("a", 1))
    await rig.settled()

    assert [(one.lane, one.seq) for one in sink.counted] == [("a", 1)]
    assert await rig.rows("SELECT state, summary FROM runs") == [("done", "Sent a 1")]


async def test_a_repeated_delivery_is_stored_once(rig: Rig, sink: Sink) -> None:
    rig.use(posting())

    first = await rig.send(item("a", 1), key="D1")
    again = await rig.send(item("a", 1), key="D1")
    await rig.settled()

    assert first == again
    assert await rig.rows("SELECT count(*) FROM deliveries") == [(1,)]
    assert len(sink.counted) == 1


async def test_events_of_a_lane_are_worked_in_order(rig: Rig, sink: Sink) -> None:
    rig.use(posting())

    for seq in range(30):
        await rig.send(*(item(lane, seq) for lane in "abcdef"))
    await rig.settled()

    assert len(sink.counted) == 180
    assert sink.disordered() == 0
    assert sink.twice() == 0


async def test_an_unsigned_delivery_is_refused_and_not_stored(rig: Rig) -> None:
    with pytest.raises(InvalidDeliverySignature):
        await rig.engine.intake.accept(
            await rig.connector(), WebhookRequest(headers={}, body=b'{"events": []}')
        )

    assert await rig.rows("SELECT count(*) FROM deliveries") == [(0,)]


async def test_an_unreadable_delivery_is_kept(rig: Rig) -> None:
    accepted = await rig.engine.intake.accept(await rig.connector(), signed(b"{not json"))

    assert [(accepted.delivery_id, "unreadable")] == await rig.rows(
        "SELECT id, state FROM deliveries"
    )


async def test_a_delivery_with_nothing_for_us_is_kept_as_ignored(rig: Rig) -> None:
    accepted = await rig.engine.intake.accept(await rig.connector(), request_of([]))

    assert [(accepted.delivery_id, "ignored")] == await rig.rows("SELECT id, state FROM deliveries")


async def test_an_event_that_matches_nothing_is_done(rig: Rig) -> None:
    await rig.send(item("a", 1))
    await rig.settled()

    assert await rig.rows("SELECT state, outcome FROM events") == [("done", "no rule matched")]
