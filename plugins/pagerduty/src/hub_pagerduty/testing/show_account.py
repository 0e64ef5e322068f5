"""Services, people and workflows as the API shows them."""

from collections.abc import Collection

from hub_pagerduty.testing.model import Integration, Json, Policy, Schedule, Service, User, Workflow
from hub_pagerduty.testing.references import References, stamp


class ShowAccount:
    """Prints what an account has beside incidents."""

    def __init__(self, references: References) -> None:
        self._to = references

    def user(self, it: User) -> Json:
        """Return a user."""
        return {
            **(self._to.ref("user", it.id) or {}),
            "type": "user",
            "name": it.name,
            "email": it.email,
            "time_zone": "Etc/UTC",
            "color": "purple",
            "role": it.role,
            "avatar_url": f"{self._to.origin}/web/avatar.png",
            "description": "",
            "invitation_sent": False,
            "job_title": None,
            "teams": self._to.refs("team", self._to.world.teams),
            "contact_methods": [],
            "notification_rules": [],
        }

    def service(self, it: Service, include: Collection[str] = ()) -> Json:
        """Return a service."""
        mine = [one for one in self._to.world.integrations.values() if one.service == it.id]
        shown = {
            **(self._to.ref("service", it.id) or {}),
            "type": "service",
            "name": it.name,
            "description": it.description,
            "auto_resolve_timeout": it.auto_resolve_timeout,
            "acknowledgement_timeout": it.acknowledgement_timeout,
            "created_at": stamp(it.created_at),
            "status": it.status,
            "last_incident_timestamp": None,
            "teams": self._to.refs("team", it.teams),
            "escalation_policy": self._to.ref("escalation_policy", it.policy),
            "incident_urgency_rule": {"type": "constant", "urgency": it.urgency},
            "support_hours": None,
            "scheduled_actions": [],
            "integrations": [self._integration_ref(one) for one in mine],
            "alert_creation": it.alert_creation,
            "addons": [],
        }
        if "integrations" in include:
            shown["integrations"] = [self.integration(one) for one in mine]
        return shown

    def integration(self, it: Integration) -> Json:
        """Return an integration with its key."""
        return {
            **self._integration_ref(it),
            "type": it.type,
            "name": it.name,
            "service": self._to.ref("service", it.service),
            "created_at": stamp(self._to.world.services[it.service].created_at),
            "vendor": None,
            "integration_key": it.key,
        }

    def _integration_ref(self, it: Integration) -> Json:
        return {
            "id": it.id,
            "type": f"{it.type}_reference",
            "summary": it.name,
            "self": f"{self._to.origin}/services/{it.service}/integrations/{it.id}",
            "html_url": f"{self._to.origin}/web/services/{it.service}/integrations/{it.id}",
        }

    def policy(self, it: Policy, include: Collection[str] = ()) -> Json:
        """Return an escalation policy."""
        served = [one.id for one in self._to.world.services.values() if one.policy == it.id]
        return {
            **(self._to.ref("escalation_policy", it.id) or {}),
            "type": "escalation_policy",
            "name": it.name,
            "escalation_rules": [
                {
                    "id": rule.id,
                    "escalation_delay_in_minutes": rule.delay,
                    "targets": [
                        self._target(one.kind, one.id, full="targets" in include)
                        for one in rule.targets
                    ],
                }
                for rule in it.rules
            ],
            "services": self._to.refs("service", served),
            "num_loops": it.num_loops,
            "teams": self._to.refs("team", it.teams),
            "description": None,
            "on_call_handoff_notifications": "if_has_services",
            "privilege": None,
        }

    def _target(self, kind: str, id: str, *, full: bool) -> Json:
        if not full:
            return self._to.ref(kind, id) or {}
        if kind == "user":
            return self.user(self._to.world.users[id])
        return self.schedule(self._to.world.schedules[id])

    def schedule(self, it: Schedule) -> Json:
        """Return a schedule."""
        policies = [
            one.id
            for one in self._to.world.policies.values()
            if any(target.id == it.id for rule in one.rules for target in rule.targets)
        ]
        return {
            **(self._to.ref("schedule", it.id) or {}),
            "type": "schedule",
            "name": it.name,
            "time_zone": "Etc/UTC",
            "description": "",
            "escalation_policies": self._to.refs("escalation_policy", policies),
            "users": self._to.refs("user", it.users),
            "teams": [],
        }

    def workflow(self, it: Workflow) -> Json:
        """Return a workflow."""
        return {
            "id": it.id,
            "type": "incident_workflow",
            "name": it.name,
            "summary": it.name,
            "description": "",
            "created_at": "2024-01-01T00:00:00Z",
            "self": f"{self._to.origin}/incident_workflows/{it.id}",
            "html_url": f"{self._to.origin}/web/incident-workflows/workflows/{it.id}",
            "is_enabled": it.enabled,
        }
