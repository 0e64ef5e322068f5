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
        rule("Low: working", ["pagerduty.incident.acknowledged"], set_status["Working"], when=low),
    )

    await world.pagerduty.acknowledge(incident["id"], by=JOHN)

    await world.case_with(case, Status="Escalated")
    traced = await world.event("pagerduty.incident.acknowledged", incident["id"])
    assert [one["rule"]["name"] for one in traced["traces"] if one["fired"]] == ["High: escalated"]


HAPPENINGS = {
    "acknowledged": {"status": "acknowledged"},
    "resolved": {"status": "resolved"},
    "reassigned": {"assignments": [{"assignee": {"id": OPS, "type": "user_reference"}}]},
    "escalated": {"escalation_level": 2},
    "delegated": {"escalation_policy": {"id": "PDATPOL", "type": "escalation_policy_reference"}},
    "priority_updated": {"priority": {"id": "PPRIO01", "type": "priority_reference"}},
}
TOLD = (
    "unacknowledged",
    "reopened",
    "service_updated",
    "incident_type.changed",
    "role.assigned",
    "task.created",
    "workflow.started",
    "action_invocation.created",
)


async def happen(world: World, verb: str, incident: str) -> None:
    """Let something happen to an incident in PagerDuty."""
    if verb in HAPPENINGS:
        body = {"incident": {"type": "incident_reference", **HAPPENINGS[verb]}}
        await in_pagerduty(world, f"/incidents/{incident}", body)
        return
    told = {"event_type": f"incident.{verb}", "incident": incident}
    await world.paging.sim("POST", "happen", told)


@pytest.mark.covers("SF-002", "SF-050", "SF-051")
@pytest.mark.parametrize("verbs", [tuple(HAPPENINGS), TOLD], ids=["people", "told"])
async def test_each_thing_that_happens_in_pagerduty_can_change_the_case(
    world: World, verbs: tuple[str, ...]
) -> None:
    tell = act("salesforce.set_field", field="salesforce.case.description", value=NAMED)
    tells = [rule(f"Tell {verb}", [f"pagerduty.incident.{verb}"], tell) for verb in verbs]
    await world.rules(rule("All page", CASE_CREATED, page(urgency="high")), *tells)
    cases = {verb: await world.salesforce.create_case(Subject=f"About {verb}") for verb in verbs}
    incidents = {verb: (await world.the_incident(f"About {verb}"))["id"] for verb in verbs}

    for verb in verbs:
        await happen(world, verb, incidents[verb])

    for verb in verbs:
        await world.case_with(cases[verb], Description=f"pagerduty.incident.{verb}")


@pytest.mark.covers("SF-002", "SF-054")
async def test_each_thing_that_happens_in_pagerduty_can_make_a_case(world: World) -> None:
    verbs = ("triggered", "acknowledged", "resolved", "reassigned")
    fields = {"subject": "{{ pagerduty.incident.title }}", "origin": "Web", "description": NAMED}
    make = act(
        "salesforce.create_record", unless_linked=True, object="salesforce.case", fields=fields
    )
    about = "pagerduty.incident.title"
    await world.rules(
        *(
            rule(
                f"Make a Case: {verb}",
                [f"pagerduty.incident.{verb}"],
                make,
                object="pagerduty.incident",
                when=all_(is_(about, f"About {verb}")),
            )
            for verb in verbs
        )
    )

    for verb in verbs:
        incident = await open_incident(world, f"About {verb}")
        if verb != "triggered":
            await happen(world, verb, incident["id"])

    async def look() -> list[str]:
        made = [one for one in await world.cases() if one["Subject"].startswith("About ")]
        return sorted(one["Description"] for one in made)

    expected = sorted(f"pagerduty.incident.{verb}" for verb in verbs)

    async def made() -> bool:
        return await look() == expected

    await world.until(made)
    await world.quiet()
    assert await look() == expected


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
    assert (subjects.count("Of the service"), subjects.count("Of another service")) == (1, 0)


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
    assert (forwarded["method"], forwarded["status"]) == ("POST", 200)
    assert incident["id"] in str(forwarded["body"])
