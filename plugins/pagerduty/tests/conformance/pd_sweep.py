"""Every operation of the simulator once, also those that the plugin never asks."""

import asyncio
from typing import Any

import httpx
from pd_oracle import Exchange
from pd_scenario import BASE, Recorder

from hub_pagerduty.testing import FakePagerDuty, user_key
from hub_pagerduty.testing.routes import ROUTES

NEW, WORKED_ON = "QDEMO000000123", "QDEMO000000122"
HEADERS = {
    "Authorization": f"Token token={user_key('PUSER01')}",
    "Accept": "application/vnd.pagerduty+json;version=2",
    "From": "ops@company.com",
}
_SERVICE = {"id": "PDAT001", "type": "service_reference"}
_POLICY = {"id": "PXXXXXX", "type": "escalation_policy_reference"}
_RULES = [
    {
        "escalation_delay_in_minutes": 30,
        "targets": [{"id": "PUSER01", "type": "user_reference"}],
    }
]
_EXTENSION = {
    "name": "Old",
    "type": "extension",
    "endpoint_url": "https://hub.example.com/old",
    "extension_schema": {"id": "PJFWPEP", "type": "extension_schema_reference"},
    "extension_objects": [_SERVICE],
}
_INTEGRATION = {"type": "events_api_v2_inbound_integration", "name": "New"}
_SUBSCRIPTION = {
    "type": "webhook_subscription",
    "delivery_method": {"type": "http_delivery_method", "url": "https://hub.example.com/x"},
    "events": ["incident.triggered"],
    "filter": {"type": "account_reference"},
}
_WINDOW = {
    "type": "maintenance_window",
    "start_time": "2030-01-01T00:00:00Z",
    "end_time": "2030-01-02T00:00:00Z",
    "description": "Upgrade",
    "services": [{"id": "PGEN001", "type": "service_reference"}],
}
_ALERT = {"type": "alert", "status": "resolved"}


class Sweep:
    """Walks through the operations, keeping ids that answers give."""

    def __init__(self, sim: FakePagerDuty, http: httpx.AsyncClient) -> None:
        self._sim, self._http = sim, http
        self._ids: dict[str, str] = {"NEW": NEW, "WORKED_ON": WORKED_ON}

    async def ask(self, method: str, path: str, body: Any = None, *, keep: str = "") -> Any:
        answer = await self._http.request(
            method, BASE + path.format(**self._ids), json=body, headers=HEADERS
        )
        content = answer.json() if answer.content else {}
        if keep:
            kind, _, name = keep.rpartition(" ")
            found = content[name]
            self._ids[kind or name] = (found[0] if isinstance(found, list) else found)["id"]
        return content

    async def incidents(self) -> None:
        event = {
            "routing_key": f"2{3:031x}",
            "event_action": "trigger",
            "dedup_key": "sweep",
            "payload": {"summary": "Disk", "source": "www15", "severity": "error"},
        }
        await self.ask("POST", "/v2/enqueue", event)
        found = await self.ask("GET", "/incidents?incident_key=sweep&date_range=all")
        self._ids["ALERTED"] = found["incidents"][0]["id"]
        await self.ask("GET", "/incidents/{ALERTED}/alerts", keep="alert alerts")
        await self.ask("GET", "/incidents/{ALERTED}/alerts/{alert}")
        await self.ask("PUT", "/incidents/{ALERTED}/alerts/{alert}", {"alert": _ALERT})
        rows = [{**_ALERT, "id": self._ids["alert"]}]
        await self.ask("PUT", "/incidents/{ALERTED}/alerts", {"alerts": rows})
        change = [{"id": NEW, "type": "incident_reference", "status": "acknowledged"}]
        await self.ask("PUT", "/incidents", {"incidents": change})
        await self.ask("GET", "/incidents/{NEW}/custom_fields/values")

    async def changes(self) -> None:
        payload = {"summary": "Deployed", "source": "ci", "custom_details": {"build": "7"}}
        body = {"routing_key": f"2{3:031x}", "payload": payload}
        await self.ask("POST", "/v2/change/enqueue", body)
        listed = await self.ask("GET", "/change_events?since=2020-01-01T00:00:00Z")
        (change,) = listed["change_events"]
        self._ids["CHANGED"] = change["services"][0]["id"]
        await self.ask("GET", "/services/{CHANGED}/change_events")

    async def notes_and_people(self) -> None:
        await self.ask("POST", "/incidents/{NEW}/notes", {"note": {"content": "x"}}, keep="note")
        await self.ask("PUT", "/incidents/{NEW}/notes/{note}", {"note": {"content": "y"}})
        await self.ask("DELETE", "/incidents/{NEW}/notes/{note}")
        target = {"type": "user_reference", "id": "PUSER03"}
        asked = {
            "requester_id": "PUSER01",
            "message": "Help",
            "responder_request_targets": [{"responder_request_target": target}],
        }
        await self.ask("POST", "/incidents/{NEW}/responder_requests", asked)
        cancel = {"requester_id": "PUSER01", "responder_request_targets": [target]}
        await self.ask("PUT", "/incidents/{NEW}/responder_requests/cancel", cancel)

    async def services(self) -> None:
        service = {"type": "service", "name": "Search", "escalation_policy": _POLICY}
        await self.ask("POST", "/services", {"service": service}, keep="service")
        await self.ask("PUT", "/services/{service}", {"service": {**service, "name": "Search 2"}})
        await self.ask(
            "POST", "/services/{service}/integrations", {"integration": _INTEGRATION},
            keep="integration",
        )  # fmt: skip
        await self.ask("GET", "/services/{service}/integrations/{integration}")
        await self.ask("GET", "/services/PDAT001?include[]=integrations")
        await self.ask("DELETE", "/services/{service}")
        await self.ask("POST", "/maintenance_windows", {"maintenance_window": _WINDOW})
        await self.ask("GET", "/maintenance_windows")

    async def account(self) -> None:
        policy = {"type": "escalation_policy", "name": "Own", "escalation_rules": _RULES}
        await self.ask("POST", "/escalation_policies", {"escalation_policy": policy},
                       keep="policy escalation_policy")  # fmt: skip
        await self.ask("PUT", "/escalation_policies/{policy}", {"escalation_policy": policy})
        await self.ask("GET", "/escalation_policies/{policy}?include[]=targets")
        await self.ask("GET", "/schedules/PSCHED1")
        await self.ask("GET", "/users/PUSER02")
        await self.ask("GET", "/users/me")
        await self.ask("GET", "/abilities/teams")
        await self.ask("GET", "/vendors")
        await self.ask("GET", "/audit/records")

    async def webhooks(self) -> None:
        await self.ask("GET", "/extension_schemas")
        await self.ask("POST", "/extensions", {"extension": _EXTENSION}, keep="extension")
        await self.ask("GET", "/extensions/{extension}")
        await self.ask("PUT", "/extensions/{extension}", {"extension": _EXTENSION})
        await self.ask("POST", "/extensions/{extension}/enable")
        await self.ask("DELETE", "/extensions/{extension}")
        await self.ask("POST", "/webhook_subscriptions", {"webhook_subscription": _SUBSCRIPTION},
                       keep="webhook_subscription")  # fmt: skip
        await self.ask("GET", "/webhook_subscriptions/{webhook_subscription}")

    async def workflows(self) -> None:
        await self.ask("GET", "/incident_workflows/PWORK01")
        await self.ask("GET", "/incident_workflows/triggers?trigger_type=manual")
        await self.ask("GET", "/response_plays")


async def _swept() -> tuple[list[Exchange], set[str]]:
    sim = FakePagerDuty()
    recorder = Recorder(sim)
    async with httpx.AsyncClient(transport=recorder) as http:
        sweep = Sweep(sim, http)
        for name in [one for one in vars(Sweep) if not one.startswith("_") and one != "ask"]:
            await getattr(sweep, name)()
    await sim.close()
    return recorder.exchanges, {one["operation"] for one in sim.requests}


def swept() -> tuple[list[Exchange], set[str]]:
    """Return what went over the wire, and the operations that were asked."""
    return asyncio.run(_swept())


def operations() -> set[str]:
    """Return every operation that the simulator has."""
    return {f"{one.method} {one.template}" for one in ROUTES}
