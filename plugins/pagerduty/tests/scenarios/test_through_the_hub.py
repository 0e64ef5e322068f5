"""PagerDuty's oddities met by a whole hub: what people at both ends see afterwards."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import text

from tests.acceptance.world import (
    CASE_CHANGES,
    CASE_CREATED,
    JANE,
    JOHN,
    act,
    all_,
    at_work,
    is_,
    page,
    rule,
)

STATUS = "salesforce.case.status"
BACK = (
    rule(
        "Acknowledged",
        ["pagerduty.incident.acknowledged"],
        act("salesforce.set_field", field=STATUS, value="Working"),
    ),
    rule(
        "Resolved",
        ["pagerduty.incident.resolved"],
        act("salesforce.set_field", field=STATUS, value="Closed"),
    ),
)


@pytest.fixture
async def empty(tmp_path):
    async with at_work(tmp_path) as made:
        yield made


@pytest.fixture
async def world(empty):
    await empty.connect()
    return empty


async def linked(world, subject, *rules):
    """Make a case that pages; return the ids of case and incident."""
    await world.rules(rule("All page", CASE_CREATED, page()), *rules)
    case = await world.salesforce.create_case(Subject=subject, Priority="High")
    incident = await world.the_incident(subject)
    await world.quiet()
    return case, incident["id"]


async def events_of(world, incident):
    found = []
    for delivery in await world.items("deliveries", connector="pagerduty"):
        trace = await world.get(f"deliveries/{delivery['id']}/trace")
        found += [one for one in trace["events"] if one["record"] == incident]
    return found


async def test_our_own_writes_come_back_as_echoes(world):
    writes = (
        act("pagerduty.set_priority", priority="P1"),
        act("pagerduty.add_note", content="From the case"),
        act("pagerduty.set_conference", conference_url="https://meet.example.com"),
        act("pagerduty.acknowledge_incident"),
        act("pagerduty.resolve_incident", resolution="Fixed"),
    )
    change = rule("Write all", ["salesforce.case.updated"], *writes)
    every = rule(
        "Anything counts",
        ["pagerduty.incident.*"],
        act("salesforce.add_comment", body="{{ hub.event.trigger }}"),
    )
    case, incident = await linked(world, "Echo", change, every)

    await world.salesforce.change_case(case, Status="Working")

    async def done():
        return (await world.pagerduty.incident(incident))["status"] == "resolved"

    await world.until(done)
    await world.quiet()
    assert await world.salesforce.comments(case) == []


async def test_every_other_write_of_ours_comes_back_as_an_echo(world):
    writes = (
        act("pagerduty.set_title", title="New title"),
        act("pagerduty.set_urgency", urgency="low"),
        act("pagerduty.set_custom_fields", fields={"environment": "production"}),
        act("pagerduty.set_incident_type", incident_type="major_default"),
        act("pagerduty.publish_status_update", message="We are on it"),
        act(
            "pagerduty.add_responders",
            users=["PUSER04", "jane.smith@company.com"],
            escalation_policies=["PDATPOL"],
        ),
        act("pagerduty.reassign_incident", users=["PUSER02"]),
        act("pagerduty.move_incident", service="PWEB001"),
        act("pagerduty.escalate_incident"),
        act("pagerduty.snooze_incident", duration="1h"),
        act("pagerduty.run_workflow", workflow="PWORK01"),
    )
    change = rule("Write all", ["salesforce.case.updated"], *writes)
    every = rule(
        "Anything counts",
        ["pagerduty.incident.*"],
        act("salesforce.add_comment", body="{{ hub.event.trigger }}"),
    )
    case, _ = await linked(world, "Every echo", change, every)

    await world.salesforce.change_case(case, Status="Working")

    async def done():
        return (await world.paging.state())["workflow_runs"]

    await world.until(done)
    await world.quiet()
    assert await world.salesforce.comments(case) == []


async def test_a_merge_does_not_close_the_case(world):
    adopt = act(
        "salesforce.create_record",
        unless_linked=True,
        object="salesforce.case",
        fields={"subject": "{{ pagerduty.incident.title }}", "origin": "Web"},
    )
    make = rule("Make a case", ["pagerduty.incident.triggered"], adopt, object="pagerduty.incident")
    await world.rules(make, *BACK)
    pages = f"{world.paging.url}/web/incidents"
    ids = []
    for title in ("Merged one", "Main one"):
        made = await world.http.post(pages, data={"title": title, "service": "PAPI001"})
        ids.append(str(made.headers["location"]).rsplit("/", 1)[-1])

    async def case():
        return next((one for one in await world.cases() if one["Subject"] == "Merged one"), None)

    await world.until(case)
    await world.quiet()
    await world.http.post(f"{pages}/{ids[0]}", data={"do": "merge", "into": ids[1]})
    await world.quiet()

    found = [one["trigger"] for one in await events_of(world, ids[0])]
    assert "pagerduty.incident.merged" in found
    assert (await world.pagerduty.incident(ids[0]))["status"] == "resolved"
    assert (await case())["Status"] != "Closed"


async def test_out_of_order_deliveries_end_with_the_truth(world):
    case, incident = await linked(world, "Reordered", *BACK)
    await world.paging.sim("POST", "deliveries", {"do": "pause"})
    await world.pagerduty.acknowledge(incident, by=JANE)
    await world.pagerduty.add_note(incident, "On it", by=JANE)
    await world.pagerduty.resolve(incident, by=JANE)
    await world.paging.sim("POST", "deliveries", {"do": "resume"})

    await world.case_with(case, Status="Closed")
    await world.quiet()
    assert (await world.salesforce.case(case))["Status"] == "Closed"


async def test_a_repeated_delivery_acts_once(world):
    tell = act("salesforce.add_comment", body="{{ pagerduty.incident.note }}")
    case, incident = await linked(
        world, "Repeated", rule("Notes", ["pagerduty.incident.annotated"], tell)
    )
    await world.pagerduty.add_note(incident, "Only once", by=JOHN)
    await world.quiet()
    for one in await world.paging.sim("GET", "deliveries"):
        await world.paging.sim("POST", "deliveries", {"do": "replay", "id": one["id"]})
    await world.quiet()

    assert len(await world.salesforce.comments(case)) == 1


async def test_an_answer_that_was_lost_makes_no_second_incident(world):
    await world.rules(rule("All page", CASE_CREATED, page()))
    await world.paging.fault("cut_after", method="POST", path="^/incidents$")

    await world.salesforce.create_case(Subject="Lost answer", Priority="High")
    await world.the_incident("Lost answer")
    await world.quiet()

    assert len(await world.incidents("Lost answer")) == 1


async def test_cases_that_race_make_one_incident_each(world):
    await world.rules(
        rule("Created pages", CASE_CHANGES, page()),
        rule("High pages", CASE_CHANGES, page("PWEB001")),
    )
    cases = await asyncio.gather(
        *(world.salesforce.create_case(Subject=f"Race {n}", Priority="High") for n in range(8))
    )
    await asyncio.gather(*(world.salesforce.change_case(one, Origin="Web") for one in cases))

    for number in range(8):
        await world.the_incident(f"Race {number}")
    await world.quiet()
    assert len(await world.incidents("Race ")) == 8


@pytest.mark.slow
async def test_a_storm_of_429_only_delays(world):
    await world.rules(rule("All page", CASE_CREATED, page()))
    await world.paging.fault("rate_limited", method="POST", path="^/incidents$", times=3, seconds=1)

    for number in range(4):
        await world.salesforce.create_case(Subject=f"Storm {number}", Priority="High")

    async def all_there():
        return len(await world.incidents("Storm ")) == 4

    await world.until(all_there, within=60)
    await world.quiet()
    assert len(await world.incidents("Storm ")) == 4


async def test_secrets_rotate_without_a_gap(world):
    case, incident = await linked(world, "Rotated", *BACK)
    (subscription,) = (await world.paging.state())["subscriptions"]
    asked = {"subscription": subscription["id"]}
    new = (await world.paging.sim("POST", "rotate", asked))["secret"]
    await world.api("PATCH", "connectors/pagerduty", {"settings": {"webhook_secret": new}})
    await world.pagerduty.acknowledge(incident, by=JOHN)
    await world.case_with(case, Status="Working")

    await world.paging.sim("POST", "rotate", {**asked, "drop": True})
    await world.pagerduty.add_note(incident, "Nobody knows this secret", by=JOHN)
    await world.quiet()

    statuses = [
        one["attempts"][-1]["status"] for one in await world.paging.sim("GET", "deliveries")
    ]
    assert statuses[-1] in {401, 403}


async def remove_subscription(world):
    (subscription,) = (await world.paging.state())["subscriptions"]
    await world.http.delete(
        f"{world.paging.url}/webhook_subscriptions/{subscription['id']}",
        headers={"Authorization": "Token token=demo-key"},
    )


async def test_what_a_disabled_subscription_missed_is_polled(world):
    case, incident = await linked(world, "Missed", *BACK)
    await remove_subscription(world)
    await world.pagerduty.acknowledge(incident, by=JANE)
    await world.quiet()

    await world.checks("pagerduty")

    await world.case_with(case, Status="Working")


async def test_a_subscription_that_is_gone_is_noticed_without_anybody_asking(world):
    case, incident = await linked(world, "Unasked", *BACK)
    await remove_subscription(world)
    await world.pagerduty.acknowledge(incident, by=JANE)
    async with world.app.state.database.writing() as session:
        await session.execute(text("UPDATE connectors SET webhook_checked_at = NULL"))

    await world.case_with(case, Status="Working")
    lines = await world.items("activity")
    assert any("webhook is out of order" in one["text"] for one in lines)
    health = await world.get("connectors/pagerduty/health")
    assert (health["health"], health["webhook_ok"], health["polls_every_s"]) == (
        "degraded",
        False,
        60,
    )


async def test_what_was_missed_is_read_when_the_subscription_is_made_anew(world):
    case, incident = await linked(world, "Anew", *BACK)
    await remove_subscription(world)
    await world.pagerduty.acknowledge(incident, by=JANE)
    await world.quiet()

    await world.api("PUT", "connectors/pagerduty/subscription")

    await world.case_with(case, Status="Working")


async def test_a_subscription_that_pagerduty_disabled_is_woken_and_nothing_is_missed(world):
    tell = rule(
        "Tell",
        ["pagerduty.incident.acknowledged", "pagerduty.incident.annotated"],
        act("salesforce.add_comment", body="{{ hub.event.trigger }}"),
    )
    case, incident = await linked(world, "Asleep", tell, *BACK)
    sim = world.paging.app.sim
    (subscription,) = sim.world.subscriptions.values()
    subscription.disabled_until = sim.clock.now() + timedelta(days=1)
    await world.pagerduty.acknowledge(incident, by=JANE)
    await world.pagerduty.add_note(incident, "Nobody hears this", by=JANE)
    await world.pagerduty.resolve(incident, by=JANE)

    async with world.app.state.database.writing() as session:
        await session.execute(text("UPDATE connectors SET webhook_checked_at = NULL"))

    await world.case_with(case, Status="Closed")
    assert subscription.disabled_until is None
    lines = [one["text"] for one in await world.items("activity")]
    assert any("PagerDuty disabled it for a day" in one for one in lines)
    assert any("The hub switched it on again" in one for one in lines)
    await world.quiet()
    told = [one.rpartition(".")[2] for one in await world.salesforce.comments(case)]
    assert sorted(told) == ["acknowledged", "annotated"]


@pytest.mark.covers("IM-029", "IM-070")
async def test_the_webhooks_line_says_each_fault_and_its_remedy(world):
    sim = world.paging.app.sim

    async def line():
        return (await world.checks("pagerduty"))["webhook"]

    (it,) = sim.world.subscriptions.values()
    assert (await line())["text"] == f"Webhook endpoint configured ({it.id})"

    it.events = ["incident.triggered", "incident.acknowledged", "incident.resolved"]
    assert "Not subscribed: incident.action_invocation.created, " in (await line())["text"]

    it.disabled_until = sim.clock.now() + timedelta(days=1)
    disabled = await line()
    assert (disabled["ok"], "disabled it for a day" in disabled["text"]) == (False, True)
    assert disabled["fix"] == "hub connector webhook pagerduty --enable"

    await remove_subscription(world)
    gone = await line()
    assert (gone["ok"], "has no subscription to" in gone["text"]) == (False, True)

    await world.api("DELETE", "connectors/pagerduty/subscription")
    off = await line()
    assert (off["ok"], off["text"]) == (True, "Webhook disabled")


@pytest.mark.covers("IM-037")
async def test_the_interval_of_the_settings_drives_the_poll(world):
    await world.api("PATCH", "connectors/pagerduty", {"settings": {"sync_interval": "1m30s"}})

    health = await world.get("connectors/pagerduty/health")

    assert health["polls_every_s"] == 90


@pytest.mark.covers("RF-021", "SF-011")
async def test_the_keys_note_is_shown_and_the_key_is_not(world):
    given = {"api_key_note": "Salesforce Cloud API Key"}
    await world.api("PATCH", "connectors/pagerduty", {"settings": given})

    shown = (await world.get("connectors/pagerduty"))["settings"]

    assert shown["api_key_note"] == "Salesforce Cloud API Key"
    assert "demo-key" not in str(shown)
    assert {"set", "ending", "by"} <= set(shown["api_key"])


async def test_the_quiet_case_stays_quiet(world):
    low = all_(is_("salesforce.case.priority", "High"))
    await world.rules(rule("High pages", CASE_CREATED, page(), when=low))

    case = await world.salesforce.create_case(Subject="Quiet", Priority="Low")
    await world.event("salesforce.case.created", case, state="done")

    assert await world.incidents("Quiet") == []
