"""The bodies of webhooks: v3 events, V2 and V1 messages."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from hub_pagerduty.testing.model import (
    Extension,
    Incident,
    Json,
    LogEntry,
    Note,
    Ref,
    Responder,
    Service,
)
from hub_pagerduty.testing.references import stamp
from hub_pagerduty.testing.show import Show

TRIMMED_AT: Final = 25_000
OLDER: Final = {
    "incident.triggered": "incident.trigger",
    "incident.acknowledged": "incident.acknowledge",
    "incident.unacknowledged": "incident.unacknowledge",
    "incident.resolved": "incident.resolve",
    "incident.reassigned": "incident.assign",
    "incident.escalated": "incident.escalate",
    "incident.delegated": "incident.delegate",
    "incident.annotated": "incident.annotate",
    "incident.custom": "incident.custom",
}
V1_SCHEMA: Final = "PV1WEBH"
V2_SCHEMA: Final = "PJFWPEP"


class Messages:
    """Writes what an account's webhooks say."""

    def __init__(self, show: Show) -> None:
        self._show = show

    def event(self, kind: str, id: str, at: datetime, agent: Ref | None, data: Json) -> Json:
        """Return a v3 envelope."""
        resource = kind.split(".", 1)[0]
        return {
            "event": {
                "id": id,
                "event_type": kind,
                "resource_type": resource,
                "occurred_at": at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z",
                "agent": self._show.agent(agent),
                "client": None,
                "data": data,
            }
        }

    def data(self, it: Incident, more: Json | None) -> Json:
        """Return the data object of an incident event."""
        if not more:
            return self._incident(it)
        for name, write in (
            ("note", self._note),
            ("update", self._update),
            ("responder", self._responder),
            ("before", self._fields),
        ):
            if name in more:
                return write(it, more[name])
        return {**more, "incident": self._ref(it)} if "type" in more else self._incident(it)

    def service(self, it: Service) -> Json:
        """Return the data object of a service event."""
        return {
            **(self._show.ref("service", it.id) or {}),
            "type": "service",
            "alert_creation": it.alert_creation,
            "teams": self._show.refs("team", it.teams),
        }

    def _incident(self, it: Incident) -> Json:
        show = self._show
        priority = show.ref("priority", it.priority)
        return {
            "id": it.id,
            "type": "incident",
            "self": f"{show.origin}/incidents/{it.id}",
            "html_url": f"{show.origin}/web/incidents/{it.id}",
            "number": it.number,
            "status": it.status,
            "incident_key": it.key,
            "created_at": stamp(it.created_at),
            "reopened_at": stamp(it.reopened_at),
            "title": it.title,
            "incident_type": {"name": it.type},
            "service": show.ref("service", it.service),
            "assignees": show.refs("user", [user for _, user in it.assigned]),
            "escalation_policy": show.ref("escalation_policy", it.policy),
            "teams": show.refs("team", show.world.services[it.service].teams),
            "priority": priority,
            "urgency": it.urgency,
            "conference_bridge": show.bridge(it),
            "resolve_reason": show.reason(it),
        }

    def _ref(self, it: Incident) -> Json:
        found = self._show.ref("incident", it.id) or {}
        return {**found, "summary": it.title}

    def _note(self, it: Incident, note: Note) -> Json:
        return {
            "id": note.id,
            "type": "incident_note",
            "content": note.content[:TRIMMED_AT],
            "trimmed": len(note.content) > TRIMMED_AT,
            "incident": self._ref(it),
        }

    def _update(self, it: Incident, update: Json) -> Json:
        message = str(update["message"])
        return {
            "id": update["id"],
            "type": "incident_status_update",
            "message": message[:TRIMMED_AT],
            "trimmed": len(message) > TRIMMED_AT,
            "incident": self._ref(it),
        }

    def _responder(self, it: Incident, asked: Responder) -> Json:
        user = asked.target if asked.target.kind == "user" else None
        policy = asked.target if asked.target.kind != "user" else None
        return {
            "type": "incident_responder",
            "incident": self._ref(it),
            "user": self._show.agent(user),
            "escalation_policy": self._show.agent(policy),
            "message": asked.message,
            "state": asked.state,
        }

    def _fields(self, it: Incident, before: Json) -> Json:
        show = self._show
        defined = {one.name: one for one in show.world.custom_fields}
        old = [show.field_value(defined[name], value) for name, value in before.items()]
        return {
            "type": "incident_field_values",
            "incident": self._ref(it),
            "custom_fields": show.custom_fields(it),
            "changed_custom_fields": old,
        }

    # -------------------------------------------------------------------- older

    def older(
        self,
        extension: Extension,
        kind: str,
        at: datetime,
        it: Incident,
        entries: Sequence[LogEntry],
    ) -> Json | None:
        """Return a V2 or V1 message list; None where those had no such event."""
        name = OLDER.get(kind)
        if name is None:
            return None
        if extension.schema == V1_SCHEMA:
            message: Json = {"type": name, "data": {"incident": self._v1_incident(it)}}
        else:
            message = {
                "event": name,
                "log_entries": [self._show.entry(one, {"channels"}) for one in entries],
                "webhook": self._webhook(extension),
                "incident": self._v2_incident(it),
            }
        return {
            "messages": [{**message, "id": self._show.world.ids.uuid(), "created_on": stamp(at)}]
        }

    def _v2_incident(self, it: Incident) -> Json:
        show = self._show
        shown = show.incident(it, {"services"})
        shown["description"] = it.title
        shown["alerts"] = [{"alert_key": one.key} for one in it.alerts]
        shown["resolve_reason"] = "merged" if it.merged_into else None
        return shown

    def _v1_incident(self, it: Incident) -> Json:
        world, show = self._show.world, self._show
        people = [(at, world.users[user]) for at, user in it.assigned]
        policy = world.policies[it.policy]
        return {
            "id": it.id,
            "incident_number": it.number,
            "created_on": stamp(it.created_at),
            "status": it.status,
            "html_url": f"{show.origin}/web/incidents/{it.id}",
            "incident_key": it.key,
            "service": {"id": it.service, "name": world.services[it.service].name},
            "escalation_policy": {"id": policy.id, "name": policy.name},
            "assigned_to": [
                {
                    "at": stamp(at),
                    "object": {"id": u.id, "name": u.name, "email": u.email, "type": "user"},
                }
                for at, u in people
            ],
            "trigger_summary_data": {"subject": it.title},
            "trigger_type": "web_trigger",
            "last_status_change_on": stamp(it.last_change_at),
            "urgency": it.urgency,
        }

    def _webhook(self, it: Extension) -> Json:
        return {
            "id": it.id,
            "type": "webhook",
            "endpoint_url": it.url,
            "name": it.name,
            "summary": it.name,
            "description": None,
            "webhook_object": self._show.ref("service", it.services[0]) if it.services else None,
            "config": {"headers": it.headers} if it.headers else {},
            "outbound_integration": {
                "id": V2_SCHEMA,
                "type": "outbound_integration_reference",
                "summary": "Generic V2 Webhook",
            },
        }
