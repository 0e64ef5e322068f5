"""What incidents do: the rules of status, assignment, time-outs, merging."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from hub_pagerduty.testing.clock import SimClock
from hub_pagerduty.testing.model import (
    Alert,
    Incident,
    Json,
    LogEntry,
    Note,
    Ref,
    Responder,
    Service,
    World,
)
from hub_pagerduty.testing.rota import now_on_call


class Refusal(Exception):
    """What the API would answer instead."""

    def __init__(self, status: int, code: int, message: str, *errors: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.errors = status, code, message, list(errors)


Emit = Callable[[str, Incident, "Ref | None", "Json | None", "Sequence[LogEntry]"], None]


class Lifecycle:
    """Changes incidents of one account; everything that happens is logged and emitted."""

    def __init__(self, world: World, clock: SimClock, emit: Emit) -> None:
        self.world, self._clock, self._emit = world, clock, emit

    # ----------------------------------------------------------------- opening

    def open(self, agent: Ref | None, service: Service, title: str, **more: Any) -> Incident:  # noqa: ANN401 - fields of Incident
        """Open an incident and notify whoever is on call."""
        world, now = self.world, self._clock.now()
        if service.status in {"disabled", "maintenance"}:
            raise Refusal(400, 2001, "Invalid Input Provided", f"Service is {service.status}")
        assignees: list[str] = more.pop("assignees", [])
        channel: Json = more.pop("channel", {"type": "api"})
        policy: str = more.pop("policy", None) or service.policy
        urgency: str = more.pop("urgency", None) or service.urgency
        people = assignees or now_on_call(world, policy, 1, now)
        if not people:
            raise Refusal(400, 1015, "Escalation Policy Has No User On Call")
        world.number += 1
        it = Incident(
            id=more.pop("id", None) or world.ids.long(),
            number=world.number,
            title=title,
            service=service.id,
            policy=policy,
            urgency=urgency,
            created_at=now,
            updated_at=now,
            last_change_at=now,
            last_change_by=agent or Ref("service", service.id),
            via="direct_assignment" if assignees else "escalation_policy",
            **more,
        )
        world.incidents[it.id] = it
        entries = [self.log(it, "trigger", agent, channel=channel, title=title)]
        entries += self._assign(it, agent, people)
        self._emit("incident.triggered", it, agent, None, entries)
        if assignees and agent and agent.kind == "user" and agent.id in assignees:
            self.acknowledge(it, agent)
        self._arm(it)
        return it

    def log(
        self,
        it: Incident,
        kind: str,
        agent: Ref | None,
        *,
        title: str = "",
        **more: Any,  # noqa: ANN401 - parts of a log entry
    ) -> LogEntry:
        """Write a line of the incident's log."""
        by_user = agent is not None and agent.kind == "user"
        channel: Json = more.pop("channel", None) or {"type": "website" if by_user else "auto"}
        overview = kind not in {"notify", "field_value_change", "custom_field_value_change"}
        entry = LogEntry(
            id=self.world.ids.long(),
            type=f"{kind}_log_entry",
            incident=it.id,
            created_at=self._clock.now(),
            agent=agent,
            channel=channel,
            summary=title or kind.replace("_", " ").capitalize(),
            overview=overview,
            more=more,
        )
        it.log.append(entry)
        return entry

    def _assign(self, it: Incident, agent: Ref | None, people: Sequence[str]) -> list[LogEntry]:
        now = self._clock.now()
        it.assigned = [(now, one) for one in people]
        names = [{"id": one, "type": "user_reference"} for one in people]
        entry = self.log(it, "assign", agent, title="Assigned", assignees=names)
        for one in people:
            self.log(
                it, "notify", None, title="Notified", user={"id": one, "type": "user_reference"}
            )
        return [entry]

    # ------------------------------------------------------------------- status

    def acknowledge(self, it: Incident, agent: Ref) -> None:
        """Acknowledge for a person, who gets the incident; a resolved one reopens."""
        if it.status == "resolved":
            self._require_reopen()
            it.reopened_at, it.resolved_at, it.merged_into = self._clock.now(), None, None
        elif it.status == "acknowledged" and self.world.switches.repeat_is_error:
            raise Refusal(400, 1002, "Incident Already Acknowledged")
        now = self._clock.now()
        repeated = it.status == "acknowledged"
        self._status(it, "acknowledged", agent)
        it.acknowledged = [(now, agent.id)]
        it.assigned = [(now, agent.id)]
        self._arm(it)
        if not repeated:
            entry = self.log(it, "acknowledge", agent)
            self._emit("incident.acknowledged", it, agent, None, [entry])

    def unacknowledge(self, it: Incident, agent: Ref | None) -> None:
        """Go back to triggered: by hand, by time-out or at the end of a snooze."""
        self._status(it, "triggered", agent)
        it.acknowledged, it.snoozed_until = [], None
        entry = self.log(it, "unacknowledge", agent)
        self._emit("incident.unacknowledged", it, agent, None, [entry])
        self._arm(it)

    def resolve(self, it: Incident, agent: Ref | None, resolution: str = "") -> None:
        """Resolve, with all alerts."""
        if not it.is_open:
            if self.world.switches.repeat_is_error:
                raise Refusal(400, 1001, "Incident Already Resolved")
            return
        self._status(it, "resolved", agent)
        it.resolved_at, it.assigned, it.acknowledged = self._clock.now(), [], []
        for alert in it.alerts:
            alert.status = "resolved"
        self._arm(it)
        note = {"note": resolution} if resolution else {}
        entry = self.log(it, "resolve", agent, **note)
        self._emit("incident.resolved", it, agent, None, [entry])

    def trigger(self, it: Incident, agent: Ref, people: Sequence[str] = ()) -> None:
        """Set triggered: reopens a resolved incident, takes an acknowledgement back."""
        if it.status == "triggered":
            return
        if it.status == "acknowledged":
            self.unacknowledge(it, agent)
            return
        self._require_reopen()
        self._status(it, "triggered", agent)
        it.reopened_at, it.resolved_at, it.merged_into = self._clock.now(), None, None
        it.level = 1
        entries = [self.log(it, "trigger", agent, title="Reopened")]
        entries += self._assign(it, agent, people or self._level_people(it))
        self._emit("incident.reopened", it, agent, None, entries)
        self._arm(it)

    def _require_reopen(self) -> None:
        if not self.world.switches.reopen:
            raise Refusal(400, 1001, "Incident Already Resolved")

    def _status(self, it: Incident, status: Any, agent: Ref | None) -> None:  # noqa: ANN401 - a Status
        now = self._clock.now()
        it.status, it.last_change_at, it.updated_at = status, now, now
        it.last_change_by = agent or Ref("service", it.service)

    # ------------------------------------------------------------------- people

    def reassign(self, it: Incident, agent: Ref | None, people: Sequence[str]) -> None:
        """Give the incident to people; that ends a snooze."""
        self.touch(it)
        it.via, it.snoozed_until = "direct_assignment", None
        entries = self._assign(it, agent, people)
        self._emit("incident.reassigned", it, agent, None, entries)
        self._arm(it)

    def delegate(self, it: Incident, agent: Ref | None, policy: str) -> None:
        """Start another policy at its first level."""
        self.touch(it)
        it.policy, it.level, it.via = policy, 1, "escalation_policy"
        it.status = "triggered" if it.status == "acknowledged" else it.status
        self._assign(it, agent, self._level_people(it))
        entry = self.log(it, "delegate", agent)
        self._emit("incident.delegated", it, agent, None, [entry])
        self._arm(it)

    def escalate(self, it: Incident, agent: Ref | None, level: int) -> None:
        """Go to a level of the policy; low urgency and levels beyond are refused."""
        if it.urgency == "low" or not 1 <= level <= len(self.world.policies[it.policy].rules):
            raise Refusal(400, 1006, "Cannot Escalate")
        self.touch(it)
        it.level, it.via = level, "escalation_policy"
        people = self._level_people(it)
        now = self._clock.now()
        it.assigned = [(now, one) for one in people]
        entries = [
            self.log(it, "escalate", agent, assignees=[{"id": one, "type": "user_reference"}])
            for one in people
        ]
        for one in people:
            self.log(
                it, "notify", None, title="Notified", user={"id": one, "type": "user_reference"}
            )
        self._emit("incident.escalated", it, agent, None, entries)
        self._arm(it)

    def ask(self, it: Incident, requester: str, target: Ref, message: str) -> Responder:
        """Ask for help."""
        asked = Responder(target=target, message=message, requester=requester, at=self._clock.now())
        it.responders.append(asked)
        self._emit("incident.responder.added", it, Ref("user", requester), {"responder": asked}, [])
        return asked

    def reply(self, it: Incident, asked: Responder, state: str) -> None:
        """Answer a request for help."""
        asked.state = state
        self._emit("incident.responder.replied", it, asked.target, {"responder": asked}, [])

    def _level_people(self, it: Incident) -> list[str]:
        return now_on_call(self.world, it.policy, it.level, self._clock.now())

    # ------------------------------------------------------------------- fields

    def touch(self, it: Incident) -> None:
        """Stamp a change."""
        it.updated_at = self._clock.now()

    def set_field(self, it: Incident, agent: Ref | None, event: str | None, **change: Any) -> None:  # noqa: ANN401 - fields of Incident
        """Set a field; `event` names the webhook event, where PagerDuty has one."""
        if all(getattr(it, name) == value for name, value in change.items()):
            return
        for name, value in change.items():
            setattr(it, name, value)
        self.touch(it)
        kind = "urgency_change" if "urgency" in change else "field_value_change"
        entry = self.log(it, kind, agent, title=f"Changed {', '.join(change)}")
        if event:
            self._emit(event, it, agent, None, [entry])
        self._arm(it)

    def set_custom(self, it: Incident, agent: Ref | None, values: Json) -> None:
        """Set custom fields."""
        before = {
            name: it.custom.get(name) for name in values if it.custom.get(name) != values[name]
        }
        it.custom |= values
        self.touch(it)
        if before:
            changes = [
                {"name": name, "value": values[name], "old_value": old, "namespace": "incidents"}
                for name, old in before.items()
            ]
            channel = {"type": "api", "changeset": {"customer_fields": changes}}
            entry = self.log(it, "custom_field_value_change", agent, channel=channel)
            self._emit(
                "incident.custom_field_values.updated", it, agent, {"before": before}, [entry]
            )

    def annotate(self, it: Incident, agent: Ref, content: str) -> Note:
        """Add a note."""
        if len(it.notes) >= 2000 or len(content.encode()) > 65_535:
            raise Refusal(400, 2001, "Invalid Input Provided", "Note is too long")
        now = self._clock.now()
        note = Note(
            id=self.world.ids.short(),
            content=content,
            user=agent.id,
            created_at=now,
            updated_at=now,
        )
        it.notes.append(note)
        self.touch(it)
        channel = {"type": "note", "summary": content, "content": content}
        entry = self.log(it, "annotate", agent, channel=channel, title="Note added")
        self._emit("incident.annotated", it, agent, {"note": note}, [entry])
        return note

    def publish(self, it: Incident, agent: Ref, message: str) -> Json:
        """Publish a status update."""
        update = {"id": self.world.ids.short(), "message": message}
        self.log(it, "status_update", agent, title="Status update published", message=message)
        self._emit("incident.status_update_published", it, agent, {"update": update}, [])
        return update

    def happen(self, event: str, it: Incident, agent: Ref | None, data: Json) -> None:
        """Let something happen that has no rules of its own: a task, a role, a workflow."""
        self._emit(event, it, agent, data, [])

    # ------------------------------------------------------------------- merging

    def merge(self, target: Incident, sources: Sequence[Incident], agent: Ref) -> None:
        """Merge incidents into an open one."""
        if not target.is_open:
            raise Refusal(400, 2001, "Invalid Input Provided", "Target incident is resolved")
        for one in sources:
            if one.merged_into:
                raise Refusal(400, 1019, "Incident Already Merged")
            if not one.alerts and not one.made_in_web:
                raise Refusal(400, 2001, "Invalid Input Provided", "Incident is not mergeable")
        for one in sources:
            target.alerts += one.alerts
            one.alerts = []
            one.merged_into = target.id
            self.resolve(one, agent)
        self.touch(target)

    def snooze(self, it: Incident, agent: Ref, seconds: int) -> None:
        """Let an acknowledged incident rest."""
        if it.status != "acknowledged":
            raise Refusal(400, 1012, "Incident is not Acknowledged")
        it.snoozed_until = self._clock.now() + timedelta(seconds=seconds)
        self.touch(it)
        self.log(it, "snooze", agent)
        self._arm(it)

    def resolve_alert(self, it: Incident, alert: Alert, agent: Ref | None) -> None:
        """Resolve one alert; with the last one the incident resolves."""
        alert.status = "resolved"
        if it.is_open and all(one.status == "resolved" for one in it.alerts):
            self.resolve(it, agent)

    # -------------------------------------------------------------------- timers

    def _arm(self, it: Incident) -> None:
        """Set the timers anew; those set before notice that they are old."""
        it.generation += 1
        it.pending = {}
        if not it.is_open:
            return
        service, now = self.world.services[it.service], self._clock.now()
        if it.status == "triggered" and it.urgency == "high" and it.via == "escalation_policy":
            delay = self.world.policies[it.policy].rules[it.level - 1].delay
            self._later(it, "escalate", now + timedelta(minutes=delay), self._escalate_by_time)
        if it.status == "acknowledged":
            until = it.snoozed_until
            if until is None and service.acknowledgement_timeout:
                until = now + timedelta(seconds=service.acknowledgement_timeout)
            if until:
                self._later(it, "unacknowledge", until, lambda one: self.unacknowledge(one, None))
        if service.auto_resolve_timeout:
            opened = it.reopened_at or it.created_at
            at = max(now, opened + timedelta(seconds=service.auto_resolve_timeout))
            if not it.snoozed_until or it.snoozed_until < at:
                self._later(it, "resolve", at, lambda one: self.resolve(one, None))

    def _later(
        self, it: Incident, kind: str, at: datetime, act: Callable[[Incident], None]
    ) -> None:
        it.pending[kind] = at
        generation = it.generation

        def fire() -> None:
            if it.generation == generation and it.is_open:
                act(it)

        self._clock.at(at, fire)

    def _escalate_by_time(self, it: Incident) -> None:
        policy = self.world.policies[it.policy]
        if it.level < len(policy.rules):
            self.escalate(it, None, it.level + 1)
        elif it.loops < policy.num_loops:
            it.loops += 1
            self.log(it, "repeat_escalation_path", None)
            self.escalate(it, None, 1)
        else:
            self.log(it, "exhaust_escalation_path", None)
