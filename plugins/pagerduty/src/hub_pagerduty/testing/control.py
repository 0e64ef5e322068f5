"""The control API below /_sim: state, requests, deliveries, faults, the clock."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import fields
from typing import Any, Final

from hub_pagerduty.testing.faults import EFFECTS, Fault
from hub_pagerduty.testing.model import Json, Ref, Switches
from hub_pagerduty.testing.references import stamp
from hub_pagerduty.testing.sim import FakePagerDuty

_SHOWN: Final = (
    "n",
    "at",
    "method",
    "path",
    "query",
    "status",
    "actor",
    "body",
    "operation",
    "violations",
)
_FAULT_PARTS: Final = {one.name for one in fields(Fault)} - {"effect", "met"}
ControlAnswer = tuple[int, Any]


async def control(
    sim: FakePagerDuty, method: str, path: str, body: Json, since: int
) -> ControlAnswer:
    """Answer a request of the control API."""
    if method == "GET":
        return _read(sim, path, since)
    if method == "DELETE" and path == "faults":
        sim.faults.clear()
        return 204, None
    if method == "POST":
        return await _write(sim, path, body)
    return 404, {"error": "no such control"}


def _read(sim: FakePagerDuty, path: str, since: int) -> ControlAnswer:
    if path == "state":
        return 200, state(sim)
    if path == "requests":
        rows = [one for one in sim.requests if one["n"] > since]
        return 200, [{name: one.get(name) for name in _SHOWN} for one in rows]
    if path == "deliveries":
        return 200, [one.shown() for one in sim.dispatcher.deliveries]
    if path == "events":
        return 200, [masked(one) for one in sim.events]
    if path == "faults":
        return 200, {"faults": sim.faults.shown(), "effects": EFFECTS}
    return 404, {"error": "no such control"}


async def _write(sim: FakePagerDuty, path: str, body: Json) -> ControlAnswer:
    if path == "reset":
        sim.reset()
        return 204, None
    act = _CONTROLS.get(path)
    if act is None:
        return 404, {"error": "no such control", "controls": ["reset", *_CONTROLS]}
    return await act(sim, body)


async def _clock(sim: FakePagerDuty, body: Json) -> ControlAnswer:
    """Move the time on: {"advance": seconds}."""
    sim.clock.advance(float(body.get("advance") or 0))
    await sim.dispatcher.settle()
    return 200, {"now": sim.clock.now().isoformat()}


async def _add_fault(sim: FakePagerDuty, body: Json) -> ControlAnswer:
    unknown = set(body) - _FAULT_PARTS - {"effect"}
    if unknown or body.get("effect") not in EFFECTS:
        return 400, {
            "error": f"unknown: {sorted(unknown) or body.get('effect')}",
            "effects": EFFECTS,
        }
    parts = {name: value for name, value in body.items() if name != "effect"}
    sim.faults.add(str(body["effect"]), **parts)
    return 201, {"faults": sim.faults.shown()}


async def _switch(sim: FakePagerDuty, body: Json) -> ControlAnswer:
    known = {one.name for one in fields(Switches)}
    if set(body) - known:
        return 400, {"error": "unknown switch", "switches": sorted(known)}
    for name, value in body.items():
        setattr(sim.world.switches, name, tuple(value) if isinstance(value, list) else value)
    return 200, {name: getattr(sim.world.switches, name) for name in sorted(known)}


async def _happen(sim: FakePagerDuty, body: Json) -> ControlAnswer:
    """Let any event happen to an incident: {"event_type", "incident", "data", "agent"}."""
    incident = sim.world.incidents.get(str(body.get("incident")))
    if incident is None:
        return 404, {"error": "no such incident"}
    agent = Ref("user", str(body["agent"])) if body.get("agent") else None
    sim.lifecycle.happen(str(body["event_type"]), incident, agent, dict(body.get("data") or {}))
    return 202, None


async def _deliver(sim: FakePagerDuty, body: Json) -> ControlAnswer:
    """{"do": "pause" | "resume" | "replay" | "settle", "id"?}."""
    do = body.get("do")
    if do == "pause":
        sim.dispatcher.paused = True
    elif do == "resume":
        sim.dispatcher.paused = False
        sim.dispatcher.kick()
    elif do == "replay":
        sim.dispatcher.replay(str(body.get("id")))
    elif do == "settle":
        await sim.dispatcher.settle()
    else:
        return 400, {"error": "do is one of pause, resume, replay, settle"}
    return 204, None


async def _rotate(sim: FakePagerDuty, body: Json) -> ControlAnswer:
    """Give a subscription a second secret; both sign until the first is dropped."""
    found = sim.world.subscriptions.get(str(body.get("subscription")))
    if found is None:
        return 404, {"error": "no such subscription"}
    found.secrets = [sim.world.ids.secret(), *found.secrets[: 0 if body.get("drop") else 1]]
    return 200, {"secret": found.secrets[0]}


_CONTROLS: Final[Mapping[str, Callable[[FakePagerDuty, Json], Awaitable[ControlAnswer]]]] = {
    "faults": _add_fault,
    "clock": _clock,
    "switches": _switch,
    "happen": _happen,
    "deliveries": _deliver,
    "rotate": _rotate,
}


def state(sim: FakePagerDuty) -> Json:
    """Return the account as it is now."""
    world, show = sim.world, sim.show
    return {
        "now": stamp(sim.clock.now()),
        "subdomain": world.subdomain,
        "keys": [
            {"key": one.token, "kind": one.kind, "user": one.user} for one in world.keys.values()
        ],
        "users": [
            {"id": one.id, "name": one.name, "email": one.email} for one in world.users.values()
        ],
        "services": [
            {"id": one.id, "name": one.name, "policy": one.policy, "status": one.status}
            for one in world.services.values()
        ],
        "integrations": [
            {"service": one.service, "type": one.type, "key": one.key}
            for one in world.integrations.values()
        ],
        "incidents": [
            {
                **show.incident(one, {"body", "conference_bridge", "custom_fields"}),
                "notes": [show.note(note) for note in one.notes],
                "log_entries": [show.entry(entry) for entry in one.log],
            }
            for one in world.incidents.values()
        ],
        "subscriptions": [
            {
                "id": one.id,
                "url": one.url,
                "events": one.events,
                "filter": one.filter,
                "active": one.active,
                "disabled_until": stamp(one.disabled_until),
            }
            for one in world.subscriptions.values()
        ],
        "workflow_runs": world.runs,
        "change_events": [masked(one) for one in world.changes],
    }


SECRET_NAMES: Final = {"routing_key", "service_key", "integration_key", "client_secret", "key"}


def masked(content: Any) -> Any:  # noqa: ANN401 - any JSON
    """Return the content with keys and secrets hidden."""
    if isinstance(content, dict):
        return {
            name: "***" if name in SECRET_NAMES and isinstance(value, str) else masked(value)
            for name, value in content.items()
        }
    return [masked(one) for one in content] if isinstance(content, list) else content
