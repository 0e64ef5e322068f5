"""Change Data Capture over the Pub/Sub API: heard over a real port, told once."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest

import hub
from hub import Event
from hub.deliveries.ways import is_told, mark_of
from hub_salesforce import pubsub
from hub_salesforce.client import SalesforceClient
from hub_salesforce.connector_type import SALESFORCE
from hub_salesforce.pubsub import capture
from hub_salesforce.pubsub.changes import bitmap_of, change_of, fields_of, topic_of
from hub_salesforce.testing import AGENT, INTEGRATION, SECOND_AGENT, FakeSalesforce

pytestmark = pytest.mark.skipif(bool(pubsub.missing()), reason="the extra pubsub is not installed")
POLLER, LISTENER = SALESFORCE.pollers


class Listening:
    """Listens on from its cursor, as the hub does; what was told before is known by its key."""

    def __init__(self, client: SalesforceClient) -> None:
        self.client = client
        self.cursor: str | None = None
        self.seen: set[str] = set()

    async def __call__(self, *, calls: int = 1) -> list[Event]:
        found: list[Event] = []
        for _ in range(calls):
            batch = await LISTENER.fetch(self.client, self.cursor)
            self.cursor = batch.cursor
            found += [event for event in batch.events if event.key not in self.seen]
            self.seen |= {event.key for event in batch.events}
        return found


@pytest.fixture
async def listen(
    client: SalesforceClient, org: FakeSalesforce, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Listening]:
    """A listener of Cases that knows its place, in an org that is an hour old."""
    monkeypatch.setattr(capture, "WAIT_S", 0.2)
    clock.advance(3600)
    org.bus.select("Case")
    url = await org.serve_pubsub()
    told = {"change_events": ["Case"], "pubsub_url": url}
    client.settings = client.settings.model_copy(update=told)
    listening = Listening(client)
    await listening()
    yield listening
    await org.close()


def verbs(events: list[Event]) -> list[str]:
    return [event.trigger.rpartition(".")[2] for event in events]


async def test_changes_are_heard_with_all_values_and_who_made_them(
    listen: Listening, org: FakeSalesforce
) -> None:
    case = org.create(AGENT, "Case", Subject="Line 3 down", Priority="High")
    made = await listen()
    org.update(SECOND_AGENT, "Case", case, Status="Working")
    changed = await listen()

    assert verbs(made + changed) == ["created", "updated"]
    assert made[0].record.values["subject"] == "Line 3 down"
    assert made[0].actor_name == "Agent One"
    assert changed[0].record.values["status"] == "Working"
    assert changed[0].record.values["subject"] == "Line 3 down"
    assert changed[0].actor_name == "Agent Two"
    assert changed[0].record.human_id == org.record("Case", case)["CaseNumber"]


async def test_the_polled_and_the_heard_change_have_one_key(
    listen: Listening, client: SalesforceClient, org: FakeSalesforce, clock: Any
) -> None:
    start = (await POLLER.fetch(client, None)).cursor
    clock.advance(60)
    made = org.create(AGENT, "Case", Subject="a")
    case = next(one for one in org.world.records["Case"] if one != made)
    org.update(AGENT, "Case", case, Priority="Low")
    heard = await listen(calls=2)
    clock.advance(120)
    polled = (await POLLER.fetch(client, start)).events

    assert sorted(verbs(list(polled))) == ["created", "updated"]
    assert {event.key for event in polled} == {event.key for event in heard}


async def test_states_between_two_looks_are_heard_each(
    listen: Listening, org: FakeSalesforce, clock: Any
) -> None:
    case = org.create(AGENT, "Case", Subject="a")
    await listen()
    for status in ("Working", "Escalated", "Closed"):
        clock.advance(2)
        org.update(AGENT, "Case", case, Status=status)
    heard = await listen(calls=2)

    assert [event.record.values["status"] for event in heard] == ["Working", "Escalated", "Closed"]
    assert [event.occurred_at for event in heard] == sorted({event.occurred_at for event in heard})
    assert [event.actor for event in heard] == [org.world.users[AGENT].id] * 3


def told_otherwise(event: Event, *before: Event) -> bool:
    """Whether the hub takes an event for one that was told before in another way."""
    mark = mark_of(event, event.key)
    hashes = [mark_of(one, one.key).hash for one in before]
    return is_told(mark, [one for one in hashes if mark.low <= one <= mark.high])


async def test_a_state_that_a_poll_told_is_not_told_again_when_it_is_heard_late(
    listen: Listening, client: SalesforceClient, org: FakeSalesforce, clock: Any
) -> None:
    start = (await POLLER.fetch(client, None)).cursor
    case = next(iter(org.world.records["Case"]))
    await listen()
    clock.advance(60)
    org.update(AGENT, "Case", case, Status="Working")
    clock.advance(120)
    [polled] = (await POLLER.fetch(client, start)).events
    org.update(AGENT, "Case", case, Status="Closed")
    working, closed = await listen()

    assert polled.record.values["status"] == working.record.values["status"] == "Working"
    assert polled.occurred_at == working.occurred_at
    assert told_otherwise(working, polled)
    assert not told_otherwise(closed, polled, working)


async def test_a_cleared_field_is_heard_as_empty(
    listen: Listening, org: FakeSalesforce, clock: Any
) -> None:
    case = org.create(AGENT, "Case", Subject="a", Description="long")
    await listen()
    org.update(AGENT, "Case", case, Description=None)
    clock.advance(2)
    org.update(AGENT, "Case", case, Subject="b")
    heard = await listen(calls=2)

    assert heard[0].record.values["description"] is None
    assert "subject" not in heard[0].record.values


async def test_deleting_and_restoring_are_heard(
    listen: Listening, org: FakeSalesforce, clock: Any
) -> None:
    case = org.create(AGENT, "Case", Subject="a")
    await listen()
    org.act(AGENT, lambda t: t.delete("Case", case))
    deleted = await listen()
    clock.advance(2)
    org.act(AGENT, lambda t: t.undelete("Case", case))
    restored = await listen()

    assert verbs(deleted + restored) == ["deleted", "updated"]
    assert deleted[0].record.id == case


async def test_nothing_is_heard_twice_and_nothing_is_missed_between_two_calls(
    listen: Listening, org: FakeSalesforce, clock: Any
) -> None:
    told = []
    for number in range(30):
        told.append(org.create(AGENT, "Case", Subject=f"Case {number}"))
        if number % 7 == 0:
            clock.advance(1)
    heard = await listen(calls=2)

    assert [event.record.id for event in heard] == told
    assert await listen() == []


async def test_more_than_one_request_holds_comes_with_the_next_call(
    listen: Listening, org: FakeSalesforce
) -> None:
    def many(transaction: Any) -> None:
        for number in range(130):
            transaction.create("Case", {"Subject": f"{number}"})

    org.act(AGENT, many)

    assert len(await listen(calls=3)) == 130


async def test_a_gap_lets_the_record_be_read(listen: Listening, org: FakeSalesforce) -> None:
    case = next(iter(org.world.records["Case"]))
    org.bus.gap("Case", case)
    heard = await listen()

    assert verbs(heard) == ["updated"]
    assert heard[0].record.values["subject"] == org.record("Case", case)["Subject"]


async def test_an_overflow_lets_everything_since_then_be_read(
    listen: Listening, org: FakeSalesforce, clock: Any
) -> None:
    before = org.world.automation.on_commit
    org.world.automation.on_commit = [one for one in before if one != org.bus.committed]
    made = [org.create(AGENT, "Case", Subject=f"bulk {n}") for n in range(3)]
    org.world.automation.on_commit = before
    org.bus.gap("Case", kind="OVERFLOW")
    clock.advance(5)
    heard = await listen(calls=3)

    assert [event.record.id for event in heard] == made
    assert verbs(heard) == ["created"] * 3


async def test_a_place_that_is_not_kept_any_more_is_made_good_by_reading(
    listen: Listening, org: FakeSalesforce, clock: Any
) -> None:
    old = org.create(AGENT, "Case", Subject="heard before")
    await listen()
    clock.advance(600)
    missed = org.create(AGENT, "Case", Subject="in between")
    org.bus.forget()
    clock.advance(2)
    heard = await listen(calls=4)
    later = org.create(AGENT, "Case", Subject="afterwards")
    heard += await listen()

    assert old not in [event.record.id for event in heard]
    assert [event.record.id for event in heard] == [missed, later]


async def test_an_expired_session_is_renewed_once(listen: Listening, org: FakeSalesforce) -> None:
    org.world.expire_sessions()
    case = org.create(AGENT, "Case", Subject="a")

    assert [event.record.id for event in await listen()] == [case]


async def test_an_object_that_is_not_selected_is_said_plainly(
    listen: Listening, client: SalesforceClient
) -> None:
    told = {"change_events": ["Case", "Account"]}
    client.settings = client.settings.model_copy(update=told)

    with pytest.raises(hub.Rejected, match="Setup, Change Data Capture: select the object"):
        await listen()
    with pytest.raises(hub.Rejected, match="AccountChangeEvent"):
        await capture.subscribable(client)


async def test_too_many_subscribers_mean_to_wait(listen: Listening, org: FakeSalesforce) -> None:
    org.bus.most_subscriptions = 0

    with pytest.raises(hub.RateLimited) as refused:
        await listen()
    assert refused.value.retry_after == 60


async def test_a_bus_that_is_away_is_unavailable(listen: Listening, org: FakeSalesforce) -> None:
    await org.close()

    with pytest.raises(hub.Unavailable):
        await listen()


async def test_the_check_says_what_can_be_heard(
    listen: Listening, client: SalesforceClient
) -> None:
    assert await capture.subscribable(client) == "Change events of Case can be heard"


async def test_without_objects_nobody_listens(client: SalesforceClient) -> None:
    batch = await LISTENER.fetch(client, None)

    assert (batch.events, batch.more) == ((), False)


async def test_a_listener_waits_no_longer_than_for_the_first_change(
    listen: Listening, org: FakeSalesforce, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(capture, "WAIT_S", 20.0)
    hearing = asyncio.create_task(listen())
    await asyncio.sleep(0.2)
    case = org.create(INTEGRATION, "Case", Subject="a")
    async with asyncio.timeout(5):
        heard = await hearing

    assert [event.record.id for event in heard] == [case]


@pytest.mark.parametrize(
    ("name", "topic"),
    [
        ("Case", "/data/CaseChangeEvent"),
        ("BMCServiceDesk__Incident__c", "/data/BMCServiceDesk__Incident__ChangeEvent"),
    ],
)
def test_topics_are_named_as_salesforce_names_them(name: str, topic: str) -> None:
    assert topic_of(name) == topic


SCHEMA = {
    "fields": [
        {"name": "ChangeEventHeader", "type": "record"},
        {
            "name": "Name",
            "type": [
                "null",
                {"type": "record", "fields": [{"name": "FirstName"}, {"name": "LastName"}]},
            ],
        },
        *({"name": f"F{number}"} for number in range(40)),
    ]
}


@pytest.mark.parametrize(
    ("bitmaps", "names"),
    [
        (["0x4"], {"F0"}),
        (["0x20000000000"], {"F39"}),
        (["1-0x02"], {"LastName"}),
        (["0xC", "1-0x03"], {"F0", "F1", "FirstName", "LastName"}),
        ([], set()),
    ],
)
def test_bitmaps_name_fields(bitmaps: list[str], names: set[str]) -> None:
    assert fields_of(bitmaps, SCHEMA) == names


def test_a_bitmap_says_which_fields_it_was_made_of() -> None:
    names = frozenset({"F0", "F7", "F39"})

    assert fields_of([bitmap_of(names, SCHEMA)], SCHEMA) == names


def test_a_change_has_the_values_as_the_rest_api_writes_them() -> None:
    header = {
        "entityName": "Contact",
        "recordIds": ["003xx000004TmiQAAS"],
        "changeType": "UPDATE",
        "changeOrigin": "com/salesforce/api/rest/60.0;client=integration-hub",
        "transactionKey": "0002343d",
        "sequenceNumber": 1,
        "commitTimestamp": 1_763_630_000_000,
        "commitUser": "005xx000001SwiUAAS",
        "nulledFields": ["0x4"],
        "changedFields": ["0x6"],
    }
    told = {
        "ChangeEventHeader": header,
        "Name": {"FirstName": "Ada", "LastName": None},
        "F0": None,
        "F1": datetime(2026, 11, 20, 9, 15, 2, tzinfo=UTC),
    }
    change = change_of(told, SCHEMA)

    assert change.values == {
        "F0": None,
        "FirstName": "Ada",
        "F1": "2026-11-20T09:15:02.000+0000",
    }
    assert change.changed == {"Name", "F0"}
    assert change.key == "0002343d:1"
