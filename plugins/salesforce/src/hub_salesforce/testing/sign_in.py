"""Signing in to the simulated org: the token endpoint and SOAP login()."""

import base64
import binascii
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from xml.sax.saxutils import escape

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from hub_salesforce.testing.answers import Reply
from hub_salesforce.testing.world import App, User, World

JWT_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_TRIES, _SIGN_INS = 5, 3600
_LOGIN_HOSTS = {"https://login.salesforce.com", "https://test.salesforce.com"}


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A request to sign in: the host's role, the address to hand back, and the form."""

    world: World
    role: str
    instance_url: str
    form: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)


class Denied(Exception):
    """The token endpoint says no: `error` and its description."""

    def __init__(self, error: str, words: str) -> None:
        super().__init__(words)
        self.error = error
        self.words = words


def token(asked: Asked) -> Reply:
    """Answer POST /services/oauth2/token."""
    grant = asked.form.get("grant_type", "")
    try:
        return _FLOWS.get(grant, _unsupported)(asked)
    except Denied as no:
        return Reply(status=400, body={"error": no.error, "error_description": no.words})


def revoke(world: World, token: str) -> Reply:
    """Answer POST /services/oauth2/revoke: it ends all sessions of that user and app."""
    found = world.sessions.get(token)
    if found is None:
        return Reply(status=400, body={"error": "unsupported_token_type", "error_description": ""})
    mine = [
        t for t, s in world.sessions.items() if (s.user.id, s.app) == (found.user.id, found.app)
    ]
    for one in mine:
        del world.sessions[one]
    return Reply(status=200)


def userinfo(world: World, user: User) -> Reply:
    """Answer /services/oauth2/userinfo."""
    body = {
        "user_id": user.id,
        "organization_id": world.id,
        "preferred_username": user.username,
        "name": user.name,
        "email": user.email,
        "active": user.active,
    }
    return Reply(body=body)


def introspect(world: World, token: str) -> Reply:
    """Answer POST /services/oauth2/introspect."""
    found = world.sessions.get(token)
    if found is None:
        return Reply(body={"active": False})
    body = {"active": True, "username": found.user.username, "client_id": found.app, "scope": "api"}
    return Reply(body=body)


def soap_login(asked: Asked, version: str, body: str) -> Reply:
    """Answer POST /services/Soap/u/{version}, login() only."""
    closed = _soap_closed(asked, version)
    if closed:
        return _fault(*closed)
    user = asked.world.user(_element(body, "username"))
    if user is None:
        return _fault("INVALID_LOGIN", _INVALID)
    wrong = _soap_wrong(asked, user, body)
    if wrong:
        return _fault(*wrong)
    user.failures = 0
    return Reply(body=_logged_in(asked, version, user), type="text/xml; charset=utf-8")


def _soap_closed(asked: Asked, version: str) -> tuple[str, str] | None:
    """Return why nobody can log in this way."""
    switches = asked.world.switches
    reasons = (
        ("soapaction" not in asked.headers, "UNKNOWN_EXCEPTION", "SOAPAction HTTP header missing"),
        (float(version) >= 65.0, "UNSUPPORTED_API_VERSION", "Invalid Api version specified on URL"),
        (not switches.soap_login, "INVALID_OPERATION", "SOAP API login() is disabled by default"),
        (bool(switches.soap_fault), switches.soap_fault, switches.soap_fault),
        (not switches.api, "API_DISABLED_FOR_ORG", "API is not enabled for this Organization"),
    )
    return next(((code, words) for true, code, words in reasons if true), None)


def _soap_wrong(asked: Asked, user: User, body: str) -> tuple[str, str] | None:
    """Return why this user can't log in with what was given."""
    given = _element(body, "password")
    trusted = asked.world.switches.trusted_ip or bool(_element(body, "organizationId"))
    if not user.active:
        return "INVALID_LOGIN", _INVALID
    if user.locked:
        return "PASSWORD_LOCKOUT", "The password is locked"
    if given == user.password and not trusted:
        return "LOGIN_MUST_USE_SECURITY_TOKEN", _TOKEN_NEEDED
    if given not in {user.password + user.security_token, user.password}:
        _count_failure(user)
        return "INVALID_LOGIN", _INVALID
    return None


def _jwt(asked: Asked) -> Reply:
    head, claims, signed, signature = _assertion(asked.form.get("assertion", ""))
    app = _app(asked, str(claims.get("iss", "")))
    proved = any(_proves(pem, signed, signature) for pem in app.certificates)
    if head.get("alg") != "RS256" or not proved:
        raise Denied("invalid_grant", "invalid assertion")
    _audience(asked, str(claims.get("aud", "")))
    _expiry(asked, claims.get("exp"))
    user = asked.world.user(str(claims.get("sub", "")))
    if user is None:
        raise Denied("invalid_grant", "invalid assertion")
    _admitted(asked, app, user)
    return _granted(asked, app, user)


def _client_credentials(asked: Asked) -> Reply:
    app = _app(asked, _client(asked)[0])
    if asked.role == "login":
        raise Denied("invalid_grant", "request not supported on this domain")
    _secret(asked, app)
    user = asked.world.user(app.run_as) if app.run_as else None
    if user is None:
        raise Denied("invalid_grant", "no client credentials user enabled")
    return _granted(asked, app, user)


def _refresh(asked: Asked) -> Reply:
    app = _app(asked, _client(asked)[0])
    if _client(asked)[1]:
        _secret(asked, app)
    old = asked.form.get("refresh_token", "")
    username = app.refresh_tokens.get(old)
    user = asked.world.user(username) if username else None
    if user is None:
        raise Denied("invalid_grant", "expired access/refresh token")
    extra = {}
    if app.rotates:
        del app.refresh_tokens[old]
        fresh = f"5Aep{asked.world.random.randrange(10**16):016d}"
        app.refresh_tokens[fresh] = user.username
        extra = {"refresh_token": fresh}
    return _granted(asked, app, user, **_old_style(asked), **extra)


def _code(asked: Asked) -> Reply:
    app = _app(asked, _client(asked)[0])
    if _client(asked)[1]:
        _secret(asked, app)
    username, back = app.codes.pop(asked.form.get("code", ""), ("", ""))
    user = asked.world.user(username)
    if user is None:
        raise Denied("invalid_grant", "expired authorization code")
    if asked.form.get("redirect_uri") != back:
        raise Denied("redirect_uri_mismatch", "redirect_uri must match configuration")
    extra = {}
    if "refresh_token" in app.scopes:
        fresh = f"5Aep{asked.world.random.randrange(10**16):016d}"
        app.refresh_tokens[fresh] = user.username
        extra = {"refresh_token": fresh}
    return _granted(asked, app, user, **_old_style(asked), **extra)


def _password(asked: Asked) -> Reply:
    app = _app(asked, _client(asked)[0])
    _secret(asked, app)
    user = asked.world.user(asked.form.get("username", ""))
    given = asked.form.get("password", "")
    if user is None or user.locked or not asked.world.switches.password_flow:
        raise Denied("invalid_grant", "authentication failure")
    right = {user.password + user.security_token}
    if asked.world.switches.trusted_ip:
        right.add(user.password)
    if given not in right:
        _count_failure(user)
        raise Denied("invalid_grant", "authentication failure")
    user.failures = 0
    _admitted(asked, app, user)
    return _granted(asked, app, user, **_old_style(asked))


_FLOWS: Mapping[str, Callable[[Asked], Reply]] = {
    JWT_GRANT: _jwt,
    "client_credentials": _client_credentials,
    "refresh_token": _refresh,
    "authorization_code": _code,
    "password": _password,
}


def _unsupported(_asked: Asked) -> Reply:
    raise Denied("unsupported_grant_type", "grant type not supported")


def _app(asked: Asked, key: str) -> App:
    app = asked.world.apps.get(key)
    young = app and app.active_from and app.active_from > asked.world.now()
    if app is None or young:
        raise Denied("invalid_client_id", "client identifier invalid")
    return app


def _client(asked: Asked) -> tuple[str, str]:
    kind, _, packed = asked.headers.get("authorization", "").partition(" ")
    if kind.lower() == "basic":
        try:
            key, _, secret = base64.b64decode(packed).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return "", ""
        return key, secret
    return asked.form.get("client_id", ""), asked.form.get("client_secret", "")


def _secret(asked: Asked, app: App) -> None:
    if _client(asked)[1] != app.consumer_secret:
        raise Denied("invalid_client", "invalid client credentials")


def _assertion(text: str) -> tuple[Mapping[str, Any], Mapping[str, Any], bytes, bytes]:
    parts = text.split(".")
    try:
        head, claims = (json.loads(_decoded(one)) for one in parts[:2])
        signature = _decoded(parts[2])
    except (ValueError, IndexError, binascii.Error) as error:
        raise Denied("invalid_grant", "invalid assertion") from error
    if len(parts) != 3 or not isinstance(head, dict) or not isinstance(claims, dict):
        raise Denied("invalid_grant", "invalid assertion")
    return head, claims, f"{parts[0]}.{parts[1]}".encode(), signature


def _decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def _proves(pem: str, signed: bytes, signature: bytes) -> bool:
    key = x509.load_pem_x509_certificate(pem.encode()).public_key()
    if not isinstance(key, rsa.RSAPublicKey):
        return False
    try:
        key.verify(signature, signed, padding.PKCS1v15(), hashes.SHA256())
    except InvalidSignature:
        return False
    return True


def _audience(asked: Asked, aud: str) -> None:
    world = asked.world
    login = "https://test.salesforce.com" if world.sandbox else "https://login.salesforce.com"
    if aud.rstrip("/") not in {login, f"https://{world.my_domain}"}:
        raise Denied("invalid_grant", "audience is invalid")


def _expiry(asked: Asked, exp: object) -> None:
    now = asked.world.now().timestamp()
    try:
        at = float(str(exp))
    except ValueError:
        at = 0.0
    if not now < at <= now + 600:
        raise Denied("invalid_grant", "expired authorization code")


def _admitted(asked: Asked, app: App, user: User) -> None:
    if not user.active:
        raise Denied("inactive_user", "user is inactive")
    if not asked.world.switches.org_active:
        raise Denied("inactive_org", "organization is inactive")
    if app.admin_approved and not user.approved:
        name = asked.world.switches.refusal_name
        raise Denied(name, "user is not admin approved to access this app")
    if not app.admin_approved and user.username not in app.refresh_tokens.values():
        raise Denied("invalid_grant", "user hasn't approved this consumer")


def _granted(asked: Asked, app: App, user: User, **extra: str) -> Reply:
    world = asked.world
    now = world.now()
    user.sign_ins = [at for at in user.sign_ins if at > now - timedelta(hours=1)]
    if len(user.sign_ins) >= _SIGN_INS:
        raise Denied("rate_limit_exceeded", "login rate exceeded")
    user.sign_ins.append(now)
    session = world.open_session(user, app.consumer_key)
    slash = "/" if world.switches.slash_after_instance else ""
    body = {
        "access_token": session.token,
        "scope": app.scopes,
        "instance_url": asked.instance_url + slash,
        "id": f"https://login.salesforce.com/id/{world.id}/{user.id}",
        "token_type": "Bearer",
        **extra,
    }
    return Reply(body=body)


def _old_style(asked: Asked) -> dict[str, str]:
    issued = str(int(asked.world.now().timestamp() * 1000))
    return {"issued_at": issued, "signature": base64.b64encode(issued.encode()).decode()}


def _count_failure(user: User) -> None:
    user.failures += 1
    user.locked = user.failures >= _TRIES


def _element(body: str, name: str) -> str:
    found = re.search(rf"<(?:\w+:)?{name}(?:\s[^>]*)?>([^<]*)</", body)
    text = found[1] if found else ""
    for entity, sign in (("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&amp;", "&")):
        text = text.replace(entity, sign)
    return text


_INVALID = "Invalid username, password, security token; or user locked out."
_TOKEN_NEEDED = (
    "Invalid username, password, security token; or user locked out. Are you at a new location? "  # noqa: S105 - a message
    "When accessing Salesforce from outside of your company's trusted networks, you must append "
    "a security token."
)


def _fault(code: str, words: str) -> Reply:
    body = (
        '<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope '
        'xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" '
        'xmlns:sf="urn:fault.partner.soap.sforce.com" '
        'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><soapenv:Body><soapenv:Fault>'
        f"<faultcode>sf:{code}</faultcode><faultstring>{code}: {escape(words)}</faultstring>"
        '<detail><sf:LoginFault xsi:type="sf:LoginFault">'
        f"<sf:exceptionCode>{code}</sf:exceptionCode>"
        f"<sf:exceptionMessage>{escape(words)}</sf:exceptionMessage></sf:LoginFault></detail>"
        "</soapenv:Fault></soapenv:Body></soapenv:Envelope>"
    )
    return Reply(status=500, body=body, type="text/xml; charset=utf-8")


def _logged_in(asked: Asked, version: str, user: User) -> str:
    world = asked.world
    session = world.open_session(user, "soap")
    server = f"{asked.instance_url}/services/Soap/u/{version}/{world.id[:15]}"
    sandbox = str(world.sandbox).lower()
    expired = str(user.password_expired).lower()
    return (
        '<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope '
        'xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" '
        'xmlns="urn:partner.soap.sforce.com" '
        'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><soapenv:Body><loginResponse>'
        f"<result><metadataServerUrl>{server}</metadataServerUrl>"
        f"<passwordExpired>{expired}</passwordExpired><sandbox>{sandbox}</sandbox>"
        f"<serverUrl>{server}</serverUrl><sessionId>{session.token}</sessionId>"
        f"<userId>{user.id}</userId><userInfo>"
        f"<organizationId>{world.id}</organizationId>"
        f"<organizationName>{escape(world.name)}</organizationName>"
        "<sessionSecondsValid>7200</sessionSecondsValid>"
        f"<userEmail>{escape(user.email)}</userEmail>"
        f"<userFullName>{escape(user.name)}</userFullName><userId>{user.id}</userId>"
        f"<userName>{escape(user.username)}</userName></userInfo></result>"
        "</loginResponse></soapenv:Body></soapenv:Envelope>"
    )
