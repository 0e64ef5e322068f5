"""People click, programs control."""

from urllib.parse import urlsplit

import pytest

NEW, WORKED_ON = "QDEMO000000123", "QDEMO000000122"


@pytest.fixture
def click(http):
    async def press(record=NEW, **form):
        return await http.post(f"/web/incidents/{record}", data=form)

    return press


async def test_the_front_page_lists_incidents_and_keys(http):
    for path in ("/_sim/", "/web/incidents", "/"):
        page = (await http.get(path)).text
        assert "Replication lag on the main database" in page
        assert "user-key-puser02" in page


async def test_a_person_works_an_incident(http, sim, click, receiver, subscribed):
    await http.post("/web/sign-in", data={"user": "PUSER03"})
    await click(do="acknowledge")
    await click(do="note", text="Looking")
    await click(do="resolve", text="Fixed")
    await sim.dispatcher.settle()

    told = receiver.triggers()
    assert told[:2] == ["incident.acknowledged", "incident.annotated"]
    assert sorted(told[2:]) == ["incident.annotated", "incident.resolved"]
    assert {one.actor_name for one in receiver.events} == {"Jane Smith"}
    assert sim.world.incidents[NEW].notes[-1].content == "Resolution Note: Fixed"


async def test_a_person_opens_an_incident(http, sim, receiver, subscribed):
    form = {"title": "By <hand>", "service": "PAPI001", "details": "Text"}
    answer = await http.post("/web/incidents", data=form)
    await sim.dispatcher.settle()

    made = sim.world.incidents[urlsplit(answer.headers["location"]).path.split("/")[-1]]
    assert (made.title, made.details) == ("By <hand>", "Text")
    assert receiver.triggers() == ["incident.triggered"]
    page = (await http.get(answer.headers["location"])).text
    assert "By &lt;hand&gt;" in page


@pytest.mark.parametrize(
    ("form", "trigger"),
    [
        ({"do": "priority", "priority": "PPRIO01"}, "incident.priority_updated"),
        ({"do": "reassign", "user": "PUSER04"}, "incident.reassigned"),
        ({"do": "delegate", "policy": "PXXXXXX"}, "incident.delegated"),
        ({"do": "escalate"}, "incident.escalated"),
        ({"do": "update", "text": "Soon"}, "incident.status_update_published"),
        ({"do": "responder", "user": "PUSER04", "text": "Help"}, "incident.responder.added"),
        ({"do": "merge", "into": WORKED_ON}, "incident.merged"),
    ],
)
async def test_each_button_does_what_it_says(sim, click, receiver, subscribed, form, trigger):
    answer = await click(**form)
    await sim.dispatcher.settle()

    assert answer.status_code == 303
    assert receiver.triggers() == [trigger]


@pytest.mark.parametrize(
    "form", [{"do": "title", "text": "New"}, {"do": "urgency", "urgency": "low"}]
)
async def test_what_no_webhook_tells_is_not_told(sim, click, receiver, subscribed, form):
    await click(**form)
    await sim.dispatcher.settle()

    assert receiver.events == []


async def test_what_the_rules_forbid_is_said(click):
    answer = await click(do="snooze")

    assert answer.status_code == 400
    assert "not Acknowledged" in answer.text
    assert (await click(do="nonsense")).status_code == 400


@pytest.mark.covers("PC-014")
async def test_the_link_to_the_source_bears_the_clients_name(http, sim):
    it = sim.world.incidents[NEW]
    it.client_url = "https://hub.test/1"
    unnamed = (await http.get(f"/web/incidents/{NEW}")).text
    it.client = "Integration Hub"

    named = (await http.get(f"/web/incidents/{NEW}")).text

    assert "View at source" in unnamed
    assert "View at Integration Hub" in named


async def test_state_and_requests_are_told_without_secrets(http, do, sim):
    await do("send_event", summary="Disk full")
    state = (await http.get("/_sim/state")).json()
    rows = (await http.get("/_sim/requests")).json()
    later = (await http.get(f"/_sim/requests?since={rows[-1]['n']}")).json()

    assert len(state["incidents"]) == 4
    assert rows[0]["body"]["routing_key"] == "***"
    assert "authorization" not in str(rows)
    assert later == []


async def test_a_fault_is_planted_by_api_and_by_header(http):
    headers = {"Authorization": "Token token=demo-key"}
    await http.post("/_sim/faults", json={"effect": "status", "status": 503, "path": "abilities"})
    planted = await http.get("/abilities", headers=headers)
    after = await http.get("/abilities", headers=headers)
    asked = await http.get("/abilities", headers=headers | {"X-Sim-Fault": "status=418"})
    unknown = await http.post("/_sim/faults", json={"effect": "earthquake"})

    assert [planted.status_code, after.status_code, asked.status_code] == [503, 200, 418]
    assert unknown.status_code == 400
    assert "timeout_after" in unknown.json()["effects"]


async def test_faults_are_taken_away(http):
    await http.post("/_sim/faults", json={"effect": "status", "times": -1})
    await http.delete("/_sim/faults")

    answer = await http.get("/abilities", headers={"Authorization": "Token token=demo-key"})

    assert answer.status_code == 200


async def test_everything_begins_again(http, do, sim):
    await do("create_incident", title="Gone soon")
    await http.post("/_sim/reset")

    assert sorted(sim.world.incidents) == ["QDEMO000000121", "QDEMO000000122", "QDEMO000000123"]
    assert sim.requests == []


async def test_time_and_switches_are_turned(http, sim):
    before = sim.clock.now()
    await http.post("/_sim/clock", json={"advance": 60})
    await http.post("/_sim/switches", json={"rate_limit": 5})
    unknown = await http.post("/_sim/switches", json={"gravity": 5})

    assert (sim.clock.now() - before).total_seconds() == 60
    assert sim.world.switches.rate_limit == 5
    assert unknown.status_code == 400


async def test_any_event_can_be_made_to_happen(http, sim, receiver, subscribed):
    data = {"id": "PTASK01", "type": "incident_task", "name": "Call", "status": "todo"}
    body = {
        "event_type": "incident.task.created",
        "incident": NEW,
        "data": data,
        "agent": "PUSER02",
    }
    await http.post("/_sim/happen", json=body)
    await sim.dispatcher.settle()

    (event,) = receiver.events
    assert (event.trigger, event.actor) == ("pagerduty.incident.task.created", "PUSER02")
    assert event.record.values["task_name"] == "Call"


async def test_a_custom_action_has_no_new_webhook(sim, click, receiver, subscribed):
    await click(do="custom", text="Restart")
    await sim.dispatcher.settle()

    assert receiver.events == []
