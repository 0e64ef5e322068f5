"""App tokens of Scoped OAuth, by client credentials."""

import asyncio
import time
from typing import TYPE_CHECKING, Any, Final

import hub
from hub_pagerduty import errors
from hub_pagerduty.settings import PagerDutySettings, identity_host, is_eu

if TYPE_CHECKING:
    import httpx

_EARLY: Final = 300.0
"""A token is renewed this many seconds before it ends."""


class AppToken:
    """The app token of one connector, fetched when first needed and renewed in time."""

    def __init__(self, settings: PagerDutySettings, http: "httpx.AsyncClient") -> None:
        self.granted: frozenset[str] = frozenset()
        self._settings, self._http = settings, http
        self._token, self._until = "", 0.0
        self._lock = asyncio.Lock()

    @property
    def used(self) -> bool:
        """Whether a token is in hand."""
        return bool(self._token)

    def forget(self) -> None:
        """Drop the token, so that the next request fetches another."""
        self._token = ""

    async def get(self) -> str:
        """Return a token that is good for some minutes at least."""
        async with self._lock:
            if not self._token or time.monotonic() > self._until - _EARLY:
                await self._fetch()
            return self._token

    def missing_scopes(self) -> list[str]:
        """Return the scopes that were asked for and not granted: PagerDuty drops them silently."""
        return sorted(set(self._settings.scopes.split()) - self.granted)

    async def _fetch(self) -> None:
        settings = self._settings
        region = "eu" if is_eu(settings) else "us"
        secret = settings.client_secret.get_secret_value() if settings.client_secret else ""
        answer = await self._http.post(
            f"{identity_host(settings)}/oauth/token",
            data={
                "grant_type": "client_credentials",
                "client_id": settings.client_id,
                "client_secret": secret,
                "scope": f"as_account-{region}.{settings.subdomain} {settings.scopes}",
            },
        )
        if not answer.is_success:
            raise _refused(answer)
        content = _content(answer)
        self._token = str(content["access_token"])
        self._until = time.monotonic() + float(content.get("expires_in") or 3600)
        self.granted = frozenset(str(content.get("scope") or "").split())


def _refused(answer: "httpx.Response") -> hub.ConnectorError:
    if answer.status_code in {400, 401, 403}:
        said = errors.read_answer(answer.status_code, answer.text).said
        return hub.AuthenticationFailed(f"No app token: {said}")
    return errors.error_of(answer)


def _content(answer: "httpx.Response") -> dict[str, Any]:
    try:
        content = answer.json()
    except ValueError as error:
        raise hub.Unavailable("The token's answer is no JSON.") from error
    if not isinstance(content, dict) or not content.get("access_token"):
        raise hub.Unavailable("The answer holds no token.")
    return content
