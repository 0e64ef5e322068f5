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

    from hub import SecretVault
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


REFRESH_FIELD = "refresh_token"
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
        self._vault: SecretVault | None = None

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

    def keeps_in(self, vault: "SecretVault") -> None:
        """Leave refresh tokens that Salesforce replaces in the vault, before they are used."""
        self._vault = vault

    async def _sign_in(self) -> "Access":
        self._access = self._refused = None
        try:
            access = await self._flow()
        except hub.AuthenticationFailed as error:
            self._refused = (self._now(), str(error))
            raise
        if access.refresh_token and access.refresh_token != _token_of(self._settings):
            await self._turn(access.refresh_token)
        self._access = access
        return access

    async def _flow(self) -> "Access":
        """Sign in; a refused refresh token may have been replaced by another process."""
        flow = _FLOWS[self._settings.auth]
        try:
            return await flow(self._settings, self._http, self._now())
        except hub.AuthenticationFailed:
            stored = await self._stored()
            if stored is None:
                raise
            self._settings = stored
            return await flow(self._settings, self._http, self._now())

    async def _stored(self) -> "SalesforceSettings | None":
        """Return the settings with the stored refresh token, if it is not the one we have."""
        if self._vault is None or self._settings.auth is not Auth.REFRESH_TOKEN:
            return None
        token = (await self._vault.current()).get(REFRESH_FIELD)
        return (
            _with(self._settings, token) if token and token != _token_of(self._settings) else None
        )

    async def _turn(self, token: str) -> None:
        self._settings = _with(self._settings, token)
        if self._vault is not None:
            await self._vault.keep({REFRESH_FIELD: token})


def _token_of(settings: "SalesforceSettings") -> str:
    return settings.refresh_token.get_secret_value() if settings.refresh_token else ""


def _with(settings: "SalesforceSettings", token: str) -> "SalesforceSettings":
    return settings.model_copy(update={REFRESH_FIELD: SecretStr(token)})
