"""The hub's API, as the demo uses it."""

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import httpx

Trace: TypeAlias = dict[str, Any]


class HubRefused(Exception):
    """The hub did not do what the demo asked for."""


@dataclass(slots=True, kw_only=True)
class Hub:
    """One tenant of a hub. Paths are below the tenant; those with a slash in front are not."""

    url: str
    token: str
    tenant: str
    http: httpx.AsyncClient

    async def get(self, path: str, **query: object) -> Any:  # noqa: ANN401 - JSON
        """Read one thing."""
        return await self.call("GET", path, query=query)

    async def post(self, path: str, body: object = None) -> Any:  # noqa: ANN401 - JSON
        """Make something, or have something done."""
        return await self.call("POST", path, body=body)

    async def call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, object] | None = None,
        body: object = None,
    ) -> Any:  # noqa: ANN401 - JSON
        """Do one request; HubRefused tells of a problem."""
        answer = await self.http.request(
            method,
            self._url(path),
            params={key: str(value) for key, value in (query or {}).items()},
            json=body,
            headers=self._headers(),
        )
        if answer.is_error:
            raise HubRefused(f"{method} {path}: {answer.status_code} {answer.text}")
        return answer.json() if answer.content else None

    async def lines(self, path: str) -> AsyncIterator[dict[str, Any]]:
        """Post, and read the answer's JSON lines as they come."""
        headers = self._headers() | {"Accept": "application/x-ndjson"}
        async with self.http.stream("POST", self._url(path), headers=headers) as answer:
            if answer.is_error:
                await answer.aread()
                raise HubRefused(f"POST {path}: {answer.status_code} {answer.text}")
            async for line in answer.aiter_lines():
                if line.strip():
                    yield json.loads(line)

    async def traces(self, *, connector: str = "", limit: int = 30) -> AsyncIterator[Trace]:
        """Yield the newest deliveries with their traces, the newest first."""
        query = {"connector": connector} if connector else {}
        found = await self.get("deliveries", limit=limit, **query)
        for one in found["items"]:
            yield await self.get(f"deliveries/{one['id']}/trace")

    def _url(self, path: str) -> str:
        if path.startswith("/"):
            return f"{self.url}/api/v1{path}"
        return f"{self.url}/api/v1/tenants/{self.tenant}/{path}"

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}", "If-Match": "*"}
