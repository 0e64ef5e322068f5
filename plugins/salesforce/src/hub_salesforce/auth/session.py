"""One session per connector, renewed by one caller while the others wait."""

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, TypeAlias

from pydantic import SecretStr

import hub
from hub import clock
from hub_salesforce.auth import oauth
from hub_salesforce.settings import Auth

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from datetime import datetime

    import httpx

    from hub_salesforce.auth.access import Access
    from hub_salesforce.settings import SalesforceSettings

Flow: TypeAlias = "Callable[[SalesforceSettings, httpx.AsyncClient, datetime], Awaitable[Access]]"


async def _by_soap_login(
    settings: "SalesforceSettings", http: "httpx.AsyncClient", now: "datetime"
) -> "Access":
    from hub_salesforce.auth.soap import by_soap_login  # noqa: PLC0415 - the flow that retires

    return await by_soap_login(settings, http, now)


_FLOWS: "Mapping[Auth, Flow]" = {
    Auth.JWT: oauth.by_jwt,
    Auth.CLIENT_CREDENTIALS: oauth.by_client_credentials,
    Auth.REFRESH_TOKEN: oauth.by_refresh_token,
    Auth.OAUTH_PASSWORD: oauth.by_oauth_password,
    Auth.PASSWORD: _by_soap_login,
}


REMEMBERED = timedelta(seconds=30)
"""How long a refused sign-in is not tried again."""


class Session:
    """Signs in once and hands out the access until it is refused.

    It never logs out: sessions of one user may share an id, and a logout would end the
    sessions of others.
    """

    def __init__(
        self,
        settings: "SalesforceSettings",
        http: "httpx.AsyncClient",
        now: clock.Clock = clock.now,
    ) -> None:
        self._settings = settings
        self._http = http
        self._now = now
        self._access: Access | None = None
        self._refused: tuple[datetime, str] | None = None
        self._lock = asyncio.Lock()

    async def access(self, *, instead_of: str | None = None) -> "Access":
        """Return the access, signed in anew if there is none or its token is `instead_of`.

        Callers that come at once share one sign-in. A refusal is kept for REMEMBERED: a
        wrong password is tried once by a whole test of the connector, so that nobody gets
        locked out.
        """
        if self._access and self._access.token != instead_of:
            return self._access
        async with self._lock:
            if self._access and self._access.token != instead_of:
                return self._access
            if self._refused and self._now() - self._refused[0] < REMEMBERED:
                raise hub.AuthenticationFailed(self._refused[1])
            return await self._sign_in()

    async def _sign_in(self) -> "Access":
        self._access = self._refused = None
        try:
            access = await _FLOWS[self._settings.auth](self._settings, self._http, self._now())
        except hub.AuthenticationFailed as error:
            self._refused = (self._now(), str(error))
            raise
        if access.refresh_token:
            self._settings = self._settings.model_copy(
                update={"refresh_token": SecretStr(access.refresh_token)}
            )
        self._access = access
        return access
