"""Set-up by redirect: the administrator approves the app in the browser."""

from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from pydantic import SecretStr

import hub
from hub import clock
from hub_salesforce.auth import oauth
from hub_salesforce.settings import Auth, SalesforceSettings

if TYPE_CHECKING:
    import httpx

SCOPES = "api refresh_token"
_TURNED_AWAY = "access_denied"


def start(settings: SalesforceSettings, call_back: str) -> str:
    """Return the page of the org where the app is approved; Rejected without a consumer key."""
    if not settings.consumer_key:
        raise hub.Rejected("set the consumer key of the connected app first")
    asked = {
        "response_type": "code",
        "client_id": settings.consumer_key,
        "redirect_uri": call_back,
        "scope": SCOPES,
        "prompt": "login consent",
    }
    return f"{settings.sign_in_url}/services/oauth2/authorize?{urlencode(asked)}"


async def complete(
    http: "httpx.AsyncClient", settings: SalesforceSettings, query: Mapping[str, str]
) -> SalesforceSettings:
    """Return the settings with the refresh token that the code stands for."""
    if query.get("error") == _TURNED_AWAY:
        raise hub.Cancelled("the app was not approved: nothing was changed")
    if "code" not in query:
        words = query.get("error_description") or query.get("error") or "no code came back"
        raise hub.Rejected(f"Salesforce did not approve: {words}")
    access = await oauth.by_code(
        settings, http, clock.now(), code=query["code"], call_back=query.get("redirect_uri", "")
    )
    if not access.refresh_token:
        raise hub.Rejected(
            "Salesforce gave no refresh token: give the connected app the scope 'Perform requests "
            "at any time (refresh_token, offline_access)', then connect again"
        )
    granted = {"auth": Auth.REFRESH_TOKEN, "refresh_token": SecretStr(access.refresh_token)}
    known = {} if settings.organization_id else {"organization_id": access.organization_id}
    return settings.model_copy(update={**granted, **known})
