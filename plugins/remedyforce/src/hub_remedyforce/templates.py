"""Rules offered ready-made: an incident and its page in step; an incident for a service's pages."""

from collections.abc import Mapping
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from hub import RulesetTemplate
from hub_remedyforce.connector_type import REMEDYFORCE
from hub_remedyforce.history import NOTES
from hub_remedyforce.objects import INCIDENT
from hub_salesforce.kit import Form

PRIORITY_TO_URGENCY = "remedyforce_priority_to_urgency"
URGENCY_TO_IMPACT = "urgency_to_remedyforce_impact"
URGENCY_TO_URGENCY = "urgency_to_remedyforce_urgency"
Rule = dict[str, Any]
Direction = Literal["both", "to_pagerduty", "to_remedyforce"]
_PAGE = "pagerduty.incident"
_LINKED = "hub.link.pagerduty.incident"
_KEY = r"^[A-Za-z_][A-Za-z0-9_]*$"
_STATUS: dict[str, Any] = {"x-hub": {"source": "statuses"}}
_TEXT: dict[str, Any] = {"x-hub": {"source": "text_fields"}}


class IncidentAndPagerDuty(Form):
    """How an incident and its page keep in step."""

    direction: Direction = Field(
        default="both",
        title="Direction",
        description="Which way changes go after the two are linked.",
    )
    priorities: list[str] = Field(
        default=["1", "2"],
        title="Priorities that page",
        description="Open incidents of these priorities, by their number, are paged.",
        min_length=1,
    )
    title_field: str = Field(
        default="short_description",
        title="Incident title field",
        description="The field that becomes the page's title; many orgs have one of their own.",
        pattern=_KEY,
        json_schema_extra=_TEXT,
    )
    description_field: str = Field(
        default="description",
        title="Incident description field",
        description="The field that becomes the page's description, once.",
        pattern=_KEY,
        json_schema_extra=_TEXT,
    )
    acknowledged_status: str = Field(
        default="",
        title="Status when acknowledged",
        description="Name or ID; empty to leave the status as it is.",
        json_schema_extra=_STATUS,
    )
    resolved_status: str = Field(
        default="",
        title="Status when resolved",
        description="Name or ID of a status that closes; empty for the org's own.",
        json_schema_extra=_STATUS,
    )
    resolution: str = Field(
        default="Resolved in PagerDuty",
        title="Resolution",
        description="Written when an incident is closed; templates are filled in.",
    )
    reopened_status: str = Field(
        default="",
        title="Status when reopened",
        description="Name or ID of an open status; empty for the org's default one.",
        json_schema_extra=_STATUS,
    )
    note_actions: list[str] = Field(
        default=[NOTES],
        title="Actions that are notes",
        description="History rows of these actions, by name, become notes of the page; status "
        "changes and e-mails are rows of other actions.",
        json_schema_extra={"x-hub": {"source": "note_actions"}},
    )
    sync_notes: bool = Field(
        default=True,
        title="Sync notes",
        description="Each note costs one API request of the org's daily limit.",
    )


class IncidentForService(Form):
    """An incident for each new page of one service."""

    service_name: str = Field(
        title="PagerDuty service name",
        description="Pages of the service of this name, as XYZ.",
        min_length=1,
        examples=["XYZ"],
    )
    by_mapping: bool = Field(
        default=True,
        title="Category by service mapping",
        description="The category that names the service, else the rows of the mapping table.",
    )
    category: str = Field(
        default="",
        title="Category",
        description="Name or ID, where the mapping is not to decide.",
        json_schema_extra={"x-hub": {"source": "categories"}},
    )
    template: str = Field(
        default="",
        title="Template",
        description="Name or ID; Remedyforce copies its values into the new incident.",
        json_schema_extra={"x-hub": {"source": "templates"}},
    )
    source: str = Field(
        default="Event",
        title="Incident source",
        description="A value of Incident Source. With one Remedyforce asks for no category.",
        json_schema_extra={"x-hub": {"source": "source"}},
    )
    fields: dict[str, str] = Field(
        default={},
        title="More required fields",
        description="Value by field, for what the org requires besides.",
        json_schema_extra={"x-hub": {"source": "fields"}},
    )

    @model_validator(mode="after")
    def _categorised(self) -> Self:
        if not (self.by_mapping or self.category or self.template):
            raise ValueError(
                "give a category or a template, or let the mapping decide: an incident without "
                "them finds no service on the way back"
            )
        return self


def templates() -> list[RulesetTemplate[Any]]:
    """Return what `hub_register_ruleset_templates` wants."""
    roles = {"itsm": REMEDYFORCE.name, "paging": "pagerduty"}
    return [
        RulesetTemplate(
            name="remedyforce.incident_and_pagerduty",
            version=1,
            label="Remedyforce incident and PagerDuty",
            description="Important incidents page; acknowledging, resolving, reopening and notes "
            "go both ways.",
            roles=roles,
            params=IncidentAndPagerDuty,
            build=incident_and_pagerduty,
            value_maps={PRIORITY_TO_URGENCY: {"1": "high", "2": "high", "3": "low", "4": "low"}},
        ),
        RulesetTemplate(
            name="remedyforce.incident_for_service",
            version=1,
            label="Create a Remedyforce incident for a service",
            description="Each new page of one PagerDuty service makes an incident, with the "
            "category that names the service.",
            roles=roles,
            params=IncidentForService,
            build=incident_for_service,
            value_maps={
                URGENCY_TO_IMPACT: {"high": "High", "low": "Low"},
                URGENCY_TO_URGENCY: {"high": "High", "low": "Low"},
            },
        ),
    ]


def incident_and_pagerduty(
    params: IncidentAndPagerDuty, connectors: Mapping[str, str]
) -> list[Rule]:
    """Return the rules of both directions; pure."""
    made = _Rules(connectors)
    rules = [made.page(params)]
    if params.direction != "to_remedyforce":
        rules.append(made.close())
        rules += [made.notes_out(params)] if params.sync_notes else []
    if params.direction != "to_pagerduty":
        rules += [made.acknowledged(params)] if params.acknowledged_status else []
        rules += [made.notes_in()] if params.sync_notes else []
        rules += [made.resolved(params), made.reopened(params)]
    return rules


def incident_for_service(params: IncidentForService, connectors: Mapping[str, str]) -> list[Rule]:
    """Return the rule that makes an incident for a service's pages; pure."""
    urgency = f"{{{{ {_PAGE}.urgency | map: "
    chosen = {"category": params.category, "template": params.template, "source": params.source}
    fields = {
        **({"$service": "inbound"} if params.by_mapping else {}),
        "short_description": f"{{{{ {_PAGE}.title | truncate: 255 }}}}",
        "description": f"PagerDuty incident {{{{ {_LINKED}.url }}}}",
        "impact": f'{urgency}"{URGENCY_TO_IMPACT}" }}}}',
        "urgency": f'{urgency}"{URGENCY_TO_URGENCY}" }}}}',
        **{key: value for key, value in chosen.items() if value},
        **params.fields,
    }
    made = _Rules(connectors)
    act = made.act("create_record", {"object": INCIDENT.name, "fields": fields})
    when = _all(_is(f"{_PAGE}.service_name", "is", params.service_name))
    name = f"Incident for {params.service_name}"
    return [made.on_page("incident_for_service", name, "triggered", [act | _ONCE], when)]


_ONCE: Rule = {"unless_linked": True}


class _Rules:
    """Writes rules between two connectors."""

    def __init__(self, connectors: Mapping[str, str]) -> None:
        self._connectors = connectors

    def page(self, params: IncidentAndPagerDuty) -> Rule:
        """Return the rule that pages for important incidents."""
        urgency = f'{{{{ {_field("priority_name")} | map: "{PRIORITY_TO_URGENCY}" }}}}'
        create = self.page_act(
            "create_incident",
            {
                "service": {"$service": "outbound"},
                "title": f"{{{{ {_field(params.title_field)} | truncate: 1024 }}}}",
                "body": f'{{{{ {_field(params.description_field)} | default: "" }}}}',
                "urgency": urgency,
            },
        )
        link = self.act(
            "link_back",
            {"incident_id": "{{ hub.action.0.id }}", "incident_url": "{{ hub.action.0.url }}"},
        )
        when = _all(
            _is(_field("priority_name"), "is_any_of", params.priorities),
            _is(_field("is_open"), "is", value=True),
        )
        acts = [create | _ONCE, link]
        return self.on_incident(
            "page", "Page for important incidents", ["created", "updated"], acts, when
        )

    def close(self) -> Rule:
        """Return the rule by which closing an incident resolves its page."""
        when = _all(_is(_field("is_open"), "changed_to", value=False))
        acts = [self.page_act("resolve_incident", {})]
        return self.on_incident("close", "Closing resolves", ["updated"], acts, when)

    def notes_out(self, params: IncidentAndPagerDuty) -> Rule:
        """Return the rule by which notes of the history become notes of the page."""
        author = f'{{{{ {_field("comment_author")} | default: "Remedyforce" }}}}'
        content = f"{author}: {{{{ {_field('comment')} | truncate: 65000 }}}}"
        when = _all(_is(_field("comment_kind"), "is_any_of", params.note_actions))
        acts = [self.page_act("add_note", {"content": content})]
        return self.on_incident("notes_out", "Notes become notes", ["commented"], acts, when)

    def notes_in(self) -> Rule:
        """Return the rule by which notes of the page go into the history."""
        author = f'{{{{ {_PAGE}.note_author | default: "PagerDuty" }}}}'
        acts = [self.act("add_note", {"body": f"{author}: {{{{ {_PAGE}.note }}}}"})]
        return self.on_page("notes_in", "Notes go into the history", "annotated", acts)

    def acknowledged(self, params: IncidentAndPagerDuty) -> Rule:
        """Return the rule by which acknowledging sets the status of an open incident."""
        wanted = {"field": _field("status"), "value": params.acknowledged_status}
        when = _all(_is(_field("is_open"), "is_not", value=False))
        acts = [self.act("set_field", wanted)]
        return self.on_page(
            "acknowledged", "Acknowledging sets the status", "acknowledged", acts, when
        )

    def resolved(self, params: IncidentAndPagerDuty) -> Rule:
        """Return the rule by which resolving closes the incident, in one save."""
        wanted = {"status": params.resolved_status, "resolution": params.resolution}
        acts = [self.act("close_incident", {key: value for key, value in wanted.items() if value})]
        return self.on_page("resolved", "Resolving closes", "resolved", acts)

    def reopened(self, params: IncidentAndPagerDuty) -> Rule:
        """Return the rule by which reopening the page reopens the incident."""
        wanted = {"status": params.reopened_status} if params.reopened_status else {}
        acts = [self.act("reopen_incident", wanted)]
        return self.on_page("reopened", "Reopening reopens", "reopened", acts)

    def on_incident(
        self, key: str, name: str, verbs: list[str], then: list[Rule], when: Rule
    ) -> Rule:
        """Return a rule on the incident."""
        on = [INCIDENT.trigger(verb).name for verb in verbs]
        return self._rule(key, name, on, "itsm", then) | {"when": when}

    def on_page(
        self, key: str, name: str, verb: str, then: list[Rule], when: Rule | None = None
    ) -> Rule:
        """Return a rule on the page."""
        plain = self._rule(key, name, [f"{_PAGE}.{verb}"], "paging", then)
        return plain | ({"when": when} if when else {})

    def act(self, verb: str, params: Rule) -> Rule:
        """Return an action in Remedyforce."""
        return self._act(f"{REMEDYFORCE.name}.{verb}", "itsm", params)

    def page_act(self, verb: str, params: Rule) -> Rule:
        """Return an action in PagerDuty."""
        return self._act(f"pagerduty.{verb}", "paging", params)

    def _rule(self, key: str, name: str, on: list[str], role: str, then: list[Rule]) -> Rule:
        return {
            "format": 1,
            "key": key,
            "name": name,
            "object": INCIDENT.name,
            "on": on,
            "from": [self._connectors[role]],
            "then": then,
        }

    def _act(self, name: str, role: str, params: Rule) -> Rule:
        plain: Rule = {"do": name, "connector": self._connectors[role]}
        return {**plain, "with": params} if params else plain


def _field(key: str) -> str:
    return f"{INCIDENT.name}.{key}"


def _is(field: str, op: str, value: object) -> Rule:
    return {"field": field, "op": op, "value": value}


def _all(*conditions: Rule) -> Rule:
    return {"all": list(conditions)}
