"""Rules offered ready-made: a Case and its incident in step; a Case for a service's incidents."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from pydantic import Field

from hub import RulesetTemplate
from hub_salesforce.case import CASE
from hub_salesforce.connector_type import SALESFORCE
from hub_salesforce.forms import Form

PRIORITY_TO_URGENCY = "case_priority_to_urgency"
URGENCY_TO_PRIORITY = "urgency_to_case_priority"
Rule = dict[str, Any]
_INCIDENT = "pagerduty.incident"
_LINKED = "hub.link.pagerduty.incident"


class CaseAndPagerDuty(Form):
    """The object mapping of PagerDuty's package, as parameters."""

    priorities: list[str] = Field(
        default=["High"],
        title="Priorities that page",
        description="New and changed Cases of these priorities make an incident.",
        min_length=1,
        json_schema_extra={"x-hub": {"source": "case_priority"}},
    )
    title_field: str = Field(
        default="subject",
        title="Incident title field",
        description="The Case field that becomes the incident's title, cut at 1024 characters.",
        pattern=r"^[A-Za-z_][A-Za-z0-9_]*$",
        json_schema_extra={"x-hub": {"source": "text_fields"}},
    )
    description_field: str = Field(
        default="description",
        title="Incident description field",
        description="The Case field that becomes the incident's description, once.",
        pattern=r"^[A-Za-z_][A-Za-z0-9_]*$",
        json_schema_extra={"x-hub": {"source": "text_fields"}},
    )
    sync_comments: bool = Field(
        default=False,
        title="Sync Salesforce comments to PagerDuty notes",
        description="Each note or comment costs one API request of the org's daily limit.",
    )
    notes_to: Literal["none", "comment", "feed", "both"] = Field(
        default="comment",
        title="Sync PagerDuty notes to",
        description="Where notes of the incident are written: a Case comment, the feed, or both.",
    )
    acknowledged_status: str = Field(
        default="Working",
        title="Status when acknowledged",
        description="Empty to leave the Case's status as it is.",
        json_schema_extra={"x-hub": {"source": "case_status"}},
    )
    resolved_status: str = Field(
        default="Closed",
        title="Status when resolved",
        description="Empty to leave the Case's status as it is.",
        json_schema_extra={"x-hub": {"source": "case_status"}},
    )
    close_resolves: bool = Field(
        default=True,
        title="Closing resolves",
        description="Closing the Case resolves its incidents.",
    )
    link_back: bool = Field(
        default=True,
        title="Write the incident into the Case",
        description="ID and URL go into PagerDuty_Incident_Id__c and PagerDuty_Incident_URL__c.",
    )


class CaseForService(Form):
    """A Case for each new incident of one service."""

    service_name: str = Field(
        title="PagerDuty service name",
        description="Incidents of the service of this name, as XYZ.",
        min_length=1,
        examples=["XYZ"],
    )
    fields: dict[str, str] = Field(
        default={},
        title="More required fields",
        description="Value by field, for what the org requires besides subject and origin.",
        json_schema_extra={"x-hub": {"source": "fields"}},
    )
    origin: str = Field(
        default="Web",
        title="Case origin",
        description="A value of Case Origin.",
        json_schema_extra={"x-hub": {"source": "case_origin"}},
    )


def templates() -> list[RulesetTemplate[Any]]:
    """Return what `hub_register_ruleset_templates` wants."""
    roles = {"cases": SALESFORCE.name, "paging": "pagerduty"}
    return [
        RulesetTemplate(
            name="salesforce.case_and_pagerduty",
            version=1,
            label="Case and PagerDuty",
            description="Important Cases page; acknowledging, resolving and notes come back.",
            roles=roles,
            params=CaseAndPagerDuty,
            build=case_and_pagerduty,
            value_maps={PRIORITY_TO_URGENCY: {"High": "high", "Medium": "low", "Low": "low"}},
        ),
        RulesetTemplate(
            name="salesforce.case_for_service",
            version=1,
            label="Create a Case for incidents on a service",
            description="Each new incident of one PagerDuty service makes a Case.",
            roles=roles,
            params=CaseForService,
            build=case_for_service,
            value_maps={URGENCY_TO_PRIORITY: {"high": "High", "low": "Low"}},
        ),
    ]


def case_and_pagerduty(params: CaseAndPagerDuty, connectors: Mapping[str, str]) -> list[Rule]:
    """Return the rules of both directions; pure."""
    made = _Rules(connectors)
    rules = [made.page(params)]
    if params.close_resolves:
        rules.append(made.close())
    if params.sync_comments:
        rules.append(made.comments())
    for verb, status in (
        ("acknowledged", params.acknowledged_status),
        ("resolved", params.resolved_status),
    ):
        if status:
            rules.append(made.status(verb, status))
    if params.notes_to != "none":
        rules.append(made.notes(params.notes_to))
    return rules


def case_for_service(params: CaseForService, connectors: Mapping[str, str]) -> list[Rule]:
    """Return the rule that makes a Case for a service's incidents; pure."""
    fields = {
        "subject": f"{{{{ {_INCIDENT}.title | truncate: 255 }}}}",
        "origin": params.origin,
        "priority": f'{{{{ {_INCIDENT}.urgency | map: "{URGENCY_TO_PRIORITY}" }}}}',
        "description": f"PagerDuty incident {{{{ {_LINKED}.url }}}}",
        **params.fields,
    }
    made = _Rules(connectors)
    when = _all(_is(f"{_INCIDENT}.service_name", "is", params.service_name))
    return [
        made.rule(
            "case_for_service",
            f"Case for {params.service_name}",
            [f"{_INCIDENT}.triggered"],
            "paging",
            when,
            [
                made.act(
                    "create_record", {"object": CASE.name, "fields": fields}, unless_linked=True
                ),
                made.act(
                    "link_back",
                    {
                        "incident_id": f"{{{{ {_LINKED}.id }}}}",
                        "incident_url": f"{{{{ {_LINKED}.url }}}}",
                    },
                ),
            ],
        )
    ]


class _Rules:
    """Writes rules between two connectors."""

    def __init__(self, connectors: Mapping[str, str]) -> None:
        self._connectors = connectors

    def page(self, params: CaseAndPagerDuty) -> Rule:
        """Return the rule that pages for important Cases."""
        title = _field(params.title_field)
        urgency = f'{{{{ {_field("priority")} | map: "{PRIORITY_TO_URGENCY}" }}}}'
        create = self.page_act(
            "create_incident",
            {
                "service": {"$service": "outbound"},
                "title": f"{{{{ {title} | truncate: 1024 }}}}",
                "body": f'{{{{ {_field(params.description_field)} | default: "" }}}}',
                "urgency": urgency,
            },
            unless_linked=True,
        )
        link = self.act(
            "link_back",
            {"incident_id": "{{ hub.action.0.id }}", "incident_url": "{{ hub.action.0.url }}"},
        )
        when = _all(
            _is(_field("priority"), "is_any_of", params.priorities),
            _is(_field("is_closed"), "is_not", value=True),
        )
        on = [CASE.trigger(verb).name for verb in ("created", "updated")]
        then = [create, link] if params.link_back else [create]
        return self.rule("page", "Page for important Cases", on, "cases", when, then)

    def close(self) -> Rule:
        """Return the rule by which closing a Case resolves its incidents."""
        when = _all(_is(_field("is_closed"), "changed_to", value=True))
        act = self.page_act("resolve_incident", {})
        on = [CASE.trigger("updated").name]
        return self.rule("close", "Closing the Case resolves", on, "cases", when, [act])

    def comments(self) -> Rule:
        """Return the rule by which comments become notes."""
        author = f'{{{{ {_field("comment_author")} | default: "Salesforce" }}}}'
        act = self.page_act("add_note", {"content": f"{author}: {{{{ {_field('comment')} }}}}"})
        on = [CASE.trigger("commented").name]
        return self.rule("comments", "Comments become notes", on, "cases", None, [act])

    def status(self, verb: str, status: str) -> Rule:
        """Return the rule by which the incident's state sets the Case's status."""
        act = self.act("set_field", {"field": _field("status"), "value": status})
        when = _all(_is(_field("is_closed"), "is_not", value=True))
        name = f"{verb.capitalize()} means {status}"
        return self.rule(verb, name, [f"{_INCIDENT}.{verb}"], "paging", when, [act])

    def notes(self, where: str) -> Rule:
        """Return the rule by which notes become comments, feed posts, or both."""
        author = f'{{{{ {_INCIDENT}.note_author | default: "PagerDuty" }}}}'
        body = {"body": f"{author}: {{{{ {_INCIDENT}.note }}}}"}
        verbs = {"comment": ["add_comment"], "feed": ["post_to_feed"]}
        chosen = verbs.get(where, ["add_comment", "post_to_feed"])
        acts = [self.act(verb, body) for verb in chosen]
        on = [f"{_INCIDENT}.annotated"]
        return self.rule("notes", "Notes become comments", on, "paging", None, acts)

    def rule(
        self,
        key: str,
        name: str,
        on: Sequence[str],
        role: str,
        when: Rule | None,
        then: Sequence[Rule],
    ) -> Rule:
        """Return one rule of format 1."""
        plain: Rule = {
            "format": 1,
            "key": key,
            "name": name,
            "object": CASE.name,
            "on": list(on),
            "from": [self._connectors[role]],
            "then": list(then),
        }
        return {**plain, "when": when} if when else plain

    def act(self, verb: str, params: Rule, *, unless_linked: bool = False) -> Rule:
        """Return an action in Salesforce."""
        return self._act(f"{SALESFORCE.name}.{verb}", "cases", params, unless_linked)

    def page_act(self, verb: str, params: Rule, *, unless_linked: bool = False) -> Rule:
        """Return an action in PagerDuty."""
        return self._act(f"pagerduty.{verb}", "paging", params, unless_linked)

    def _act(self, name: str, role: str, params: Rule, unless_linked: bool) -> Rule:  # noqa: FBT001 - private
        act: Rule = {"do": name, "connector": self._connectors[role]}
        if unless_linked:
            act["unless_linked"] = True
        return {**act, "with": params} if params else act


def _field(key: str) -> str:
    return f"{CASE.name}.{key}"


def _is(field: str, op: str, value: object) -> Rule:
    return {"field": field, "op": op, "value": value}


def _all(*conditions: Rule) -> Rule:
    return {"all": list(conditions)}
