"""Connectors as the API takes and shows them. Secrets go in and never come out."""

import uuid
from datetime import datetime
from ipaddress import ip_network
from itertools import pairwise
from typing import Annotated, Any, Final, Literal, Self

from pydantic import AfterValidator, BaseModel, Field, StringConstraints, model_validator

from hub.http.bodies import Body

Name = Annotated[
    str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]*$", min_length=1, max_length=63)
]
Settings = Annotated[
    dict[str, Any],
    Field(
        description="As the connector type's JSON schema says (GET /api/v1/catalog). Secret "
        "members may be given as text or as a reference (`env:NAME`, `file:PATH`)."
    ),
]


POLL_EVERY: Final = (
    "Seconds between two polls. Null: what the type's settings say, else 60, or 300 where "
    "webhooks tell of changes."
)


def _network(given: str) -> str:
    return str(ip_network(given.strip(), strict=False))


Networks = Annotated[
    list[Annotated[str, AfterValidator(_network)]],
    Field(
        max_length=100,
        description="Addresses and networks (CIDR) that may send webhooks; empty: all. Behind a "
        "proxy that is trusted, the address it forwards counts.",
    ),
]


class QuotaGuard(Body):
    """From which used share of the vendor's quota (in %) what is shed, in this order."""

    imports: int = Field(default=70, ge=1, le=100, description="Imports wait.")
    comments: int = Field(
        default=80, ge=1, le=100, description="Notes that come together are sent as one request."
    )
    notes: int = Field(default=85, ge=1, le=100, description="Notes and comments wait.")
    polling: int = Field(default=90, ge=1, le=100, description="Polls come five times as rarely.")
    ordinary: int = Field(
        default=95,
        ge=1,
        le=100,
        description="Everything waits but paging and changes of status.",
    )

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        """Let what was not given come no later than what was; refuse what is out of order."""
        names = list(type(self).model_fields)
        for name, later in reversed(list(pairwise(names))):
            if name not in self.model_fields_set:
                self.__dict__[name] = min(getattr(self, name), getattr(self, later))
        shares = [getattr(self, name) for name in names]
        if shares != sorted(shares):
            raise ValueError("the order is " + ", ".join(names))
        return self


class ConnectorOptions(Body):
    """What every connector has, whatever its type."""

    label: str = Field(default="", max_length=200, description="The name that people see.")
    state: Literal["active", "paused"] = Field(
        default="active", description="paused: deliveries are kept, nothing is done with them."
    )
    enabled_webhook: bool | None = Field(
        default=None, description="Accept webhooks. Unset: if there is a secret to verify them."
    )
    allow_unsigned: bool = Field(
        default=False, description="Accept webhooks without a signature: anybody can send them."
    )
    poll_every_s: int | None = Field(default=None, ge=10, le=86_400, description=POLL_EVERY)
    log_level: Literal["error", "info", "debug"] = "info"
    log_days: int = Field(default=30, ge=1, le=365)
    on_dead_letter: Literal["continue", "hold"] = "continue"
    acting_user: str | None = Field(default=None, max_length=254)
    ingress_rate: int = Field(default=100, ge=1, le=10_000, description="Webhooks a second.")
    allowed_ips: Networks = Field(default_factory=list)
    quota_guard: QuotaGuard = Field(default_factory=QuotaGuard)
    reconcile_every_h: int = Field(
        default=24,
        ge=0,
        le=24 * 31,
        description="Hours between two comparisons of linked records; 0 = never.",
    )


class ConnectorIn(ConnectorOptions):
    """A new connector."""

    type: str = Field(max_length=63, description="Connector type: `pagerduty`.")
    name: Name
    settings: Settings = Field(default_factory=dict)
    document: dict[str, Any] | None = Field(
        default=None,
        description="The vendor's own configuration document, in the place of settings.",
    )


class DocumentRest(BaseModel):
    """What a configuration document holds beside settings; it is for the caller to store."""

    templates: dict[str, dict[str, Any]] = Field(
        description="Ruleset templates that it asks for, with their parameters."
    )
    value_maps: dict[str, dict[str, str]]
    service_mappings: list[dict[str, Any]]


class ConnectorPatch(Body):
    """What changes of a connector; what is not named stays.

    `settings` is merged: null removes a member, an object that was read (`{"set": true}`)
    in the place of a secret keeps it.
    """

    label: str | None = Field(default=None, max_length=200)
    state: Literal["active", "paused"] | None = None
    settings: Settings | None = None
    enabled_webhook: bool | None = None
    allow_unsigned: bool | None = None
    poll_every_s: int | None = Field(default=None, ge=10, le=86_400, description=POLL_EVERY)
    log_level: Literal["error", "info", "debug"] | None = None
    log_days: int | None = Field(default=None, ge=1, le=365)
    on_dead_letter: Literal["continue", "hold"] | None = None
    acting_user: str | None = Field(default=None, max_length=254)
    ingress_rate: int | None = Field(default=None, ge=1, le=10_000)
    allowed_ips: Networks | None = None
    quota_guard: QuotaGuard | None = None
    reconcile_every_h: int | None = Field(default=None, ge=0, le=24 * 31)


class ConnectorOut(BaseModel):
    """A connector. In the place of a secret: whether it is set, since when, by whom, its ending."""

    id: uuid.UUID
    name: str
    type: str
    label: str
    state: Literal["active", "paused", "needs_credentials", "parked", "broken"]
    state_detail: str
    parked_until: datetime | None
    settings: dict[str, Any]
    webhook_url: str | None
    enabled_webhook: bool
    allow_unsigned: bool
    poll_every_s: int | None
    log_level: str
    log_days: int
    on_dead_letter: str
    acting_user: str | None
    ingress_rate: int
    allowed_ips: list[str]
    quota_guard: QuotaGuard
    reconcile_every_h: int
    reconciled_at: datetime | None
    webhook_ok: bool | None
    created_at: datetime
    created_by: str
    updated_at: datetime
    updated_by: str
    etag: str
    from_document: DocumentRest | None = Field(
        default=None, description="After adding one with a document: what else is in it."
    )


class CheckLine(BaseModel):
    """One line of a connector's test; `ok` is null for what was not tried."""

    name: str
    label: str
    ok: bool | None
    text: str
    took_ms: int = 0
    fix: str = ""
    at: datetime | None = None


class CheckReport(BaseModel):
    """A connector's test."""

    ok: bool
    state: str
    checks: list[CheckLine]


class ChoiceOut(BaseModel):
    """One value to choose."""

    value: str
    label: str


class ChoiceList(BaseModel):
    """What the vendor offers at the moment."""

    items: list[ChoiceOut]
    age_s: int = Field(default=0, description="How long ago the vendor was asked, in seconds.")


class FieldOut(BaseModel):
    """A field of a source object, as this account has it."""

    name: str
    key: str
    label: str
    type: str
    choices: list[ChoiceOut]
    choice_source: str | None
    writable: bool
    required: bool
    secret: bool
    max_length: int | None
    vendor_name: str
    declared: bool = Field(description="False: found at the vendor.")


class FieldList(BaseModel):
    """The fields of one source object."""

    object: str
    fetched_at: datetime | None
    items: list[FieldOut]


class ObjectOut(BaseModel):
    """A kind of record at the vendor."""

    name: str
    label: str
    vendor_name: str
    declared: bool
    adopted: bool
    polled: bool = False


class ObjectList(BaseModel):
    """Kinds of records: declared by the plugin, adopted, or found at the vendor."""

    items: list[ObjectOut]


class ObjectAdopted(Body):
    """How an adopted object is read."""

    label: str = Field(default="", max_length=200)
    polled: bool = False


class SubscriptionOut(BaseModel):
    """The vendor's subscription that sends to this hub."""

    id: str | None
    active: bool
    url: str
    detail: str = ""


class PingOut(BaseModel):
    """What the vendor said to a request for a test event."""

    text: str


class TestEventIn(Body):
    """Where the vendor shows a test event."""

    service: str = Field(default="", max_length=200, description="Empty: the default service.")


class HandshakeOut(BaseModel):
    """Where a person goes on: the vendor's page."""

    url: str


class PollOut(BaseModel):
    """How the polling of one object is doing; `error` is what the last poll met."""

    object: str
    polled_at: datetime | None
    next_at: datetime
    error: str | None


class HealthOut(BaseModel):
    """How a connector is doing, without asking the vendor. Layers above may add members."""

    model_config = {"extra": "allow"}

    health: Literal["healthy", "degraded", "unhealthy", "unknown"]
    state: str
    state_detail: str
    checked_at: datetime | None
    checks: list[CheckLine]
    requests_last_minute: int
    rate_limit: int | None
    rate_limit_used_percent: float | None
    quota_used_percent: float | None = None
    quota_held_back: str = Field(
        default="", description="What waits since the vendor's quota runs out."
    )
    oldest_secret_days: int | None
    webhook_ok: bool | None = Field(
        default=None, description="Whether the vendor's subscription was in order when last asked."
    )
    polls_every_s: float | None = None
    polls: list[PollOut] = Field(default_factory=list)
