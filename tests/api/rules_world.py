"""A small vocabulary, a tenant with two connectors, and the rules' part of the API in process."""

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import MappingProxyType, SimpleNamespace
from typing import Any

import httpx
from fastapi import FastAPI, Request
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from hub.builtins import facts as event_facts
from hub.builtins import filters, operators
from hub.catalog.catalog import Catalog
from hub.clock import now
from hub.connectors.models import Connector
from hub.db.engine import Database
from hub.db.tenancy import Tenant
from hub.http.actor import Actor, Permission
from hub.http.problems import add_problem_handlers
from hub.ids import new_id
from hub.mappings.endpoints import router as mappings
from hub.rulesets.endpoints import router as rulesets
from hub.rulesets.plans import Plans
from hub.sdk.actions import ActionResult, Repeat
from hub.sdk.connector_types import ChoiceSource, ConnectorType, WebhookReceiver, WebhookRequest
from hub.sdk.events import Event, Record
from hub.sdk.templates import RulesetTemplate
from hub.sdk.vocabulary import Choice, FieldType
from hub.settings import HubSettings


class Settings(BaseModel):
    token: SecretStr = SecretStr("")


class CreateIncident(BaseModel):
    model_config = ConfigDict(extra="forbid")

    service: str = Field(json_schema_extra={"x-hub": {"source": "services"}})
    title: str = Field(max_length=1024)
    urgency: str | None = None
    priority: str | None = None


class Note(BaseModel):
    content: str


class SetField(BaseModel):
    field: str
    value: Any = None


class CreateRecord(BaseModel):
    object: str = "salesforce.case"
    fields: dict[str, Any]


class Nothing(BaseModel):
    pass


async def perform(_) -> ActionResult:
    return ActionResult(summary="done")


def parse(request: WebhookRequest) -> list[Event]:
    return []


async def services(client: Any, search: str) -> list[Choice]:
    known = {"PAPI001": "API", "PDAT001": "Database"}
    return [Choice(value=key, label=label) for key, label in known.items() if search in label]


RECEIVER = WebhookReceiver(verify=lambda *_: None, parse=parse)
PAGERDUTY = ConnectorType(
    name="pagerduty",
    label="PagerDuty",
    settings=Settings,
    connect=lambda *_: None,
    receiver=RECEIVER,
    requests_per_minute=960,
    choices=(ChoiceSource(name="services", fetch=services),),
)
SALESFORCE = ConnectorType(
    name="salesforce",
    label="Salesforce",
    settings=Settings,
    connect=lambda *_: None,
    receiver=RECEIVER,
)
INCIDENT = PAGERDUTY.source_object("incident", "PagerDuty incident")
CASE = SALESFORCE.source_object("case", "Case", vendor_name="Case")

FIELDS = (
    INCIDENT.field("title", "Title", writable=True),
    INCIDENT.field("status", "Status", choices=("triggered", "acknowledged", "resolved")),
    INCIDENT.field("urgency", "Urgency", choices=("high", "low"), writable=True),
    INCIDENT.field("priority", "Priority", choices=("P1", "P2", "P3"), writable=True),
    INCIDENT.field("service", "Service", FieldType.REFERENCE, required=True),
    INCIDENT.field("note", "Note"),
    INCIDENT.field("number", "Number", FieldType.INTEGER),
    INCIDENT.field("token", "Token", secret=True),
    CASE.field("subject", "Subject", writable=True, required=True, max_length=255),
    CASE.field("status", "Status", choices=("New", "Working", "Escalated", "Closed"),
               writable=True),
    CASE.field("priority", "Priority", choices=("P1", "P2", "P3", "P4"), writable=True,
               vendor_name="Priority"),
    CASE.field("category", "Category", writable=True),
    CASE.field("amount", "Amount", FieldType.DECIMAL, writable=True),
    CASE.field("opened_at", "Opened", FieldType.TIMESTAMP),
    CASE.field("tags", "Tags", FieldType.LIST),
    CASE.field("comment", "Comment"),
    CASE.field("owner", "Owner", FieldType.REFERENCE, writable=True),
)  # fmt: skip
TRIGGERS = (
    *(INCIDENT.trigger(verb, f"Incident {verb}") for verb in
      ("triggered", "acknowledged", "resolved", "annotated", "updated")),
    *(CASE.trigger(verb, f"Case {verb}") for verb in ("created", "updated", "commented")),
)  # fmt: skip
ACTIONS = (
    PAGERDUTY.action("create_incident", "Create an incident on a service in PagerDuty",
                     CreateIncident, perform, target=INCIDENT, creates=True, repeat=Repeat.KEYED,
                     calls=2, writes=lambda given: {"title": given.title}),
    PAGERDUTY.action("resolve_incident", "Resolve incident", Nothing, perform, target=INCIDENT,
                     writes=lambda _: {"status": "resolved"}),
    PAGERDUTY.action("acknowledge_incident", "Acknowledge incident", Nothing, perform,
                     target=INCIDENT, writes=lambda _: {"status": "acknowledged"}),
    PAGERDUTY.action("add_note", "Add note", Note, perform, target=INCIDENT),
    SALESFORCE.action("set_field", "Set field value", SetField, perform, target=CASE,
                      writes=lambda given: {given.field.rpartition(".")[2]: given.value}),
    SALESFORCE.action("create_record", "Create record", CreateRecord, perform, target=CASE,
                      creates=True, writes=lambda given: given.fields),
    SALESFORCE.action("add_comment", "Add comment", Note, perform, target=CASE),
)  # fmt: skip


class TwoWay(BaseModel):
    threshold: str = "P2"
    sync_notes: bool = True
    auto_resolve: bool = True


def two_way(params: TwoWay, roles: dict[str, str]) -> list[dict[str, Any]]:
    itsm, paging = roles["itsm"], roles["paging"]
    rules = [
        {
            "key": "create",
            "format": 1,
            "name": "Case pages",
            "object": CASE.name,
            "on": ["salesforce.case.created"],
            "from": [itsm],
            "when": {"all": [{"field": "salesforce.case.priority", "op": "at_least",
                              "value": params.threshold}]},
            "then": [{"do": "pagerduty.create_incident", "connector": paging,
                      "unless_linked": True,
                      "with": {"service": {"$service": "outbound"},
                               "title": "{{ salesforce.case.subject }}",
                               "urgency": '{{ salesforce.case.priority | map: "two_way_urgency" }}'
                               }}],
        },
        {
            "key": "acknowledged",
            "format": 1,
            "name": "Incident acknowledged",
            "object": CASE.name,
            "on": ["pagerduty.incident.acknowledged"],
            "from": [paging],
            "then": [{"do": "salesforce.set_field", "connector": itsm,
                      "with": {"field": "salesforce.case.status", "value": "Working"}}],
        },
    ]  # fmt: skip
    if params.auto_resolve:
        rules.append(
            {
                "key": "resolve",
                "format": 1,
                "name": "Case closed",
                "object": CASE.name,
                "on": ["salesforce.case.updated"],
                "when": {"all": [{"field": "salesforce.case.status", "op": "changed_to",
                                  "value": "Closed"}]},
                "then": [{"do": "pagerduty.resolve_incident", "connector": paging}],
            }
        )  # fmt: skip
    return rules


TEMPLATE = RulesetTemplate(
    name="salesforce.two_way",
    version=1,
    label="Two-way",
    description="Cases page, incidents answer.",
    roles={"itsm": "salesforce", "paging": "pagerduty"},
    params=TwoWay,
    build=two_way,
    value_maps={"two_way_urgency": {"P1": "high", "P2": "high", "P3": "low", "P4": "low"}},
)


def by_name(*declared: Any) -> MappingProxyType[str, Any]:
    return MappingProxyType({one.name: one for one in declared})


def catalog_of(*, more_fields=(), without=(), more_operators=(), templates=(TEMPLATE,)) -> Catalog:
    fields = [one for one in (*FIELDS, *more_fields) if one.name not in without]
    return Catalog(
        connector_types=by_name(PAGERDUTY, SALESFORCE),
        objects=by_name(INCIDENT, CASE, *event_facts.hub_register_source_objects()),
        fields=by_name(*fields, *event_facts.hub_register_fields()),
        triggers=by_name(*TRIGGERS, *_event_triggers()),
        actions=by_name(*ACTIONS),
        operators=by_name(*operators.hub_register_operators(), *more_operators),
        filters=by_name(*filters.hub_register_filters()),
        templates=by_name(*templates),
    )


def _event_triggers() -> tuple[Any, ...]:
    register = getattr(event_facts, "hub_register_triggers", None)
    return tuple(register()) if register else ()


class Clients:
    """Opens connectors without any settings."""

    async def by_name(self, _: str, name: str) -> Any:
        kind = PAGERDUTY if "pagerduty" in name else SALESFORCE
        return SimpleNamespace(working_type=kind, client=None)


ALL = frozenset(Permission)
READ = frozenset({Permission.RULES_READ})


@asynccontextmanager
async def api(
    database: Database, tenant: Tenant, *, catalog: Catalog | None = None, **state: Any
) -> AsyncIterator[httpx.AsyncClient]:
    """Serve the rules' and mappings' endpoints to a client; header `As` names who asks."""
    app = app_of(database, tenant, catalog or catalog_of(), **state)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(
            transport=httpx.ASGITransport(app=app, raise_app_exceptions=True),
            base_url=f"http://hub.test/api/v1/tenants/{tenant.slug}",
            headers={"As": "ana"},
        ) as client,
    ):
        yield client


def app_of(database: Database, tenant: Tenant, catalog: Catalog, **state: Any) -> FastAPI:

    app = FastAPI()
    app.include_router(mappings)
    app.include_router(rulesets)
    add_problem_handlers(app)
    app.state.database = database
    app.state.catalog = catalog
    app.state.settings = HubSettings()
    app.state.plans = Plans(database, catalog)
    for name, value in state.items():
        setattr(app.state, name, value)

    async def authenticate(request: Request) -> Actor:
        name = request.headers.get("As", "ana")
        permissions = READ if name == "auditor" else ALL
        return Actor(name=name, tenant_id=tenant.id, tenant=tenant.slug, permissions=permissions)

    app.state.authenticate = authenticate
    return app


async def add_connectors(database: Database, tenant: Tenant) -> dict[str, uuid.UUID]:
    """Add `prod-pagerduty` and `prod-salesforce`."""
    made = {"prod-pagerduty": "pagerduty", "prod-salesforce": "salesforce"}
    ids = {name: new_id() for name in made}
    async with database.writing() as session:
        for name, kind in made.items():
            session.add(
                Connector(id=ids[name], tenant_id=tenant.id, name=name, type=kind, settings={})
            )
    return ids


def rule(name: str = "P1 cases page", **changes: Any) -> dict[str, Any]:
    """Return a rule that can be published."""
    return {
        "format": 1,
        "name": name,
        "object": "salesforce.case",
        "on": ["salesforce.case.created"],
        "when": {"all": [{"field": "salesforce.case.priority", "op": "is_any_of",
                          "value": ["P1", "P2"]}]},
        "then": [{"do": "pagerduty.create_incident", "connector": "prod-pagerduty",
                  "unless_linked": True,
                  "with": {"service": "PAPI001", "title": "{{ salesforce.case.subject }}"}}],
    } | changes  # fmt: skip


def event(
    trigger: str = "salesforce.case.created",
    *,
    record: str = "500",
    before: dict[str, Any] | None = None,
    **values: Any,
) -> Event:
    source_object = trigger.rpartition(".")[0]
    return Event(
        trigger=trigger,
        record=Record(source_object=source_object, id=record, values=values),
        occurred_at=now(),
        key=str(new_id()),
        before=before,
    )
