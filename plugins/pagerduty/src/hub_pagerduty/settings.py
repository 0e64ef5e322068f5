"""What a PagerDuty connector is told: keys, hosts, defaults."""

import json
import re
from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, model_validator

import hub

US_API: Final = "https://api.pagerduty.com"
EU_API: Final = "https://api.eu.pagerduty.com"

SCOPES: Final = (
    "incidents.read incidents.write services.read users.read teams.read "
    "escalation_policies.read schedules.read oncalls.read priorities.read incident_types.read "
    "custom_fields.read incident_workflows.read incident_workflows:instances.write "
    "webhook_subscriptions.read webhook_subscriptions.write extensions.read "
    "extension_schemas.read abilities.read"
)
"""The scopes that an app token needs for everything this plugin does."""

_DURATION: Final = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?")


def seconds_of(duration: str) -> int:
    """Return the seconds of a duration such as `90s`, `5m` or `1h30m`; ValueError otherwise."""
    found = _DURATION.fullmatch(duration.strip())
    if not found or not any(found.groups()):
        raise ValueError(f"{duration!r} is not a duration such as 90s, 5m, 1h or 1d")
    days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return ((days * 24 + hours) * 60 + minutes) * 60 + seconds


def _one_word(value: object) -> object:
    if isinstance(value, str) and re.search(r"\s", value.strip()):
        raise ValueError("A key has no white space in it.")
    return value.strip() if isinstance(value, str) else value


def _as_text(value: object) -> object:
    return json.dumps(value) if isinstance(value, Mapping) else value


def _at_least_30_seconds(value: object) -> object:
    if isinstance(value, str) and seconds_of(value) < 30:
        raise ValueError("The interval is at least 30s.")
    return value


def _hint(group: str, **more: object) -> dict[str, Any]:
    return {"x-hub": {"group": group, **more}}


Url = Annotated[str, BeforeValidator(hub.web_address)]
Key = Annotated[SecretStr, BeforeValidator(_one_word)]


class PagerDutySettings(BaseModel):
    """Settings of a PagerDuty connector.

    A connector needs one way in: an API key, an OAuth app, an Events key, or a vendor key or
    app id with which Connect or Simple Install fetches Events keys.
    """

    model_config = ConfigDict(defer_build=True, extra="forbid", frozen=True)

    api_key: Key | None = Field(
        default=None,
        title="API key",
        description="A REST API key of the account or of a user, made under "
        "Integrations, API Access Keys.",
        json_schema_extra=_hint("Account"),
    )
    api_key_note: str = Field(
        default="",
        max_length=200,
        title="Note on the key",
        description="What the key is called in PagerDuty, which shows the key itself only once.",
        json_schema_extra=_hint("Account", advanced=True),
    )
    base_url: Url = Field(
        default=US_API,
        title="API base URL",
        description=f"{US_API}, or {EU_API} for accounts in the EU.",
        json_schema_extra=_hint("Account"),
    )
    service_id: str = Field(
        default="",
        title="Default service",
        description="Incidents go to this service when no service mapping says otherwise.",
        json_schema_extra=_hint("Incidents", source="services"),
    )
    from_email: str = Field(
        default="",
        title="From e-mail",
        description="The PagerDuty user that the hub acts as where the acting person is no "
        "PagerDuty user; account keys need one.",
        pattern=r"^(|[^@\s]+@[^@\s]+)$",
        json_schema_extra=_hint("Incidents", source="users"),
    )
    escalation_policy_id: str = Field(
        default="",
        title="Escalation policy",
        description="Overrides the service's own escalation policy on new incidents.",
        json_schema_extra=_hint("Incidents", source="escalation_policies"),
    )
    description_format: Literal["html", "text"] = Field(
        default="html",
        title="Description format",
        description="Whether simple markup in descriptions is kept or turned into plain text.",
        json_schema_extra=_hint("Incidents", advanced=True),
    )
    sync_direction: Literal["bidirectional", "outbound", "inbound"] = Field(
        default="outbound",
        title="Sync direction",
        description="Outbound is towards PagerDuty, inbound from PagerDuty.",
        json_schema_extra=_hint("Synchronisation"),
    )
    sync_interval: Annotated[str, BeforeValidator(_at_least_30_seconds)] = Field(
        default="5m",
        title="Sync interval",
        description="How often missed changes are looked for: 90s, 5m, 1h.",
        json_schema_extra=_hint("Synchronisation"),
    )
    enable_webhook: bool = Field(
        default=True,
        title="Receive webhooks",
        description="Whether PagerDuty's webhooks are accepted.",
        json_schema_extra=_hint("Webhooks"),
    )
    webhook_secret: SecretStr | None = Field(
        default=None,
        title="Webhook secret",
        description="The secret that PagerDuty shows once when a subscription is made; several, "
        "separated by blanks, are all accepted.",
        json_schema_extra=_hint("Webhooks"),
    )
    webhook_scope: Literal["account", "service", "team"] = Field(
        default="account",
        title="Webhook scope",
        description="Whose incidents the subscription tells of.",
        json_schema_extra=_hint("Webhooks", advanced=True),
    )
    webhook_scope_id: str = Field(
        default="",
        title="Webhook scope id",
        description="The service or team of the subscription, where the scope is one.",
        json_schema_extra=_hint("Webhooks", advanced=True),
    )
    webhook_legacy: bool = Field(
        default=False,
        title="Accept V1 and V2 webhooks",
        description="These are not signed: they are accepted only with the legacy token below.",
        json_schema_extra=_hint("Webhooks", advanced=True),
    )
    webhook_token: Key | None = Field(
        default=None,
        title="Legacy webhook token",
        description="Expected as ?token= in the URL, as the password of basic authentication, "
        "or in the header X-Hub-Token.",
        json_schema_extra=_hint("Webhooks", advanced=True),
    )
    integration_key: Key | None = Field(
        default=None,
        title="Integration key",
        description="The Events API key used where a service has none of its own.",
        json_schema_extra=_hint("Events API"),
    )
    integration_keys: Annotated[SecretStr, BeforeValidator(_as_text)] = Field(
        default=SecretStr(""),
        title="Integration keys by service",
        description='A JSON object from service id to Events API key, or to {"key", "version", '
        '"name"} with version v1 or v2.',
        json_schema_extra=_hint("Events API", advanced=True),
    )
    events_version: Literal["v1", "v2"] = Field(
        default="v2",
        title="Events API version",
        description="Which Events API the integration key belongs to; keys from Connect are v1.",
        json_schema_extra=_hint("Events API", advanced=True),
    )
    client_name: str = Field(
        default="Integration Hub",
        title="Client name",
        description='PagerDuty shows the link to the source as "View at" with this name.',
        json_schema_extra=_hint("Events API", advanced=True),
    )
    vendor_key: str = Field(
        default="",
        title="Vendor key",
        description="The partner identifier for PagerDuty Connect, from PagerDuty's support.",
        json_schema_extra=_hint("Connect", advanced=True),
    )
    app_id: str = Field(
        default="",
        title="App id",
        description="The id of the PagerDuty app for the Simple Install Flow.",
        json_schema_extra=_hint("Connect", advanced=True),
    )
    client_id: str = Field(
        default="",
        title="OAuth client id",
        description="Of a Scoped OAuth app, used instead of an API key.",
        json_schema_extra=_hint("OAuth", advanced=True),
    )
    client_secret: Key | None = Field(
        default=None,
        title="OAuth client secret",
        description="Of the same app.",
        json_schema_extra=_hint("OAuth", advanced=True),
    )
    scopes: str = Field(
        default=SCOPES,
        title="OAuth scopes",
        description="Asked for with the app token, separated by blanks.",
        json_schema_extra=_hint("OAuth", advanced=True),
    )
    subdomain: str = Field(
        default="",
        title="Subdomain",
        description="acme, if your PagerDuty is acme.pagerduty.com; an OAuth app needs it.",
        json_schema_extra=_hint("Account"),
    )
    events_url: Url = Field(
        default="",
        title="Events API URL",
        description="Empty: the host that belongs to the API base URL.",
        json_schema_extra=_hint("Hosts", advanced=True),
    )
    identity_url: Url = Field(
        default="",
        title="Identity URL",
        description="Empty: the host that belongs to the API base URL.",
        json_schema_extra=_hint("Hosts", advanced=True),
    )
    app_url: Url = Field(
        default="",
        title="Web app URL",
        description="Empty: the host that belongs to the API base URL.",
        json_schema_extra=_hint("Hosts", advanced=True),
    )
    connect_url: Url = Field(
        default="",
        title="Connect URL",
        description="Empty: the address that belongs to the API base URL.",
        json_schema_extra=_hint("Hosts", advanced=True),
    )

    @model_validator(mode="after")
    def _can_get_in(self) -> Self:
        ways = (
            self.api_key and self.api_key.get_secret_value(),
            self.client_id and self.client_secret,
            self.integration_key,
            self.integration_keys.get_secret_value(),
            self.vendor_key,
            self.app_id,
        )
        if not any(ways):
            raise ValueError("An API key is needed, or an OAuth app, or an integration key.")
        if self.client_id and not self.subdomain:
            raise ValueError("An OAuth app needs the subdomain of the account.")
        if self.webhook_scope != "account" and not self.webhook_scope_id:
            raise ValueError("The webhook scope needs the id of the service or team.")
        events_keys(self)
        return self


class EventsKey(BaseModel):
    """A key of an Events API integration."""

    model_config = ConfigDict(defer_build=True, extra="forbid", frozen=True)

    key: Key
    version: Literal["v1", "v2"] = "v2"
    name: str = ""


def events_keys(settings: PagerDutySettings) -> dict[str, EventsKey]:
    """Return the Events keys by service id; the one under "" is the default."""
    text = settings.integration_keys.get_secret_value()
    try:
        listed = json.loads(text) if text.strip() else {}
    except ValueError as error:
        raise ValueError("The integration keys are no JSON object.") from error
    if not isinstance(listed, dict):
        raise ValueError("The integration keys are no JSON object.")  # noqa: TRY004 - pydantic shows ValueErrors
    found = {
        service: EventsKey.model_validate(one if isinstance(one, dict) else {"key": one})
        for service, one in listed.items()
    }
    if settings.integration_key:
        default = EventsKey(key=settings.integration_key, version=settings.events_version)
        found.setdefault("", default)
    return found


def webhook_secrets(settings: PagerDutySettings) -> list[bytes]:
    """Return every secret that webhooks may be signed with, as bytes, undecoded."""
    secret = settings.webhook_secret.get_secret_value() if settings.webhook_secret else ""
    return [one.encode() for one in secret.replace(",", " ").split()]


def is_eu(settings: PagerDutySettings) -> bool:
    """Say whether the account lives in the EU region."""
    return ".eu.pagerduty.com" in settings.base_url


def _host(settings: PagerDutySettings, given: str, name: str) -> str:
    if given:
        return given
    if "pagerduty.com" not in settings.base_url:
        return settings.base_url
    return (
        f"https://{name}.eu.pagerduty.com" if is_eu(settings) else f"https://{name}.pagerduty.com"
    )


def events_host(settings: PagerDutySettings) -> str:
    """Return where events are sent; a base URL that is not PagerDuty's serves everything."""
    return _host(settings, settings.events_url, "events")


def app_host(settings: PagerDutySettings) -> str:
    """Return the host of PagerDuty's web pages."""
    return _host(settings, settings.app_url, "app")


def identity_host(settings: PagerDutySettings) -> str:
    """Return the host that issues tokens; PagerDuty publishes one for all regions."""
    if settings.identity_url or "pagerduty.com" not in settings.base_url:
        return settings.identity_url or settings.base_url
    return "https://identity.pagerduty.com"


def connect_address(settings: PagerDutySettings) -> str:
    """Return the page where the Connect handshake begins."""
    if settings.connect_url:
        return settings.connect_url
    if "pagerduty.com" not in settings.base_url:
        return f"{settings.base_url}/connect"
    return "https://connect.pagerduty.com/connect"
