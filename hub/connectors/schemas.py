"""Connectors as the API takes and shows them. Secrets go in and never come out."""

import uuid
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, StringConstraints

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
    poll_every_s: int | None = Field(default=None, ge=10, le=86_400)
    log_level: Literal["error", "info", "debug"] = "info"
    log_days: int = Field(default=30, ge=1, le=365)
    on_dead_letter: Literal["continue", "hold"] = "continue"
    acting_user: str | None = Field(default=None, max_length=254)
    ingress_rate: int = Field(default=100, ge=1, le=10_000, description="Webhooks a second.")


class ConnectorIn(ConnectorOptions):
    """A new connector."""

    type: str = Field(max_length=63, description="Connector type: `pagerduty`.")
    name: Name
    settings: Settings = Field(default_factory=dict)


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
    poll_every_s: int | None = Field(default=None, ge=10, le=86_400)
    log_level: Literal["error", "info", "debug"] | None = None
    log_days: int | None = Field(default=None, ge=1, le=365)
    on_dead_letter: Literal["continue", "hold"] | None = None
    acting_user: str | None = Field(default=None, max_length=254)
    ingress_rate: int | None = Field(default=None, ge=1, le=10_000)


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
    created_at: datetime
    created_by: str
    updated_at: datetime
    updated_by: str
    etag: str


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


class HandshakeOut(BaseModel):
    """Where a person goes on: the vendor's page."""

    url: str


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
    oldest_secret_days: int | None
