"""PagerDuty's REST API: requests, pages, the acting user."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar

import hub
from hub_pagerduty import errors
from hub_pagerduty.oauth import AppToken
from hub_pagerduty.settings import PagerDutySettings, events_host

if TYPE_CHECKING:
    import httpx

Json = dict[str, Any]
Query = Sequence[tuple[str, str]]
Found = TypeVar("Found")

ACCEPT: Final = "application/vnd.pagerduty+json;version=2"
PAGE: Final = 100
DEEPEST: Final = 10_000
"""PagerDuty refuses offset + limit above this."""
_REMEMBERED: Final = 60.0
_MOST_REMEMBERED: Final = 500


def quota_of(headers: Mapping[str, str]) -> hub.Quota | None:
    """Read what the answer's headers say of the rate limit; None if they do not."""
    seen = {name.lower(): value for name, value in headers.items()}
    numbers = [_number(seen.get(f"ratelimit-{part}")) for part in ("limit", "remaining", "reset")]
    limit, remaining, reset = numbers
    if limit is None and remaining is None:
        return None
    return hub.Quota(
        limit=int(limit) if limit is not None else None,
        remaining=int(remaining) if remaining is not None else None,
        resets_in=reset,
    )


def _number(text: str | None) -> float | None:
    try:
        return float(text) if text else None
    except ValueError:
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A user of the account, as far as addressing them needs."""

    id: str
    email: str
    name: str


class PagerDutyClient:
    """Speaks to one PagerDuty account.

    Every method raises a ConnectorError on anything but a 2xx. `quota` is what the latest
    answer said of the rate limit.
    """

    def __init__(self, settings: PagerDutySettings, http: "httpx.AsyncClient") -> None:
        self.settings = settings
        self.quota: hub.Quota | None = None
        self._http = http
        self._app_token = AppToken(settings, http)
        self._seen: dict[str, tuple[float, Any]] = {}
        self._looking: dict[str, asyncio.Lock] = {}

    @property
    def has_rest(self) -> bool:
        """Whether there is a key for the REST API; the Events API alone needs none."""
        return bool(self.settings.client_id or self.settings.api_key)

    # ----------------------------------------------------------------- requests

    async def get(self, path: str, query: Query = ()) -> Json:
        """Read one answer."""
        return await self._call("GET", path, query=query)

    async def post(self, path: str, body: object = None, *, by: str | None = None) -> Json:
        """Make something; `by` is the e-mail of the acting user."""
        return await self._write("POST", path, body, by)

    async def put(self, path: str, body: object, *, by: str | None = None) -> Json:
        """Change something; `by` is the e-mail of the acting user."""
        return await self._write("PUT", path, body, by)

    async def get_one(self, path: str, name: str, query: Query = ()) -> Json:
        """Read the one object that the answer wraps under `name`."""
        return _inside(await self.get(path, query), name, hub.Unavailable)

    async def post_one(self, path: str, name: str, body: object, *, by: str | None = None) -> Json:
        """Make something; return it as the answer wraps it under `name`."""
        return _inside(await self.post(path, body, by=by), name, hub.OutcomeUnknown)

    async def put_one(self, path: str, name: str, body: object, *, by: str | None = None) -> Json:
        """Change something; return it as the answer wraps it under `name`."""
        return _inside(await self.put(path, body, by=by), name, hub.OutcomeUnknown)

    async def delete(self, path: str) -> None:
        """Remove something; what is gone already is fine."""
        try:
            await self._call("DELETE", path)
        except hub.Gone:
            return

    async def pages(self, path: str, name: str, query: Query = ()) -> AsyncIterator[Json]:
        """Read a whole list, page by page, each object once, up to PagerDuty's own cap."""
        offset, seen = 0, set[str]()
        while offset + PAGE <= DEEPEST:
            paging = [*query, ("limit", str(PAGE)), ("offset", str(offset))]
            page = await self.get(path, paging)
            rows: list[Json] = _rows(page, name)
            for row in rows:
                if row.get("id") not in seen:
                    seen.add(str(row.get("id")))
                    yield row
            offset += len(rows)
            if not rows or not page.get("more"):
                return

    async def cursor_pages(self, path: str, name: str, query: Query = ()) -> AsyncIterator[Json]:
        """Read a whole list that is paged by cursor."""
        cursor: str | None = None
        while True:
            paging = [*query, ("limit", str(PAGE)), *([("cursor", cursor)] if cursor else [])]
            page = await self.get(path, paging)
            for row in _rows(page, name):
                yield row
            cursor = page.get("next_cursor")
            if not cursor:
                return

    async def events(self, path: str, body: Json) -> "httpx.Response":
        """Post to the Events API, which knows no authorisation header; any answer returns."""
        return await self._http.post(events_host(self.settings) + path, json=body)

    # ------------------------------------------------------------------ people

    async def person(self, email: str) -> Person | None:
        """Find the user with exactly this e-mail address, whatever its letter case."""

        async def look() -> Person | None:
            async for user in self.pages("/users", "users", [("query", email)]):
                if str(user.get("email", "")).casefold() == email.casefold():
                    return _person(user)
            return None

        return await self.remembered(f"person:{email.casefold()}", look)

    async def acting_as(self, email: str | None) -> str | None:
        """Return the e-mail to act as: the given one if it is a user's, else the setting's."""
        if email and email.casefold() != self.settings.from_email.casefold():
            found = await self.person(email)
            if found:
                return found.email
        return self.settings.from_email or None

    async def remembered(self, key: str, look: Callable[[], Awaitable[Found]]) -> Found:
        """Return what `look` found within the last minute; look again after that."""
        self._drop_stale()
        lock = self._looking.setdefault(key, asyncio.Lock())
        async with lock:
            at, found = self._seen.get(key, (0.0, None))
            if key not in self._seen or time.monotonic() - at > _REMEMBERED:
                found = await look()
                self._seen[key] = (time.monotonic(), found)
            result: Found = found
            return result

    def age_of(self, key: str) -> float | None:
        """Return how many seconds ago what is remembered under a key was looked up."""
        found = self._seen.get(key)
        return time.monotonic() - found[0] if found else None

    def missing_scopes(self) -> list[str]:
        """Return the scopes that the app token was asked for and did not get."""
        return self._app_token.missing_scopes()

    def forget(self, prefix: str = "") -> None:
        """Drop what is remembered under keys that begin so."""
        for key in [one for one in self._seen if one.startswith(prefix)]:
            del self._seen[key]

    # ------------------------------------------------------------------ inside

    def _drop_stale(self) -> None:
        if len(self._seen) < _MOST_REMEMBERED:
            return
        now = time.monotonic()
        for key in [one for one, (at, _) in self._seen.items() if now - at > _REMEMBERED]:
            del self._seen[key]
        for key in [one for one, lock in self._looking.items() if not lock.locked()]:
            del self._looking[key]

    async def _write(self, method: str, path: str, body: object, by: str | None) -> Json:
        acting = by or self.settings.from_email or None
        try:
            return await self._call(method, path, body=body, by=acting)
        except errors.Refused as refused:
            fallback = self.settings.from_email
            unknown = refused.answer.code == errors.REQUESTER_NOT_FOUND
            if not unknown or not fallback or acting == fallback:
                raise
            self.forget("person:")
            return await self._call(method, path, body=body, by=fallback)

    async def _call(
        self,
        method: str,
        path: str,
        *,
        query: Query = (),
        body: object = None,
        by: str | None = None,
    ) -> Json:
        answer = await self._send(method, path, query=query, body=body, by=by)
        if answer.status_code == 401 and self._app_token.used:
            self._app_token.forget()
            answer = await self._send(method, path, query=query, body=body, by=by)
        self.quota = quota_of(answer.headers) or self.quota
        if not answer.is_success:
            raise errors.error_of(answer)
        return _content(answer)

    async def _send(
        self, method: str, path: str, *, query: Query, body: object, by: str | None
    ) -> "httpx.Response":
        headers = {"Accept": ACCEPT, "Authorization": await self._authorization()}
        if by:
            headers["From"] = by
        return await self._http.request(
            method,
            self.settings.base_url + path,
            params=list(query) or None,
            json=body,
            headers=headers,
        )

    async def _authorization(self) -> str:
        if self.settings.client_id:
            return f"Bearer {await self._app_token.get()}"
        if not self.settings.api_key:
            raise hub.Rejected(
                "This connector has only Events API keys: an API key is needed for this."
            )
        return f"Token token={self.settings.api_key.get_secret_value()}"


def _rows(page: Json, name: str) -> list[Json]:
    rows = page.get(name)
    if not isinstance(rows, list):
        raise hub.Unavailable(f"The answer holds no list of {name}.")
    return rows


def _inside(answer: Json, name: str, kind: type[hub.ConnectorError]) -> Json:
    found = answer.get(name)
    if not isinstance(found, dict):
        raise kind(f"The answer holds no {name}.")
    return found


def _person(user: Mapping[str, Any]) -> Person:
    return Person(
        id=str(user.get("id", "")),
        email=str(user.get("email", "")),
        name=str(user.get("name") or user.get("summary") or user.get("email") or ""),
    )


def _content(answer: "httpx.Response") -> Json:
    if not answer.content.strip():
        return {}
    try:
        content = answer.json()
    except ValueError as error:
        raise _unreadable(answer) from error
    if not isinstance(content, dict):
        raise _unreadable(answer)
    return content


def _unreadable(answer: "httpx.Response") -> hub.ConnectorError:
    said = f"{answer.status_code} with a body that is no JSON object: {answer.text[:100]!r}"
    if answer.request.method == "GET":
        return hub.Unavailable(said)
    return hub.OutcomeUnknown(said)
