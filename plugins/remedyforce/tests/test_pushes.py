"""What the org sends and what polling finds: incidents and their history."""

from typing import Any

import pytest

from hub_remedyforce.connector_type import REMEDYFORCE
from hub_remedyforce.names import ACTION_API, HISTORY_API, INCIDENT_API, STATUS_API, api
from hub_remedyforce.testing import id_of
from hub_salesforce.kit import SalesforceClient
from hub_salesforce.testing import AGENT, FakeSalesforce


def history(org: FakeSalesforce, incident: str, text: str, action: str = "Notes") -> str:
    return org.create(
        AGENT,
        HISTORY_API,
        **{
            api("FKIncident__c"): incident,
            api("FKAction__c"): id_of(org, ACTION_API, action),
            api("note__c"): text,
        },
    )


@pytest.mark.covers("RF-057", "RF-059")
async def test_the_triggers_tell_changes_with_old_values_and_notes(
    pushing: None, org: FakeSalesforce, incident: str, hub_end: Any
) -> None:
    org.update(
        AGENT, INCIDENT_API, incident, **{api("FKStatus__c"): id_of(org, STATUS_API, "ASSIGNED")}
    )
    note = history(org, incident, "Technician is on the way")
    await org.settled()

    assert hub_end.verbs() == ["created", "updated", "commented"]
    created, updated, commented = hub_end.events
    assert created.before == {}
    assert created.record.values["short_description"] == "Line 3 down"
    assert created.record.values["category_name"] == "Hardware"
    assert {"status", "status_name"} <= updated.before.keys()
    assert updated.before["status_name"] == "OPENED"
    assert updated.actor_name == "Agent One"
    assert (incident, note, "Notes", "Technician is on the way") == (
        commented.record.id,
        commented.note,
        commented.record.values["comment_kind"],
        commented.record.values["comment"],
    )


async def test_the_packages_own_second_save_is_an_update_of_its_own(
    pushing: None, org: FakeSalesforce, hub_end: Any
) -> None:
    template = id_of(org, api("SYSTemplate__c"), "Line down")
    org.create(AGENT, INCIDENT_API, **{api("FKTemplate__c"): template})
    await org.settled()

    assert {"created", "updated"} == set(hub_end.verbs())


async def test_two_hundred_incidents_of_one_save_come_in_one_push(
    pushing: None, org: FakeSalesforce, hub_end: Any
) -> None:
    def two_hundred(transaction: Any) -> None:
        for at in range(200):
            values = {api("contactType__c"): "Event", api("shortDescription__c"): f"n {at}"}
            transaction.create(INCIDENT_API, values)

    org.act(AGENT, two_hundred)
    await org.settled()

    assert len({event.record.id for event in hub_end.events}) == 200
    assert len(org.outgoing.deliveries) == 1


async def test_polling_finds_incidents_and_the_notes_of_people(
    client: SalesforceClient, org: FakeSalesforce, clock: Any
) -> None:
    poller = REMEDYFORCE.pollers[0]
    clock.advance(1)
    start = await poller.fetch(client, None)
    values = {api("contactType__c"): "Event", api("shortDescription__c"): "Line 3 down"}
    incident = org.create(AGENT, INCIDENT_API, **values)
    org.create(AGENT, INCIDENT_API, **values, **{api("inactive__c"): True})
    history(org, incident, "said")
    history(org, incident, "mailed", "Email Received")
    closed = id_of(org, STATUS_API, "CLOSED")
    org.update(AGENT, INCIDENT_API, incident, **{api("FKStatus__c"): closed})
    clock.advance(60)

    events = (await poller.fetch(client, start.cursor)).events

    told = [(one.trigger.rpartition(".")[2], one.record.id) for one in events]
    assert [("created", incident), ("commented", incident), ("commented", incident)] == told
    assert events[0].record.values["status_name"] == "CLOSED"
    kinds = [
        (one.record.values["comment_kind"], one.record.values["comment"]) for one in events[1:]
    ]
    assert kinds == [("Notes", "said"), ("Email Received", "mailed")]
    assert events[1].actor_name == "Agent One"
    assert events[1].record.human_id == org.record(INCIDENT_API, incident)["Name"]


async def test_a_change_heard_both_ways_has_one_key(
    pushing: None, client: SalesforceClient, org: FakeSalesforce, hub_end: Any, clock: Any
) -> None:
    poller = REMEDYFORCE.pollers[0]
    clock.advance(1)
    start = await poller.fetch(client, None)
    values = {api("contactType__c"): "Event", api("shortDescription__c"): "Line 3 down"}
    incident = org.create(AGENT, INCIDENT_API, **values)
    clock.advance(2400)
    first = await poller.fetch(client, start.cursor)
    history(org, incident, "said")
    org.update(
        AGENT, INCIDENT_API, incident, **{api("FKStatus__c"): id_of(org, STATUS_API, "ASSIGNED")}
    )
    await org.settled()
    clock.advance(60)

    polled = [*first.events, *(await poller.fetch(client, first.cursor)).events]

    assert {one.key for one in hub_end.events} == {one.key for one in polled}


async def test_one_incident_is_fetched_by_its_id(client: SalesforceClient, incident: str) -> None:
    poller = REMEDYFORCE.pollers[0]
    assert poller.fetch_one is not None

    event = await poller.fetch_one(client, incident)

    assert ("remedyforce.incident.updated", incident) == (event.trigger, event.record.id)
    assert "https://acme.my.salesforce.com" not in (event.record.url or "")
    assert "/lightning/r/BMCServiceDesk__Incident__c/" in (event.record.url or "")
