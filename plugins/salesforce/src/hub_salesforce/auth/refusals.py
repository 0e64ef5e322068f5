"""What the token endpoint's refusals mean, and what to do about each."""

from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

import hub

if TYPE_CHECKING:
    from datetime import datetime

    import httpx

SUNSET = (
    "SOAP login() is being retired: API versions from 65.0 do not have it, new orgs have it "
    "switched off, and it ends with Summer '27 (1 June 2027). Change over to JWT"
)
_LOGIN_PAUSE = 300.0
_TRANSIENT = frozenset({"server_error", "temporarily_unavailable", "unknown_error"})

_APPROVE = (
    "set Permitted Users to 'Admin approved users are pre-authorized', tick the integration user's "
    "profile under Manage Profiles, and give the app the scopes api and refresh_token; also check "
    "the sign-in address"
)
_ASSERTION = (
    "the shared key does not belong to the certificate in the connected app, or the username is "
    "not in the org behind this sign-in address"
)
_PROFILE = (
    "Edit Policies: 'Admin approved users are pre-authorized', then Manage Profiles: tick the "
    "profile of the integration user, or assign it the permission set (guide, step 2.4)"
)
_PASSWORD = (
    "wrong password or security token, an address that is not trusted, a locked user, or Setup, "  # noqa: S105 - advice
    "OAuth and OpenID Connect Settings has the username-password flow switched off"
)
# error (or "" for any), a part of the lower-cased description, what to do
_CAUSES: tuple[tuple[str, str, str], ...] = (
    ("", "hasn't approved this consumer", _APPROVE),
    ("", "audience is invalid", "'Use sandbox account' or the JWT audience does not fit this org"),
    ("", "expired authorization code", "the assertion's time is refused: check this clock"),
    ("", "invalid assertion", _ASSERTION),
    ("", "not admin approved", _PROFILE),
    ("", "expired access/refresh token", "the refresh token is no longer good: approve again"),
    ("", "no client credentials user", "choose a Run As user in the app's policies"),
    ("", "not supported on this domain", "set the sign-in address to your My Domain"),
    ("", "external client app is not installed", "install the external client app in this org"),
    ("", "authentication failure", _PASSWORD),
    ("invalid_client_id", "", "the org does not know the consumer key; new apps take 2-10 minutes"),
    ("invalid_client", "", "the consumer secret is wrong"),
    ("invalid_app_access", "", _PROFILE),
    ("inactive_user", "", "activate the integration user"),
    ("inactive_org", "", "the org is not active"),
    ("unsupported_grant_type", "", "this host does not offer the flow: check the sign-in address"),
)


def refusal(answer: "httpx.Response", now: "datetime") -> hub.ConnectorError:
    """Return the error that a token answer other than 200 stands for."""
    body = _body(answer)
    error, words = str(body.get("error", "")), str(body.get("error_description", ""))
    said = f"Salesforce refused to sign in: {error or answer.status_code} ({words or 'no words'})"
    if error == "rate_limit_exceeded":
        return hub.RateLimited(f"{said} - more than 3600 sign-ins", retry_after=_LOGIN_PAUSE)
    if error in _TRANSIENT or answer.status_code >= 500 or answer.status_code in {408, 429}:
        return hub.Unavailable(said)
    if not error:
        return hub.Unavailable(f"{said}: this is no token answer, check the sign-in address")
    remedy = remedy_for(error, words)
    return hub.AuthenticationFailed(f"{said} - {remedy}{_skew(answer, words, now)}")


def remedy_for(error: str, words: str) -> str:
    """Return what to do about a refused sign-in, in one sentence."""
    lowered = words.lower()
    for name, part, remedy in _CAUSES:
        if name in {"", error} and part in lowered:
            return remedy
    return "check the connected app, the user and the sign-in address"


def _skew(answer: "httpx.Response", words: str, now: "datetime") -> str:
    """Tell how far this machine's clock is off, where that is the cause."""
    if "expired authorization code" not in words.lower() or "date" not in answer.headers:
        return ""
    try:
        off = (now - parsedate_to_datetime(answer.headers["date"])).total_seconds()
    except ValueError:
        return ""
    return f" (it differs from Salesforce's by {off:+.0f} s)"


def _body(answer: "httpx.Response") -> Mapping[str, Any]:
    try:
        found = answer.json()
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
