"""The simulator's pages for consent, Connect and Simple Install."""

import base64
import hashlib
import json
import re
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest

from hub_pagerduty.testing.partners import APP_ID, VENDOR
from hub_pagerduty.testing.seed import APP

BACK = "https://app.example/back?kept=1"
VERIFIER = "v" * 64
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=")
ASKED = {
    "client_id": APP[0],
    "redirect_uri": BACK,
    "response_type": "code",
    "scope": "incidents.read openid.nonsense",
    "code_challenge": CHALLENGE.decode(),
    "code_challenge_method": "S256",
    "state": "s1",
}
SECRET = {"client_id": APP[0], "client_secret": APP[1]}


async def consent(http, what="Allow", **more):
    page = await http.get("/oauth/authorize", params=ASKED | more)
    link = re.search(rf'href="([^"]+)">{what}<', page.text)
    answer = await http.get(link.group(1).replace("&amp;", "&"))
    return dict(parse_qsl(urlsplit(answer.headers["location"]).query))


async def token(http, **form):
    answer = await http.post("/oauth/token", data=SECRET | form)
    return answer.status_code, answer.json()


async def fetch(http, code, **more):
    given = {"grant_type": "authorization_code", "code": code, "redirect_uri": BACK}
    return await token(http, **(given | {"code_verifier": VERIFIER} | more))


async def test_consent_leads_to_a_token_of_the_person_with_known_scopes_only(http):
    back = await consent(http)

    status, got = await fetch(http, back["code"])

    assert (back["kept"], back["state"], status, got["scope"]) == ("1", "s1", 200, "incidents.read")
    bearer = {"Authorization": f"Bearer {got['access_token']}"}
    accept = {"Accept": "application/vnd.pagerduty+json;version=2"}
    assert (await http.get("/incidents", headers=bearer | accept)).status_code == 200
    assert (await http.get("/services", headers=bearer | accept)).status_code == 403


async def test_a_refresh_token_turns_with_each_use(http):
    _, first = await fetch(http, (await consent(http))["code"])

    kind = {"grant_type": "refresh_token"}
    status, second = await token(http, **kind, refresh_token=first["refresh_token"])
    again, refused = await token(http, **kind, refresh_token=first["refresh_token"])

    assert (status, again, refused["error"]) == (200, 400, "invalid_grant")
    assert second["refresh_token"] != first["refresh_token"]


async def test_a_code_is_good_once_for_half_a_minute(http, sim):
    code = (await consent(http))["code"]
    assert (await fetch(http, code))[0] == 200
    assert (await fetch(http, code))[0] == 400

    late = (await consent(http))["code"]
    sim.clock.advance(31)
    assert (await fetch(http, late))[0] == 400


@pytest.mark.parametrize("wrong", [{"code_verifier": "x" * 64}, {"redirect_uri": "https://b.c"}])
async def test_a_code_needs_its_verifier_and_its_address(http, wrong):
    assert (await fetch(http, (await consent(http))["code"], **wrong))[0] == 400


async def test_who_denies_gives_no_code(http):
    back = await consent(http, "Deny")

    assert (back["error"], "code" in back) == ("access_denied", False)


@pytest.mark.parametrize(
    "wrong",
    [
        {"client_id": "nobody"},
        {"code_challenge": ""},
        {"response_type": "token"},
        {"redirect_uri": "javascript:alert(1)"},
    ],
)
async def test_a_bad_request_for_consent_goes_nowhere(http, wrong):
    page = await http.get("/oauth/authorize", params=ASKED | wrong)
    skipped = await http.get("/oauth/consent", params=ASKED | wrong | {"do": "allow"})

    assert (page.status_code, skipped.status_code) == (400, 400)


async def test_connect_makes_a_new_service_and_a_key_that_works(http, sim):
    asked = {"vendor": VENDOR, "callback": BACK, "name": "Brand new"}
    answer = await http.get("/connect/done", params=asked)

    back = dict(parse_qsl(urlsplit(answer.headers["location"]).query))
    assert (back["kept"], back["account"], back["service_name"]) == ("1", "demo", "Brand new")
    event = {
        "service_key": back["service_key"],
        "event_type": "trigger",
        "description": "x",
        "vendor": VENDOR,
    }
    sent = await http.post("/generic/2010-04-15/create_event.json", json=event)
    assert (sent.status_code, sim.events[-1]["vendor"]) == (200, VENDOR)


@pytest.mark.parametrize("wrong", [{"vendor": "unknown"}, {"callback": "data:text/html,x"}])
async def test_connect_refuses_strangers(http, wrong):
    asked = {"vendor": VENDOR, "callback": BACK} | wrong

    assert (await http.get("/connect", params=asked)).status_code == 400
    assert (await http.get("/connect/done", params=asked | {"cancel": "1"})).status_code == 400


async def test_simple_install_answers_with_several_keys_or_with_none(http, sim):
    sim.world.switches.capital_name = sim.world.switches.rule_set_keys = True
    asked = {"app_id": APP_ID, "redirect_url": BACK, "version": "2"}

    page = await http.get("/install/integration", params=asked)
    done = await http.get("/install/done", params={**asked, "service": ["PAPI001", "PWEB001"]})
    cancelled = await http.get("/install/done", params=asked)

    assert page.status_code == 200
    config = json.loads(parse_qs(urlsplit(done.headers["location"]).query)["config"][0])
    assert [one.get("Name", one.get("name")) for one in config["integration_keys"]] == [
        sim.world.services["PAPI001"].name,
        sim.world.services["PWEB001"].name,
        "Rules",
    ]
    assert cancelled.headers["location"] == BACK
