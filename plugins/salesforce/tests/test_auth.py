"""Signing in: five flows, every refusal, one session for all."""

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from hub import AuthenticationFailed, RateLimited, Unavailable
from hub_salesforce.auth.session import Session
from hub_salesforce.settings import SalesforceSettings
from hub_salesforce.testing import (
    CONSUMER_KEY,
    CONSUMER_SECRET,
    INTEGRATION,
    REFRESH_TOKEN,
    FakeSalesforce,
    settings_for,
)
from hub_salesforce.testing.world import World

MY_DOMAIN = "https://acme.my.salesforce.com"
APP = {"consumer_key": CONSUMER_KEY, "consumer_secret": CONSUMER_SECRET}
PERSON = {"username": INTEGRATION, "password": "correct horse", "security_token": "TOKEN"}
FLOWS = {
    "client_credentials": {**APP, "login_url": MY_DOMAIN},
    "refresh_token": {**APP, "refresh_token": REFRESH_TOKEN},
    "oauth_password": {**APP, **PERSON},
    "password": PERSON,
}


@pytest.fixture
def session(
    http: httpx.AsyncClient, clock: Any, settings: SalesforceSettings
) -> Callable[..., Session]:
    """Make a session; JWT unless `auth` and its settings are given."""

    def session(**given: Any) -> Session:
        base = settings.model_dump() if "auth" not in given else {}
        return Session(SalesforceSettings.model_validate({**base, **given}), http, clock)

    return session


@pytest.mark.covers("RF-034", "RF-051", "RF-052")
async def test_jwt_signs_in_as_the_user(
    session: Callable[..., Session], org: FakeSalesforce
) -> None:
    access = await session().access()

    assert access.organization_id == org.world.id
    assert access.user_id == org.world.users[INTEGRATION].id
    assert access.instance_url == "http://127.0.0.1"
    assert access.token not in repr(access)


@pytest.mark.parametrize("auth", FLOWS)
async def test_every_other_flow_signs_in_as_the_same_user(
    session: Callable[..., Session], org: FakeSalesforce, auth: str
) -> None:
    access = await session(auth=auth, **FLOWS[auth]).access()

    assert access.user_id == org.world.users[INTEGRATION].id
    assert access.instance_url == MY_DOMAIN
    assert access.token in org.world.sessions


async def test_named_hosts_lead_to_my_domain(session: Callable[..., Session]) -> None:
    access = await session(login_url="https://login.salesforce.com").access()

    assert access.instance_url == MY_DOMAIN


async def test_a_slash_after_the_instance_is_taken_off(
    session: Callable[..., Session], org: FakeSalesforce
) -> None:
    org.world.switches.slash_after_instance = True

    assert (await session().access()).instance_url == "http://127.0.0.1"


@pytest.mark.covers("SF-047")
async def test_soap_login_warns_of_its_end(session: Callable[..., Session]) -> None:
    access = await session(auth="password", **PERSON).access()

    assert "1 June 2027" in access.notes[0]


async def test_a_rotated_refresh_token_replaces_the_old_one(
    session: Callable[..., Session], org: FakeSalesforce
) -> None:
    org.world.apps[CONSUMER_KEY].rotates = True
    kept = session(auth="refresh_token", **FLOWS["refresh_token"])

    first = await kept.access()
    second = await kept.access(instead_of=first.token)

    assert first.token != second.token
    assert REFRESH_TOKEN not in org.world.apps[CONSUMER_KEY].refresh_tokens


async def test_callers_at_once_share_one_sign_in(
    session: Callable[..., Session], org: FakeSalesforce
) -> None:
    one = session()

    found = await asyncio.gather(*(one.access() for _ in range(10)))

    assert len({access.token for access in found}) == 1
    assert len(org.log.rows) == 1


async def test_callers_at_once_share_a_refusal(
    session: Callable[..., Session], org: FakeSalesforce
) -> None:
    one = session(auth="password", **{**PERSON, "password": "wrong"})

    found = await asyncio.gather(*(one.access() for _ in range(10)), return_exceptions=True)

    assert all(isinstance(error, AuthenticationFailed) for error in found)
    assert len(org.log.rows) == 1
    assert org.world.users[INTEGRATION].failures == 1


async def test_a_refused_sign_in_is_tried_again_after_a_while(
    session: Callable[..., Session], org: FakeSalesforce, clock: Any
) -> None:
    one = session(auth="password", **PERSON)
    org.world.switches.soap_login = False
    with pytest.raises(AuthenticationFailed):
        await one.access()
    org.world.switches.soap_login = True

    clock.advance(31)

    assert (await one.access()).token


async def test_a_renewal_is_asked_for_once(
    session: Callable[..., Session], org: FakeSalesforce
) -> None:
    one = session()
    old = (await one.access()).token

    found = await asyncio.gather(*(one.access(instead_of=old) for _ in range(5)))

    assert len({access.token for access in found}) == 1
    assert len(org.log.rows) == 2


def _set(name: str, value: object) -> Callable[[World], None]:
    return lambda world: setattr(world.switches, name, value)


def _user(name: str, value: object) -> Callable[[World], None]:
    return lambda world: setattr(world.users[INTEGRATION], name, value)


def _app(name: str, value: object) -> Callable[[World], None]:
    return lambda world: setattr(world.apps[CONSUMER_KEY], name, value)


def _nothing(_world: World) -> None:
    return


def _young(world: World) -> None:
    world.apps[CONSUMER_KEY].active_from = world.now().replace(hour=23)


def _not_approved_before(world: World) -> None:
    world.apps[CONSUMER_KEY].admin_approved = False
    world.apps[CONSUMER_KEY].refresh_tokens.clear()


REFUSALS = {
    "unknown consumer key": ({"consumer_key": "other"}, _nothing, "2-10 minutes"),
    "young app": ({}, _young, "2-10 minutes"),
    "sandbox setting": ({"sandbox": True}, _nothing, "'Use sandbox account'"),
    "other certificate": ({}, _app("certificates", []), "does not belong to the certificate"),
    "unknown user": ({"username": "x@acme.example"}, _nothing, "not in the org"),
    "profile not ticked": ({}, _user("approved", False), "tick the profile"),
    "profile, newer name": (
        {},
        lambda world: (
            _user("approved", False)(world),
            _set("refusal_name", "invalid_app_access")(world),
        ),
        "tick the profile",
    ),
    "not pre-authorised": ({}, _not_approved_before, "pre-authorized"),
    "inactive user": ({}, _user("active", False), "activate the integration user"),
    "inactive org": ({}, _set("org_active", False), "not active"),
    "wrong secret": (
        {"auth": "oauth_password", **APP, **PERSON, "consumer_secret": "no"},
        _nothing,
        "consumer secret is wrong",
    ),
    "wrong password": (
        {"auth": "oauth_password", **APP, **PERSON, "password": "no"},
        _nothing,
        "wrong password or security token",
    ),
    "flow switched off": (
        {"auth": "oauth_password", **APP, **PERSON},
        _set("password_flow", False),
        "switched off",
    ),
    "client credentials at the login host": (
        {"auth": "client_credentials", **APP, "login_url": "https://login.salesforce.com"},
        _nothing,
        "My Domain",
    ),
    "nobody to run as": (
        {"auth": "client_credentials", **APP, "login_url": MY_DOMAIN},
        _app("run_as", None),
        "Run As user",
    ),
    "revoked refresh token": (
        {"auth": "refresh_token", **APP, "refresh_token": "no"},
        _nothing,
        "approve again",
    ),
    "soap: wrong": ({"auth": "password", **PERSON, "password": "no"}, _nothing, "locked out"),
    "soap: no token": (
        {"auth": "password", "username": INTEGRATION, "password": "correct horse"},
        _nothing,
        "security token",
    ),
    "soap: locked": ({"auth": "password", **PERSON}, _user("locked", True), "unlock it"),
    "soap: off": ({"auth": "password", **PERSON}, _set("soap_login", False), "change over to JWT"),
    "soap: no API": ({"auth": "password", **PERSON}, _set("api", False), "no API access"),
    "soap: trial over": (
        {"auth": "password", **PERSON},
        _set("soap_fault", "TRIAL_EXPIRED"),
        "trial of this org is over",
    ),
    "soap: expired password": (
        {"auth": "password", **PERSON},
        _user("password_expired", True),
        "password of the integration user has expired",
    ),
}


@pytest.mark.covers("RF-040", "RF-042", "RF-044", "RF-045", "SF-008")
@pytest.mark.parametrize("case", REFUSALS)
async def test_a_refused_sign_in_says_what_to_do(
    session: Callable[..., Session], org: FakeSalesforce, case: str
) -> None:
    given, break_it, remedy = REFUSALS[case]
    break_it(org.world)

    with pytest.raises(AuthenticationFailed) as refused:
        await session(**given).access()

    assert remedy in str(refused.value)
    assert "correct horse" not in str(refused.value)


async def test_a_wrong_clock_is_told_by_how_much(
    session: Callable[..., Session], org: FakeSalesforce
) -> None:
    org.world.advance(900)

    with pytest.raises(AuthenticationFailed, match="-900 s"):
        await session().access()


async def test_a_hiccup_of_the_token_endpoint_is_tried_again(
    session: Callable[..., Session], org: FakeSalesforce
) -> None:
    org.faults.add("token_error")

    with pytest.raises(Unavailable):
        await session().access()

    assert (await session().access()).token


async def test_a_proxy_page_is_no_sign_in(
    session: Callable[..., Session], org: FakeSalesforce
) -> None:
    org.faults.add("login_page")

    with pytest.raises(Unavailable, match="sign-in address"):
        await session().access()


async def test_too_many_sign_ins_wait(session: Callable[..., Session], org: FakeSalesforce) -> None:
    user = org.world.users[INTEGRATION]
    user.sign_ins = [org.world.now()] * 3600

    with pytest.raises(RateLimited):
        await session().access()


async def test_soap_escapes_what_people_choose(
    session: Callable[..., Session], org: FakeSalesforce
) -> None:
    org.world.users[INTEGRATION].password = "<&\"'>"

    access = await session(auth="password", **{**PERSON, "password": SecretStr("<&\"'>")}).access()

    assert access.token
    assert all("<&" not in str(row.body) for row in org.log.rows)


async def test_settings_for_the_simulator_just_work(
    http: httpx.AsyncClient, org: FakeSalesforce, clock: Any
) -> None:
    settings = SalesforceSettings.model_validate(settings_for(org, "http://127.0.0.1:8080"))

    access = await Session(settings, http, clock).access()

    assert access.instance_url == "http://127.0.0.1:8080"
