"""A change that PagerDuty tells in several ways acts once; links follow a merged incident."""

import pytest

from hub_pagerduty.testing.model import User
from tests.acceptance.world import AGENT, CASE_CREATED, JANE, JOHN, act, at_work, page, rule

STATUS = "salesforce.case.status"
KEY = {"Authorization": "Token token=demo-key"}
ACCEPT = {"Accept": "application/vnd.pagerduty+json;version=2"}
TOKEN = "legacy-token-of-this-test"
TELL = rule(
    "Tell all",
    [
        f"pagerduty.incident.{verb}"
        for verb in ("acknowledged", "annotated", "reassigned", "resolved", "reopened")
    ],
    act("salesforce.add_comment", body="{{ hub.event.trigger }}"),
)


@pytest.fixture
async def world(tmp_path):
    async with at_work(tmp_path) as made:
        await made.connect()
        yield made


async def extension(world, schema):
    """Add a webhook of an older kind that delivers to the same address."""
    await world.api(
        "PATCH",
        "connectors/pagerduty",
        {"settings": {"webhook_legacy": True, "webhook_token": TOKEN}},
    )
    shown = await world.get("connectors/pagerduty")
    made = {
        "name": f"Old {schema}",
        "endpoint_url": f"{shown['webhook_url']}?token={TOKEN}",
        "extension_schema": {"id": schema, "type": "extension_schema_reference"},
        "extension_objects": [{"id": "PAPI001", "type": "service_reference"}],
    }
    url = f"{world.paging.url}/extensions"
    answer = await world.http.post(url, json={"extension": made}, headers=KEY | ACCEPT)
    assert answer.status_code == 201


async def linked(world, subject, *rules):
    await world.rules(rule("All page", CASE_CREATED, page()), *rules)
    case = await world.salesforce.create_case(Subject=subject, Priority="High")
    incident = await world.the_incident(subject)
    await world.quiet()
    return case, incident["id"]


async def told(world, case):
    await world.quiet()
    comments = await world.salesforce.comments(case)
    return sorted(one.rpartition(".")[2] for one in comments)


async def work_on(world, incident):
    await world.pagerduty.acknowledge(incident, by=JANE)
    await world.pagerduty.add_note(incident, "On it", by=JANE)
    await world.pagerduty.resolve(incident, by=JANE)


@pytest.mark.covers("SF-057")
async def test_webhooks_of_all_generations_at_once_act_once(world):
    case, incident = await linked(world, "Thrice", TELL)
    await extension(world, "PJFWPEP")
    await extension(world, "PV1WEBH")

    await work_on(world, incident)

    assert await told(world, case) == ["acknowledged", "annotated", "resolved"]
    sent = await world.paging.sim("GET", "deliveries")
    assert all(one["attempts"][-1]["status"] == 202 for one in sent)
    doubles = [one for one in await world.items("deliveries") if "known already" in str(one)]
    assert len(doubles) == 6


async def test_a_webhook_that_comes_after_the_poll_acts_no_more(world):
    case, incident = await linked(world, "Late webhook", TELL)
    await world.paging.sim("POST", "deliveries", {"do": "pause"})
    await work_on(world, incident)

    await world.api("PUT", "connectors/pagerduty/subscription")

    async def polled():
        return len(await world.salesforce.comments(case)) == 3

    await world.until(polled)
    await world.paging.sim("POST", "deliveries", {"do": "resume"})
    assert await told(world, case) == ["acknowledged", "annotated", "resolved"]


async def test_the_poll_that_follows_webhooks_acts_no_more(world):
    case, incident = await linked(world, "Poll behind", TELL)
    await work_on(world, incident)
    before = await told(world, case)

    await world.api("PUT", "connectors/pagerduty/subscription")

    async def polled():
        return await world.paging.requests("/log_entries", method="GET")

    assert await world.until(polled)
    assert [one for one in await world.items("deliveries") if one["source"] == "poll"] == []
    assert await told(world, case) == before == ["acknowledged", "annotated", "resolved"]


async def test_an_incident_that_is_reopened_reopens_the_case(world):
    back = rule(
        "Reopened",
        ["pagerduty.incident.reopened"],
        act("salesforce.set_field", field=STATUS, value="Working"),
    )
    closed = rule(
        "Resolved",
        ["pagerduty.incident.resolved"],
        act("salesforce.set_field", field=STATUS, value="Closed"),
    )
    case, incident = await linked(world, "Reopened", back, closed)
    await world.pagerduty.resolve(incident, by=JOHN)
    await world.case_with(case, Status="Closed")

    await world.http.post(f"{world.paging.url}/web/incidents/{incident}", data={"do": "reopen"})

    await world.case_with(case, Status="Working")


async def test_who_changes_the_case_is_who_acts_in_pagerduty(world):
    acknowledge = rule(
        "Acknowledge", ["salesforce.case.updated"], act("pagerduty.acknowledge_incident")
    )
    people = world.paging.app.sim.world.users
    people["PAGENT1"] = User(id="PAGENT1", name="Agent One", email=AGENT.upper(), role="user")
    case, incident = await linked(world, "In my name", acknowledge)

    await world.salesforce.change_case(case, Status="Working")

    async def by_agent():
        found = await world.pagerduty.incident(incident)
        return [one["acknowledger"]["id"] for one in found["acknowledgements"]]

    assert await world.until(by_agent) == ["PAGENT1"]


async def by_hand(world, *titles):
    """Open incidents on PagerDuty's page: only such ones can be merged."""
    pages = f"{world.paging.url}/web/incidents"
    ids = []
    for title in titles:
        made = await world.http.post(pages, data={"title": title, "service": "PAPI001"})
        ids.append(str(made.headers["location"]).rsplit("/", 1)[-1])
    return ids


async def case_of(world, subject):
    async def look():
        return next((one for one in await world.cases() if one["Subject"] == subject), None)

    found = await world.until(look)
    return found["Id"]


MAKE = rule(
    "Make a case",
    ["pagerduty.incident.triggered"],
    act(
        "salesforce.create_record",
        unless_linked=True,
        object="salesforce.case",
        fields={"subject": "{{ pagerduty.incident.title }}", "origin": "Web"},
    ),
    object="pagerduty.incident",
)
CLOSE = rule(
    "Close",
    ["pagerduty.incident.resolved"],
    act("salesforce.set_field", field=STATUS, value="Closed"),
)


async def test_the_case_of_a_merged_incident_follows_the_one_that_goes_on(world):
    await world.rules(MAKE, CLOSE)
    merged, main = await by_hand(world, "Merged one", "Main one")
    first, second = await case_of(world, "Merged one"), await case_of(world, "Main one")
    await world.quiet()

    await world.http.post(
        f"{world.paging.url}/web/incidents/{merged}", data={"do": "merge", "into": main}
    )
    await world.quiet()
    assert (await world.salesforce.case(first))["Status"] == "New"

    await world.pagerduty.resolve(main, by=JOHN)

    await world.case_with(first, Status="Closed")
    await world.case_with(second, Status="Closed")
    lines = [one["text"] for one in await world.items("activity")]
    assert any(f"is linked to {main} now" in one for one in lines)


async def test_our_own_merge_moves_the_link_as_well(world):
    await world.rules(MAKE, CLOSE)
    main, merged = await by_hand(world, "Main by us", "Merged by us")
    case = await case_of(world, "Merged by us")
    merge = rule("Merge", ["salesforce.case.updated"], act("pagerduty.merge_incident", into=main))
    await world.rules(merge, name="Merging")
    await world.quiet()

    await world.salesforce.change_case(case, Priority="Low")

    async def is_merged():
        return (await world.pagerduty.incident(merged))["status"] == "resolved"

    await world.until(is_merged)
    await world.quiet()
    await world.pagerduty.resolve(main, by=JOHN)
    await world.case_with(case, Status="Closed")
