"""The OAuth flows: JWT bearer, client credentials, refresh token, username and password."""

import base64
import json
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

import hub
from hub_salesforce import keys
from hub_salesforce.auth.access import Access
from hub_salesforce.auth.refusals import refusal
from hub_salesforce.ids import is_id, to_18

if TYPE_CHECKING:
    import httpx
    from pydantic import SecretStr

    from hub_salesforce.settings import SalesforceSettings

LIFETIME = 180
"""Seconds that an assertion is good for; Salesforce takes at most ten minutes."""
_JWT_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"


async def by_jwt(
    settings: "SalesforceSettings", http: "httpx.AsyncClient", now: datetime
) -> Access:
    """Sign in with an assertion that the connected app's certificate proves."""
    claims = {
        "iss": settings.consumer_key,
        "sub": settings.username,
        "aud": settings.jwt_audience,
        "exp": int(now.timestamp()) + LIFETIME,
    }
    assertion = sign(claims, _plain(settings.private_key))
    return await _token(settings, http, now, {"grant_type": _JWT_GRANT, "assertion": assertion})


async def by_client_credentials(
    settings: "SalesforceSettings", http: "httpx.AsyncClient", now: datetime
) -> Access:
    """Sign in as the app's Run As user; only at the org's My Domain."""
    form = {"grant_type": "client_credentials", **_app(settings)}
    return await _token(settings, http, now, form)


async def by_refresh_token(
    settings: "SalesforceSettings", http: "httpx.AsyncClient", now: datetime
) -> Access:
    """Sign in with the refresh token of an earlier approval."""
    if not _plain(settings.refresh_token):
        raise hub.AuthenticationFailed(
            "there is no refresh token yet: approve the connected app in the browser (Connect)"
        )
    form = {
        "grant_type": "refresh_token",
        "refresh_token": _plain(settings.refresh_token),
        **_app(settings),
    }
    return await _token(settings, http, now, form)


async def by_code(
    settings: "SalesforceSettings",
    http: "httpx.AsyncClient",
    now: datetime,
    *,
    code: str,
    call_back: str,
) -> Access:
    """Sign in with the code that an approval in the browser gave; it is good once."""
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": call_back}
    return await _token(settings, http, now, {**form, **_app(settings)})


async def by_oauth_password(
    settings: "SalesforceSettings", http: "httpx.AsyncClient", now: datetime
) -> Access:
    """Sign in with username, password and security token through the connected app."""
    form = {
        "grant_type": "password",
        "username": settings.username,
        "password": settings.whole_password,
        **_app(settings),
    }
    return await _token(settings, http, now, form)


def sign(claims: Mapping[str, object], private_key: str) -> str:
    """Return the RS256 assertion of `claims`."""
    head = _segment({"alg": "RS256"})
    unsigned = f"{head}.{_segment(claims)}"
    signature = keys.sign(unsigned.encode(), private_key)
    return f"{unsigned}.{_base64(signature)}"


async def _token(
    settings: "SalesforceSettings",
    http: "httpx.AsyncClient",
    now: datetime,
    form: Mapping[str, str],
) -> Access:
    url = f"{settings.sign_in_url}/services/oauth2/token"
    answer = await http.post(url, data=form, headers={"Accept": "application/json"})
    if answer.status_code != 200:
        raise refusal(answer, now)
    return _access(answer)


def _access(answer: "httpx.Response") -> Access:
    try:
        body = answer.json()
        identity = str(body["id"]).rstrip("/").split("/")
        return Access(
            token=str(body["access_token"]),
            instance_url=str(body["instance_url"]).rstrip("/"),
            organization_id=_id(identity[-2]),
            user_id=_id(identity[-1]),
            scope=str(body.get("scope", "")),
            refresh_token=body.get("refresh_token"),
        )
    except (ValueError, KeyError, IndexError, TypeError) as error:
        words = "the sign-in was answered with something other than a token"
        raise hub.Unavailable(f"{words}: check the sign-in address") from error


def _app(settings: "SalesforceSettings") -> dict[str, str]:
    secret = _plain(settings.consumer_secret)
    key = {"client_id": settings.consumer_key}
    return {**key, "client_secret": secret} if secret else key


def _id(text: str) -> str:
    return to_18(text) if is_id(text) else text


def _plain(secret: "SecretStr | None") -> str:
    return secret.get_secret_value() if secret else ""


def _segment(part: Mapping[str, object]) -> str:
    return _base64(json.dumps(part, separators=(",", ":")).encode())


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
