"""The public kit: another product on the platform is declarations."""

from collections.abc import Sequence
from typing import Any

import pytest

from hub import ActionCall, ConnectorType, Event, FieldType, RecordRef
from hub_salesforce import kit
from hub_salesforce.client import SalesforceClient
from hub_salesforce.testing import AGENT, PUSH_KEY, FakeSalesforce
from hub_salesforce.testing.schema import define, field, picklist, reference

INCIDENT = kit.sobject(
    "repairshop.job",
    "Repair job",
    "Repair__Job__c",
    [
        kit.SField("number", "Job number", "Name"),
        kit.SField("state", "State", "Repair__State__c", FieldType.CHOICE, writable=True),
        kit.SField("summary", "Summary", "Repair__Summary__c", writable=True),
        kit.SField("machine", "Machine", "Repair__Machine__c", FieldType.REFERENCE),
        kit.SField("stamped_at", "Stamp", "SystemModstamp", FieldType.TIMESTAMP),
    ],
    notes=[
        kit.NoteShape(
            api_name="Repair__Log__c",
            parent="Repair__Job__c",
            text="Repair__Text__c",
            fixed={"Repair__Kind__c": "Note"},
            longest=200,
        )
    ],
)
REPAIRSHOP: ConnectorType[Any, Any] = ConnectorType(
    name="repairshop",
    label="Repairshop",
    settings=kit.SalesforceSettings,
    connect=kit.SalesforceClient,
    checks=kit.checks(INCIDENT),
    pollers=kit.pollers(INCIDENT),
    choices=kit.choices(INCIDENT),
    receiver=kit.receiver(INCIDENT),
    discovery=kit.discovery(INCIDENT),
    queries=kit.queries(INCIDENT),
    quota=kit.quota,
)
ACTIONS = {one.verb: one for one in kit.actions(REPAIRSHOP, INCIDENT)}


@pytest.fixture
def shop(org: FakeSalesforce) -> FakeSalesforce:
    org.world.define(
        define(
            "Repair__Job__c",
            "Repair job",
            "a0J",
            [
                field(
                    "Name", "Job number", nameField=True, autoNumber=True, defaultedOnCreate=True
                ),
                picklist("Repair__State__c", "State", ("Open", "Done"), "Open"),
                field("Repair__Summary__c", "Summary"),
                reference("Repair__Machine__c", "Machine", "Account"),
            ],
        )
    )
    org.world.define(
        define(
            "Repair__Log__c",
            "Job log",
            "a0L",
            [
                reference("Repair__Job__c", "Job", "Repair__Job__c"),
                field("Repair__Text__c", "Text", "textarea"),
                picklist("Repair__Kind__c", "Kind", ("Note", "Change")),
            ],
        )
    )
    return org


@pytest.fixture
def shop_client(client: SalesforceClient) -> SalesforceClient:
    client.settings.objects[:] = ["Repair__Job__c"]
    return client


def test_names_are_derived_from_the_object() -> None:
    assert [one.name for one in kit.triggers(INCIDENT)] == [
        "repairshop.job.created",
        "repairshop.job.updated",
        "repairshop.job.deleted",
        "repairshop.job.commented",
    ]
    assert {one.name for one in kit.fields(INCIDENT)} >= {
        "repairshop.job.state",
        "repairshop.job.comment",
    }
    assert ACTIONS["set_field"].name == "repairshop.set_field"
    assert ACTIONS["add_comment"].target == "repairshop.job"
    assert "close_case" not in ACTIONS


async def test_changes_are_polled_with_notes_of_its_own_kind(
    shop: FakeSalesforce, shop_client: SalesforceClient, clock: Any
) -> None:
    poller = REPAIRSHOP.pollers[0]
    clock.advance(1)
    start = await poller.fetch(shop_client, None)
    job = shop.create(AGENT, "Repair__Job__c", Repair__Summary__c="Belt torn")
    for kind in ("Note", "Change"):
        shop.create(
            AGENT,
            "Repair__Log__c",
            Repair__Job__c=job,
            Repair__Text__c="Belt ordered",
            Repair__Kind__c=kind,
        )
    clock.advance(60)

    events = (await poller.fetch(shop_client, start.cursor)).events

    assert triggers(events) == ["repairshop.job.created", "repairshop.job.commented"]
    assert events[0].record.values["summary"] == "Belt torn"
    assert events[1].record.id == job
    assert events[1].record.values["comment"] == "Belt ordered"


async def test_pushes_are_read_by_its_own_names(
    shop: FakeSalesforce, hub_end: Any, clock: Any
) -> None:
    for name in ("Repair__Job__c", "Repair__Log__c"):
        shop.apex_trigger(name, "http://hub.test/", PUSH_KEY)
    job = shop.create(AGENT, "Repair__Job__c", Repair__Summary__c="Belt torn")
    shop.update(AGENT, "Repair__Job__c", job, Repair__State__c="Done")
    shop.create(
        AGENT, "Repair__Log__c", Repair__Job__c=job, Repair__Text__c="Done", Repair__Kind__c="Note"
    )
    await shop.settled()
    receiver = REPAIRSHOP.receiver
    assert receiver is not None

    events = [event for request in hub_end.requests for event in receiver.parse(request)]

    assert triggers(events) == [
        "repairshop.job.created",
        "repairshop.job.updated",
        "repairshop.job.commented",
    ]
    assert events[1].before == {"state": "Open"}


async def test_actions_write_by_its_own_names(
    shop: FakeSalesforce, shop_client: SalesforceClient, incident: Event
) -> None:
    job = shop.create(AGENT, "Repair__Job__c", Repair__Summary__c="Belt torn")

    async def run(verb: str, **params: Any) -> Any:
        call = ActionCall(
            client=shop_client,
            params=ACTIONS[verb].params.model_validate(params),
            event=incident,
            record=RecordRef(source_object=INCIDENT.name, id=job),
            key="k",
            origin="o",
        )
        return await ACTIONS[verb].perform(call)

    await run("set_field", field="repairshop.job.state", value="Done")
    noted = await run("add_comment", body="Fixed")
    made = await run("create_record", object="repairshop.job", fields={"summary": "Again"})

    assert shop.record("Repair__Job__c", job)["Repair__State__c"] == "Done"
    log = shop.record("Repair__Log__c", noted.note)
    assert (log["Repair__Text__c"], log["Repair__Kind__c"]) == ("Fixed", "Note")
    assert made.record.source_object == "repairshop.job"


async def test_other_objects_get_the_prefix_of_its_type(
    shop: FakeSalesforce, shop_client: SalesforceClient
) -> None:
    discovery = REPAIRSHOP.discovery
    assert discovery is not None

    found = await discovery.objects(shop_client, "account")

    assert [one.name for one in found] == ["repairshop.account"]


def triggers(events: Sequence[Event]) -> list[str]:
    return [event.trigger for event in events]
