"""One incident from the page to the end, as the hub sees it."""

from hub_pagerduty.testing import user_key


async def test_an_incident_is_opened_worked_by_a_person_and_resolved(
    do, sim, http, receiver, subscribed
):
    made = await do("create_incident", title="Checkout down", urgency="high", body="All of it")
    incident = made.record
    assert incident is not None
    person = {
        "Authorization": f"Token token={user_key('PUSER02')}",
        "Accept": "application/vnd.pagerduty+json;version=2",
    }
    await http.put(
        f"/incidents/{incident.id}",
        json={"incident": {"type": "incident_reference", "status": "acknowledged"}},
        headers=person,
    )
    note = await do("add_note", incident.id, content="Looking", author="Ana")
    await do("resolve_incident", incident.id, resolution="Fixed")
    await sim.dispatcher.settle()

    assert receiver.triggers() == [
        "incident.triggered",
        "incident.acknowledged",
        "incident.annotated",
        "incident.annotated",
        "incident.resolved",
    ]
    opened, acknowledged, annotated, _, resolved = receiver.events
    assert opened.record.values["title"] == "Checkout down"
    assert opened.origin == "h" + "a" * 32
    assert (acknowledged.actor, acknowledged.actor_name) == ("PUSER02", "John Doe")
    assert ("Ana: Looking", note.note) == (annotated.record.values["note"], annotated.note)
    assert resolved.record.values["assignees"] == ()
    assert f"#{opened.record.values['number']}" == incident.human_id
