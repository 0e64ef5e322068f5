"""Polling by SystemModstamp."""

from typing import Any

import pytest

from hub import Event
from hub_salesforce.client import SalesforceClient
from hub_salesforce.connector_type import SALESFORCE
from hub_salesforce.testing import AGENT, SECOND_AGENT, FakeSalesforce

POLLER = SALESFORCE.pollers[0]


class Polling:
    """Polls on from its cursor, page by page, as the hub does."""

    def __init__(self, client: SalesforceClient) -> None:
        self.client = client
        self.cursor: str | None = None
        self.seen: set[str] = set()

    async def __call__(self) -> list[Event]:
        found: list[Event] = []
        more = True
        while more:
            batch = await POLLER.fetch(self.client, self.cursor)
            self.cursor, more = batch.cursor, batch.more
            found += [event for event in batch.events if event.key not in self.seen]
            self.seen |= {event.key for event in batch.events}
        return found


@pytest.fixture
async def poll(client: SalesforceClient, clock: Any) -> Polling:
    """A poller that has begun, a minute ago."""
    polling = Polling(client)
    clock.advance(1)
    await polling()
    clock.advance(60)
    return polling


def verbs(events: list[Event]) -> list[str]:
    return [event.trigger.rpartition(".")[2] for event in events]


async def test_polling_starts_at_now(poll: Polling, clock: Any) -> None:
    assert await poll() == []


@pytest.mark.covers("SF-004")
async def test_a_new_case_is_created_and_then_updated(
    poll: Polling, org: FakeSalesforce, clock: Any
) -> None:
    case = org.create(AGENT, "Case", Subject="Line 3 down", Priority="High")
    clock.advance(60)
    made = await poll()
    org.update(SECOND_AGENT, "Case", case, Status="Escalated")
    clock.advance(60)
    changed = await poll()

    assert verbs(made + changed) == ["created", "updated"]
    assert made[0].before == {}
    assert made[0].actor_name == "Agent One"
    assert changed[0].actor_name == "Agent Two"
    assert changed[0].record.values["changed_by_email"] == SECOND_AGENT
    assert changed[0].before is None
    assert changed[0].record.human_id == org.record("Case", case)["CaseNumber"]


async def test_the_overlap_tells_nothing_twice(
    poll: Polling, org: FakeSalesforce, clock: Any
) -> None:
    org.create(AGENT, "Case", Subject="a")
    clock.advance(60)
    await poll()

    for _ in range(20):
        clock.advance(60)
        assert await poll() == []


async def test_a_push_and_a_poll_of_the_same_change_have_the_same_key(
    pushing: None, poll: Polling, org: FakeSalesforce, hub_end: Any, clock: Any
) -> None:
    case = org.create(AGENT, "Case", Subject="a", Description="Line 1\nLine 2", IsEscalated=True)
    clock.advance(60)
    await poll()
    org.update(AGENT, "Case", case, Status="Working", Origin=None)
    org.create(AGENT, "CaseComment", ParentId=case, CommentBody="hello")
    clock.advance(60)
    await poll()
    await org.settled()

    assert len(hub_end.events) == 3
    assert {event.key for event in hub_end.events} <= poll.seen


async def test_a_record_that_becomes_visible_late_is_found(
    poll: Polling, org: FakeSalesforce, clock: Any
) -> None:
    case = org.create(AGENT, "Case", Subject="late")
    hidden = org.world.records["Case"].pop(case)
    clock.advance(300)
    assert await poll() == []
    org.world.records["Case"][case] = hidden
    clock.advance(60)

    assert verbs(await poll()) == ["created"]


async def test_500_changes_with_one_stamp_come_each_exactly_once(
    poll: Polling, org: FakeSalesforce, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub_salesforce.soql.PAGE", 70)
    cases = org.act(AGENT, lambda t: [t.create("Case", {"Subject": str(n)}) for n in range(500)])
    clock.advance(60)

    events = await poll()

    assert sorted(cases) == sorted(event.record.id for event in events)
    assert await poll() == []


async def test_comments_are_polled_in_the_same_call(
    poll: Polling, org: FakeSalesforce, clock: Any
) -> None:
    case = org.create(AGENT, "Case", Subject="a")
    comment = org.create(
        AGENT, "CaseComment", ParentId=case, CommentBody="On it\nnow", IsPublished=True
    )
    clock.advance(60)
    before = len(org.log.rows)
    events = await poll()
    calls = [row.path for row in org.log.rows[before:]]

    (told,) = [event for event in events if event.trigger == "salesforce.case.commented"]
    assert told.record.values == {
        "comment": "On it\nnow",
        "comment_author": "Agent One",
        "comment_public": True,
    }
    assert (told.note, told.record.id) == (comment, case)
    assert told.record.human_id == org.record("Case", case)["CaseNumber"]
    assert len([path for path in calls if path.endswith("/composite")]) == 1


@pytest.mark.covers("SF-028", "RF-008")
async def test_other_objects_are_polled_with_their_own_fields(
    poll: Polling, org: FakeSalesforce, client: SalesforceClient, clock: Any
) -> None:
    client.settings.objects.append("Account")
    account = org.create(AGENT, "Account", Name="Northwind", AnnualRevenue=12.5)
    clock.advance(60)

    (event,) = await poll()

    assert (event.trigger, event.record.id) == ("salesforce.account.created", account)
    assert event.record.values["Name"] == "Northwind"
    assert str(event.record.values["AnnualRevenue"]) == "12.5"


async def test_deletions_are_polled_where_asked_for(
    poll: Polling, org: FakeSalesforce, client: SalesforceClient, clock: Any
) -> None:
    case = org.create(AGENT, "Case", Subject="a")
    clock.advance(60)
    await poll()
    object.__setattr__(client.settings, "poll_deletes", True)
    org.act(AGENT, lambda t: t.delete("Case", case))
    clock.advance(120)

    assert verbs(await poll()) == ["deleted"]


async def test_the_orgs_clock_is_the_one_that_counts(
    client: SalesforceClient, org: FakeSalesforce, clock: Any
) -> None:
    org.world.advance(-400)
    polling = Polling(client)
    await polling()
    case = org.create(AGENT, "Case", Subject="a")
    clock.advance(60)

    assert [event.record.id for event in await polling()] == [case]


async def test_polling_slows_down_when_requests_run_out(
    poll: Polling, org: FakeSalesforce, client: SalesforceClient, clock: Any
) -> None:
    await poll()
    org.world.daily_limit = 10
    org.world.calls = [org.world.now()] * 8
    clock.advance(60)
    await client.get("/limits")
    asked = len(org.log.rows)

    for _ in range(3):
        clock.advance(60)
        await poll()
    assert len(org.log.rows) == asked
    clock.advance(180)
    org.world.daily_limit = 1000
    await poll()
    assert len(org.log.rows) > asked


async def test_polling_switched_off_asks_nothing(
    poll: Polling, org: FakeSalesforce, client: SalesforceClient, clock: Any
) -> None:
    object.__setattr__(client.settings, "poll_enabled", False)
    asked = len(org.log.rows)
    org.create(AGENT, "Case", Subject="a")
    clock.advance(600)

    assert await poll() == []
    assert len(org.log.rows) == asked


async def test_one_record_can_be_read_anew(client: SalesforceClient, org: FakeSalesforce) -> None:
    case = org.create(AGENT, "Case", Subject="a", Priority="High")
    assert POLLER.fetch_one is not None

    event = await POLLER.fetch_one(client, case)

    assert event.record.values["priority"] == "High"
    assert event.record.url == f"http://127.0.0.1/lightning/r/Case/{case}/view"


async def test_a_field_hidden_later_does_not_stop_polling(
    poll: Polling, org: FakeSalesforce, clock: Any
) -> None:
    await poll()
    org.world.users["integration@acme.example"].hidden.add(("Case", "Reason"))
    org.create(AGENT, "Case", Subject="a")
    clock.advance(60)

    assert verbs(await poll()) == ["created"]
