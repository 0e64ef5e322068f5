"""What PagerDuty does to a Case, seen at the simulators."""

import pytest

from tests.acceptance.world import CASE_CREATED, JOHN, OPS, World, act, all_, is_, page, rule

NAMED = "{{ hub.event.trigger }}"
TITLE = "Checkout is down"


async def linked(world: World, *rules) -> tuple[str, dict]:
    """Page for a Case; return its id and the incident."""
    await world.rules(rule("All page", CASE_CREATED, page("PAPI001", urgency="high")), *rules)
    case = await world.salesforce.create_case(Subject=TITLE, Priority="High")
    return case, await world.the_incident(TITLE)


async def in_pagerduty(world: World, path: str, body: dict, *, method: str = "PUT") -> dict:
    """Do something in PagerDuty as John."""
    found: dict = await world.pagerduty._call(
        method, path, key=await world.pagerduty.key_of(JOHN), json=body
    )
    return found


async def open_incident(world: World, title: str, service: str = "PAPI001", **more) -> dict:
    """Open an incident by hand, in PagerDuty."""
    incident = {
        "type": "incident",
        "title": title,
        "service": {"id": service, "type": "service_reference"},
        **more,
    }
    made = await in_pagerduty(world, "/incidents", {"incident": incident}, method="POST")
    found: dict = made["incident"]
    return found


@pytest.mark.covers("SF-005")
async def test_criteria_on_pagerdutys_updates_choose_what_is_done_in_salesforce(
    world: World,
) -> None:
    high = all_(is_("pagerduty.incident.urgency", "high"))
    low = all_(is_("pagerduty.incident.urgency", "low"))
    set_status = {
        status: act("salesforce.set_field", field="salesforce.case.status", value=status)
        for status in ("Working", "Escalated")
    }
    case, incident = await linked(
        world,
        rule(
            "High: escalated",
            ["pagerduty.incident.acknowledged"],
            set_status["Escalated"],
            when=high,
        ),
        rule(
            "Low: working", ["pagerduty.incident.acknowledged"], set_status["Working"], when=low
        ),
    )

    await world.pagerduty.acknowledge(incident["id"], by=JOHN)

    await world.case_with(case, Status="Escalated")
    traced = await world.event("pagerduty.incident.acknowledged", incident["id"])
    assert ["High: escalated"] == [one["rule"]["name"] for one in traced["traces"] if one["fired"]]


HAPPENINGS = {
    "acknowledged": ("PUT", {"status": "acknowledged"}),
    "resolved": ("PUT", {"status": "resolved"}),
    "reassigned": (
        "PUT",
        {"assignments": [{"assignee": {"id": OPS, "type": "user_reference"}}]},
    ),
    "escalated": ("PUT", {"escalation_level": 2}),
    "delegated": (
        "PUT",
        {"escalation_policy": {"id": "PDATPOL", "type": "escalation_policy_reference"}},
    ),
    "priority_updated": ("PUT", {"priority": {"id": "PPRIO01", "type": "priority_reference"}}),
}
OTHERS = (
    "unacknowledged",
    "reopened",
    "service_updated",
    "incident_type.changed",
    "role.assigned",
    "task.created",
    "workflow.started",
    "action_invocation.created",
)


@pytest.mark.covers("SF-002", "SF-050", "SF-051")
@pytest.mark.parametrize("verb", HAPPENINGS)
async def test_each_thing_that_happens_in_pagerduty_can_change_the_case(
    world: World, verb: str
) -> None:
    trigger = f"pagerduty.incident.{verb}"
    tell = act("salesforce.set_field", field="salesforce.case.description", value=NAMED)
    case, incident = await linked(world, rule("Tell", [trigger], tell))

    _, change = HAPPENINGS[verb]
    body = {"incident": {"type": "incident_reference", **change}}
    await in_pagerduty(world, f"/incidents/{incident['id']}", body)

    await world.case_with(case, Description=trigger)


@pytest.mark.covers("SF-002")
@pytest.mark.parametrize("verb", OTHERS)
async def test_what_pagerduty_tells_otherwise_can_change_the_case_too(
    world: World, verb: str
) -> None:
    trigger = f"pagerduty.incident.{verb}"
    tell = act("salesforce.set_field", field="salesforce.case.description", value=NAMED)
    case, incident = await linked(world, rule("Tell", [trigger], tell))

    await world.paging.sim(
        "POST", "happen", {"event_type": f"incident.{verb}", "incident": incident["id"]}
    )

    await world.case_with(case, Description=trigger)


@pytest.mark.covers("SF-002", "SF-054")
@pytest.mark.parametrize("verb", ["triggered", "acknowledged", "resolved", "reassigned"])
async def test_each_thing_that_happens_in_pagerduty_can_make_a_case(
    world: World, verb: str
) -> None:
    fields = {
        "subject": "{{ pagerduty.incident.title }}",
        "origin": "Web",
        "description": NAMED,
    }
    make = act(
        "salesforce.create_record", unless_linked=True, object="salesforce.case", fields=fields
    )
    trigger = f"pagerduty.incident.{verb}"
    await world.rules(
        {
            "format": 1,
            "name": "Make a Case",
            "object": "pagerduty.incident",
            "on": [trigger],
            "then": [make],
        }
    )

    incident = await open_incident(world, "Made in PagerDuty")
    if verb != "triggered":
        _, change = HAPPENINGS[verb]
        body = {"incident": {"type": "incident_reference", **change}}
        await in_pagerduty(world, f"/incidents/{incident['id']}", body)

    async def look() -> list[dict]:
        return [one for one in await world.cases() if one["Subject"] == "Made in PagerDuty"]

    await world.until(look)
    await world.quiet()
    assert [trigger] == [one["Description"] for one in await look()]


@pytest.mark.covers("SF-055")
async def test_the_template_makes_a_case_for_incidents_of_one_service_only(world: World) -> None:
    await world.template(
        "salesforce.case_for_service",
        {"cases": "salesforce", "paging": "pagerduty"},
        {"service_name": "Web Service"},
    )

    other = await open_incident(world, "Of another service", "PAPI001")
    incident = await open_incident(world, "Of the service", "PWEB001", urgency="high")

    async def look() -> list[dict]:
        return [one for one in await world.cases() if one["Subject"] == "Of the service"]

    case = (await world.until(look))[0]
    await world.case_with(
        case["Id"], Priority="High", Origin="Web", PagerDuty_Incident_Id__c=incident["id"]
    )
    await world.event("pagerduty.incident.triggered", other["id"], state="done")
    await world.quiet()
    subjects = [one["Subject"] for one in await world.cases()]
    assert (1, 0) == (subjects.count("Of the service"), subjects.count("Of another service"))


@pytest.mark.covers("SF-048")
async def test_an_event_is_forwarded_to_the_orgs_own_rest_resource(empty_world: World) -> None:
    world = empty_world
    await world.connect_pagerduty()
    await world.connect_salesforce(
        poll_enabled=False, rest_resource_url="pagerdutyrf/pagerduty/webhook"
    )
    case, incident = await linked(
        world,
        rule("Forward", ["pagerduty.incident.acknowledged"], act("salesforce.forward_event")),
    )
    del case

    await world.pagerduty.acknowledge(incident["id"], by=JOHN)

    async def look() -> list[dict]:
        return await world.crm.requests("/services/apexrest/pagerdutyrf/pagerduty/webhook")

    forwarded = (await world.until(look))[0]
    assert ("POST", 200) == (forwarded["method"], forwarded["status"])
    assert incident["id"] in str(forwarded["body"])
