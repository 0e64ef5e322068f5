"""References: how the API names one object inside another."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from hub_pagerduty.testing.model import Json, Ref, World

_PATHS = {
    "user": "users",
    "team": "teams",
    "service": "services",
    "escalation_policy": "escalation_policies",
    "schedule": "schedules",
    "incident": "incidents",
    "priority": "priorities",
}


def stamp(when: datetime | None) -> str | None:
    """Return a time as the API prints it."""
    return when.strftime("%Y-%m-%dT%H:%M:%SZ") if when else None


class References:
    """Prints references to objects of one account, with addresses below one origin."""

    def __init__(self, world: World, origin: str) -> None:
        self.world, self.origin = world, origin

    def ref(self, kind: str, id: str | None) -> Json | None:
        """Return a reference; None for nothing."""
        if id is None:
            return None
        path = _PATHS.get(kind, f"{kind}s")
        return {
            "id": id,
            "type": f"{kind}_reference",
            "summary": self.name(kind, id),
            "self": f"{self.origin}/{path}/{id}",
            "html_url": f"{self.origin}/web/{path}/{id}",
        }

    def agent(self, agent: Ref | None) -> Json | None:
        """Return who did it."""
        return self.ref(agent.kind, agent.id) if agent else None

    def name(self, kind: str, id: str) -> str | None:
        """Return what people call it."""
        world = self.world
        if kind == "incident":
            found = world.incidents.get(id)
            return f"[#{found.number}] {found.title}" if found else None
        if kind == "priority":
            priority = world.priority(id)
            return priority.name if priority else None
        if kind.endswith("integration"):
            names = [one.name for one in world.integrations.values() if one.id == id]
            return names[0] if names else None
        return self._stored_name(kind, id)

    def _stored_name(self, kind: str, id: str) -> str | None:
        world = self.world
        named: dict[str, dict[str, Any]] = {
            "user": world.users,
            "team": world.teams,
            "service": world.services,
            "escalation_policy": world.policies,
            "schedule": world.schedules,
            "incident_workflow": world.workflows,
        }
        found = named.get(kind, {}).get(id)
        return str(found.name) if found else None

    def refs(self, kind: str, ids: Collection[str]) -> list[Json]:
        """Return references."""
        return [found for one in ids if (found := self.ref(kind, one))]
