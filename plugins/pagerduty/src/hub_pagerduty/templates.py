"""Rules offered ready-made: the incident desk and PagerDuty in step."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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
_UPDATED: Final = f"{DESK}.updated"
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
    paging = _Maker(kind="pagerduty", to=roles["paging"], source=roles["desk"])
    rules = [_declared(paging), _acknowledged(paging), _title(paging), _severity(paging)]
    if params.auto_resolve:
        rules.append(_resolved(paging))
    if params.sync_notes:
        rules.append(_note(paging))
    return rules


def build_inbound(params: Inbound, roles: Mapping[str, str]) -> Sequence[Rule]:
    """Return the rules from PagerDuty to the desk."""
    desk = _Maker(kind="im", to=roles["desk"], source=roles["paging"])
    rules = [*_statuses(desk), _people(desk)]
    if params.create:
        rules.insert(0, _triggered(desk))
    if params.sync_notes:
        rules.append(_note_back(desk))
    if params.merged != "ignore":
        rules.append(_merged(desk, params.merged))
    return rules


def build_two_way(params: TwoWay, roles: Mapping[str, str]) -> Sequence[Rule]:
    """Return the rules of both directions."""
    out = Outbound(auto_resolve=params.auto_resolve, sync_notes=params.sync_notes)
    return [*build_outbound(out, roles), *build_inbound(params, roles)]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Maker:
    """Writes rules whose actions go to one connector, for events of another."""

    kind: str
    to: str
    source: str

    def act(self, verb: str, **given: Any) -> Rule:  # noqa: ANN401 - parameters of an action
        more = {"unless_linked": True} if verb == "create_incident" else {}
        return {"do": f"{self.kind}.{verb}", "connector": self.to, "with": given, **more}

    def rule(
        self, key: str, name: str, on: str | Sequence[str], *then: Rule, when: Rule | None = None
    ) -> Rule:
        return {
            "format": 1,
            "key": key,
            "name": name,
            "object": DESK,
            "on": [on] if isinstance(on, str) else list(on),
            "from": [self.source],
            **({"when": when} if when else {}),
            "then": list(then),
        }


# -------------------------------------------------------------- desk to PagerDuty

_URGENCY: Final = f'{{{{ {DESK}.severity | map: "severity_to_urgency" }}}}'


def _declared(paging: _Maker) -> Rule:
    create = paging.act(
        "create_incident",
        service={"$service": "outbound"},
        title=f"{{{{ {DESK}.title }}}}",
        body=f'{{{{ {DESK}.description | default: "" }}}}',
        urgency=_URGENCY,
    )
    return paging.rule("out.declared", "Incident declared", f"{DESK}.created", create)


def _acknowledged(paging: _Maker) -> Rule:
    act = paging.act("acknowledge_incident")
    when = {"all": [_changed_to("status", "mitigated")]}
    return paging.rule("out.acknowledged", "Incident acknowledged", _UPDATED, act, when=when)


def _resolved(paging: _Maker) -> Rule:
    act = paging.act("resolve_incident")
    when = {"any": [_changed_to("status", one) for one in ("resolved", "closed")]}
    return paging.rule("out.resolved", "Incident resolved", _UPDATED, act, when=when)


def _title(paging: _Maker) -> Rule:
    act = paging.act("set_title", title=f"{{{{ {DESK}.title }}}}")
    return paging.rule("out.title", "Title changed", _UPDATED, act, when=_changed("title"))


def _severity(paging: _Maker) -> Rule:
    act = paging.act("set_urgency", urgency=_URGENCY)
    return paging.rule("out.severity", "Severity changed", _UPDATED, act, when=_changed("severity"))


def _note(paging: _Maker) -> Rule:
    act = paging.act(
        "add_note", content=f"{{{{ {DESK}.note }}}}", author=f"{{{{ {DESK}.note_author }}}}"
    )
    return paging.rule("out.note", "Note added", f"{DESK}.annotated", act)


def _changed(field: str) -> Rule:
    return {"all": [{"field": f"{DESK}.{field}", "op": "changed"}]}


def _changed_to(field: str, value: str) -> Rule:
    return {"field": f"{DESK}.{field}", "op": "changed_to", "value": value}


# -------------------------------------------------------------- PagerDuty to desk

_AUTHOR: Final = '{{ pagerduty.incident.agent_name | default: "PagerDuty" }}'
_ASSIGNEES: Final = '{{ pagerduty.incident.assignee_names | join: ", " }}'


def _triggered(desk: _Maker) -> Rule:
    create = desk.act(
        "create_incident",
        title="{{ pagerduty.incident.title }}",
        severity='{{ pagerduty.incident.urgency | unmap: "severity_to_urgency" }}',
        service="{{ pagerduty.incident.service_name }}",
    )
    return desk.rule("in.triggered", "PagerDuty incident triggered", TRIGGERED.name, create)


def _statuses(desk: _Maker) -> list[Rule]:
    told = desk.act("add_note", content=f"Reopened in PagerDuty by {_AUTHOR}")
    names = (
        ("in.acknowledged", "Acknowledged in PagerDuty", ACKNOWLEDGED.name, "mitigated", ()),
        ("in.resolved", "Resolved in PagerDuty", RESOLVED.name, "resolved", ()),
        ("in.reopened", "Reopened in PagerDuty", REOPENED.name, "open", (told,)),
    )
    return [
        desk.rule(key, name, on, desk.act("set_status", status=status), *more)
        for key, name, on, status, more in names
    ]


def _people(desk: _Maker) -> Rule:
    return desk.rule(
        "in.escalated",
        "Escalated or reassigned in PagerDuty",
        [ESCALATED.name, REASSIGNED.name],
        desk.act("set_assignee", assignee=_ASSIGNEES),
        desk.act("add_note", content=f"Escalated in PagerDuty to {_ASSIGNEES}"),
    )


def _note_back(desk: _Maker) -> Rule:
    act = desk.act(
        "add_note",
        content="{{ pagerduty.incident.note }}",
        author='{{ pagerduty.incident.note_author | default: "PagerDuty" }}',
    )
    return desk.rule("in.note", "Note added in PagerDuty", ANNOTATED.name, act)


def _merged(desk: _Maker, how: str) -> Rule:
    told = "Merged in PagerDuty into incident {{ pagerduty.incident.merged_into }}"
    act = (
        desk.act("set_status", status="resolved")
        if how == "resolve"
        else desk.act("add_note", content=told)
    )
    return desk.rule("in.merged", "Merged in PagerDuty", MERGED.name, act)


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
