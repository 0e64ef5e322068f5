"""Connectors through the API: settings, secrets, checks, subscription, set-up by redirect."""

import io
import json
import logging
from datetime import timedelta

import pytest
import structlog
from sqlalchemy import select, text

from hub import logs
from hub.connectors.models import Secret
from hub.settings import LoggingSettings
from tests.api.conftest import ACME, toy_body

ONE = f"{ACME}/connectors/my-toy"


@pytest.fixture
def platform_database(database):
    """Try both kinds of database."""
    return database


async def test_a_connector_is_made_and_its_secrets_are_never_shown(admin, toy, platform_database):
    answer = await admin.get(ONE)

    shown = answer.json()
    assert shown["settings"]["api_key"]["ending"] == "a1f3"
    assert shown["settings"]["api_key"]["by"] == "administrator of acme"
    assert shown["settings"]["webhook_secret"] == {"set": False}
    assert shown["webhook_url"].endswith("/t/acme/connectors/my-toy/webhook")
    assert answer.headers["etag"] == shown["etag"] == '"1"'
    assert "good-key" not in answer.text
    async with platform_database.reading() as session:
        row = (await session.scalars(select(Secret))).one()
        dumped = (await session.execute(text("SELECT * FROM connectors"))).all()
    assert b"good-key" not in row.sealed
    assert "good-key" not in str(dumped)


async def test_wrong_settings_get_a_pointer_per_fault(admin, vendor, tenant):
    body = toy_body(vendor, api_key="a b", retries=9, base_uri="x")
    del body["settings"]["base_url"]

    answer = await admin.post(f"{ACME}/connectors", json=body)

    problem = answer.json()
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert problem["type"] == "/problems/settings-invalid"
    assert {one["pointer"] for one in problem["errors"]} == {
        "/settings/api_key",
        "/settings/retries",
        "/settings/base_uri",
        "/settings/base_url",
    }
    assert "a b" not in answer.text


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"name": "No Spaces"}, "/name"),
        ({"type": "nothing"}, "/type"),
        ({"surprise": 1}, "/surprise"),
        ({"label": "a\x00b"}, ""),
        ({"settings": {"base_url": "\ud800"}}, ""),
    ],
)
async def test_a_wrong_member_is_named(admin, vendor, tenant, change, pointer):
    body = json.dumps(toy_body(vendor) | change)

    answer = await admin.post(
        f"{ACME}/connectors", content=body, headers={"Content-Type": "application/json"}
    )

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == pointer


async def test_a_name_is_taken_once(admin, toy, vendor):
    answer = await admin.post(f"{ACME}/connectors", json=toy_body(vendor))

    assert answer.status_code == 409


async def test_a_change_keeps_what_it_does_not_name(admin, toy):
    answer = await admin.patch(
        ONE,
        json={"settings": {"service_id": "S2", "api_key": toy["settings"]["api_key"]}},
        headers={"If-Match": '"1"'},
    )

    shown = answer.json()
    assert answer.status_code == 200, answer.text
    assert (shown["settings"]["service_id"], shown["etag"]) == ("S2", '"2"')
    assert shown["settings"]["api_key"]["ending"] == "a1f3"
    checked = (await admin.post(f"{ONE}/checks")).json()
    assert [one["ok"] for one in checked["checks"]][:2] == [True, True]


async def test_an_old_etag_is_refused_with_the_others_name_and_time(admin, toy, acting, tenant):
    other = await acting("administrator", tenant, None)
    await other.patch(ONE, json={"label": "Theirs"}, headers={"If-Match": '"1"'})

    answer = await admin.patch(ONE, json={"label": "Mine"}, headers={"If-Match": '"1"'})

    assert answer.status_code == 412
    assert "administrator of acme changed it at 20" in answer.json()["detail"]
    missing = await admin.patch(ONE, json={"label": "Mine"})
    assert missing.status_code == 428


async def test_a_secret_can_be_a_reference(admin, vendor, tenant, variables):
    answer = await admin.post(f"{ACME}/connectors", json=toy_body(vendor, api_key="env:TOY_KEY"))
    assert answer.json()["settings"]["api_key"]["reference"] == "env:TOY_KEY"
    assert (await admin.post(f"{ONE}/checks")).json()["ok"]

    variables.clear()
    held = (await admin.post(f"{ONE}/checks")).json()
    variables["TOY_KEY"] = "good-key-0000a1f3"
    back = (await admin.post(f"{ONE}/checks")).json()

    assert (held["ok"], back["ok"]) == (False, True)
    assert "env:TOY_KEY" in held["checks"][0]["text"]


@pytest.mark.parametrize("name", ["NOT_SET", "HUB_SECRETS__KEY"])
async def test_a_reference_that_leads_nowhere_is_a_fault(admin, vendor, tenant, name):
    answer = await admin.post(f"{ACME}/connectors", json=toy_body(vendor, api_key=f"env:{name}"))

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/settings/api_key"


async def test_checks_come_line_by_line(admin, toy, vendor):
    async with admin.stream(
        "POST", f"{ONE}/checks", headers={"Accept": "application/x-ndjson"}
    ) as answer:
        lines = [json.loads(line) async for line in answer.aiter_lines()]

    assert [(one["name"], one["ok"], one["text"]) for one in lines] == [
        ("api", True, "Connected to Toy API as acme"),
        ("service", True, "Service S1 accessible"),
        ("webhook", True, "Webhook disabled"),
        ("discovery", True, "Fields of 1 object read"),
    ]
    kept = (await admin.get(f"{ONE}/checks")).json()
    assert [one["name"] for one in kept["checks"]] == ["api", "service", "webhook", "discovery"]
    assert kept["ok"]


async def test_a_wrong_key_is_told_with_cause_and_remedy_and_holds_the_connector(
    admin, toy, vendor, app
):
    woken = []

    async def wake(_transaction, _tenant_id, connector_id):
        woken.append(str(connector_id))

    app.state.clients.states.when_usable(wake)
    vendor.keys.clear()

    report = (await admin.post(f"{ONE}/checks")).json()

    first, second = report["checks"][:2]
    assert (report["ok"], report["state"]) == (False, "needs_credentials")
    assert (first["ok"], first["fix"]) == (False, "Make a new key; set api_key.")
    assert "401" in first["text"]
    assert second["ok"] is None
    shown = (await admin.get(ONE)).json()
    assert (shown["state"], "401" in shown["state_detail"]) == ("needs_credentials", True)
    assert (await admin.get(f"{ONE}/health")).json()["health"] == "unhealthy"

    vendor.keys.add("good-key-0000a1f3")
    report = (await admin.post(f"{ONE}/checks")).json()

    assert (report["ok"], report["state"], woken) == (True, "active", [toy["id"]])
    told = (await admin.get(f"{ACME}/activity")).json()["items"]
    assert [one["level"] for one in told] == ["info", "error"]


async def test_a_new_key_lets_a_held_connector_try_again(admin, toy, vendor):
    vendor.keys = {"other-key-0000b2e4"}
    await admin.post(f"{ONE}/checks")

    answer = await admin.patch(
        ONE, json={"settings": {"api_key": "other-key-0000b2e4"}}, headers={"If-Match": "*"}
    )

    assert answer.json()["state"] == "active"
    assert (await admin.post(f"{ONE}/checks")).json()["ok"]


async def test_a_vendor_that_is_away_is_told_as_such(admin, toy, vendor):
    vendor.fault = (503, "<html>maintenance</html>")

    report = (await admin.post(f"{ONE}/checks")).json()
    choices = await admin.get(f"{ONE}/choices/services")

    assert [one["ok"] for one in report["checks"]][:2] == [False, None]
    assert (report["state"], choices.status_code) == ("active", 504)
    assert "503" in choices.json()["detail"]


async def test_live_lists_queries_and_fields(admin, toy):
    choices = (await admin.get(f"{ONE}/choices/services", params={"search": "bil"})).json()
    on_call = (await admin.post(f"{ONE}/queries/on_call", json={"service": "S1"})).json()
    fields = (await admin.get(f"{ONE}/fields", params={"object": "toy.ticket"})).json()

    assert choices == {"items": [{"value": "S2", "label": "Billing"}], "age_s": 0}
    assert on_call == {"service": "S1", "person": "Robin"}
    assert [(one["name"], one["declared"]) for one in fields["items"]] == [
        ("toy.ticket.title", True),
        ("toy.ticket.urgency", True),
        ("toy.ticket.Region__c", False),
    ]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/choices/nothing", 404),
        ("POST", "/queries/nothing", 404),
        ("POST", "/queries/on_call", 422),
        ("GET", "/fields?object=toy.nothing", 404),
        ("GET", "/fields", 422),
        ("PUT", "/objects/toy.Nothing__c", 404),
        ("DELETE", "/objects/toy.Asset__c", 404),
    ],
)
async def test_what_there_is_not_is_told(admin, toy, method, path, status):
    answer = await admin.request(method, ONE + path, json={} if method != "GET" else None)

    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


async def test_an_object_is_adopted_and_dropped(admin, toy):
    offered = (await admin.get(f"{ONE}/objects")).json()["items"]
    adopted = await admin.put(f"{ONE}/objects/toy.Asset__c", json={"polled": True})
    fields = (await admin.get(f"{ONE}/fields", params={"object": "toy.Asset__c"})).json()
    dropped = await admin.delete(f"{ONE}/objects/toy.Asset__c")

    assert [(one["name"], one["declared"]) for one in offered] == [
        ("toy.ticket", True),
        ("toy.Asset__c", False),
        ("toy.Order__c", False),
    ]
    assert adopted.json()["adopted"]
    assert len(fields["items"]) == 2
    assert dropped.status_code == 204


async def test_a_subscription_is_made_once_and_its_secret_stored(admin, toy, vendor, app):
    made = (await admin.put(f"{ONE}/subscription")).json()
    again = (await admin.put(f"{ONE}/subscription")).json()
    shown = (await admin.get(ONE)).json()
    opened = await app.state.clients.by_name("acme", "my-toy")

    assert (made["id"], made["active"], again["id"]) == ("W1", True, "W1")
    assert made["url"] == shown["webhook_url"]
    assert shown["enabled_webhook"]
    assert opened.settings.webhook_secret.get_secret_value() == "whsec-0000-1111-2222"
    assert (await admin.post(f"{ONE}/subscription/ping")).json() == {"text": "Ping sent"}
    checked = (await admin.post(f"{ONE}/checks")).json()
    assert "Webhook endpoint configured (W1)" in [one["text"] for one in checked["checks"]]
    assert (await admin.delete(f"{ONE}/subscription")).status_code == 204
    assert not (await admin.get(f"{ONE}/subscription")).json()["active"]
    assert not (await admin.get(ONE)).json()["enabled_webhook"]


async def test_a_subscription_whose_secret_nobody_knows_is_a_conflict(admin, toy, vendor):
    url = toy["webhook_url"]
    vendor.subscriptions.append({"id": "W9", "url": url, "active": True})

    answer = await admin.put(f"{ONE}/subscription")

    assert answer.status_code == 409
    assert "webhook_secret" in answer.json()["detail"]


async def test_webhooks_are_not_accepted_unsigned_by_mistake(admin, toy, vendor):
    refused = await admin.patch(ONE, json={"enabled_webhook": True}, headers={"If-Match": "*"})
    wanted = await admin.patch(
        ONE, json={"enabled_webhook": True, "allow_unsigned": True}, headers={"If-Match": "*"}
    )

    assert refused.status_code == 422
    assert refused.json()["errors"][0]["pointer"] == "/enabled_webhook"
    assert wanted.json()["enabled_webhook"]


async def test_a_connector_is_paused_and_taken_up_again(admin, toy):
    paused = await admin.patch(ONE, json={"state": "paused"}, headers={"If-Match": "*"})
    active = await admin.patch(ONE, json={"state": "active"}, headers={"If-Match": "*"})

    assert (paused.json()["state"], active.json()["state"]) == ("paused", "active")


async def test_a_connector_is_deleted_with_its_secrets(admin, toy, platform_database, app):
    await app.state.clients.by_name("acme", "my-toy")

    assert (await admin.delete(ONE, headers={"If-Match": '"9"'})).status_code == 412
    assert (await admin.delete(ONE, headers={"If-Match": '"1"'})).status_code == 204

    assert (await admin.get(ONE)).status_code == 404
    assert (await admin.post(f"{ONE}/checks")).status_code == 404
    async with platform_database.reading() as session:
        assert not (await session.scalars(select(Secret))).all()


async def test_a_set_up_by_redirect_is_finished_once_by_whoever_has_its_state(
    admin, toy, vendor, calling, app
):
    begun = (await admin.post(f"{ONE}/handshake")).json()["url"]
    state = begun.partition("state=")[2]
    browser, call_back = calling(None), "/t/acme/connectors/my-toy/handshake"

    forged = await browser.get(call_back, params={"state": "x" * 43, "code": "c1"})
    done = await browser.get(call_back, params={"state": state, "code": "c1"})
    again = await browser.get(call_back, params={"state": state, "code": "c1"})

    assert begun.startswith(f"{vendor.url}/authorize?redirect_uri=http")
    assert [forged.status_code, done.status_code, again.status_code] == [403, 200, 403]
    opened = await app.state.clients.by_name("acme", "my-toy")
    assert opened.settings.api_key.get_secret_value() == "token-for-c1"


async def test_every_change_is_audited_without_secrets(admin, toy):
    await admin.patch(
        ONE, json={"settings": {"api_key": "new-key-1234567"}}, headers={"If-Match": "*"}
    )
    await admin.delete(ONE, headers={"If-Match": "*"})

    told = (await admin.get(f"{ACME}/audit")).json()["items"]

    assert [one["action"] for one in told] == [
        "connector deleted",
        "connector changed",
        "connector added",
    ]
    assert told[1]["after"] == {"replaced": ["api_key"]}
    assert {one["actor"] for one in told} == {"administrator of acme"}
    assert "new-key" not in json.dumps(told)


async def test_connectors_come_in_pages_by_name(admin, vendor, tenant):
    for name in ("c", "a", "b"):
        await admin.post(f"{ACME}/connectors", json=toy_body(vendor) | {"name": name})

    first = (await admin.get(f"{ACME}/connectors", params={"limit": 2})).json()
    second = (
        await admin.get(f"{ACME}/connectors", params={"limit": 2, "cursor": first["next"]})
    ).json()

    names = [[one["name"] for one in page["items"]] for page in (first, second)]
    assert (names, second["next"]) == ([["a", "b"], ["c"]], None)


async def test_no_secret_reaches_the_log_nor_an_answer(admin, vendor, tenant):
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    stream = io.StringIO()
    logs.configure(LoggingSettings(level="debug", format="json"), stream=stream)
    told = [await admin.post(f"{ACME}/connectors", json=toy_body(vendor))]
    told.append(await admin.post(f"{ONE}/checks"))
    vendor.fault = (400, "you sent good-key-0000a1f3")
    told.append(await admin.post(f"{ONE}/checks"))
    told.append(await admin.get(f"{ONE}/choices/services"))
    told += [await admin.get(f"{ACME}{path}") for path in ("/activity", "/audit", "/connectors")]
    root.handlers[:], root.level = before, level
    structlog.reset_defaults()

    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    requests = [one for one in lines if one["event"] == "request answered"]
    assert (requests[0]["method"], requests[0]["status"]) == ("POST", 201)
    assert requests[0]["actor"] == "administrator of acme"
    assert "good-key" not in stream.getvalue()
    assert "good-key" not in "".join(one.text for one in told)
    assert "[hidden]" in told[2].text


async def test_old_secrets_are_told_by_the_checks(admin, toy, clock):
    clock.ahead = timedelta(days=91)

    lines = (await admin.post(f"{ONE}/checks")).json()["checks"]

    assert lines[-1]["name"] == "secrets"
    assert "api_key (91 days)" in lines[-1]["text"]
    assert (await admin.get(f"{ONE}/health")).json()["oldest_secret_days"] == 91


async def test_a_query_parameter_is_checked(admin, toy):
    answer = await admin.post(f"{ONE}/queries/on_call", json={"service": ""})

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/service"


async def test_options_of_every_connector_are_kept_in_one_form(admin, toy):
    etag = (await admin.get(ONE)).headers["etag"]

    changed = await admin.patch(
        ONE,
        json={
            "poll_every_s": 90,
            "allowed_ips": ["192.0.2.7", " 198.51.100.9/24 "],
            "quota_guard": {"polling": 80},
            "reconcile_every_h": 0,
        },
        headers={"If-Match": etag},
    )

    shown = changed.json()
    assert changed.status_code == 200
    assert shown["poll_every_s"] == 90
    assert shown["allowed_ips"] == ["192.0.2.7/32", "198.51.100.0/24"]
    shares = {"imports": 70, "comments": 80, "notes": 80, "polling": 80, "ordinary": 95}
    assert shown["quota_guard"] == shares
    assert shown["reconcile_every_h"] == 0


@pytest.mark.parametrize(
    ("wrong", "pointer"),
    [
        ({"allowed_ips": ["192.0.2.300"]}, "/allowed_ips/0"),
        ({"quota_guard": {"imports": 96}}, "/quota_guard"),
        ({"quota_guard": {"polling": 101}}, "/quota_guard/polling"),
        ({"poll_every_s": 9}, "/poll_every_s"),
    ],
)
async def test_options_that_are_wrong_are_named(admin, toy, wrong, pointer):
    answer = await admin.patch(ONE, json=wrong, headers={"If-Match": "*"})

    assert answer.status_code == 422
    assert [one["pointer"] for one in answer.json()["errors"]] == [pointer]
