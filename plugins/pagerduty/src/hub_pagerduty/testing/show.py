"""The account's objects as the API shows them."""

from collections.abc import Collection

from hub_pagerduty.testing.model import (
    Alert,
    CustomField,
    Incident,
    Json,
    LogEntry,
    Note,
    Ref,
    Responder,
    World,
)
from hub_pagerduty.testing.references import References, stamp
from hub_pagerduty.testing.show_account import ShowAccount


class Show:
    """Prints objects of one account; `account` those beside incidents."""

    def __init__(self, world: World, origin: str = "https://pagerduty.test") -> None:
        self.world = world
        self._to = References(world, origin)
        self.account = ShowAccount(self._to)

    @property
    def origin(self) -> str:
        """Where the account's addresses begin."""
        return self._to.origin

    @origin.setter
    def origin(self, origin: str) -> None:
        self._to.origin = origin

    def ref(self, kind: str, id: str | None) -> Json | None:
        """Return a reference; None for nothing."""
        return self._to.ref(kind, id)

    def refs(self, kind: str, ids: Collection[str]) -> list[Json]:
        """Return references."""
        return self._to.refs(kind, ids)

    def agent(self, agent: Ref | None) -> Json | None:
        """Return who did it."""
        return self._to.agent(agent)

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
            "last_status_change_by": self._rest_agent(it.last_change_by),
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
            "incidents_responders": [
                self.responder(one) for one in it.responders if one.target.kind == "user"
            ],
            "responder_requests": [
                self.request(it, one) for one in it.responders if one.target.kind != "user"
            ],
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

    def request(self, it: Incident, asked: Responder) -> Json:
        """Return a request for help to a policy."""
        target = {"type": asked.target.kind, "id": asked.target.id, "incident_responders": []}
        return {
            "incident": self.ref("incident", it.id),
            "requester": self.ref("user", asked.requester),
            "requested_at": stamp(asked.at),
            "message": asked.message,
            "responder_request_targets": [{"responder_request_target": target}],
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
            "agent": self._rest_agent(it.agent),
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

    def _rest_agent(self, agent: Ref | None) -> Json | None:
        # REST says "integration" where webhooks say "inbound_integration".
        if agent and agent.kind == "inbound_integration":
            return self.ref("integration", agent.id)
        return self.agent(agent)

    def _included(self, it: Incident, shown: Json, include: Collection[str]) -> Json:
        if "body" in include:
            shown["body"] = {"type": "incident_body", "details": it.details}
        if "conference_bridge" in include:
            shown["conference_bridge"] = self.bridge(it)
        if "custom_fields" in include:
            shown["custom_fields"] = self.custom_fields(it)
        if "services" in include:
            shown["service"] = self.account.service(self.world.services[it.service])
        if "escalation_policies" in include:
            shown["escalation_policy"] = self.account.policy(self.world.policies[it.policy])
        if "first_trigger_log_entries" in include and it.log:
            shown["first_trigger_log_entry"] = self.entry(it.log[0], {"channels"})
        return self._with_people(shown, include)

    def _with_people(self, shown: Json, include: Collection[str]) -> Json:
        if {"assignees", "users"} & set(include):
            for one in shown["assignments"]:
                one["assignee"] = self.account.user(self.world.users[one["assignee"]["id"]])
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


def _counts(it: Incident) -> Json:
    triggered = sum(one.status == "triggered" for one in it.alerts)
    return {"all": len(it.alerts), "triggered": triggered, "resolved": len(it.alerts) - triggered}


def _short(channel: Json) -> Json:
    return {name: value for name, value in channel.items() if name in {"type", "summary"}}
