"""Rules offered ready-made that need nothing but PagerDuty."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from hub import RulesetTemplate
from hub_pagerduty.vocabulary import (
    ACKNOWLEDGED,
    ANNOTATED,
    INCIDENT,
    PRIORITY_UPDATED,
    REOPENED,
    RESOLVED,
    TRIGGERED,
)

Rule = dict[str, Any]
_PRIORITY: Final = f"{INCIDENT.name}.priority"
_STATUS: Final = f"{INCIDENT.name}.status"
_RANKED: Final = (TRIGGERED.name, PRIORITY_UPDATED.name)


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid")


class PolicyFor(_Form):
    """Who is paged for a priority."""

    priority: str = Field(
        min_length=1,
        title="Priority",
        description="Name of a priority, such as P1.",
        json_schema_extra={"x-hub": {"source": "priorities"}},
    )
    escalation_policy: str = Field(
        min_length=1,
        title="Escalation policy",
        description="Gets incidents of this priority.",
        json_schema_extra={"x-hub": {"source": "escalation_policies"}},
    )


class Policies(_Form):
    """Which escalation policy gets incidents of which priority."""

    policies: list[PolicyFor] = Field(
        min_length=1, title="Policies", description="One line for each priority."
    )

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        names = [one.priority.casefold() for one in self.policies]
        if len(names) != len(set(names)):
            raise ValueError("Each priority has one escalation policy.")
        return self


class FirstResponse(_Form):
    """What happens at once when an important incident begins."""

    priorities: list[str] = Field(
        default=["P1"],
        min_length=1,
        title="Priorities",
        description="Which incidents are important.",
        json_schema_extra={"x-hub": {"source": "priorities"}},
    )
    workflow: str = Field(
        default="",
        title="Workflow",
        description="Started on the incident.",
        json_schema_extra={"x-hub": {"source": "workflows"}},
    )
    users: list[str] = Field(
        default_factory=list,
        title="Responders",
        description="People who are asked to help.",
        json_schema_extra={"x-hub": {"source": "users"}},
    )
    escalation_policies: list[str] = Field(
        default_factory=list,
        title="Responders by policy",
        description="Escalation policies whose people are asked to help.",
        json_schema_extra={"x-hub": {"source": "escalation_policies"}},
    )
    conference_url: str = Field(
        default="", title="Conference link", description="Where responders meet."
    )
    status_update: str = Field(
        default=f"{{{{ {INCIDENT.name}.title }}}}: responders are at work.",
        title="Status update",
        description="What stakeholders are told.",
        json_schema_extra={"x-hub": {"widget": "template"}},
    )

    @model_validator(mode="after")
    def _something(self) -> Self:
        people = self.users or self.escalation_policies
        if not (people or self.workflow or self.conference_url or self.status_update):
            raise ValueError("Say what is to happen: nothing is chosen.")
        return self


class Mirror(_Form):
    """How incidents of one account are copied to another one."""

    service: str = Field(
        min_length=1, title="Service", description="Where the copies are opened: a service's id."
    )
    notes: bool = Field(default=True, title="Notes", description="Notes are copied as well.")
    back: bool = Field(
        default=True,
        title="And back",
        description="What is done with a copy is done with the incident it was made of.",
    )


def policy_by_priority(params: Policies, roles: Mapping[str, str]) -> Sequence[Rule]:
    """Return a rule for each priority."""
    paging = roles["paging"]
    return [
        _rule(
            f"policy.{one.priority.casefold()}",
            f"{one.priority} goes to its escalation policy",
            _RANKED,
            (paging, paging, "reassign_incident", {"escalation_policy": one.escalation_policy}),
            when=_open_and(one.priority),
        )
        for one in params.policies
    ]


def first_response(params: FirstResponse, roles: Mapping[str, str]) -> Sequence[Rule]:
    """Return the one rule, with an action for all that was chosen."""
    paging, acts = roles["paging"], list[tuple[str, dict[str, Any]]]()
    if params.conference_url:
        acts.append(("set_conference", {"conference_url": params.conference_url}))
    if params.users or params.escalation_policies:
        asked = {"users": params.users, "escalation_policies": params.escalation_policies}
        acts.append(("add_responders", {name: who for name, who in asked.items() if who}))
    if params.workflow:
        acts.append(("run_workflow", {"workflow": params.workflow}))
    if params.status_update:
        acts.append(("publish_status_update", {"message": params.status_update}))
    then = [(paging, paging, verb, given) for verb, given in acts]
    when = _open_and(*params.priorities)
    return [_rule("response", "First response to an important incident", _RANKED, *then, when=when)]


def mirror(params: Mirror, roles: Mapping[str, str]) -> Sequence[Rule]:
    """Return the rules from one account to the other, and back."""
    here, there = roles["source"], roles["copy"]
    copied = {
        "service": params.service,
        "title": f"{{{{ {INCIDENT.name}.title }}}}",
        "body": f'{{{{ {INCIDENT.name}.url | default: "" }}}}',
        "urgency": f'{{{{ {INCIDENT.name}.urgency | default: "high" }}}}',
    }
    create = (here, there, "create_incident", copied)
    rules = [_rule("mirror.triggered", "Copy a new incident", [TRIGGERED.name], create)]
    rules += _followed("mirror", here, there, notes=params.notes)
    if params.back:
        rules += _followed("back", there, here, notes=params.notes)
    return rules


def _followed(prefix: str, here: str, there: str, *, notes: bool) -> list[Rule]:
    steps: list[tuple[str, str, dict[str, Any]]] = [
        (ACKNOWLEDGED.name, "acknowledge_incident", {}),
        (RESOLVED.name, "resolve_incident", {}),
        (REOPENED.name, "reopen_incident", {}),
    ]
    if notes:
        author = f'{{{{ {INCIDENT.name}.note_author | default: "" }}}}'
        note = {"content": f"{{{{ {INCIDENT.name}.note }}}}", "author": author}
        steps.append((ANNOTATED.name, "add_note", note))
    return [
        _rule(
            f"{prefix}.{on.rpartition('.')[2]}",
            f"{'Copy' if prefix == 'mirror' else 'Original'}: {verb.replace('_', ' ')}",
            [on],
            (here, there, verb, given),
        )
        for on, verb, given in steps
    ]


def _open_and(*priorities: str) -> Rule:
    ranked = [{"field": _PRIORITY, "op": "is", "value": one} for one in priorities]
    return {"all": [{"field": _STATUS, "op": "is_not", "value": "resolved"}, {"any": ranked}]}


def _rule(
    key: str,
    name: str,
    on: Sequence[str],
    *then: tuple[str, str, str, dict[str, Any]],
    when: Rule | None = None,
) -> Rule:
    """Return a rule; each of `then` is (from, to, verb, parameters), `from` the same for all."""
    return {
        "format": 1,
        "key": key,
        "name": name,
        "object": INCIDENT.name,
        "on": list(on),
        "from": [then[0][0]],
        **({"when": when} if when else {}),
        "then": [_act(to, verb, given) for _, to, verb, given in then],
    }


def _act(to: str, verb: str, given: Mapping[str, Any]) -> Rule:
    act: Rule = {"do": f"pagerduty.{verb}", "connector": to}
    if given:
        act["with"] = dict(given)
    if verb == "create_incident":
        act["unless_linked"] = True
    return act


PLAYBOOKS: Final[list[RulesetTemplate[Any]]] = [
    RulesetTemplate(
        name="pagerduty.policy_by_priority",
        version=1,
        label="Escalation policy by priority",
        description="Each priority has its escalation policy, also when it changes.",
        roles={"paging": "pagerduty"},
        params=Policies,
        build=policy_by_priority,
    ),
    RulesetTemplate(
        name="pagerduty.first_response",
        version=1,
        label="First response",
        description="Important incidents get responders, a conference, a workflow, an update.",
        roles={"paging": "pagerduty"},
        params=FirstResponse,
        build=first_response,
    ),
    RulesetTemplate(
        name="pagerduty.mirror",
        version=1,
        label="Copy incidents to another account",
        description="Incidents of one PagerDuty account are opened in another and kept in step.",
        roles={"source": "pagerduty", "copy": "pagerduty"},
        params=Mirror,
        build=mirror,
    ),
]
