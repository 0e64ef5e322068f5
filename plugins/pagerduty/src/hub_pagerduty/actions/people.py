"""Who works on an incident: reassign, escalate, responders; and snooze and merge."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Self

from pydantic import Field, model_validator

import hub
from hub import Action, ActionResult, Record, Repeat, Value
from hub_pagerduty import errors
from hub_pagerduty.actions.shared import (
    BOTH,
    USERS,
    WRITES,
    Acting,
    Call,
    acting,
    change,
    incident_id,
    read,
    reference,
    result,
    shown,
    since_event,
)
from hub_pagerduty.client import Json, PagerDutyClient
from hub_pagerduty.connector import PAGERDUTY
from hub_pagerduty.lookups import user_id
from hub_pagerduty.payloads.incidents import incident_values
from hub_pagerduty.payloads.values import as_object, as_objects, id_of
from hub_pagerduty.settings import seconds_of
from hub_pagerduty.vocabulary import INCIDENT

LONGEST_SNOOZE = 7 * 24 * 3600


class Reassign(Acting):
    """Parameters of `reassign_incident`."""

    users: list[str] = Field(
        default_factory=list,
        title="Users",
        description="E-mails or ids of the new assignees.",
        json_schema_extra={"x-hub": {"source": "users"}},
    )
    escalation_policy: str = Field(
        default="",
        title="Escalation policy",
        description="Instead of users: starts at its first level.",
        json_schema_extra={"x-hub": {"source": "escalation_policies"}},
    )

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if bool(self.users) == bool(self.escalation_policy):
            raise ValueError("Name either users or an escalation policy.")
        return self


class Escalate(Acting):
    """Parameters of `escalate_incident`."""

    level: int = Field(
        default=0, ge=0, le=20, title="Level", description="Level of the policy; 0 is the next one."
    )
    escalation_policy: str = Field(
        default="",
        title="Escalation policy",
        description="Another policy, started at its first level.",
        json_schema_extra={"x-hub": {"source": "escalation_policies"}},
    )


class Snooze(Acting):
    """Parameters of `snooze_incident`."""

    duration: str = Field(
        title="Duration", description="Such as 30m, 4h or 1d, at most 7d; then it triggers again."
    )

    @model_validator(mode="after")
    def _in_range(self) -> Self:
        if not 1 <= seconds_of(self.duration) <= LONGEST_SNOOZE:
            raise ValueError("The duration is between 1s and 7d.")
        return self


class Merge(Acting):
    """Parameters of `merge_incident`."""

    into: str = Field(
        min_length=1, title="Into incident", description="Id of the incident that goes on."
    )


class Responders(Acting):
    """Parameters of `add_responders`."""

    users: list[str] = Field(
        default_factory=list,
        title="Users",
        description="E-mails or ids of the users to ask.",
        json_schema_extra={"x-hub": {"source": "users"}},
    )
    escalation_policies: list[str] = Field(
        default_factory=list,
        title="Escalation policies",
        description="Policies whose people to ask.",
        json_schema_extra={"x-hub": {"source": "escalation_policies"}},
    )
    message: str = Field(
        default="Please help with this incident.",
        title="Message",
        description="What the responders are told.",
        json_schema_extra={"x-hub": {"widget": "template"}},
    )

    @model_validator(mode="after")
    def _somebody(self) -> Self:
        if not self.users and not self.escalation_policies:
            raise ValueError("Name a user or an escalation policy.")
        return self


async def reassign(call: Call[Reassign]) -> ActionResult:
    """Give the incident to users or to another escalation policy."""
    policy = call.params.escalation_policy
    if policy:
        incident = await change(call, escalation_policy=reference(policy, "escalation_policy"))
        return result(f"Reassigned {shown(incident)} to policy {policy}", incident)
    users = [await user_id(call.client, who) for who in call.params.users]
    assignments = [{"assignee": reference(one, "user")} for one in users]
    try:
        incident = await change(call, assignments=assignments)
    except errors.Refused as refused:
        if refused.answer.code == errors.ASSIGNEE_NOT_FOUND:
            people = ", ".join(call.params.users)
            raise hub.Rejected(f"PagerDuty has no user {people} to assign to.") from refused
        raise
    done = result(f"Reassigned {shown(incident)} to {', '.join(call.params.users)}", incident)
    return replace(done, wrote={"assignees": tuple(users)})


def reassigned_values(params: Reassign) -> Mapping[str, Value]:
    """Return what will be reported; of people only ids are known beforehand."""
    if params.escalation_policy:
        return {"escalation_policy": params.escalation_policy}
    known = not any("@" in one for one in params.users)
    return {"assignees": tuple(params.users)} if known else {}


def escalated_values(params: Escalate) -> Mapping[str, Value]:
    """Return what will be reported; the people of the next level are PagerDuty's choice."""
    policy = params.escalation_policy
    return {"escalation_policy": policy} if policy else {}


async def escalate(call: Call[Escalate]) -> ActionResult:
    """Escalate an open incident; one of low urgency is made urgent first."""
    incident = await read(call.client, incident_id(call))
    if incident.get("status") == "resolved":
        return result(f"Left {shown(incident)} alone: it is resolved", incident, changed=False)
    if incident.get("urgency") == "low":
        await change(call, urgency="high")
    policy = call.params.escalation_policy
    if policy:
        answer = await change(call, escalation_policy=reference(policy, "escalation_policy"))
        return _chosen(f"Escalated {shown(incident)} to policy {policy}", answer)
    level = call.params.level or await _next_level(call.client, incident)
    answer = await change(call, escalation_level=level)
    return _chosen(f"Escalated {shown(incident)} to level {level}", answer)


def _chosen(summary: str, incident: Json) -> ActionResult:
    """Say that PagerDuty chose the people: its webhook will name them."""
    assignees = incident_values(incident).get("assignees")
    return replace(result(summary, incident), wrote={"assignees": assignees} if assignees else {})


async def snooze(call: Call[Snooze]) -> ActionResult:
    """Let an incident rest for a while; one that is triggered is acknowledged first."""
    incident = await read(call.client, incident_id(call))
    if incident.get("status") == "resolved":
        return result(f"Left {shown(incident)} alone: it is resolved", incident, changed=False)
    rests = incident.get("status") == "acknowledged"
    if not rests:
        await change(call, status="acknowledged")
    path = f"/incidents/{incident_id(call)}/snooze"
    body = {"duration": seconds_of(call.params.duration)}
    answer = await call.client.post_one(path, "incident", body, by=await acting(call))
    done = result(f"Snoozed {shown(answer)} for {call.params.duration}", answer)
    return done if rests else replace(done, wrote={"status": "acknowledged"})


async def merge(call: Call[Merge]) -> ActionResult:
    """Merge the incident into another, which must be open."""
    source, into = incident_id(call), call.params.into
    if source == into:
        raise hub.Rejected("An incident cannot be merged into itself.")
    body = {"source_incidents": [reference(source, "incident")]}
    path = f"/incidents/{into}/merge"
    try:
        target = await call.client.put_one(path, "incident", body, by=await acting(call))
    except errors.Refused as refused:
        if refused.answer.code != errors.ALREADY_MERGED:
            raise
        return await _merged_before(call, refused)
    record = Record(source_object=INCIDENT.name, id=source, values=merged_values(call.params))
    return ActionResult(summary=f"Merged into {shown(target)}", record=record)


def merged_values(params: Merge) -> Mapping[str, Value]:
    """Return what a merged incident reports of itself."""
    return {"status": "resolved", "resolve_reason": "merged", "merged_into": params.into}


async def _merged_before(call: Call[Merge], refused: errors.Refused) -> ActionResult:
    incident = await read(call.client, incident_id(call))
    target = incident_values(incident).get("merged_into")
    if target != call.params.into:
        raise hub.Rejected(f"The incident was merged into {target} before.") from refused
    return result(f"{shown(incident).capitalize()} was merged already", incident, changed=False)


async def add_responders(call: Call[Responders]) -> ActionResult:
    """Ask more people to help."""
    who = await acting(call)
    requester = await call.client.person(who) if who else None
    if requester is None:
        raise hub.Rejected("The From e-mail must be a PagerDuty user to ask for responders.")
    users = [reference(await user_id(call.client, one), "user") for one in call.params.users]
    policies = [reference(one, "escalation_policy") for one in call.params.escalation_policies]
    before = await _asked_before(call)
    targets = [one for one in [*users, *policies] if one["id"] not in before]
    if not targets:
        return ActionResult(summary="All of them were asked already", changed=False)
    body = {
        "requester_id": requester.id,
        "message": call.params.message,
        "responder_request_targets": [{"responder_request_target": one} for one in targets],
    }
    answer = await call.client.post(f"/incidents/{incident_id(call)}/responder_requests", body)
    asked = ", ".join([*call.params.users, *call.params.escalation_policies])
    who_asked = dict.fromkeys([*(one["id"] for one in targets), *_people_asked(answer)])
    return ActionResult(
        summary=f"Asked {asked} to help", wrote_each={"responder": tuple(who_asked)}
    )


async def find_responders(call: Call[Responders]) -> ActionResult | None:
    """Look whether an earlier send of the same run asked all of them: one webhook each follows."""
    users = [await user_id(call.client, one) for one in call.params.users]
    wanted = dict.fromkeys([*users, *call.params.escalation_policies])
    if set(wanted) - await _asked_before(call):
        return None
    return ActionResult(
        summary="They were asked to help before", wrote_each={"responder": tuple(wanted)}
    )


def _people_asked(answer: Json) -> Iterator[str]:
    """Yield the ids of the people whom PagerDuty asked, also by a policy."""
    request = as_object(answer.get("responder_request"))
    for target in as_objects(request.get("responder_request_targets")):
        inner = as_object(target.get("responder_request_target") or target)
        for name in ("incidents_responders", "incident_responders"):
            for one in as_objects(inner.get(name)):
                person = id_of(one.get("user"))
                if person:
                    yield person


async def _asked_before(call: Call[Responders]) -> set[str]:
    """Return the ids of those who were asked and have not declined."""
    incident = await read(call.client, incident_id(call))
    responders = [
        id_of(one.get("user"))
        for one in as_objects(incident.get("incidents_responders"))
        if one.get("state") in {"pending", "joined"}
    ]
    requests = [
        id_of(as_object(target).get("responder_request_target") or target)
        for one in as_objects(incident.get("responder_requests"))
        for target in as_objects(one.get("responder_request_targets"))
    ]
    return {one for one in [*responders, *requests] if one}


async def find_escalation(call: Call[Escalate]) -> ActionResult | None:
    """Look for an escalation since the event: a second one would skip a level."""
    path = f"/incidents/{incident_id(call)}/log_entries"
    query = [since_event(call)]
    kind = "delegate" if call.params.escalation_policy else "escalate"
    async for entry in call.client.pages(path, "log_entries", query):
        if entry.get("type") == f"{kind}_log_entry" and entry.get("agent"):
            incident = await read(call.client, incident_id(call))
            return result(f"{shown(incident).capitalize()} was escalated before", incident)
    return None


async def _next_level(client: PagerDutyClient, incident: Json) -> int:
    policy = (incident.get("escalation_policy") or {}).get("id", "")
    assigned = {(one.get("assignee") or {}).get("id") for one in incident.get("assignments") or []}
    found = await client.get("/oncalls", [("escalation_policy_ids[]", policy)])
    levels = [
        int(one.get("escalation_level") or 1)
        for one in found.get("oncalls") or []
        if (one.get("user") or {}).get("id") in assigned
    ]
    return max(levels, default=1) + 1


PEOPLE_ACTIONS: list[Action[Any, Any]] = [
    PAGERDUTY.action(
        "reassign_incident",
        "Reassign",
        Reassign,
        reassign,
        target=INCIDENT,
        writes=reassigned_values,
        scopes=(*WRITES, *USERS),
    ),
    PAGERDUTY.action(
        "escalate_incident",
        "Escalate",
        Escalate,
        escalate,
        target=INCIDENT,
        repeat=Repeat.FIND_FIRST,
        calls=4,
        find=find_escalation,
        writes=escalated_values,
        scopes=(*BOTH, *USERS, "oncalls.read"),
    ),
    PAGERDUTY.action(
        "snooze_incident",
        "Snooze",
        Snooze,
        snooze,
        target=INCIDENT,
        calls=2,
        scopes=(*BOTH, *USERS),
    ),
    PAGERDUTY.action(
        "merge_incident",
        "Merge into another incident",
        Merge,
        merge,
        target=INCIDENT,
        writes=merged_values,
        scopes=(*BOTH, *USERS),
    ),
    PAGERDUTY.action(
        "add_responders",
        "Add responders",
        Responders,
        add_responders,
        target=INCIDENT,
        repeat=Repeat.FIND_FIRST,
        find=find_responders,
        calls=3,
        scopes=(*BOTH, *USERS),
        abilities=("coordinated_responding",),
    ),
]
