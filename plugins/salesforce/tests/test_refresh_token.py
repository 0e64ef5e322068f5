"""Signing in by refresh token: approved in the browser, kept when Salesforce turns it."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from pydantic import SecretStr

import hub
from hub_salesforce import kit
from hub_salesforce.auth.session import Session
from hub_salesforce.client import SalesforceClient
from hub_salesforce.settings import Auth, SalesforceSettings
from hub_salesforce.testing import (
    CONSUMER_KEY,
    CONSUMER_SECRET,
    INTEGRATION,
    REFRESH_TOKEN,
    FakeSalesforce,
)

BASE = "http://127.0.0.1"
BACK = "https://hub.example/t/acme/connectors/sf/handshake"
HANDSHAKE: hub.Handshake[SalesforceSettings] = kit.handshake()


class Vault:
    """What the hub stores for one connector."""

    def __init__(self, **stored: str) -> None:
        self.stored = stored
        self.kept: list[Mapping[str, str]] = []

    async def keep(self, secrets: Mapping[str, str]) -> None:
        self.kept.append(secrets)
        self.stored |= secrets

    async def current(self) -> Mapping[str, str]:
        return self.stored


def settings_with(token: str | None) -> SalesforceSettings:
    return SalesforceSettings(
        auth=Auth.REFRESH_TOKEN,
        consumer_key=CONSUMER_KEY,
        consumer_secret=SecretStr(CONSUMER_SECRET),
        login_url=BASE,
        refresh_token=SecretStr(token) if token else None,
    )


def turning(org: FakeSalesforce) -> Any:
    app = org.world.apps[CONSUMER_KEY]
    app.rotates = True
    return app


async def approve(http: httpx.AsyncClient, url: str, decision: str = "allow") -> dict[str, str]:
    """Do what the administrator does in the browser; returns what the hub is called with."""
    chosen = {"decision": decision, "username": INTEGRATION}
    answer = await http.get(httpx.URL(url).copy_merge_params(chosen))
    assert answer.status_code == 302
    back = urlsplit(answer.headers["location"])
    assert f"{back.scheme}://{back.netloc}{back.path}" == BACK
    return {name: values[0] for name, values in parse_qs(back.query).items()}


async def test_an_approval_in_the_browser_ends_in_a_connector_that_signs_in(
    org: FakeSalesforce, http: httpx.AsyncClient, clock: Any
) -> None:
    begun = settings_with(None)
    url = HANDSHAKE.start(begun, BACK)
    page = await http.get(url)
    query = await approve(http, f"{url}&state=s1")
    settings = await HANDSHAKE.complete(http, begun, {**query, "redirect_uri": BACK})
    access = await SalesforceClient(settings, http, now=clock).session.access()

    assert "Allow" in page.text
    assert query["state"] == "s1"
    assert settings.auth is Auth.REFRESH_TOKEN
    assert access.user_id == org.world.users[INTEGRATION].id
    assert settings.organization_id == org.world.id


async def test_any_sign_in_becomes_one_by_refresh_token(
    settings: SalesforceSettings, http: httpx.AsyncClient
) -> None:
    query = await approve(http, HANDSHAKE.start(settings, BACK))
    done = await HANDSHAKE.complete(http, settings, {**query, "redirect_uri": BACK})

    assert (settings.auth, done.auth) == (Auth.JWT, Auth.REFRESH_TOKEN)
    assert SalesforceSettings.model_validate(done.model_dump()) == done


async def test_turning_away_changes_nothing(http: httpx.AsyncClient) -> None:
    url = HANDSHAKE.start(settings_with(None), BACK)
    query = await approve(http, url, "deny")

    with pytest.raises(hub.Cancelled, match="not approved"):
        await HANDSHAKE.complete(http, settings_with(None), query)


async def test_a_code_is_good_once_and_only_for_its_call_back(http: httpx.AsyncClient) -> None:
    settings = settings_with(None)
    query = await approve(http, HANDSHAKE.start(settings, BACK))

    with pytest.raises(hub.AuthenticationFailed, match="redirect_uri must match"):
        await HANDSHAKE.complete(http, settings, {**query, "redirect_uri": "https://other"})
    with pytest.raises(hub.AuthenticationFailed, match="expired authorization code"):
        await HANDSHAKE.complete(http, settings, {**query, "redirect_uri": BACK})


async def test_an_app_without_the_scope_is_told_what_it_lacks(
    org: FakeSalesforce, http: httpx.AsyncClient
) -> None:
    org.world.apps[CONSUMER_KEY].scopes = "api"
    query = await approve(http, HANDSHAKE.start(settings_with(None), BACK))

    with pytest.raises(hub.Rejected, match="offline_access"):
        await HANDSHAKE.complete(http, settings_with(None), {**query, "redirect_uri": BACK})


async def test_before_the_approval_the_connector_says_what_to_do(http: httpx.AsyncClient) -> None:
    with pytest.raises(hub.AuthenticationFailed, match=r"approve .* in the browser \(Connect\)"):
        await Session(settings_with(None), http).access()


async def test_a_turned_token_is_kept_before_it_is_used_again(
    org: FakeSalesforce, http: httpx.AsyncClient, clock: Any
) -> None:
    app, vault = turning(org), Vault(refresh_token=REFRESH_TOKEN)
    client = SalesforceClient(settings_with(REFRESH_TOKEN), http, now=clock)
    kit.vault(client, vault)

    await client.get("/limits")
    org.world.expire_sessions()
    await client.get("/limits")

    assert len(vault.kept) == 2
    assert vault.stored["refresh_token"] in app.refresh_tokens
    assert REFRESH_TOKEN not in app.refresh_tokens


async def test_a_hub_that_restarts_goes_on_with_the_turned_token(
    org: FakeSalesforce, http: httpx.AsyncClient
) -> None:
    turning(org)
    vault = Vault(refresh_token=REFRESH_TOKEN)
    first = Session(settings_with(REFRESH_TOKEN), http)
    first.keeps_in(vault)
    await first.access()
    second = Session(settings_with(vault.stored["refresh_token"]), http)
    second.keeps_in(vault)

    assert (await second.access()).token


async def test_a_process_whose_token_another_one_turned_takes_the_stored_one(
    org: FakeSalesforce, http: httpx.AsyncClient
) -> None:
    turning(org)
    vault = Vault(refresh_token=REFRESH_TOKEN)
    here, there = (Session(settings_with(REFRESH_TOKEN), http) for _ in range(2))
    for one in (here, there):
        one.keeps_in(vault)

    await here.access()

    assert (await there.access()).token
    assert len(vault.kept) == 2


async def test_a_token_that_was_taken_away_asks_for_a_new_approval(
    org: FakeSalesforce, http: httpx.AsyncClient
) -> None:
    org.world.apps[CONSUMER_KEY].refresh_tokens.clear()
    vault = Vault(refresh_token=REFRESH_TOKEN)
    session = Session(settings_with(REFRESH_TOKEN), http)
    session.keeps_in(vault)

    with pytest.raises(hub.AuthenticationFailed, match="approve again"):
        await session.access()


async def test_a_token_that_does_not_turn_is_not_stored_anew(http: httpx.AsyncClient) -> None:
    vault = Vault(refresh_token=REFRESH_TOKEN)
    session = Session(settings_with(REFRESH_TOKEN), http)
    session.keeps_in(vault)
    await session.access()

    assert vault.kept == []
