"""Every way in which changes come out of Salesforce, through the whole hub."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from hub_salesforce import pubsub
from tests.acceptance.world import CASE_CREATED, Json, World, act, at_work, page, rule

STATUS = "salesforce.case.status"
UPDATED = ("salesforce.case.updated",)


def _closed() -> Json:
    return rule(
        "Closed resolves",
        UPDATED,
        act("pagerduty.resolve_incident"),
        when={"all": [{"field": STATUS, "op": "changed_to", "value": "Closed"}]},
    )


@pytest.fixture
async def quiet_org(tmp_path: Path) -> AsyncIterator[World]:
    """A hub whose Salesforce connector is told of nothing: each test chooses the way."""
    async with at_work(tmp_path) as world:
        await world.connect_pagerduty()
        yield world


async def _statuses(world: World, case: str, *wanted: str) -> None:
    for one in wanted:
        await world.salesforce.change_case(case, Status=one)


@pytest.mark.slow
@pytest.mark.skipif(bool(pubsub.missing()), reason="the extra pubsub is not installed")
async def test_change_events_page_within_seconds_and_polling_tells_nothing_again(
    quiet_org: World,
) -> None:
    world = quiet_org
    url = (await world.crm.sim("POST", "pubsub", {"objects": ["Case"]}))["pubsub_url"]
    await world.connect_salesforce(
        push=False, change_events=["Case"], pubsub_url=url, poll_safety_lag_seconds=0
    )
    await world.rules(rule("Page", CASE_CREATED, page()), _closed())

    async def listening() -> bool:
        return bool(world.crm.app.bus.subscriptions)

    await world.until(listening)
    case = await world.salesforce.create_case(Subject="Line 3 down", Priority="High")
    incident = (await world.the_incident("Line 3 down"))["id"]
    await world.salesforce.change_case(case, Status="Closed")

    async def resolved() -> bool:
        return (await world.pagerduty.incident(incident))["status"] == "resolved"

    assert await world.until(resolved)
    await world.post("connectors/salesforce/sync", {})
    await world.quiet()
    told = await world.items("deliveries", connector="salesforce")
    assert len(await world.incidents("Line 3 down")) == 1
    assert sum(one["events"] for one in told) == 2, told


async def test_an_outbound_message_pages_and_is_acknowledged_once_it_is_stored(
    quiet_org: World,
) -> None:
    world = quiet_org
    made = await world.connect_salesforce(push=False, poll_enabled=False)
    org: Any = world.crm.app
    fields = ("Id", "Subject", "Status", "Priority", "CaseNumber", "CreatedDate")
    org.outbound_message(
        "Case",
        f"{made['webhook_url']}?token={world.push_key}",
        fields=(*fields, "SystemModstamp", "LastModifiedById"),
    )
    await world.rules(rule("Page", CASE_CREATED, page()))

    await world.salesforce.create_case(Subject="Line 3 down", Priority="High")

    await world.the_incident("Line 3 down")
    await world.quiet()
    sent = [one for one in org.outgoing.deliveries if one.kind == "outbound_message"]
    assert {one.status for one in sent} == {200}
    assert org.outgoing.queue == []


async def test_one_change_told_by_push_and_by_message_is_worked_once(quiet_org: World) -> None:
    world = quiet_org
    made = await world.connect_salesforce(poll_enabled=False)
    fields = ("Id", "Subject", "Priority", "CreatedDate", "SystemModstamp", "LastModifiedById")
    org: Any = world.crm.app
    org.outbound_message("Case", f"{made['webhook_url']}?token={world.push_key}", fields=fields)
    await world.rules(rule("Page", CASE_CREATED, page()))

    await world.salesforce.create_case(Subject="Line 3 down", Priority="High")

    await world.the_incident("Line 3 down")
    await world.quiet()
    assert len(await world.incidents("Line 3 down")) == 1


@pytest.mark.covers("SF-028", "SF-044", "RF-008")
async def test_a_case_and_an_object_of_the_customers_own_in_one_tenant(quiet_org: World) -> None:
    world = quiet_org
    org: Any = world.crm.app
    api_name = _add_machine(org)
    made = await world.connect_salesforce("factory", objects=["Case", api_name])
    trigger = {"object": api_name, "url": made["webhook_url"], "secret": world.push_key}
    await world.crm.sim("POST", "apex-triggers", trigger)
    await world.api("PUT", "connectors/factory/objects/salesforce.machine__c", {})
    machine = {"do": "salesforce.set_field", "connector": "factory",
               "with": {"field": "salesforce.machine__c.State__c", "value": "Repair"}}  # fmt: skip
    create = act("pagerduty.create_incident", unless_linked=True, service="PWEB001",
                 title="Machine {{ salesforce.machine__c.Name }}")  # fmt: skip
    await world.rules(
        rule("Cases", CASE_CREATED, page("PAPI001")),
        rule("Machines", ("salesforce.machine__c.updated",), create,
             object="salesforce.machine__c",
             when={"all": [{"field": "salesforce.machine__c.State__c", "op": "is",
                            "value": "Stopped"}]}),
        rule("Repair", ("pagerduty.incident.acknowledged",), machine,
             object="salesforce.machine__c"),
    )  # fmt: skip
    own = org.create("agent@acme.example", api_name, Name="Press 7", State__c="Running")

    await world.salesforce.create_case(Subject="Line 3 down", Priority="High")
    org.update("agent@acme.example", api_name, own, State__c="Stopped")
    case_page = await world.the_incident("Line 3 down")
    machine_page = await world.the_incident("Press 7")
    await world.pagerduty.acknowledge(machine_page["id"], by="PUSER02")

    async def repaired() -> bool:
        return bool(org.record(api_name, own)["State__c"] == "Repair")

    assert await world.until(repaired)
    assert (case_page["service"]["id"], machine_page["service"]["id"]) == ("PAPI001", "PWEB001")


def _add_machine(org: Any) -> str:
    from hub_salesforce.testing.schema import define, field, picklist  # noqa: PLC0415 - only here

    states = picklist("State__c", "State", ("Running", "Stopped", "Repair"))
    org.world.define(define("Machine__c", "Machine", "a0M", [field("Name", "Machine"), states]))
    return "Machine__c"
