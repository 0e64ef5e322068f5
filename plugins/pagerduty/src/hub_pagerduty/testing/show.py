"""The account's objects as the API shows them."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from hub_pagerduty.testing.model import (
    Alert,
    CustomField,
    Incident,
    Integration,
    Json,
    LogEntry,
    Note,
    Policy,
    Ref,
    Responder,
    Schedule,
    Service,
    User,
    Workflow,
    World,
)

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


class Show:
    """Prints objects of one account, with addresses below one origin."""

    def __init__(self, world: World, origin: str = "https://pagerduty.test") -> None:
        self.world, self.origin = world, origin

    # --------------------------------------------------------------- references

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
        if kind.endswith("inbound_integration"):
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

    # ---------------------------------------------------------------- incidents

    def incident(self, it: Incident, include: Collection[str] = ()) -> Json:
        """Return an incident as REST shows it."""
        shown: Json = {
            **(self.ref("incident", it.id) or {}),
            "type": "incident",
            "incident_number": it.number,
            "title": it.title,
            "created_at": stamp(it.created_at),
            "updated_at": stamp(it.updated_at),
            "status": it.status,
            "incident_key": it.key,
            "service": self.ref("service", it.service),
            "assignments": self._assignments(it),
            "assigned_via": it.via,
            "last_status_change_at": stamp(it.last_change_at),
            "last_status_change_by": self.agent(it.last_change_by),
            "resolved_at": stamp(it.resolved_at),
            "first_trigger_log_entry": self._first_entry(it),
            "alert_counts": _counts(it),
            "is_mergeable": bool(it.alerts) or it.made_in_web,
            "incident_type": {"name": it.type},
            "escalation_policy": self.ref("escalation_policy", it.policy),
            "teams": self.refs("team", self.world.services[it.service].teams),
            "pending_actions": [
                {"type": kind, "at": stamp(at)} for kind, at in sorted(it.pending.items())
            ],
            "acknowledgements": self._acknowledgements(it),
            "alert_grouping": None,
            "priority": self.priority(it.priority),
            "resolve_reason": self.reason(it),
            "urgency": it.urgency,
            "incidents_responders": [self.responder(one) for one in it.responders],
            "responder_requests": [],
        }
        return self._included(it, shown, include)

    def reason(self, it: Incident) -> Json | None:
        """Return why it is resolved, where that is a merge."""
        if not it.merged_into:
            return None
        return {"type": "merge_resolve_reason", "incident": self.ref("incident", it.merged_into)}

    def bridge(self, it: Incident) -> Json | None:
        """Return the conference bridge."""
        if not it.conference_number and not it.conference_url:
            return None
        return {"conference_number": it.conference_number, "conference_url": it.conference_url}

    def priority(self, id: str | None) -> Json | None:
        """Return a priority as incidents carry it."""
        found = self.world.priority(id)
        if found is None:
            return None
        shown = self.ref("priority", found.id) or {}
        shown |= {"type": "priority", "name": found.name, "description": found.description}
        return {**shown, "html_url": None}

    def custom_fields(self, it: Incident) -> list[Json]:
        """Return all custom field values of an incident."""
        return [self.field_value(one, it.custom.get(one.name)) for one in self.world.custom_fields]

    def field_value(self, field: CustomField, value: object) -> Json:
        """Return a custom field with a value."""
        return {
            "id": field.id,
            "name": field.name,
            "display_name": field.display_name,
            "type": "field_value",
            "namespace": "incidents",
            "data_type": field.data_type,
            "field_type": field.field_type,
            "description": None,
            "value": value,
        }

    def responder(self, it: Responder) -> Json:
        """Return somebody who was asked to help."""
        return {
            "state": it.state,
            "user": self.agent(it.target),
            "updated_at": stamp(it.at),
            "message": it.message,
            "requester": self.ref("user", it.requester),
            "requested_at": stamp(it.at),
        }

    def note(self, it: Note) -> Json:
        """Return a note."""
        return {
            "id": it.id,
            "user": self.ref("user", it.user),
            "channel": {"summary": "The PagerDuty website or APIs"},
            "content": it.content,
            "created_at": stamp(it.created_at),
            "updated_at": stamp(it.updated_at),
        }

    def alert(self, it: Alert, incident: Incident) -> Json:
        """Return an alert."""
        address = f"{self.origin}/incidents/{incident.id}/alerts/{it.id}"
        return {
            "id": it.id,
            "type": "alert",
            "summary": it.summary,
            "self": address,
            "html_url": f"{self.origin}/web/alerts/{it.id}",
            "created_at": stamp(it.created_at),
            "status": it.status,
            "alert_key": it.key,
            "service": self.ref("service", incident.service),
            "body": {
                "type": "alert_body",
                "contexts": [],
                "details": it.details,
                "cef_details": {"details": it.details, "client": it.client},
            },
            "incident": self.ref("incident", incident.id),
            "suppressed": False,
            "severity": it.severity,
            "integration": self.ref("generic_events_api_inbound_integration", it.integration),
        }

    def entry(self, it: LogEntry, include: Collection[str] = ()) -> Json:
        """Return a log entry."""
        incident = self.world.incidents[it.incident]
        shown = {
            "id": it.id,
            "type": it.type,
            "summary": it.summary,
            "self": f"{self.origin}/log_entries/{it.id}",
            "html_url": None,
            "created_at": stamp(it.created_at),
            "agent": self.agent(it.agent),
            "channel": it.channel if "channels" in include else _short(it.channel),
            "service": self.ref("service", incident.service),
            "incident": self.ref("incident", incident.id),
            "teams": self.refs("team", self.world.services[incident.service].teams),
            "contexts": [],
            **it.more,
        }
        if "incidents" in include:
            shown["incident"] = self.incident(incident)
        return shown

    def _included(self, it: Incident, shown: Json, include: Collection[str]) -> Json:
        if "body" in include:
            shown["body"] = {"type": "incident_body", "details": it.details}
        if "conference_bridge" in include:
            shown["conference_bridge"] = self.bridge(it)
        if "custom_fields" in include:
            shown["custom_fields"] = self.custom_fields(it)
        if "services" in include:
            shown["service"] = self.service(self.world.services[it.service])
        if "escalation_policies" in include:
            shown["escalation_policy"] = self.policy(self.world.policies[it.policy])
        if "first_trigger_log_entries" in include and it.log:
            shown["first_trigger_log_entry"] = self.entry(it.log[0], {"channels"})
        return self._with_people(shown, include)

    def _with_people(self, shown: Json, include: Collection[str]) -> Json:
        if {"assignees", "users"} & set(include):
            for one in shown["assignments"]:
                one["assignee"] = self.user(self.world.users[one["assignee"]["id"]])
        return shown

    def _assignments(self, it: Incident) -> list[Json]:
        if not it.is_open:
            return []
        return [{"at": stamp(at), "assignee": self.ref("user", user)} for at, user in it.assigned]

    def _acknowledgements(self, it: Incident) -> list[Json]:
        if it.status != "acknowledged":
            return []
        return [
            {"at": stamp(at), "acknowledger": self.ref("user", user)}
            for at, user in it.acknowledged
        ]

    def _first_entry(self, it: Incident) -> Json | None:
        if not it.log:
            return None
        first = it.log[0]
        return {
            "id": first.id,
            "type": "trigger_log_entry_reference",
            "summary": first.summary,
            "self": f"{self.origin}/log_entries/{first.id}",
            "html_url": f"{self.origin}/web/incidents/{it.id}/log_entries/{first.id}",
        }

    # ------------------------------------------------------------------ account

    def user(self, it: User) -> Json:
        """Return a user."""
        return {
            **(self.ref("user", it.id) or {}),
            "type": "user",
            "name": it.name,
            "email": it.email,
            "time_zone": "Etc/UTC",
            "color": "purple",
            "role": it.role,
            "avatar_url": f"{self.origin}/web/avatar.png",
            "description": "",
            "invitation_sent": False,
            "job_title": None,
            "teams": self.refs("team", self.world.teams),
            "contact_methods": [],
            "notification_rules": [],
        }

    def service(self, it: Service, include: Collection[str] = ()) -> Json:
        """Return a service."""
        mine = [one for one in self.world.integrations.values() if one.service == it.id]
        shown = {
            **(self.ref("service", it.id) or {}),
            "type": "service",
            "name": it.name,
            "description": it.description,
            "auto_resolve_timeout": it.auto_resolve_timeout,
            "acknowledgement_timeout": it.acknowledgement_timeout,
            "created_at": stamp(it.created_at),
            "status": it.status,
            "last_incident_timestamp": None,
            "teams": self.refs("team", it.teams),
            "escalation_policy": self.ref("escalation_policy", it.policy),
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
            "service": self.ref("service", it.service),
            "created_at": stamp(self.world.services[it.service].created_at),
            "vendor": None,
            "integration_key": it.key,
        }

    def _integration_ref(self, it: Integration) -> Json:
        return {
            "id": it.id,
            "type": f"{it.type}_reference",
            "summary": it.name,
            "self": f"{self.origin}/services/{it.service}/integrations/{it.id}",
            "html_url": f"{self.origin}/web/services/{it.service}/integrations/{it.id}",
        }

    def policy(self, it: Policy, include: Collection[str] = ()) -> Json:
        """Return an escalation policy."""
        served = [one.id for one in self.world.services.values() if one.policy == it.id]
        return {
            **(self.ref("escalation_policy", it.id) or {}),
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
            "services": self.refs("service", served),
            "num_loops": it.num_loops,
            "teams": self.refs("team", it.teams),
            "description": None,
            "on_call_handoff_notifications": "if_has_services",
            "privilege": None,
        }

    def _target(self, kind: str, id: str, *, full: bool) -> Json:
        if not full:
            return self.ref(kind, id) or {}
        if kind == "user":
            return self.user(self.world.users[id])
        return self.schedule(self.world.schedules[id])

    def schedule(self, it: Schedule) -> Json:
        """Return a schedule."""
        policies = [
            one.id
            for one in self.world.policies.values()
            if any(target.id == it.id for rule in one.rules for target in rule.targets)
        ]
        return {
            **(self.ref("schedule", it.id) or {}),
            "type": "schedule",
            "name": it.name,
            "time_zone": "Etc/UTC",
            "description": "",
            "escalation_policies": self.refs("escalation_policy", policies),
            "users": self.refs("user", it.users),
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
            "self": f"{self.origin}/incident_workflows/{it.id}",
            "html_url": f"{self.origin}/web/incident-workflows/workflows/{it.id}",
            "is_enabled": it.enabled,
        }


def _counts(it: Incident) -> Json:
    triggered = sum(one.status == "triggered" for one in it.alerts)
    return {"all": len(it.alerts), "triggered": triggered, "resolved": len(it.alerts) - triggered}


def _short(channel: Json) -> Json:
    return {name: value for name, value in channel.items() if name in {"type", "summary"}}
