"""SOAP login(): username, password and security token, until Summer '27."""

import re
from datetime import datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from xml.sax.saxutils import escape

import hub
from hub_salesforce.auth.access import Access
from hub_salesforce.auth.refusals import SUNSET
from hub_salesforce.ids import is_id, to_18

if TYPE_CHECKING:
    import httpx

    from hub_salesforce.settings import SalesforceSettings

_ENVELOPE = """<?xml version="1.0" encoding="utf-8"?>
<env:Envelope xmlns:env="http://schemas.xmlsoap.org/soap/envelope/">
<env:Header><urn:CallOptions xmlns:urn="urn:partner.soap.sforce.com">\
<urn:client>integration-hub</urn:client></urn:CallOptions></env:Header>
<env:Body><n1:login xmlns:n1="urn:partner.soap.sforce.com">\
<n1:username>{username}</n1:username><n1:password>{password}</n1:password></n1:login></env:Body>
</env:Envelope>"""

_REMEDIES = {
    "INVALID_LOGIN": "wrong username, password or security token, the user is locked out, or "
    "'Use sandbox account' does not fit",
    "LOGIN_MUST_USE_SECURITY_TOKEN": "set the security token (it was mailed to the user when it "
    "was last reset), or add the hub's address to the trusted IP ranges",
    "PASSWORD_LOCKOUT": "the user is locked after too many attempts: unlock it, then try once",
    "API_DISABLED_FOR_ORG": "this edition or trial has no API access",
    "UNSUPPORTED_API_VERSION": "this API version has no SOAP login(): set 64.0 or lower, or JWT",
    "INVALID_OPERATION": "SOAP login() is switched off in this org: change over to JWT",
    "ORG_LOCKED": "the org is locked",
    "TRIAL_EXPIRED": "the trial of this org is over",
}
_TRANSIENT = frozenset({"SERVER_UNAVAILABLE", "UNKNOWN_EXCEPTION"})


async def by_soap_login(
    settings: "SalesforceSettings", http: "httpx.AsyncClient", _now: datetime
) -> Access:
    """Sign in by the SOAP login() call."""
    answer = await http.post(
        f"{settings.sign_in_url}/services/Soap/u/{settings.soap_version}",
        content=_ENVELOPE.format(
            username=escape(settings.username), password=escape(settings.whole_password)
        ).encode(),
        headers={"Content-Type": "text/xml; charset=UTF-8", "SOAPAction": "login"},
    )
    if answer.status_code != 200:
        raise _fault(answer)
    return _access(answer.text)


def _access(text: str) -> Access:
    token, server = _element(text, "sessionId"), urlsplit(_element(text, "serverUrl"))
    if not token or not server.netloc:
        raise hub.Unavailable("login() was answered without a session: check the sign-in address")
    if _element(text, "passwordExpired") == "true":
        words = "the password of the integration user has expired: set a new one in Salesforce"
        raise hub.AuthenticationFailed(words)
    return Access(
        token=token,
        instance_url=f"{server.scheme}://{server.netloc}",
        organization_id=_id(_element(text, "organizationId")),
        user_id=_id(_element(text, "userId")),
        scope="api",
        notes=(SUNSET,),
    )


def _fault(answer: "httpx.Response") -> hub.ConnectorError:
    code = _element(answer.text, "exceptionCode")
    words = _element(answer.text, "exceptionMessage") or _element(answer.text, "faultstring")
    if not code or code in _TRANSIENT:
        return hub.Unavailable(f"login() was answered {answer.status_code}: {words or 'no fault'}")
    remedy = _REMEDIES.get(code, "check username, password and security token")
    return hub.AuthenticationFailed(f"Salesforce refused login(): {code} ({words}) - {remedy}")


def _element(text: str, name: str) -> str:
    """Return the text of the first element of that name; what we read has no nesting in it."""
    found = re.search(rf"<(?:\w+:)?{name}(?:\s[^>]*)?>([^<]*)</", text)
    return _unescape(found.group(1).strip()) if found else ""


def _unescape(text: str) -> str:
    for entity, sign in (("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&apos;", "'")):
        text = text.replace(entity, sign)
    return text.replace("&amp;", "&")


def _id(text: str) -> str:
    return to_18(text) if is_id(text) else text
