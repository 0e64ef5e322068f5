"""A sandbox that is started anew makes nothing that an earlier one has made."""

import httpx

from hub.catalog.plugins import load_plugins
from hub.sandbox.app import simulated

INCIDENT = {
    "incident": {
        "type": "incident",
        "title": "Disk full",
        "service": {"id": "PAPI001", "type": "service_reference"},
    }
}
HEADERS = {"Authorization": "Token token=your-api-key", "From": "ops@company.com"}


async def test_incidents_of_two_sandboxes_have_ids_of_their_own() -> None:
    assert await an_incident() != await an_incident()


async def test_cases_of_two_sandboxes_have_ids_of_their_own() -> None:
    assert await a_case() != await a_case()


def of(name: str):
    types = load_plugins((), frozenset()).catalog.connector_types.values()
    return next(one.simulator for one in simulated(types) if one.type == name)


async def an_incident() -> str:
    transport = httpx.ASGITransport(of("pagerduty").app)
    async with httpx.AsyncClient(transport=transport, base_url="http://sim") as http:
        answer = await http.post("/incidents", json=INCIDENT, headers=HEADERS)
        return answer.json()["incident"]["id"]


async def a_case() -> str:
    transport = httpx.ASGITransport(of("salesforce").app)
    async with httpx.AsyncClient(transport=transport, base_url="http://sim") as http:
        session = await http.post("/_sim/sessions", json={"username": "agent@acme.example"})
        token = session.json()["access_token"]
        answer = await http.post(
            "/services/data/v60.0/sobjects/Case",
            json={"Subject": "Disk full"},
            headers={"Authorization": f"Bearer {token}"},
        )
        return answer.json()["id"]
