"""The hub's API, as commands use it: blocking calls, answers as JSON, problems as `Failed`."""

import asyncio
import ipaddress
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from hub.cli.failure import Failed, Status

if TYPE_CHECKING:
    import httpx

_TIMEOUT_S = 60.0
_STATUSES = {
    401: Status.NOT_ALLOWED,
    403: Status.NOT_ALLOWED,
    404: Status.NOT_FOUND,
    503: Status.NOT_REACHABLE,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the hub answered: the body as JSON, and the ETag of what it describes."""

    body: Any
    etag: str | None = None


@dataclass(slots=True, kw_only=True)
class Client:
    """Speaks to one hub, for one tenant, with one token.

    Paths that begin with "/" are taken below `/api/v1`; others below the tenant.
    Raises Failed: status 5 when the hub can't be reached, 4 when it refuses the token,
    3 when there is no such thing, 1 for every other problem. `searched` is the data folder in
    which the address of a local hub was looked for; None where the address was named.
    """

    url: str
    tenant: str
    token: str | None = None
    searched: Path | None = None
    _runner: asyncio.Runner = field(default_factory=asyncio.Runner, repr=False)
    _http: "httpx.AsyncClient | None" = field(default=None, repr=False)

    def get(self, path: str, **query: object) -> Any:  # noqa: ANN401 - JSON
        """Read one thing."""
        return self.call("GET", path, query=query).body

    def post(self, path: str, body: object = None) -> Any:  # noqa: ANN401 - JSON
        """Make something, or have something done."""
        return self.call("POST", path, body=body).body

    def change(self, path: str, body: object, *, method: str = "PATCH") -> Any:  # noqa: ANN401 - JSON
        """Change what was just read: nobody else's change in between is lost."""
        etag = self.call("GET", path).etag
        return self.call(method, path, body=body, headers={"If-Match": etag or "*"}).body

    def delete(self, path: str, **query: object) -> Any:  # noqa: ANN401 - JSON
        """Remove what is there."""
        etag = self.call("GET", path).etag
        return self.call("DELETE", path, query=query, headers={"If-Match": etag or "*"}).body

    def pages(self, path: str, *, limit: int, **query: object) -> list[Any]:
        """Read a list up to `limit` items, page by page where it comes in pages."""
        items: list[Any] = []
        cursor: object = None
        while len(items) < limit:
            wanted = min(limit - len(items), 100)
            page = self.get(path, **query, limit=wanted, cursor=cursor)
            if isinstance(page, list):
                return page[:limit]
            items += page["items"]
            cursor = page.get("next")
            if not cursor or not page["items"]:
                break
        return items

    def lines(self, path: str, body: object = None, *, method: str = "POST") -> Iterator[Any]:
        """Ask, and read the answer's JSON lines as they come."""
        stream = self._lines(path, body, method)
        while True:
            try:
                yield self._runner.run(anext(stream))
            except StopAsyncIteration:
                return

    def call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, object] | None = None,
        body: object = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Do one request."""
        return self._runner.run(
            self._call(
                method, path, query=_said(query or {}), json=body, headers=dict(headers or {})
            )
        )

    def close(self) -> None:
        """Let go of the connections."""
        if self._http is not None:
            self._runner.run(self._http.aclose())
        self._runner.close()

    async def _call(
        self,
        method: str,
        path: str,
        *,
        query: dict[str, str | list[str]],
        json: object,
        headers: dict[str, str],
    ) -> Answer:
        import httpx  # noqa: PLC0415 - so that --help is quick

        try:
            answer = await self._client().request(
                method, self._path(path), params=query, headers=headers, json=json
            )
        except httpx.HTTPError as error:
            raise self._unreachable(error) from error
        self._refuse(answer)
        return Answer(body=_json(answer), etag=answer.headers.get("etag"))

    async def _lines(self, path: str, body: object, method: str) -> Any:  # noqa: ANN401 - an async generator of JSON
        import httpx  # noqa: PLC0415 - so that --help is quick

        headers = {"Accept": "application/x-ndjson"}
        try:
            async with self._client().stream(
                method, self._path(path), json=body, headers=headers
            ) as answer:
                if answer.is_error:
                    await answer.aread()
                    self._refuse(answer)
                async for line in answer.aiter_lines():
                    if line.strip():
                        yield json.loads(line)
        except httpx.HTTPError as error:
            raise self._unreachable(error) from error

    def _client(self) -> "httpx.AsyncClient":
        if self._http is None:
            import httpx  # noqa: PLC0415 - so that --help is quick

            headers = {"Accept": "application/json", "User-Agent": "hub-cli"}
            if self.token:
                headers["Authorization"] = f"Bearer {self.token}"
            self._http = httpx.AsyncClient(
                base_url=self.url,
                headers=headers,
                timeout=_TIMEOUT_S,
                trust_env=not _is_loopback(self.url),
            )
        return self._http

    def _path(self, path: str) -> str:
        if path.startswith("/"):
            return f"/api/v1{path}"
        return f"/api/v1/tenants/{quote(self.tenant, safe='')}/{path}"

    def _unreachable(self, error: Exception) -> Failed:
        looked = "" if self.searched is None else _looked(self.searched)
        return Failed(
            f"The hub at {self.url} does not answer ({_reason(error)}).{looked}",
            "Start it with `hub serve`, or name another one with --url or HUB_URL.",
            status=Status.NOT_REACHABLE,
        )

    def _refuse(self, answer: "httpx.Response") -> None:
        if answer.is_error:
            raise self._failed(answer)

    def _failed(self, answer: "httpx.Response") -> Failed:
        if answer.status_code in (401, 403) and not _is_problem(answer):
            return _no_hub(answer)
        problem = _problem(answer)
        cause = str(problem.get("detail") or problem.get("title") or f"HTTP {answer.status_code}")
        status = _STATUSES.get(answer.status_code, Status.FAILED)
        faults = [
            f"  {fault.get('pointer') or '/'}: {fault.get('detail', '')}"
            for fault in problem.get("errors") or []
        ]
        if "theirs" in problem:
            differs = [f"  {line}" for line in problem.get("changes") or []]
            return Failed(cause, _COMPARE, status=status, details=[*faults, *differs])
        fix = self._fix(answer.status_code, answer.request.url.path, problem)
        return Failed(cause, fix, status=status, details=faults)

    def _fix(self, status: int, path: str, problem: Mapping[str, Any]) -> str:
        if status == 401 and self.token:
            return (
                "The hub does not know this token (any more); give another: --token or HUB_TOKEN."
            )
        if problem.get("type") == "/problems/connector-broken":
            return (
                "hub plugins list shows which plugin does not work, hub plugins show NAME why. "
                f"{_log_line(problem)}"
            )
        return {
            401: "Give a token: --token or HUB_TOKEN. `hub token create NAME` makes one.",
            403: "Ask an administrator of the tenant for the permission, or use another token.",
            404: f"{_list_command(path)} shows what is there; --tenant names another tenant.",
            409: "Change what stands in the way, then repeat the command.",
            412: "Somebody changed it meanwhile: look at it again, then repeat the command.",
            422: "Correct the values named above, then repeat the command.",
            503: f"Repeat the command in a moment. {_log_line(problem)}",
        }.get(status, _log_line(problem))


_COMPARE = (
    "Somebody else saved first, nothing of yours was: look at theirs, then repeat the command."
)


_LISTS = {
    "connectors": "connector",
    "service-mappings": "mapping",
    "value-maps": "valuemap",
    "rulesets": "ruleset",
    "rule-breakers": "ruleset",
    "ruleset-templates": "template",
    "runs": "run",
    "tokens": "token",
    "holds": "hold",
    "plugins": "plugins",
}


def _list_command(path: str) -> str:
    """Return the command that lists what a path of the API leads to."""
    parts = [one for one in path.split("/") if one][2:]  # below api, v1
    if parts[:1] == ["tenants"]:
        parts = parts[2:] or ["tenants"]
    if parts[:1] == ["operators-off"]:
        return "hub plugins operators-off"
    group = "tenant" if parts[:1] == ["tenants"] else _LISTS.get(parts[0] if parts else "")
    return f"hub {group or 'delivery'} list"


def _log_line(problem: Mapping[str, Any]) -> str:
    named = str(problem.get("instance") or "").removeprefix("urn:uuid:")
    which = f"the line with {named}" if named else "the newest lines"
    return f"The hub writes its log to standard error of hub serve: {which} says more."


def segment(text: str) -> str:
    """Return `text` as one segment of a path."""
    return quote(text, safe="")


def _said(query: Mapping[str, object]) -> dict[str, str | list[str]]:
    return {key: _plain(value) for key, value in query.items() if value is not None}


def _plain(value: object) -> str | list[str]:
    if isinstance(value, list):
        return [str(one) for one in value]
    return str(value).lower() if isinstance(value, bool) else str(value)


def _json(answer: "httpx.Response") -> Any:  # noqa: ANN401 - JSON
    if not answer.content:
        return None
    try:
        return answer.json()
    except ValueError as error:
        raise _no_hub(answer) from error


def _no_hub(answer: "httpx.Response") -> Failed:
    return Failed(
        f"{answer.request.url} does not look like a hub: it answered {answer.status_code}, "
        "and not as a hub answers.",
        "Check --url or HUB_URL: it names the hub's address, without a path.",
        status=Status.NOT_REACHABLE,
    )


def _is_problem(answer: "httpx.Response") -> bool:
    kind: str = answer.headers.get("content-type", "")
    return kind.startswith("application/problem+json")


def _looked(folder: Path) -> str:
    return f" No running hub has left its address in the data folder {folder.absolute()}."


def _problem(answer: "httpx.Response") -> dict[str, Any]:
    try:
        problem = answer.json()
    except ValueError:
        problem = None
    if not isinstance(problem, dict):
        return {"detail": f"{answer.request.url} answered {answer.status_code}."}
    return problem


def _reason(error: Exception) -> str:
    import httpx  # noqa: PLC0415 - so that --help is quick

    if isinstance(error, httpx.TimeoutException):
        return "no answer in time"
    if isinstance(error, httpx.ConnectError):
        return "connection refused"
    return str(error) or type(error).__name__


def is_same(one: str, other: str) -> bool:
    """Whether two URLs name the same address; all names of this machine's loopback are one."""
    return _address(one) == _address(other)


def _address(url: str) -> tuple[str, str, int | None]:
    parts = urlsplit(url)
    host = (parts.hostname or "").lower()
    here = _is_loopback(url) or host in ("0.0.0.0", "::")  # noqa: S104 - told, not listened at
    port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    return parts.scheme, "loopback" if here else host, port


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
