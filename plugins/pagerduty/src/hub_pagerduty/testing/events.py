"""The Events APIs: validated at once, worked a little later, wrong keys dropped in silence."""

from datetime import datetime, timedelta
from typing import Final

from hub_pagerduty.testing.lifecycle import Refusal
from hub_pagerduty.testing.model import Alert, Incident, Integration, Json, Ref
from hub_pagerduty.testing.sim import FakePagerDuty

LARGEST: Final = 524_288
V2, V1 = "/v2/enqueue", "/generic/2010-04-15/create_event.json"
CHANGE: Final = "/v2/change/enqueue"
_ACTIONS: Final = {"trigger", "acknowledge", "resolve"}
_SEVERITIES: Final = {"critical", "error", "warning", "info"}

EventAnswer = tuple[int, Json | str]


class EventsApi:
    """Takes events for one account."""

    def __init__(self, sim: FakePagerDuty) -> None:
        self._sim = sim
        self._seen: dict[str, list[datetime]] = {}

    def answer(self, path: str, body: Json, size: int) -> EventAnswer:
        """Answer an event."""
        if size > LARGEST:
            return 413, "Request Entity Too Large"
        if path == V1:
            return self._v1(body)
        return self._v2(body) if path == V2 else self._change(body)

    def _v2(self, body: Json) -> EventAnswer:
        key = str(body.get("routing_key") or "")
        errors = _key_errors(key, "routing_key") + _v2_errors(body)
        if errors:
            return 400, _invalid(errors)
        if self._too_many(key):
            return 429, ""
        if key not in self._sim.world.integrations:
            return 400, "Invalid routing key"
        payload = body.get("payload") or {}
        dedup_key = str(body.get("dedup_key") or self._sim.world.ids.hexadecimal())
        event = {
            "version": "v2",
            "key": key,
            "action": body["event_action"],
            "dedup_key": dedup_key,
            "title": payload.get("summary"),
            "severity": payload.get("severity", "error"),
            "details": payload.get("custom_details") or {},
            "client": body.get("client"),
            "client_url": body.get("client_url"),
        }
        self._later(event)
        return 202, {"status": "success", "message": "Event processed", "dedup_key": dedup_key}

    def _v1(self, body: Json) -> EventAnswer:
        key = str(body.get("service_key") or "")
        errors = _v1_errors(body, key)
        if errors:
            return 400, _invalid(errors)
        if self._too_many(key):
            return 403, {
                "status": "throttle exceeded",
                "message": "Requests for this service key are arriving too quickly.",
            }
        if key not in self._sim.world.integrations:
            return 400, _invalid(["Service key is invalid"])
        incident_key = str(body.get("incident_key") or self._sim.world.ids.hexadecimal())
        event = {
            "version": "v1",
            "key": key,
            "action": body["event_type"],
            "dedup_key": incident_key,
            "title": body.get("description"),
            "severity": "critical",
            "details": body.get("details") or {},
            "client": body.get("client"),
            "client_url": body.get("client_url"),
            "vendor": body.get("vendor"),
        }
        self._later(event)
        return 200, {
            "status": "success",
            "message": "Event processed",
            "incident_key": incident_key,
        }

    def _change(self, body: Json) -> EventAnswer:
        key = str(body.get("routing_key") or "")
        errors = _key_errors(key, "routing_key")
        if not (body.get("payload") or {}).get("summary"):
            errors.append("'payload.summary' is missing or blank")
        if errors:
            return 400, _invalid(errors)
        self._sim.world.changes.append(body)
        return 202, {"status": "success", "message": "Change event processed"}

    def _too_many(self, key: str) -> bool:
        now, limit = self._sim.clock.now(), self._sim.world.switches.events_limit
        window = timedelta(seconds=60)
        recent = [at for at in self._seen.get(key, []) if now - at < window]
        self._seen[key] = [*recent, now] if len(recent) < limit else recent
        return len(recent) >= limit

    # ------------------------------------------------------------------- processing

    def _later(self, event: Json) -> None:
        self._sim.events.append(event)
        delay = self._sim.world.switches.event_delay
        if delay:
            self._sim.clock.after(delay, lambda: self._work(event))
        else:
            self._work(event)

    def _work(self, event: Json) -> None:
        try:
            event["outcome"] = self._apply(event)
        except Refusal as refusal:
            event["outcome"] = f"dropped: {refusal.message}"

    def _apply(self, event: Json) -> str:
        if event.get("lost"):
            return "dropped: lost"
        world, life = self._sim.world, self._sim.lifecycle
        integration = world.integrations[event["key"]]
        service = world.services[integration.service]
        found = self._open(integration, event["dedup_key"])
        agent = Ref("inbound_integration", integration.id)
        if event["action"] != "trigger":
            return self._follow(event, found, agent)
        if found:
            _overwrite(found, event)
            life.log(found, "trigger", agent, channel=_channel(event))
            return f"added to {found.id}"
        if service.suppressed:
            return f"dropped: {service.suppressed}"
        with_alerts = service.alert_creation == "create_alerts_and_incidents"
        made = life.open(
            agent,
            service,
            str(event["title"])[:1024],
            key=None if with_alerts else event["dedup_key"],
            alerts=[self._alert(event, integration)] if with_alerts else [],
            channel=_channel(event),
            client=event.get("client"),
            client_url=event.get("client_url"),
        )
        return f"opened {made.id}"

    def _follow(self, event: Json, found: Incident | None, agent: Ref) -> str:
        if found is None:
            return "dropped: no open alert with this key"
        life = self._sim.lifecycle
        if event["action"] == "resolve":
            for alert in found.alerts:
                if alert.key == event["dedup_key"]:
                    life.resolve_alert(found, alert, agent)
            if not found.alerts:
                life.resolve(found, agent)
            return f"resolved in {found.id}"
        if found.status == "triggered" and found.assigned:
            life.acknowledge(found, Ref("user", found.assigned[0][1]))
        return f"acknowledged {found.id}"

    def _open(self, integration: Integration, dedup_key: str) -> Incident | None:
        for it in self._sim.world.incidents.values():
            keys = {(one.key, one.integration) for one in it.alerts if one.status == "triggered"}
            by_key = it.key == dedup_key and it.service == integration.service and not it.alerts
            if it.is_open and ((dedup_key, integration.id) in keys or by_key):
                return it
        return None

    def _alert(self, event: Json, integration: Integration) -> Alert:
        return Alert(
            id=self._sim.world.ids.short(),
            key=event["dedup_key"],
            summary=str(event["title"]),
            severity=event["severity"],
            integration=integration.id,
            created_at=self._sim.clock.now(),
            details=event["details"],
            client=event.get("client"),
            client_url=event.get("client_url"),
        )


def _overwrite(found: Incident, event: Json) -> None:
    for alert in found.alerts:
        if alert.key == event["dedup_key"]:
            alert.summary = str(event["title"])


def _channel(event: Json) -> Json:
    return {
        "type": "api",
        "summary": event.get("title"),
        "details": event.get("details"),
        "client": event.get("client"),
        "client_url": event.get("client_url"),
    }


def _invalid(errors: list[str]) -> Json:
    return {"status": "invalid event", "message": "Event object is invalid", "errors": errors}


def _key_errors(key: str, name: str) -> list[str]:
    errors = []
    if len(key) != 32:
        errors.append(f"Length of '{name}' is incorrect (should be 32 characters)")
    if not key.isalnum():
        errors.append(f"'{name}' cannot contain non-alphanumeric characters.")
    return errors


def _v2_errors(body: Json) -> list[str]:
    action, payload = body.get("event_action"), body.get("payload") or {}
    if not action:
        return ["'event_action' is missing or blank"]
    if action not in _ACTIONS:
        return ["'event_action' is invalid (must be one of: trigger acknowledge resolve)"]
    if action != "trigger":
        return [] if body.get("dedup_key") else ["'dedup_key' is missing or blank"]
    errors = [
        f"'payload.{name}' is missing or blank"
        for name in ("summary", "source", "severity")
        if not payload.get(name)
    ]
    if len(str(payload.get("summary"))) > 1024:
        errors.append("'summary' is too long (maiximum is 1024 characters)")
    if payload.get("severity") and payload["severity"] not in _SEVERITIES:
        errors.append("'payload.severity' is invalid")
    if len(str(body.get("dedup_key") or "")) > 255:
        errors.append("'dedup_key' is too long")
    if len(body.get("links") or ()) > 50:
        errors.append("links should have at most 50 item(s)")
    return errors


def _v1_errors(body: Json, key: str) -> list[str]:
    kind = body.get("event_type")
    errors = [] if key else ["Service key can't be blank"]
    if not kind:
        errors.append("'event_type' is missing or blank")
    elif kind not in _ACTIONS:
        errors.append("event_type is invalid (must be one of: trigger acknowledge resolve)")
    elif kind == "trigger" and not body.get("description"):
        errors.append("'description' is missing or blank")
    elif kind != "trigger" and not body.get("incident_key"):
        errors.append("'incident_key' is missing or blank")
    if len(str(body.get("description") or "")) > 1024:
        errors.append("'description' is too long (maximum is 1024 characters)")
    return errors
