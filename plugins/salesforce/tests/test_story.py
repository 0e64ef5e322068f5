"""The whole story at the plugin's own edge: pushes in, actions out, on one simulated org."""

from collections.abc import Awaitable, Callable
from typing import Any

from hub import ActionResult
from hub_salesforce.testing import AGENT, FakeSalesforce

Run = Callable[..., Awaitable[ActionResult]]


async def test_a_case_goes_from_high_to_closed_with_a_push_for_every_change(
    pushing: None, org: FakeSalesforce, run: Run, hub_end: Any
) -> None:
    case = org.create(AGENT, "Case", Subject="Line 3 down", Priority="High")
    await org.settled()
    linked = await run(
        "link_back",
        case,
        incident_id="PABC123",
        incident_url="https://acme.pagerduty.example/incidents/PABC123",
    )
    working = await run("set_field", case, field="salesforce.case.status", value="Working")
    noted = await run("add_comment", case, body="Acknowledged by the on-call engineer")
    org.create(AGENT, "CaseComment", ParentId=case, CommentBody="Thank you", IsPublished=True)
    org.update(AGENT, "Case", case, Status="Closed")
    await org.settled()

    row = org.record("Case", case)
    assert row["PagerDuty_Incident_Id__c"] == "PABC123"
    assert row["IsClosed"]
    assert linked.changed
    assert working.summary == "Set Status to Working"
    triggers = [(event.trigger.rpartition(".")[2], event.actor_name) for event in hub_end.events]
    assert triggers == [
        ("created", "Agent One"),
        ("updated", "Hub Integration"),
        ("updated", "Hub Integration"),
        ("commented", "Hub Integration"),
        ("commented", "Agent One"),
        ("updated", "Agent One"),
    ]
    created, _, set_status, ours, theirs, closed = hub_end.events
    assert created.before == {}
    assert created.record.human_id == row["CaseNumber"]
    assert set_status.before == {"status": "New"}
    assert ours.note == noted.note
    assert theirs.record.values["comment"] == "Thank you"
    assert theirs.record.id == case
    assert closed.before is not None
    assert closed.before["is_closed"] is False
    assert closed.record.values["status"] == "Closed"
