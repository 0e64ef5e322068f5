"""What an administrator sets for a Salesforce connector."""

from enum import StrEnum
from typing import Annotated, Any, NewType, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

import hub
from hub_salesforce.keys import tidy_private_key

PRODUCTION = "https://login.salesforce.com"
SANDBOX = "https://test.salesforce.com"
PUBSUB = "https://api.pubsub.salesforce.com:7443"
NEWEST_SOAP_LOGIN = "64.0"
"""The last API version that has the SOAP login() call."""


class Auth(StrEnum):
    """How the hub signs in."""

    JWT = "jwt"
    CLIENT_CREDENTIALS = "client_credentials"
    REFRESH_TOKEN = "refresh_token"  # noqa: S105 - the name of a flow
    OAUTH_PASSWORD = "oauth_password"  # noqa: S105 - the name of a flow
    PASSWORD = "password"  # noqa: S105 - the name of a flow


_LABELS = {
    Auth.JWT: "Salesforce (OAuth Flow): JWT bearer",
    Auth.CLIENT_CREDENTIALS: "OAuth client credentials",
    Auth.REFRESH_TOKEN: "OAuth refresh token",
    Auth.OAUTH_PASSWORD: "OAuth username and password (legacy)",
    Auth.PASSWORD: "Salesforce Service Cloud: password and security token (retired in 2027)",
}
_NEEDS = {
    Auth.JWT: ("username", "consumer_key", "private_key"),
    Auth.CLIENT_CREDENTIALS: ("consumer_key", "consumer_secret", "login_url"),
    Auth.REFRESH_TOKEN: ("consumer_key",),
    Auth.OAUTH_PASSWORD: ("username", "password", "consumer_key", "consumer_secret"),
    Auth.PASSWORD: ("username", "password"),
}


def _hint(group: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - hints are JSON
    return {"x-hub": {"group": group, **more}}


DeveloperName = NewType("DeveloperName", str)
"""The API name of something in the org's set-up."""
Secret = Annotated[SecretStr | None, Field(default=None)]


class SalesforceSettings(BaseModel):
    """Settings of a connector to one Salesforce org."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True, defer_build=True)

    auth: Auth = Field(
        default=Auth.JWT,
        title="Extension type",
        description="How the hub signs in. JWT bearer needs no password.",
        json_schema_extra=_hint("sign_in", labels={k.value: v for k, v in _LABELS.items()}),
    )
    username: str = Field(
        default="",
        title="Username",
        description="The integration user's Salesforce username, in e-mail form. In a sandbox "
        "it ends in the sandbox's name.",
        json_schema_extra=_hint("sign_in"),
    )
    password: Secret = Field(
        default=None,
        title="Password",
        description="Only for the two password flows.",
        json_schema_extra=_hint("sign_in"),
    )
    security_token: Secret = Field(
        default=None,
        title="Security token",
        description="Appended to the password; empty where the hub's address is trusted.",
        json_schema_extra=_hint("sign_in"),
    )
    consumer_key: str = Field(
        default="",
        title="Consumer key",
        description="App Manager, your connected app, View: Consumer Key.",
        json_schema_extra=_hint("sign_in"),
    )
    consumer_secret: Secret = Field(
        default=None,
        title="Consumer secret",
        description="Beside the consumer key; not needed for JWT.",
        json_schema_extra=_hint("sign_in"),
    )
    private_key: Secret = Field(
        default=None,
        title="Salesforce shared key",
        description="The private key whose certificate the connected app has, from "
        "BEGIN PRIVATE KEY to END PRIVATE KEY.",
        json_schema_extra=_hint("sign_in", multiline=True),
    )
    refresh_token: Secret = Field(
        default=None,
        title="Refresh token",
        description="From an approval in the browser: set by Connect, and replaced by itself "
        "where the connected app turns refresh tokens.",
        json_schema_extra=_hint("sign_in"),
    )
    sandbox: bool = Field(
        default=False,
        title="Use sandbox account",
        description="Sign in at test.salesforce.com instead of login.salesforce.com.",
        json_schema_extra=_hint("sign_in"),
    )
    login_url: str = Field(
        default="",
        title="Sign-in address",
        description="Where to sign in, if not at the usual host: your My Domain, as "
        "https://acme.my.salesforce.com. Needed for client credentials.",
        json_schema_extra=_hint("sign_in", advanced=True),
    )
    audience: str = Field(
        default="",
        title="JWT audience",
        description="Only where it differs from https://login.salesforce.com (production) or "
        "https://test.salesforce.com (sandbox).",
        json_schema_extra=_hint("sign_in", advanced=True),
    )
    organization_id: str = Field(
        default="",
        title="Organization ID",
        description="If set, pushes from any other org are refused.",
        json_schema_extra=_hint("sign_in", advanced=True),
    )
    api_version: str = Field(
        default="60.0",
        title="API version",
        description="As 60.0; the connector's test says which ones the org has.",
        pattern=r"^\d{2,3}\.0$",
        json_schema_extra=_hint("sign_in", advanced=True),
    )
    objects: list[str] = Field(
        default=["Case"],
        title="Objects",
        description="API names of the objects whose changes are read: Case, Account, My_Thing__c.",
        min_length=1,
        json_schema_extra=_hint("records", source="objects"),
    )
    hub_key_field: str = Field(
        default="PagerDuty_Hub_Key__c",
        title="Key field",
        description="A text field (40), External ID and unique: records that the hub makes are "
        "then made once, also when an answer was lost.",
        json_schema_extra=_hint("records", advanced=True),
    )
    integration_user_email: str = Field(
        default="",
        title="Integration user email",
        description="The PagerDuty user in whose name incidents are made when the person who "
        "changed the record is not known there.",
        json_schema_extra=_hint("records"),
    )
    rest_resource_url: str = Field(
        default="",
        title="Salesforce RestResource URL",
        description="Blank, unless events are to be forwarded to an Apex REST class of yours: "
        "pagerdutyrf/pagerduty/webhook.",
        json_schema_extra=_hint("records", advanced=True),
    )
    webhook_secret: Secret = Field(
        default=None,
        title="Push key",
        description="What pushes from Apex and outbound messages prove themselves with.",
        json_schema_extra=_hint("push", generate=True),
    )
    previous_webhook_secret: Secret = Field(
        default=None,
        title="Previous push key",
        description="Still accepted while the org is changed over to the new one.",
        json_schema_extra=_hint("push", advanced=True),
    )
    named_credential: DeveloperName = Field(
        default=DeveloperName("PagerDuty_API"),
        title="Named credential",
        description="Label and name of the named credential that the Apex class calls.",
        pattern=r"^[A-Za-z][A-Za-z0-9_]*$",
        json_schema_extra=_hint("push"),
    )
    poll_enabled: bool = Field(
        default=True,
        title="Poll",
        description="Ask for changes; also finds what pushes have lost.",
        json_schema_extra=_hint("polling"),
    )
    poll_interval_seconds: int = Field(
        default=60,
        ge=10,
        le=86_400,
        title="Seconds between two polls",
        description="One call each time, however many objects.",
        json_schema_extra=_hint("polling"),
    )
    poll_safety_lag_seconds: int = Field(
        default=30,
        ge=0,
        le=600,
        title="Safety lag in seconds",
        description="The newest seconds are left for the next poll.",
        json_schema_extra=_hint("polling", advanced=True),
    )
    poll_overlap_minutes: int = Field(
        default=15,
        ge=0,
        le=1440,
        title="Overlap in minutes",
        description="How far each poll looks back behind the last one: records become visible "
        "later than their time stamp says.",
        json_schema_extra=_hint("polling", advanced=True),
    )
    poll_deletes: bool = Field(
        default=False,
        title="Poll deletions",
        description="Also ask which records were deleted; one call more for each object.",
        json_schema_extra=_hint("polling", advanced=True),
    )

    change_events: list[str] = Field(
        default=[],
        title="Change events",
        description="API names of objects whose changes are heard by Change Data Capture, within "
        "seconds: select them in Salesforce too. Needs the extra hub-salesforce[pubsub].",
        json_schema_extra=_hint("change_events", source="objects"),
    )
    pubsub_url: str = Field(
        default=PUBSUB,
        title="Pub/Sub address",
        description="Where change events are heard; https://api.deu.pubsub.salesforce.com:7443 "
        "for orgs that keep their data in the EU.",
        json_schema_extra=_hint("change_events", advanced=True),
    )

    @field_validator("pubsub_url")
    @classmethod
    def _of_salesforce(cls, given: str) -> str:
        parts = urlsplit(given if "://" in given else f"https://{given}")
        vendor = parts.scheme == "https" and f".{parts.hostname}".endswith(".salesforce.com")
        nearby = parts.scheme == "http" and parts.hostname in {"127.0.0.1", "localhost"}
        if not (vendor or nearby):
            raise ValueError("the session goes there: it must be https and end in salesforce.com")
        return f"{parts.scheme}://{parts.netloc}"

    @field_validator("login_url", "audience")
    @classmethod
    def _whole_address(cls, given: str) -> str:
        address = given if not given or "://" in given else f"https://{given}"
        return str(hub.web_address(address))

    @field_validator("private_key", mode="before")
    @classmethod
    def _tidy_key(cls, given: object) -> object:
        text = given.get_secret_value() if isinstance(given, SecretStr) else given
        return tidy_private_key(text) if isinstance(text, str) and text.strip() else None

    @field_validator("rest_resource_url")
    @classmethod
    def _relative(cls, given: str) -> str:
        if "://" in given or given.startswith("//"):
            raise ValueError("give the path only: pushes go to the org that the hub signs in to")
        return given.strip("/").removeprefix("services/apexrest/").strip("/")

    @model_validator(mode="after")
    def _complete(self) -> Self:
        missing = [name for name in _NEEDS[self.auth] if not getattr(self, name)]
        if missing:
            titles = ", ".join(str(type(self).model_fields[name].title) for name in missing)
            raise ValueError(f"{self.auth.value} sign-in also needs: {titles}")
        return self

    @property
    def sign_in_url(self) -> str:
        """Where to sign in: the configured address, else the host for the kind of org."""
        return self.login_url or (SANDBOX if self.sandbox else PRODUCTION)

    @property
    def jwt_audience(self) -> str:
        """The `aud` claim; independent of where the request goes."""
        return self.audience or (SANDBOX if self.sandbox else PRODUCTION)

    @property
    def whole_password(self) -> str:
        """Password and security token, joined as Salesforce wants them."""
        parts = (self.password, self.security_token)
        return "".join(part.get_secret_value() for part in parts if part)

    @property
    def soap_version(self) -> str:
        """The API version of the SOAP login() call, which newer versions have no more."""
        return min(self.api_version, NEWEST_SOAP_LOGIN, key=float)

    @property
    def push_secrets(self) -> tuple[str, ...]:
        """The push keys in force, the present one first."""
        both = (self.webhook_secret, self.previous_webhook_secret)
        return tuple(one.get_secret_value() for one in both if one and one.get_secret_value())
