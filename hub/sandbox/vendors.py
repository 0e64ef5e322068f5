"""The two vendors as people see them: every look and every deed goes to a stand-in by HTTP."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

API_VERSION = "v60.0"
ACCOUNT_KEY = "demo-key"


@dataclass(slots=True, kw_only=True)
class PagerDuty:
    """The PagerDuty stand-in, used with the keys of its people."""

    url: str
    http: httpx.AsyncClient

    async def incidents(self) -> list[dict[str, Any]]:
        """Return all incidents, with their bodies."""
        query = {"date_range": "all", "include[]": "body", "limit": 100}
        found = await self._call("GET", "/incidents", params=query)
        listed: list[dict[str, Any]] = found["incidents"]
        return listed

    async def incident(self, id: str) -> dict[str, Any]:
        """Return one incident, with its body."""
        found = await self._call("GET", f"/incidents/{id}", params={"include[]": "body"})
        incident: dict[str, Any] = found["incident"]
        return incident

    async def notes(self, id: str) -> list[dict[str, Any]]:
        """Return the notes of an incident."""
        found = await self._call("GET", f"/incidents/{id}/notes")
        listed: list[dict[str, Any]] = found["notes"]
        return listed

    async def acknowledge(self, id: str, *, by: str) -> None:
        """Acknowledge an incident as that user."""
        await self._change(id, {"status": "acknowledged"}, by=by)

    async def resolve(self, id: str, *, by: str) -> None:
        """Resolve an incident as that user."""
        await self._change(id, {"status": "resolved"}, by=by)

    async def add_note(self, id: str, text: str, *, by: str) -> None:
        """Add a note as that user."""
        body = {"note": {"content": text}}
        await self._call("POST", f"/incidents/{id}/notes", key=await self.key_of(by), json=body)

    async def delivered(self) -> int:
        """Return how many webhooks were answered 2xx."""
        answer = await self.http.get(f"{self.url}/_sim/deliveries")
        answer.raise_for_status()
        return sum(one["state"] == "delivered" for one in answer.json())

    async def repeat_after(self, seconds: float) -> None:
        """Let failed webhooks be tried again so soon."""
        switches = {"retry_after": [seconds]}
        answer = await self.http.post(f"{self.url}/_sim/switches", json=switches)
        answer.raise_for_status()

    async def key_of(self, user: str) -> str:
        """Return a person's own API key."""
        answer = await self.http.get(f"{self.url}/_sim/state")
        answer.raise_for_status()
        return str(next(one["key"] for one in answer.json()["keys"] if one["user"] == user))

    async def _change(self, id: str, change: Mapping[str, Any], *, by: str) -> None:
        body = {"incident": {"type": "incident_reference", **change}}
        await self._call("PUT", f"/incidents/{id}", key=await self.key_of(by), json=body)

    async def _call(
        self,
        method: str,
        path: str,
        *,
        key: str = ACCOUNT_KEY,
        params: Mapping[str, Any] | None = None,
        json: object = None,
    ) -> dict[str, Any]:
        headers = {
            "Authorization": f"Token token={key}",
            "Accept": "application/vnd.pagerduty+json;version=2",
        }
        answer = await self.http.request(
            method, f"{self.url}{path}", headers=headers, params=params, json=json
        )
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
        return found


@dataclass(slots=True, kw_only=True)
class Salesforce:
    """The Salesforce stand-in, used by one of its people."""

    url: str
    http: httpx.AsyncClient
    username: str = ""
    _token: str = field(default="", repr=False)

    async def create_case(self, **fields: object) -> str:
        """Create a case; return its id."""
        made = await self._call("POST", "/sobjects/Case", json=fields)
        return str(made["id"])

    async def change_case(self, id: str, **fields: object) -> None:
        """Change fields of a case."""
        await self._call("PATCH", f"/sobjects/Case/{id}", json=fields)

    async def case(self, id: str) -> dict[str, Any]:
        """Return a case."""
        return await self._call("GET", f"/sobjects/Case/{id}")

    async def add_comment(self, case: str, text: str) -> None:
        """Add a comment to a case."""
        row = {"ParentId": case, "CommentBody": text, "IsPublished": False}
        await self._call("POST", "/sobjects/CaseComment", json=row)

    async def comments(self, case: str) -> list[str]:
        """Return the texts of a case's comments."""
        query = f"SELECT Id, CommentBody FROM CaseComment WHERE ParentId = '{case}'"  # noqa: S608 - SOQL for the stand-in
        found = await self._call("GET", "/query", params={"q": query})
        return [str(one["CommentBody"]) for one in found["records"]]

    async def delivered(self) -> int:
        """Return how many pushes were answered 2xx."""
        answer = await self.http.get(f"{self.url}/_sim/deliveries")
        answer.raise_for_status()
        return sum(one["status"] in (200, 202) for one in answer.json())

    async def install_trigger(self, url: str, secret: str) -> None:
        """Install the Apex trigger that pushes changes of cases, and their comments."""
        for name in ("Case", "CaseComment"):
            body = {"object": name, "url": url, "secret": secret}
            answer = await self.http.post(f"{self.url}/_sim/apex-triggers", json=body)
            answer.raise_for_status()

    async def _call(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        json: object = None,
    ) -> dict[str, Any]:
        answer = await self.http.request(
            method,
            f"{self.url}/services/data/{API_VERSION}{path}",
            headers={"Authorization": f"Bearer {await self._session()}"},
            params=params,
            json=json,
        )
        answer.raise_for_status()
        found: dict[str, Any] = answer.json() if answer.content else {}
        return found

    async def _session(self) -> str:
        if not self._token:
            answer = await self.http.post(
                f"{self.url}/_sim/sessions", json={"username": self.username}
            )
            answer.raise_for_status()
            self._token = str(answer.json()["access_token"])
        return self._token
