"""Salesforce's requests running out, and its sessions ending: what goes on, what waits."""

import re
from typing import Any

import pytest

from hub_salesforce.testing.schema import field
from tests.acceptance.test_notes import a_case
from tests.acceptance.world import JOHN, World, act, rule


def _used(world: World, share: float) -> None:
    """Let this share of the org's requests of the day be used."""
    org: Any = world.crm.app.world
    org.daily_limit = 1_000
    org.calls = [org.now()] * int(1_000 * share)


@pytest.mark.covers("SF-033", "RF-062")
async def test_notes_are_put_off_first_and_hold_up_neither_status_nor_paging(world: World) -> None:
    case, incident = await a_case(world, sync_comments=True, acknowledged_status="Working")
    await world.quiet()
    _used(world, 0.87)
    await world.post("connectors/salesforce/checks")

    await world.pagerduty.add_note(incident, "Rolled back", by=JOHN)
    await world.pagerduty.acknowledge(incident, by=JOHN)
    await world.case_with(case, Status="Working")

    [put_off] = [one for one in await world.items("runs") if one["outcome"] == "put_off"]
    assert put_off["action"] == "salesforce.add_comment"
    assert re.match(r"Put off: 8[789] % of the vendor's quota is used", put_off["summary"])
    assert await world.salesforce.comments(case) == []
    assert await world.items("runs", state="dead") == []

    _used(world, 0.1)
    await world.post("connectors/salesforce/checks")
    await world.app.state.engine.parts.putting_off.tick()

    async def told() -> Any:
        return await world.salesforce.comments(case)

    assert await world.until(told) == ["John Doe: Rolled back"]
    activity = [one["text"] for one in await world.items("activity")]
    assert [one for one in activity if "notes that were put off go on" in one]


@pytest.mark.covers("SF-033")
async def test_before_that_comments_that_come_together_are_one_request(world: World) -> None:
    _, incident = await a_case(world, sync_comments=True)
    await world.salesforce.create_case(Subject="Another line", Priority="High")
    other = (await world.the_incident("Another line"))["id"]
    await world.quiet()
    _used(world, 0.82)
    await world.post("connectors/salesforce/checks")

    await world.pagerduty.add_note(incident, "Rolled back", by=JOHN)
    await world.pagerduty.add_note(other, "Looking", by=JOHN)

    async def both() -> Any:
        rows = world.crm.app.world.rows("CaseComment")
        return len(rows) == 2 and [one["CommentBody"] for one in rows]

    assert sorted(await world.until(both)) == ["John Doe: Looking", "John Doe: Rolled back"]
    sent = [one.path for one in world.crm.app.log.rows if one.method == "POST"]
    assert len([one for one in sent if one.endswith("/composite/sobjects")]) == 1
    assert not [one for one in sent if one.endswith("/sobjects/CaseComment")]


@pytest.mark.covers("SF-033", "RF-062")
async def test_near_the_end_only_paging_and_status_are_sent(world: World) -> None:
    case, incident = await a_case(world, acknowledged_status="Working")
    await world.quiet()
    _used(world, 0.96)
    await world.post("connectors/salesforce/checks")

    await world.pagerduty.acknowledge(incident, by=JOHN)
    await world.case_with(case, Status="Working")
    await world.salesforce.create_case(Subject="Another line", Priority="High")

    assert await world.the_incident("Another line")
    health = await world.get("connectors/salesforce/health")
    assert health["rate_limit_used_percent"] >= 96
    assert health["quota_held_back"] == (
        "only paging and changes of status are sent, the rest waits"
    )
    assert await world.items("runs", state="dead") == []


async def test_a_used_up_quota_parks_the_connector_and_loses_nothing(world: World) -> None:
    case, incident = await a_case(world, acknowledged_status="Working")
    await world.quiet()
    _used(world, 1.0)

    await world.pagerduty.acknowledge(incident, by=JOHN)
    parked = await world.connector_is("salesforce", "parked")
    _used(world, 0.1)
    await world.post("connectors/salesforce/checks")
    done = await world.case_with(case, Status="Working")

    assert "TotalRequests" in parked["state_detail"]
    assert done["Status"] == "Working"


async def test_a_session_that_ends_in_the_middle_of_a_lane_is_renewed_in_order(
    world: World,
) -> None:
    case, incident = await a_case(world, sync_comments=True, acknowledged_status="Working")
    await world.quiet()
    org: Any = world.crm.app
    org.kill_every = 3

    await world.pagerduty.acknowledge(incident, by=JOHN)
    await world.pagerduty.add_note(incident, "Looking", by=JOHN)
    await world.pagerduty.add_note(incident, "Found it", by=JOHN)
    await world.pagerduty.resolve(incident, by=JOHN)

    async def closed() -> bool:  # a person's session would end with the hub's
        return bool(org.record("Case", case)["IsClosed"])

    await world.until(closed)
    org.kill_every = 0
    await world.quiet()

    told = [one["CommentBody"] for one in org.world.rows("CaseComment") if one["ParentId"] == case]
    assert told == ["John Doe: Looking", "John Doe: Found it"]
    assert await world.items("runs", state="dead") == []


@pytest.mark.covers("SF-054", "SF-055", "RF-127")
async def test_an_incident_on_service_xyz_makes_a_case_with_all_required_fields(
    world: World,
) -> None:
    org: Any = world.crm.app.world
    org.add_field("Case", field("Region__c", "Region", nillable=False))
    await world.get("connectors/salesforce/fields", object="salesforce.case", refresh=True)
    fields = {
        "subject": "{{ pagerduty.incident.title }}",
        "origin": "Web",
        "description": "{{ pagerduty.incident.url }}",
        "Region__c": "EU",
    }
    create = act("salesforce.create_record", unless_linked=True, object="salesforce.case",
                 fields=fields)  # fmt: skip
    of_xyz = {"all": [{"field": "pagerduty.incident.service_name", "op": "is",
                       "value": "Web Service"}]}  # fmt: skip
    await world.rules(rule("Case for XYZ", ("pagerduty.incident.triggered",), create, when=of_xyz))
    before = {one["Id"] for one in await world.cases()}

    for service in ("PAPI001", "PWEB001"):
        body = {"type": "incident", "title": f"Down on {service}",
                "service": {"id": service, "type": "service_reference"}}  # fmt: skip
        answer = await world.http.post(
            f"{world.paging.url}/incidents",
            json={"incident": body},
            headers={"Authorization": f"Token token={await world.pagerduty.key_of(JOHN)}",
                     "From": "john@acme.example"},
        )  # fmt: skip
        assert answer.status_code == 201

    async def made() -> Any:
        found = [one for one in await world.cases() if one["Id"] not in before]
        return [one for one in found if str(one["Subject"]).startswith("Down on")]

    [case] = await world.until(made)
    await world.quiet()
    assert len(await made()) == 1
    assert case["Subject"] == "Down on PWEB001"
    assert (case["Origin"], case["Region__c"]) == ("Web", "EU")
