"""Rules offered ready-made: the incident desk and PagerDuty in step."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, Literal

from pydantic import BaseModel, Field

from hub import RulesetTemplate
from hub_pagerduty.config import URGENCIES
from hub_pagerduty.vocabulary import (
    ACKNOWLEDGED,
    ANNOTATED,
    ESCALATED,
    MERGED,
    REASSIGNED,
    REOPENED,
    RESOLVED,
    TRIGGERED,
)

Rule = dict[str, Any]
DESK: Final = "im.incident"
_LINK: Final = "hub.link.pagerduty.incident"
_AUTHOR: Final = '{{ pagerduty.incident.agent_name | default: "PagerDuty" }}'
ROLES: Final = {"desk": "im", "paging": "pagerduty"}
MAPS: Final = {
    "severity_to_urgency": URGENCIES,
    "status_im_to_pagerduty": {
        "open": "triggered",
        "mitigated": "acknowledged",
        "resolved": "resolved",
        "closed": "resolved",
    },
}


class Outbound(BaseModel):
    """How the desk's incidents go to PagerDuty."""

    auto_resolve: bool = Field(
        default=True,
        title="Resolve automatically",
        description="Resolving or closing at the desk resolves in PagerDuty.",
    )
    sync_notes: bool = Field(
        default=True, title="Sync notes", description="Notes of the desk become PagerDuty notes."
    )


class Inbound(BaseModel):
    """How PagerDuty's incidents come to the desk."""

    sync_notes: bool = Field(
        default=True, title="Sync notes", description="PagerDuty's notes become notes of the desk."
    )
    create: bool = Field(
        default=True,
        title="Create incidents",
        description="An incident triggered in PagerDuty makes one at the desk.",
    )
    merged: Literal["follow", "ignore", "resolve"] = Field(
        default="follow",
        title="Merged incidents",
        description="follow: the link moves to the incident that goes on, with a note.",
    )


class TwoWay(Inbound):
    """Both directions."""

    auto_resolve: bool = Field(
        default=True,
        title="Resolve automatically",
        description="Resolving or closing at the desk resolves in PagerDuty.",
    )


def build_outbound(params: Outbound, roles: Mapping[str, str]) -> Sequence[Rule]:
    """Return the rules from the desk to PagerDuty."""
    return list(_outbound(params.auto_resolve, params.sync_notes, roles))


def build_inbound(params: Inbound, roles: Mapping[str, str]) -> Sequence[Rule]:
    """Return the rules from PagerDuty to the desk."""
    return list(_inbound(params, roles))


def build_two_way(params: TwoWay, roles: Mapping[str, str]) -> Sequence[Rule]:
    """Return the rules of both directions."""
    out = _outbound(params.auto_resolve, params.sync_notes, roles)
    return [*out, *_inbound(params, roles)]


def _outbound(auto_resolve: bool, sync_notes: bool, roles: Mapping[str, str]) -> Iterator[Rule]:  # noqa: FBT001 - the template's own switches
    paging, desk = roles["paging"], roles["desk"]

    def act(verb: str, **given: Any) -> Rule:  # noqa: ANN401 - parameters of an action
        more = {"unless_linked": True} if verb == "create_incident" else {}
        return {"do": f"pagerduty.{verb}", "connector": paging, "with": given, **more}

    def rule(key: str, name: str, verb: str, when: Rule | None, *then: Rule) -> Rule:
        return _rule(key, name, [f"{DESK}.{verb}"], desk, when, then)

    urgency = f'{{{{ {DESK}.severity | map: "severity_to_urgency" }}}}'
    note = act("add_note", content=f"{{{{ {DESK}.note }}}}", author=f"{{{{ {DESK}.note_author }}}}")
    yield rule(
        "out.declared",
        "Incident declared",
        "created",
        None,
        act(
            "create_incident",
            service={"$service": "outbound"},
            title=f"{{{{ {DESK}.title }}}}",
            body=f'{{{{ {DESK}.description | default: "" }}}}',
            urgency=urgency,
        ),
    )
    acknowledged = _changed_to("status", "mitigated")
    yield rule(
        "out.acknowledged",
        "Incident acknowledged",
        "updated",
        acknowledged,
        act("acknowledge_incident"),
    )
    if auto_resolve:
        resolved = {
            "any": [
                {"field": f"{DESK}.status", "op": "changed_to", "value": one}
                for one in ("resolved", "closed")
            ]
        }
        yield rule(
            "out.resolved", "Incident resolved", "updated", resolved, act("resolve_incident")
        )
    yield rule(
        "out.title",
        "Title changed",
        "updated",
        _changed("title"),
        act("set_title", title=f"{{{{ {DESK}.title }}}}"),
    )
    yield rule(
        "out.severity",
        "Severity changed",
        "updated",
        _changed("severity"),
        act("set_urgency", urgency=urgency),
    )
    if sync_notes:
        yield rule("out.note", "Note added", "annotated", None, note)


def _inbound(params: Inbound, roles: Mapping[str, str]) -> Iterator[Rule]:
    paging, desk = roles["paging"], roles["desk"]

    def act(verb: str, **given: Any) -> Rule:  # noqa: ANN401 - parameters of an action
        more = {"unless_linked": True} if verb == "create_incident" else {}
        return {"do": f"im.{verb}", "connector": desk, "with": given, **more}

    def rule(key: str, name: str, on: Sequence[str], *then: Rule) -> Rule:
        return _rule(key, name, on, paging, None, then)

    if params.create:
        yield rule("in.triggered", "PagerDuty incident triggered", [TRIGGERED.name], _new(act))
    yield rule(
        "in.acknowledged",
        "Acknowledged in PagerDuty",
        [ACKNOWLEDGED.name],
        act("set_status", status="mitigated"),
    )
    yield rule(
        "in.resolved",
        "Resolved in PagerDuty",
        [RESOLVED.name],
        act("set_status", status="resolved"),
    )
    yield rule(
        "in.reopened",
        "Reopened in PagerDuty",
        [REOPENED.name],
        act("set_status", status="open"),
        act("add_note", content=f"Reopened in PagerDuty by {_AUTHOR}"),
    )
    assignee = '{{ pagerduty.incident.assignee_names | join: ", " }}'
    yield rule(
        "in.escalated",
        "Escalated or reassigned in PagerDuty",
        [ESCALATED.name, REASSIGNED.name],
        act("set_assignee", assignee=assignee),
        act("add_note", content=f"Escalated in PagerDuty to {assignee}"),
    )
    if params.sync_notes:
        yield rule(
            "in.note",
            "Note added in PagerDuty",
            [ANNOTATED.name],
            act(
                "add_note",
                content="{{ pagerduty.incident.note }}",
                author='{{ pagerduty.incident.note_author | default: "PagerDuty" }}',
            ),
        )
    if params.merged == "resolve":
        yield rule(
            "in.merged", "Merged in PagerDuty", [MERGED.name], act("set_status", status="resolved")
        )
    if params.merged == "follow":
        yield rule(
            "in.merged",
            "Merged in PagerDuty",
            [MERGED.name],
            act(
                "add_note",
                content="Merged in PagerDuty into incident {{ pagerduty.incident.merged_into }}",
            ),
        )


def _new(act: Any) -> Rule:  # noqa: ANN401 - the function above
    made: Rule = act(
        "create_incident",
        title="{{ pagerduty.incident.title }}",
        severity='{{ pagerduty.incident.urgency | unmap: "severity_to_urgency" }}',
        service="{{ pagerduty.incident.service_name }}",
    )
    return made


def _rule(
    key: str, name: str, on: Sequence[str], connector: str, when: Rule | None, then: Sequence[Rule]
) -> Rule:
    conditions = {"when": when} if when else {}
    return {
        "format": 1,
        "key": key,
        "name": name,
        "object": DESK,
        "on": list(on),
        "from": [connector],
        **conditions,
        "then": list(then),
    }


def _changed(field: str) -> Rule:
    return {"all": [{"field": f"{DESK}.{field}", "op": "changed"}]}


def _changed_to(field: str, value: str) -> Rule:
    return {"all": [{"field": f"{DESK}.{field}", "op": "changed_to", "value": value}]}


TEMPLATES: Final[list[RulesetTemplate[Any]]] = [
    RulesetTemplate(
        name="pagerduty.outbound",
        version=1,
        label="Desk to PagerDuty",
        description="Incidents of the desk page the engineer on call; changes follow.",
        roles=ROLES,
        params=Outbound,
        build=build_outbound,
        value_maps=MAPS,
    ),
    RulesetTemplate(
        name="pagerduty.inbound",
        version=1,
        label="PagerDuty to desk",
        description="What happens in PagerDuty comes back to the desk.",
        roles=ROLES,
        params=Inbound,
        build=build_inbound,
        value_maps=MAPS,
    ),
    RulesetTemplate(
        name="pagerduty.two_way",
        version=1,
        label="Desk and PagerDuty",
        description="Both directions in one ruleset.",
        roles=ROLES,
        params=TwoWay,
        build=build_two_way,
        value_maps=MAPS,
    ),
]
