"""Salesforce's REST API, as the hub uses it."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from email.utils import format_datetime, parsedate_to_datetime
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote

import hub
from hub import clock
from hub_salesforce.auth.session import Session
from hub_salesforce.composite import MARK_HEADER
from hub_salesforce.describe import FRESH, Describe, read_describe
from hub_salesforce.errors import Answer, error_of, faults_of, raise_for
from hub_salesforce.ids import SfId, key_prefix, to_18
from hub_salesforce.limits import Usage, usage_of
from hub_salesforce.together import Together

if TYPE_CHECKING:
    import httpx

    from hub_salesforce.auth.access import Access
    from hub_salesforce.settings import SalesforceSettings

Row = Mapping[str, Any]
Kept = TypeVar("Kept")

REMEMBERED = timedelta(hours=1)
"""How long names and other seldom changed facts of an org are taken as they were."""
LONGEST_URL = 12_000
"""Salesforce refuses 16,384 bytes of address and headers; longer queries go in a body."""


class SalesforceClient:
    """Calls one org as one user; signs in when first needed and again when told so."""

    def __init__(
        self,
        settings: "SalesforceSettings",
        http: "httpx.AsyncClient",
        now: clock.Clock = clock.now,
    ) -> None:
        self.settings = settings
        self.session = Session(settings, http, now)
        self.usage: Usage | None = None
        self.usage_at: datetime | None = None
        self.skew: timedelta | None = None
        self.polled_at: datetime | None = None
        self.learned: dict[str, set[str]] = {}
        self.event_schemas: dict[str, Mapping[str, Any]] = {}
        self.now = now
        self._http = http
        self._describes: dict[str, Describe] = {}
        self._objects: tuple[datetime, Sequence[Row]] | None = None
        self._remembered: dict[str, tuple[datetime, Any]] = {}
        self._together = Together(send=self._create_all)

    @property
    def root(self) -> str:
        """The path that all calls of the chosen API version begin with."""
        return f"/services/data/v{self.settings.api_version}"

    async def send(
        self,
        method: str,
        path: str,
        *,
        body: object = None,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send a request to the org; an expired session is renewed and the request sent once more.

        `path` begins with a slash. Raises the ConnectorError of any answer but 2xx and 304.
        """
        access = await self.session.access()
        answer = await self._once(access, method, path, body, params, headers)
        if answer.status == 401:
            access = await self.session.access(instead_of=access.token)
            answer = await self._once(access, method, path, body, params, headers)
        raise_for(answer, self.now())
        return answer

    async def query(self, soql: str) -> list[Row]:
        """Return all rows of a query, over all its pages."""
        return [row async for page in self._pages(soql) for row in page]

    async def query_page(self, soql: str) -> list[Row]:
        """Return the first page of a query."""
        return list((await self._query(soql)).get("records") or ())

    async def create(
        self, api_name: str, fields: Row, *, headers: Mapping[str, str] | None = None
    ) -> SfId:
        """Create a record and return its id."""
        answer = await self.send(
            "POST", f"{self.root}/sobjects/{api_name}", body=fields, headers=headers
        )
        return made_id(answer)

    async def create_together(self, api_name: str, fields: Row) -> SfId:
        """Create a record in one request with others that come within a moment; return its id."""
        return await self._together.create(api_name, fields)

    async def _create_all(
        self, rows: Sequence[tuple[str, Row]]
    ) -> Sequence[SfId | hub.ConnectorError]:
        if len(rows) == 1:
            return [await self.create(*rows[0])]
        records = [{"attributes": {"type": name}, **row} for name, row in rows]
        body = {"allOrNone": False, "records": records}
        answer = await self.send("POST", f"{self.root}/composite/sobjects", body=body)
        if not isinstance(answer.data, list) or len(answer.data) != len(rows):
            raise hub.OutcomeUnknown("a request for several records was answered otherwise")
        return [self._made_of(answer, one) for one in answer.data]

    def _made_of(self, answer: Answer, one: Row) -> SfId | hub.ConnectorError:
        if one.get("success"):
            return to_18(str(one["id"]))
        refused = replace(answer, status=400)
        return error_of(refused, faults_of(one.get("errors") or []), self.now())

    async def update(
        self, api_name: str, id: str, fields: Row, *, unless_changed_since: datetime | None = None
    ) -> None:
        """Change a record; Conflict if it was changed after `unless_changed_since`."""
        since = unless_changed_since
        headers = {"If-Unmodified-Since": format_datetime(since, usegmt=True)} if since else None
        path = f"{self.root}/sobjects/{api_name}/{id}"
        await self.send("PATCH", path, body=fields, headers=headers)

    async def get(self, path: str, params: Mapping[str, str] | None = None) -> Any:  # noqa: ANN401
        """Return the JSON of a path below the API version's root."""
        return (await self.send("GET", self.root + path, params=params)).data

    async def composite(self, parts: Sequence[Row], *, all_or_none: bool = True) -> list[Row]:
        """Send up to 25 requests in one call; each answer has its own status."""
        body = {"allOrNone": all_or_none, "compositeRequest": list(parts)}
        answer = await self.send("POST", f"{self.root}/composite", body=body)
        found = answer.data.get("compositeResponse") if isinstance(answer.data, dict) else None
        if not isinstance(found, list):
            raise hub.OutcomeUnknown("a composite call was answered with something else")
        return found

    async def describe(self, api_name: str) -> Describe:
        """Return an object's description; kept, and asked for again only if it changed."""
        known = self._describes.get(api_name.lower())
        if known and known.age(self.now()) < FRESH:
            return known
        headers = {"If-Modified-Since": known.modified} if known and known.modified else None
        path = f"{self.root}/sobjects/{quote(api_name)}/describe"
        answer = await self.send("GET", path, headers=headers)
        if known and answer.status == 304:
            fresh = replace(known, read_at=self.now())
        else:
            fresh = read_describe(answer.data, answer.headers.get("last-modified", ""), self.now())
        self._describes[api_name.lower()] = fresh
        return fresh

    def forget(self, api_name: str) -> None:
        """Let the next use of an object's description ask for it anew."""
        self._describes.pop(api_name.lower(), None)

    async def remembered(
        self, key: str, fetch: Callable[[], Awaitable[Kept]], *, fresh: timedelta = REMEMBERED
    ) -> Kept:
        """Return what `fetch` gives, or gave for this key not longer than `fresh` ago."""
        known = self._remembered.get(key)
        if known is None or self.now() - known[0] > fresh:
            known = self._remembered[key] = (self.now(), await fetch())
        found: Kept = known[1]
        return found

    def forget_remembered(self) -> bool:
        """Let everything remembered be asked for anew; tells whether there was anything."""
        had = bool(self._remembered)
        self._remembered.clear()
        return had

    async def objects(self) -> Sequence[Row]:
        """Return the short descriptions of all objects of the org, at most FRESH old."""
        if self._objects is None or self.now() - self._objects[0] > FRESH:
            listed = await self.get("/sobjects")
            self._objects = (self.now(), listed.get("sobjects") or ())
        return self._objects[1]

    async def object_of(self, id: str) -> str:
        """Return the API name of the object that an id belongs to; Gone if there is none."""
        for row in await self.objects():
            if row.get("keyPrefix") == key_prefix(id):
                return str(row["name"])
        raise hub.Gone(f"no object of this org has ids that begin with {key_prefix(id)}")

    async def _pages(self, soql: str) -> AsyncIterator[Sequence[Row]]:
        found = await self._query(soql)
        yield found.get("records") or ()
        while following := found.get("nextRecordsUrl"):
            found = (await self.send("GET", following)).data
            yield found.get("records") or ()

    async def _query(self, soql: str) -> Row:
        if len(quote(soql)) <= LONGEST_URL:
            found: Row = await self.get("/query", {"q": soql})
            return found
        return await self._query_in_body(soql)

    async def _query_in_body(self, soql: str) -> Row:
        url = f"v{self.settings.api_version}/query?q={quote(soql)}"
        body = {"batchRequests": [{"method": "GET", "url": url}]}
        answer = await self.send("POST", f"{self.root}/composite/batch", body=body)
        part = answer.data["results"][0]
        inner = replace(answer, method="GET", status=part["statusCode"], data=part["result"])
        raise_for(inner, self.now())
        found: Row = part["result"]
        return found

    async def _once(
        self,
        access: "Access",
        method: str,
        path: str,
        body: object,
        params: Mapping[str, str] | None,
        headers: Mapping[str, str] | None,
    ) -> Answer:
        content = None if body is None else json.dumps(body).encode()
        sent = {
            "Authorization": f"Bearer {access.token}",
            "Accept": "application/json",
            **MARK_HEADER,
            **({"Content-Type": "application/json"} if content is not None else {}),
            **(headers or {}),
        }
        answer = await self._http.request(
            method, access.instance_url + path, content=content, params=params, headers=sent
        )
        self._note(answer)
        return _read(method, path, answer)

    def _note(self, answer: "httpx.Response") -> None:
        usage = usage_of(answer.headers)
        if usage:
            self.usage, self.usage_at = usage, self.now()
        if "date" in answer.headers:
            self.skew = _skew(answer.headers.get_list("date")[-1], self.now())


def _skew(date: str, now: datetime) -> timedelta | None:
    """Return how far the org's clock is ahead of ours; None where the header can't be read."""
    try:
        return parsedate_to_datetime(date) - now
    except (ValueError, TypeError):
        return None


def made_id(answer: Answer) -> SfId:
    """Return the id of the record that an answer says was made; OutcomeUnknown without one."""
    try:
        return to_18(str(answer.data["id"]))
    except (KeyError, TypeError, ValueError) as error:
        raise hub.OutcomeUnknown("the record's id is missing in Salesforce's answer") from error


def _read(method: str, path: str, answer: "httpx.Response") -> Answer:
    text = answer.text
    try:
        data = json.loads(text, parse_float=Decimal) if text.strip() else None
    except ValueError:
        data = None
    return Answer(
        method=method,
        path=path,
        status=answer.status_code,
        headers=answer.headers,
        data=data,
        text=text,
    )
