"""Our own writes coming back from Salesforce, with what Salesforce made of them."""

from typing import Any

from tests.acceptance.world import (
    CASE_CHANGES,
    CASE_CREATED,
    JOHN,
    Json,
    World,
    act,
    page,
    rule,
)

STATUS = "salesforce.case.status"
RESOLVED = "pagerduty.incident.resolved"
ACKNOWLEDGED = "pagerduty.incident.acknowledged"


def _set_status(value: str) -> Json:
    return act("salesforce.set_field", field=STATUS, value=value)


def _changed(field: str) -> Json:
    return {"all": [{"field": f"salesforce.case.{field}", "op": "changed"}]}


async def _events_of(world: World, case: str) -> list[Json]:
    """Return what was told of a case, newest first."""
    found: list[Json] = []
    for delivery in await world.items("deliveries", connector="salesforce"):
        trace = await world.get(f"deliveries/{delivery['id']}/trace")
        found += [one for one in trace["events"] if one["record"] == case]
    return found


async def test_closing_by_our_own_write_is_an_echo_with_all_that_follows(world: World) -> None:
    await world.rules(
        rule("Page", CASE_CREATED, page()),
        rule("Close", (RESOLVED,), _set_status("Closed")),
        rule("Told when it closes", CASE_CHANGES, act("pagerduty.add_note", content="Closed"),
             when=_changed("is_closed")),
    )  # fmt: skip
    case = await world.salesforce.create_case(Subject="Line 3 down", Priority="High")
    incident = (await world.the_incident("Line 3 down"))["id"]
    await world.quiet()

    await world.pagerduty.resolve(incident, by=JOHN)
    closed = await world.case_with(case, IsClosed=True)
    await world.quiet()
    told = (await _events_of(world, case))[0]

    assert closed["ClosedDate"]
    assert told["state"] == "echo"
    assert await world.pagerduty.notes(incident) == []


async def test_a_person_who_closes_it_is_no_echo(world: World) -> None:
    await world.rules(
        rule("Page", CASE_CREATED, page()),
        rule("Told when it closes", CASE_CHANGES, act("pagerduty.add_note", content="Closed"),
             when=_changed("is_closed")),
    )  # fmt: skip
    case = await world.salesforce.create_case(Subject="Line 3 down", Priority="High")
    incident = (await world.the_incident("Line 3 down"))["id"]
    await world.quiet()

    await world.salesforce.change_case(case, Status="Closed")

    async def noted() -> list[Any]:
        return await world.pagerduty.notes(incident)

    assert len(await world.until(noted)) == 1


async def test_a_flows_change_in_the_integration_users_name_is_worked(world: World) -> None:
    org = world.crm.app

    def flow(_world: Any, row: Json, _old: Json | None) -> None:
        if row["Status"] == "Working":
            row["Priority"] = "Low"

    org.world.automation.before["Case"] = [flow]
    await world.rules(
        rule("Page", CASE_CREATED, page()),
        rule("Working", (ACKNOWLEDGED,), _set_status("Working")),
        rule("Status told", CASE_CHANGES, act("pagerduty.add_note", content="Status"),
             when=_changed("status")),
        rule("Priority told", CASE_CHANGES, act("pagerduty.add_note", content="Priority"),
             when=_changed("priority")),
    )  # fmt: skip
    case = await world.salesforce.create_case(Subject="Line 3 down", Priority="High")
    incident = (await world.the_incident("Line 3 down"))["id"]
    await world.quiet()
    before = len(await world.pagerduty.notes(incident))

    await world.pagerduty.acknowledge(incident, by=JOHN)
    await world.case_with(case, Priority="Low")
    await world.quiet()
    notes = [one["content"] for one in await world.pagerduty.notes(incident)]
    told = (await _events_of(world, case))[0]

    assert (
        org.record("Case", case)["LastModifiedById"]
        == org.world.users["integration@acme.example"].id
    )
    assert told["state"] == "done"
    assert len(notes) == before + 1
    assert "Priority" in notes[-1]
