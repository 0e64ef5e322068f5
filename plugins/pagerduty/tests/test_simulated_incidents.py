"""The simulator's incidents live as PagerDuty's do."""

import pytest

from hub_pagerduty.testing import user_key

NEW, WORKED_ON, DONE = "QDEMO000000123", "QDEMO000000122", "QDEMO000000121"


def headers(key="demo-key", sender="ops@company.com"):
    given = {
        "Authorization": f"Token token={key}",
        "Accept": "application/vnd.pagerduty+json;version=2",
    }
    return given | ({"From": sender} if sender else {})


@pytest.fixture
def put(http):
    async def change(record=NEW, *, key="demo-key", sender="ops@company.com", **fields):
        body = {"incident": {"type": "incident_reference", **fields}}
        return await http.put(f"/incidents/{record}", json=body, headers=headers(key, sender))

    return change


def code(answer):
    return answer.status_code, answer.json()["error"]["code"]


@pytest.mark.parametrize(
    ("sender", "wanted"),
    [("", (400, 2016)), ("no address", (400, 1028)), ("who@company.com", (400, 1008))],
)
async def test_an_account_key_must_say_who_acts(put, sender, wanted):
    assert code(await put(sender=sender, title="x")) == wanted


async def test_a_user_key_acts_as_its_user(put, sim):
    await put(key=user_key("PUSER03"), sender="", status="acknowledged")

    assert [user for _, user in sim.world.incidents[NEW].assigned] == ["PUSER03"]


@pytest.mark.parametrize(
    ("authorization", "status"),
    [
        ("", 401),
        ("Token token=wrong", 401),
        ("Bearer demo-key", 401),
        ("Token demo-key", 401),
        ("Token token=demo-key", 200),
    ],
)
async def test_the_authorization_must_be_exact(http, authorization, status):
    answer = await http.get("/abilities", headers={"Authorization": authorization})

    assert answer.status_code == status


async def test_a_read_only_key_may_not_write(put):
    assert code(await put(key="read-only-key", title="x")) == (403, 2010)


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        ({"status": "done"}, (400, 1003)),
        ({"priority": {"id": "PNO", "type": "priority_reference"}}, (400, 1020)),
        ({"assignments": [{"assignee": {"id": "PNO"}}]}, (400, 1007)),
        ({"escalation_policy": {"id": "PNO"}}, (400, 1014)),
        ({"escalation_level": 9}, (400, 1006)),
    ],
)
async def test_wrong_changes_are_refused(put, change, wanted):
    assert code(await put(**change)) == wanted


async def test_low_urgency_cannot_be_escalated(put):
    await put(urgency="low")

    assert code(await put(escalation_level=2)) == (400, 1006)


async def test_acknowledging_a_resolved_incident_reopens_it(put, sim):
    await put(DONE, status="acknowledged")

    assert sim.world.incidents[DONE].status == "acknowledged"


@pytest.mark.parametrize(("repeat_is_error", "status"), [(True, 400), (False, 200)])
async def test_resolving_twice_is_an_error_or_not(put, sim, repeat_is_error, status):
    sim.world.switches.repeat_is_error = repeat_is_error

    assert (await put(DONE, status="resolved")).status_code == status


async def test_time_escalates_repeats_and_gives_up(sim):
    it, levels = sim.world.incidents[NEW], []
    for minutes in (1, 15, 30, 15, 30):
        sim.clock.advance(minutes * 60)
        levels.append(it.level)

    assert levels == [1, 2, 1, 2, 2]
    assert it.log[-1].type == "exhaust_escalation_path_log_entry"


async def test_an_acknowledgement_runs_out(put, sim):
    sim.world.services["PDAT001"].acknowledgement_timeout = 600
    await put(status="acknowledged")

    sim.clock.advance(601)

    assert sim.world.incidents[NEW].status == "triggered"


async def test_a_snooze_ends_triggered(http, put, sim):
    await put(status="acknowledged")
    answer = await http.post(f"/incidents/{NEW}/snooze", json={"duration": 60}, headers=headers())

    assert answer.status_code == 201
    sim.clock.advance(61)
    assert sim.world.incidents[NEW].status == "triggered"


async def test_it_resolves_itself_where_the_service_says_so(put, sim):
    sim.world.services["PDAT001"].auto_resolve_timeout = 3600
    await put(title="Armed")

    sim.clock.advance(3601)

    assert sim.world.incidents[NEW].status == "resolved"


async def test_many_are_changed_at_once_or_none(http, sim):
    rows = [
        {"id": NEW, "type": "incident_reference", "status": "resolved"},
        {"id": "QNOTHERE", "type": "incident_reference", "status": "resolved"},
    ]

    refused = await http.put("/incidents", json={"incidents": rows}, headers=headers())
    done = await http.put("/incidents", json={"incidents": rows[:1]}, headers=headers())
    much = await http.put("/incidents", json={"incidents": rows * 126}, headers=headers())

    assert (refused.status_code, done.status_code, much.status_code) == (404, 200, 413)
    assert sim.world.incidents[NEW].status == "resolved"


async def test_lists_cover_a_month_unless_asked_for_all(http, sim):
    sim.clock.advance(40 * 24 * 3600)

    month = (await http.get("/incidents", headers=headers())).json()["incidents"]
    everything = (await http.get("/incidents?date_range=all", headers=headers())).json()

    assert month == []
    assert len(everything["incidents"]) == 3


async def test_deep_pages_are_refused(http):
    answer = await http.get("/incidents?offset=9990&limit=100", headers=headers())

    assert code(answer) == (400, 2002)


async def test_an_incident_goes_by_its_number_too(http):
    answer = await http.get("/incidents/123", headers=headers())

    assert answer.json()["incident"]["id"] == NEW


async def test_too_many_requests_are_told_to_wait(http, sim):
    sim.world.switches.rate_limit = 2
    answers = [await http.get("/abilities", headers=headers()) for _ in range(3)]

    assert [one.status_code for one in answers] == [200, 200, 429]
    assert answers[1].headers["ratelimit-remaining"] == "0"
    assert answers[2].json()["error"]["code"] == 2020
    sim.clock.advance(61)
    assert (await http.get("/abilities", headers=headers())).status_code == 200


async def test_an_unknown_path_is_not_there(http):
    assert code(await http.get("/nothing", headers=headers())) == (404, 2100)


async def test_requests_that_the_vendor_ignores_are_noted(http, sim):
    body = {"incident": {"type": "incident_reference", "titel": "x"}}
    await http.put(f"/incidents/{NEW}", json=body, headers=headers())
    await http.get("/abilities", headers={"Authorization": "Token token=demo-key"})

    noted = [one["violations"] for one in sim.requests]
    assert noted == [["ignored fields: titel"], ["Accept header missing"]]
