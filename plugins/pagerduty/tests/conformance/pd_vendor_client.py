"""PagerDuty's own Python client against the simulator: what it expects must be there."""

from typing import Any

import httpx2
from a2wsgi import ASGIMiddleware
from pagerduty import EventsApiV2Client, RestApiV2Client

from hub_pagerduty.testing import FakePagerDuty, SimulatorApp

_KEY = f"2{2:031x}"


def drive() -> tuple[int, list[str]]:
    """Return how many calls the vendor's client made, and what went wrong."""
    driver, faults = Driver(), []
    for name in [one for one in vars(Driver) if not one.startswith("_")]:
        try:
            getattr(driver, name)()
        except Exception as error:  # noqa: BLE001 - whatever the vendor's client objects to
            faults.append(f"{name}: {type(error).__name__}: {error}")
    return len(driver._sim.requests), faults


class Driver:
    """Each method drives one part of the simulator; they run in this order."""

    def __init__(self) -> None:
        self._sim = FakePagerDuty()
        transport = httpx2.WSGITransport(app=ASGIMiddleware(SimulatorApp(self._sim)))
        self._rest = RestApiV2Client(
            "demo-key",
            default_from="ops@company.com",
            base_url="https://pd.sim",
            transport=transport,
        )
        self._events = EventsApiV2Client(_KEY, base_url="https://ev.sim", transport=transport)
        self._incident: dict[str, Any] = {}

    def create(self) -> None:
        service = {"id": "PDAT001", "type": "service_reference"}
        body = {"type": "incident", "title": "From the vendor's client", "service": service}
        self._incident = self._rest.rpost("incidents", json=body)

    def find_a_user(self) -> None:
        found = self._rest.find("users", "john.doe@company.com", attribute="email")
        expect("PUSER02", found["id"])

    def pages(self) -> None:
        self._sim.world.switches.page_limit = 2
        found = list(self._rest.iter_all("services"))
        self._sim.world.switches.page_limit = 100
        expect(len(self._sim.world.services), len(found))

    def cursor(self) -> None:
        query = {"trigger_type": "manual"}
        found = list(self._rest.iter_cursor("incident_workflows/triggers", params=query))
        expect(1, len(found))

    def abilities(self) -> None:
        expect(True, self._rest.account_has_ability("teams"))
        expect(False, self._rest.account_has_ability("sso"))

    def rate_limit(self) -> None:
        self._sim.faults.add("rate_limited", method="GET", path="^/abilities$", seconds=1)
        expect(True, "teams" in self._rest.rget("abilities"))

    def not_there(self) -> None:
        expect(404, self._rest.get("incidents/QNOTHERE0000").status_code)

    def change(self) -> None:
        expect("acknowledged", self._set("acknowledged")["status"])
        path = f"incidents/{self._incident['id']}/notes"
        expect("hello", self._rest.rpost(path, json={"content": "hello"})["content"])
        expect(1, len(self._rest.rget(path)))
        expect("resolved", self._set("resolved")["status"])

    def subscribe(self) -> None:
        body = {
            "type": "webhook_subscription",
            "events": ["incident.triggered"],
            "delivery_method": {"type": "http_delivery_method", "url": "https://hub.example.com"},
            "filter": {"type": "account_reference"},
        }
        made = self._rest.rpost("webhook_subscriptions", json=body)
        expect(True, bool(made["delivery_method"]["secret"]))
        self._rest.rdelete(f"webhook_subscriptions/{made['id']}")

    def events(self) -> None:
        key = self._events.trigger("Disk full", "www15", dedup_key="vendor-disk", severity="error")
        expect("vendor-disk", key)
        self._events.acknowledge(key)
        self._events.resolve(key)

    def lists(self) -> None:
        found = self._rest.list_all("incidents", params={"date_range": "all"})
        expect(len(self._sim.world.incidents), len(found))
        for path in ("schedules", "oncalls", "escalation_policies", "priorities"):
            self._rest.list_all(path)
        self._rest.list_all(f"incidents/{self._incident['id']}/log_entries")

    def _set(self, status: str) -> dict[str, Any]:
        body = {"id": self._incident["id"], "type": "incident_reference", "status": status}
        done: dict[str, Any] = self._rest.rput(f"incidents/{body['id']}", json=body)
        return done


def expect(wanted: object, found: object) -> None:
    """Raise unless both are equal."""
    if wanted != found:
        raise AssertionError(f"expected {wanted!r}, found {found!r}")
