"""The simulator's Events APIs validate at once and drop in silence."""

import pytest

KEY = f"2{3:031x}"


def event(**more):
    payload = {"summary": "Disk full", "source": "www15", "severity": "error"}
    return {
        "routing_key": KEY,
        "event_action": "trigger",
        "dedup_key": "disk",
        "payload": payload,
        **more,
    }


@pytest.fixture
def send(http):
    async def post(body, path="/v2/enqueue"):
        return await http.post(path, json=body)

    return post


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (
            event(routing_key="short"),
            "Length of 'routing_key' is incorrect (should be 32 characters)",
        ),
        (event(routing_key="!" * 32), "'routing_key' cannot contain non-alphanumeric characters."),
        (event(event_action=""), "'event_action' is missing or blank"),
        (
            event(payload={"source": "x", "severity": "error"}),
            "'payload.summary' is missing or blank",
        ),
        (
            event(payload={"summary": "x" * 1025, "source": "x", "severity": "error"}),
            "'summary' is too long (maiximum is 1024 characters)",
        ),
        (event(links=[{"href": "x"}] * 51), "links should have at most 50 item(s)"),
    ],
)
async def test_what_is_wrong_is_told_at_once(send, body, error):
    answer = await send(body)

    assert answer.status_code == 400
    assert error in answer.json()["errors"]


async def test_an_unknown_key_is_told_in_plain_text(send):
    answer = await send(event(routing_key="0" * 32))

    assert (answer.status_code, answer.text) == (400, "Invalid routing key")


async def test_an_alert_opens_one_incident(send, sim):
    await send(event())
    await send(event())

    opened = [one for one in sim.world.incidents.values() if one.alerts]
    assert [one.title for one in opened] == ["Disk full"]
    assert opened[0].key is None


async def test_acknowledging_what_is_not_open_is_dropped_in_silence(send, sim):
    answer = await send(event(event_action="resolve"))

    assert answer.status_code == 202
    assert sim.events[0]["outcome"].startswith("dropped")


async def test_a_resolved_key_opens_a_new_incident(send, sim):
    for action in ("trigger", "resolve", "trigger"):
        await send(event(event_action=action))

    assert len([one for one in sim.world.incidents.values() if one.title == "Disk full"]) == 2


async def test_a_suppressed_service_takes_events_and_opens_nothing(send, sim):
    sim.world.services["PDAT001"].suppressed = "suppressed by a rule"

    answer = await send(event())

    assert answer.status_code == 202
    assert sim.events[0]["outcome"] == "dropped: suppressed by a rule"


async def test_events_may_be_worked_later(send, sim):
    sim.world.switches.event_delay = 5

    await send(event())
    before = len(sim.world.incidents)
    sim.clock.advance(6)

    assert len(sim.world.incidents) == before + 1


async def test_older_events_say_forbidden_when_there_are_too_many(send, sim):
    sim.world.switches.events_limit = 1
    body = {"service_key": f"1{3:031x}", "event_type": "trigger", "description": "x"}

    answers = [await send(body, "/generic/2010-04-15/create_event.json") for _ in range(2)]

    assert [one.status_code for one in answers] == [200, 403]


async def test_an_incident_is_found_by_its_alerts_key(send, http):
    await send(event())

    answer = await http.get(
        "/incidents?incident_key=disk&date_range=all",
        headers={"Authorization": "Token token=demo-key"},
    )

    assert [one["title"] for one in answer.json()["incidents"]] == ["Disk full"]
