"""What a Case does in PagerDuty, seen at the simulators."""

from collections.abc import Callable, Mapping

import pytest

from tests.acceptance.world import (
    CASE_CHANGES,
    CASE_CREATED,
    HIGH,
    OPS,
    Json,
    World,
    act,
    all_,
    is_,
    page,
    rule,
)

SUBJECT = "salesforce.case.subject"
TEMPLATE = "salesforce.case_and_pagerduty"
ROLES = {"cases": "salesforce", "paging": "pagerduty"}


@pytest.mark.covers("SF-001")
async def test_rules_choose_the_team_and_a_rule_higher_up_takes_the_exceptions(
    world: World,
) -> None:
    low = all_(is_("salesforce.case.priority", "Low"))
    vip = all_(is_(SUBJECT, "VIP", "contains"))
    await world.rules(
        rule("Exceptions", CASE_CREATED, page("PPAY001"), when=vip, after="stop"),
        rule("High priority", CASE_CREATED, page("PAPI001"), when=HIGH),
        rule("Low priority", CASE_CREATED, page("PGEN001"), when=low),
    )

    await world.salesforce.create_case(Subject="VIP: cannot pay", Priority="High")
    await world.salesforce.create_case(Subject="API is slow", Priority="High")
    await world.salesforce.create_case(Subject="Typing error", Priority="Low")
    await world.salesforce.create_case(Subject="A question", Priority="Medium")

    routed = {}
    for words in ("VIP: cannot pay", "API is slow", "Typing error"):
        routed[words] = (await world.the_incident(words))["service"]["id"]
    await world.quiet()
    assert routed == {
        "VIP: cannot pay": "PPAY001",
        "API is slow": "PAPI001",
        "Typing error": "PGEN001",
    }
    assert await world.incidents("A question") == []


@pytest.mark.covers("SF-004")
async def test_a_new_case_and_a_changed_case_are_judged_when_salesforce_pushes(
    world: World,
) -> None:
    acknowledge = rule(
        "Working acknowledges",
        ["salesforce.case.updated"],
        act("pagerduty.acknowledge_incident"),
        when=all_(is_("salesforce.case.status", "Working", "changed_to")),
    )
    await world.rules(rule("High pages", CASE_CHANGES, page(), when=HIGH), acknowledge)

    quiet = await world.salesforce.create_case(Subject="Slow at first", Priority="Low")
    await world.event("salesforce.case.created", quiet, state="done")
    assert await world.incidents("Slow at first") == []

    await world.salesforce.change_case(quiet, Priority="High")
    incident = await world.the_incident("Slow at first")
    assert incident["status"] == "triggered"

    await world.salesforce.change_case(quiet, Status="Working")

    async def acknowledged() -> bool:
        found = await world.pagerduty.incident(incident["id"])
        return bool(found["status"] == "acknowledged")

    assert await world.until(acknowledged)


@pytest.mark.covers("SF-052", "RF-083")
async def test_a_case_that_meets_the_criteria_makes_one_incident_although_two_rules_fire(
    world: World,
) -> None:
    await world.rules(
        rule("High pages", CASE_CHANGES, page("PAPI001"), when=HIGH),
        rule("Everything pages", CASE_CHANGES, page("PGEN001")),
    )

    case = await world.salesforce.create_case(Subject="Only once", Priority="High")
    await world.salesforce.change_case(case, Description="Changed meanwhile")
    incident = await world.the_incident("Only once")
    await world.quiet()

    assert [incident["id"]] == [one["id"] for one in await world.incidents("Only once")]
    assert incident["service"]["id"] == "PAPI001"
    runs = (await world.event("salesforce.case.created", case))["runs"]
    assert sorted(one["state"] for one in runs) == ["done", "skipped"]


@pytest.mark.covers("SF-029", "SF-030")
async def test_the_object_mapping_names_the_fields_of_title_and_description(world: World) -> None:
    await world.mapped("PAPI001")
    await world.template(
        TEMPLATE, ROLES, {"title_field": "description", "description_field": "subject"}
    )
    long_text = "Everything is slow. " * 100

    await world.salesforce.create_case(
        Subject="Slow since nine", Description=long_text, Priority="High"
    )
    incident = await world.the_incident("Everything is slow.")

    assert len(incident["title"]) == 1024
    assert "Slow since nine" in incident["body"]["details"]


@pytest.mark.covers("SF-029", "SF-030")
async def test_subject_and_description_are_the_usual_title_and_description(world: World) -> None:
    await world.mapped("PAPI001")
    await world.template(TEMPLATE, ROLES)

    await world.salesforce.create_case(
        Subject="Orders fail", Description="Every second one.", Priority="High"
    )
    incident = await world.the_incident("Orders fail")

    assert "Orders fail" in incident["title"]
    assert "Every second one." in incident["body"]["details"]


@pytest.mark.covers("SF-031")
async def test_incidents_are_written_as_the_integration_user_when_the_person_is_unknown(
    empty_world: World,
) -> None:
    world = empty_world
    await world.connect_pagerduty(from_email="ops@company.com")
    await world.connect_salesforce(poll_enabled=False)
    await world.rules(rule("High pages", CASE_CREATED, page(), when=HIGH))

    await world.salesforce.create_case(Subject="By an agent", Priority="High")
    await world.the_incident("By an agent")

    created = (await world.paging.requests("/incidents", method="POST"))[0]
    assert created["actor"] in {OPS, "ops@company.com", "Operations"}


async def test_service_mapping_sends_each_kind_of_case_to_its_service(world: World) -> None:
    await world.mapped("PGEN001")
    for kind, service in (("Electronic", "PAPI001"), ("Mechanical", "PDAT001")):
        await world.mapped(
            service, object="salesforce.case", field="type", value=kind, outbound=True
        )
    await world.rules(rule("All page", CASE_CREATED, page({"$service": "outbound"})))

    found = {}
    for kind in ("Electronic", "Mechanical", None):
        await world.salesforce.create_case(Subject=f"Kind {kind}", Type=kind)
        found[kind] = (await world.the_incident(f"Kind {kind}"))["service"]["id"]

    assert found == {"Electronic": "PAPI001", "Mechanical": "PDAT001", None: "PGEN001"}


def people(incident: Json) -> list[str]:
    return [one["assignee"]["summary"] for one in incident["assignments"]]


DEEDS: Mapping[str, tuple[Json, Callable[[Json], bool]]] = {
    "priority": (
        act("pagerduty.set_priority", priority="P1"),
        lambda one: (one.get("priority") or {}).get("summary") == "P1",
    ),
    "urgency": (
        act("pagerduty.set_urgency", urgency="low"),
        lambda one: one["urgency"] == "low",
    ),
    "title": (
        act("pagerduty.set_title", title="Now: {{ salesforce.case.status }}"),
        lambda one: one["title"] == "Now: Escalated",
    ),
    "policy": (
        act("pagerduty.reassign_incident", escalation_policy="PDATPOL"),
        lambda one: one["escalation_policy"]["id"] == "PDATPOL",
    ),
    "user": (
        act("pagerduty.reassign_incident", users=["jane.smith@company.com"]),
        lambda one: people(one) == ["Jane Smith"],
    ),
    "level": (
        act("pagerduty.escalate_incident", level=2),
        lambda one: people(one) == ["Team Lead"],
    ),
    "acknowledged": (
        act("pagerduty.acknowledge_incident"),
        lambda one: one["status"] == "acknowledged",
    ),
    "resolved": (
        act("pagerduty.resolve_incident", resolution="Case {{ salesforce.case.number }}"),
        lambda one: one["status"] == "resolved",
    ),
}


async def test_a_change_of_the_case_acts_on_the_incident(world: World) -> None:
    escalated = is_("salesforce.case.status", "Escalated", "changed_to")
    deeds = [
        rule(
            f"Escalated: {name}",
            ["salesforce.case.updated"],
            action,
            when=all_(escalated, is_(SUBJECT, f"Act: {name}")),
        )
        for name, (action, _) in DEEDS.items()
    ]
    await world.rules(rule("All page", CASE_CREATED, page(urgency="high")), *deeds)
    cases = {name: await world.salesforce.create_case(Subject=f"Act: {name}") for name in DEEDS}
    incidents = {name: (await world.the_incident(f"Act: {name}"))["id"] for name in DEEDS}

    for case in cases.values():
        await world.salesforce.change_case(case, Status="Escalated")

    async def changed() -> bool:
        found = {name: await world.pagerduty.incident(it) for name, it in incidents.items()}
        undone = [name for name, (_, seen) in DEEDS.items() if not seen(found[name])]
        assert undone == []
        return True

    assert await world.until(changed)


async def test_the_case_carries_the_incident_of_it(world: World) -> None:
    back = act(
        "salesforce.link_back",
        incident_id="{{ hub.action.0.id }}",
        incident_url="{{ hub.action.0.url }}",
    )
    await world.rules(rule("All page", CASE_CREATED, page(), back))

    case = await world.salesforce.create_case(Subject="Write me back")
    incident = await world.the_incident("Write me back")

    await world.case_with(
        case,
        PagerDuty_Incident_Id__c=incident["id"],
        PagerDuty_Incident_URL__c=incident["html_url"],
    )
    await world.quiet()
    assert len(await world.incidents("Write me back")) == 1
