"""Tokens of OAuth: for apps, and for people who consented, with PKCE and turning refresh tokens."""

import base64
import hashlib
from datetime import timedelta
from html import escape
from typing import Final
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from hub_pagerduty.testing.consents import Consent
from hub_pagerduty.testing.model import Json, Key
from hub_pagerduty.testing.routes import ROUTES
from hub_pagerduty.testing.sim import FakePagerDuty

TOKEN_SECONDS: Final = 86_400
CODE_SECONDS: Final = 30
_REFRESH_DAYS: Final = 30


def issue_token(sim: FakePagerDuty, form: dict[str, str]) -> tuple[int, Json]:
    """Answer a token request: client_credentials, authorization_code or refresh_token."""
    client = form.get("client_id", "")
    if not client or sim.world.apps.get(client) != form.get("client_secret"):
        return _refused(401, "invalid_client", "Client authentication failed")
    kind = form.get("grant_type")
    if kind == "client_credentials":
        return _for_app(sim, form)
    if kind == "authorization_code":
        return _for_code(sim, form)
    if kind == "refresh_token":
        return _for_refresh(sim, form)
    return _refused(400, "unsupported_grant_type", "")


def consent_page(sim: FakePagerDuty, query: dict[str, str], who: str) -> tuple[int, str]:
    """Return the page on which a person allows or denies an app; 400 for a request that is bad."""
    wrong = _wrong(sim, query)
    if wrong:
        return 400, f"<h1>Authorization error</h1><p>{escape(wrong)}</p>"
    user = sim.world.users[who].name
    scopes = "".join(f"<li>{escape(one)}</li>" for one in query.get("scope", "").split())
    links = [
        f'<a href="/oauth/consent?{escape(urlencode({**query, "do": what}))}">{label}</a>'
        for what, label in (("allow", "Allow"), ("deny", "Deny"))
    ]
    asks = f"<p>{escape(query['client_id'])} asks {escape(user)} for:</p><ul>{scopes}</ul>"
    return 200, f"<h1>Authorize</h1>{asks}{' '.join(links)}"


def consented(sim: FakePagerDuty, query: dict[str, str], who: str) -> str | None:
    """Return where the browser goes with a code, or with the denial; None for a bad request."""
    if _wrong(sim, query):
        return None
    back = {"state": query["state"]} if query.get("state") else {}
    if query.get("do") != "allow":
        said = "The resource owner denied the request"
        return with_query(
            query["redirect_uri"], {"error": "access_denied", "error_description": said} | back
        )
    code = sim.world.ids.secret()
    sim.consents[code] = Consent(
        client=query["client_id"],
        user=who,
        scopes=_known(query.get("scope", "").split()),
        redirect=query["redirect_uri"],
        challenge=query["code_challenge"],
        until=sim.clock.now() + timedelta(seconds=CODE_SECONDS),
    )
    return with_query(query["redirect_uri"], {"code": code} | back)


def with_query(url: str, more: dict[str, str]) -> str:
    """Return the address with more parameters after its own."""
    parts = urlsplit(url)
    query = urlencode([*parse_qsl(parts.query, keep_blank_values=True), *more.items()])
    return urlunsplit((parts.scheme, parts.netloc, parts.path, query, parts.fragment))


def is_web_address(url: str) -> bool:
    """Say whether a browser can be sent there."""
    parts = urlsplit(url)
    return parts.scheme in {"http", "https"} and bool(parts.netloc)


def _wrong(sim: FakePagerDuty, query: dict[str, str]) -> str:
    if query.get("client_id") not in sim.world.apps:
        return "The client is not known."
    if not is_web_address(query.get("redirect_uri", "")):
        return "The redirect_uri is no address."
    if query.get("response_type") != "code":
        return "The response_type must be code."
    if not query.get("code_challenge") or query.get("code_challenge_method") != "S256":
        return "PKCE is mandatory: send a code_challenge with code_challenge_method S256."
    return ""


def _for_app(sim: FakePagerDuty, form: dict[str, str]) -> tuple[int, Json]:
    asked = form.get("scope", "").split()
    accounts = [one for one in asked if one.startswith("as_account-")]
    if accounts != [f"as_account-{sim.world.switches.region}.{sim.world.subdomain}"]:
        return 400, {"error": "invalid_scope"}
    return 200, _token(sim, _known(asked), None)


def _for_code(sim: FakePagerDuty, form: dict[str, str]) -> tuple[int, Json]:
    found = sim.consents.pop(form.get("code", ""), None)
    if found is None or found.until < sim.clock.now() or found.client != form["client_id"]:
        return _refused(400, "invalid_grant", "The code is unknown, used or older than 30 seconds")
    if found.redirect != form.get("redirect_uri"):
        return _refused(400, "invalid_grant", "The redirect_uri is another one")
    digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
    if base64.urlsafe_b64encode(digest).rstrip(b"=").decode() != found.challenge:
        return _refused(400, "invalid_grant", "The code_verifier does not fit the code_challenge")
    return 200, _with_refresh(sim, found)


def _for_refresh(sim: FakePagerDuty, form: dict[str, str]) -> tuple[int, Json]:
    found = sim.refreshes.pop(form.get("refresh_token", ""), None)
    if found is None or found.until < sim.clock.now() or found.client != form["client_id"]:
        return _refused(400, "invalid_grant", "The refresh token is unknown, used or expired")
    return 200, _with_refresh(sim, found)


def _with_refresh(sim: FakePagerDuty, of: Consent) -> Json:
    answer = _token(sim, of.scopes, of.user)
    refresh = f"pdus+_1{sim.world.ids.secret()}"
    until = sim.clock.now() + timedelta(days=_REFRESH_DAYS)
    sim.refreshes[refresh] = of._replace(until=until)
    return answer | {"refresh_token": refresh}


def _token(sim: FakePagerDuty, scopes: frozenset[str], user: str | None) -> Json:
    token = f"pdus+_0{sim.world.ids.secret()}"
    sim.world.keys[token] = Key(
        token=token,
        kind="user" if user else "app",
        user=user,
        scopes=scopes,
        expires=sim.clock.now() + timedelta(seconds=TOKEN_SECONDS),
        bearer=True,
    )
    return {
        "access_token": token,
        "scope": " ".join(sorted(scopes)),
        "token_type": "bearer",
        "expires_in": TOKEN_SECONDS,
    }


def _known(asked: list[str]) -> frozenset[str]:
    # What PagerDuty does not know is dropped, not refused.
    return frozenset(asked) & {one.scope for one in ROUTES if one.scope}


def _refused(status: int, error: str, description: str) -> tuple[int, Json]:
    more = {"error_description": description} if description else {}
    return status, {"error": error, **more}
