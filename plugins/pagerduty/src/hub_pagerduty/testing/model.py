"""What the simulated account holds."""

import hashlib
import itertools
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, NamedTuple

Json = dict[str, Any]
Status = Literal["triggered", "acknowledged", "resolved"]
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"


class Ref(NamedTuple):
    """Who or what: kind and id."""

    kind: str
    id: str


class Target(NamedTuple):
    """Whom a level of a policy notifies: a user or a schedule."""

    kind: Literal["user", "schedule"]
    id: str


class Ids:
    """Ids that look like PagerDuty's and are the same in every run with the same salt."""

    def __init__(self, salt: str = "simulator") -> None:
        self._salt = salt
        self._count = itertools.count(1)

    def short(self) -> str:
        """Return an id of 7 characters."""
        return "P" + self._letters(6)

    def long(self) -> str:
        """Return an id of 14 characters."""
        return "Q" + self._letters(13)

    def event(self) -> str:
        """Return an event id of 26 characters."""
        return "01" + self._letters(24)

    def uuid(self) -> str:
        """Return a UUID."""
        h = self._digest()
        return f"{h[:8]}-{h[8:12]}-4{h[13:16]}-8{h[17:20]}-{h[20:32]}"

    def hexadecimal(self, length: int = 32) -> str:
        """Return so many hexadecimal digits."""
        return self._digest()[:length]

    def secret(self) -> str:
        """Return a webhook secret of 64 characters."""
        letters = _LETTERS + _LETTERS.lower() + "+/"
        digest = bytes.fromhex(self._digest() + self._digest())
        return "".join(letters[byte % len(letters)] for byte in digest)

    def _digest(self) -> str:
        return hashlib.sha256(f"{self._salt} {next(self._count)}".encode()).hexdigest()

    def _letters(self, length: int) -> str:
        number = int(self._digest(), 16)
        return "".join(_LETTERS[(number >> (5 * place)) % 36] for place in range(length))


@dataclass(slots=True, kw_only=True)
class User:
    """A person."""

    id: str
    name: str
    email: str
    role: str = "user"


@dataclass(slots=True, kw_only=True)
class Named:
    """A team, a priority, an incident type: little more than a name."""

    id: str
    name: str
    description: str = ""


@dataclass(slots=True, kw_only=True)
class Override:
    """Somebody else on call for a while."""

    start: datetime
    end: datetime
    user: str


@dataclass(slots=True, kw_only=True)
class Schedule:
    """People taking turns; `turn` is in seconds."""

    id: str
    name: str
    users: list[str]
    start: datetime
    turn: int
    overrides: list[Override] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Rule:
    """A level of an escalation policy."""

    id: str
    delay: int
    targets: list[Target]


@dataclass(slots=True, kw_only=True)
class Policy:
    """An escalation policy."""

    id: str
    name: str
    rules: list[Rule]
    num_loops: int = 0
    teams: list[str] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Integration:
    """A way into a service by the Events API."""

    id: str
    service: str
    name: str
    type: str
    key: str
    vendor: str | None = None


@dataclass(slots=True, kw_only=True)
class Service:
    """A service."""

    id: str
    name: str
    policy: str
    status: str = "active"
    description: str = ""
    teams: list[str] = field(default_factory=list)
    alert_creation: str = "create_alerts_and_incidents"
    urgency: str = "high"
    acknowledgement_timeout: int | None = None
    auto_resolve_timeout: int | None = None
    suppressed: str = ""
    custom: Json = field(default_factory=dict)
    created_at: datetime | None = None


@dataclass(slots=True, kw_only=True)
class Alert:
    """An alert of an incident."""

    id: str
    key: str
    summary: str
    severity: str
    integration: str
    created_at: datetime
    status: str = "triggered"
    details: Json = field(default_factory=dict)
    client: str | None = None
    client_url: str | None = None


@dataclass(slots=True, kw_only=True)
class Note:
    """A note on an incident."""

    id: str
    content: str
    user: str
    created_at: datetime
    updated_at: datetime


@dataclass(slots=True, kw_only=True)
class LogEntry:
    """A line of an incident's log."""

    id: str
    type: str
    incident: str
    created_at: datetime
    agent: Ref | None
    channel: Json
    summary: str
    overview: bool = True
    more: Json = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class Responder:
    """Somebody asked to help."""

    target: Ref
    message: str
    requester: str
    at: datetime
    state: str = "pending"


@dataclass(slots=True, kw_only=True)
class Incident:
    """An incident."""

    id: str
    number: int
    key: str | None
    title: str
    service: str
    policy: str
    urgency: str
    created_at: datetime
    updated_at: datetime
    last_change_at: datetime
    status: Status = "triggered"
    level: int = 1
    loops: int = 0
    generation: int = 0
    via: str = "escalation_policy"
    assigned: list[tuple[datetime, str]] = field(default_factory=list)
    acknowledged: list[tuple[datetime, str]] = field(default_factory=list)
    priority: str | None = None
    details: str | None = None
    conference_number: str | None = None
    conference_url: str | None = None
    type: str = "incident_default"
    custom: Json = field(default_factory=dict)
    alerts: list[Alert] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    log: list[LogEntry] = field(default_factory=list)
    responders: list[Responder] = field(default_factory=list)
    last_change_by: Ref | None = None
    resolved_at: datetime | None = None
    reopened_at: datetime | None = None
    merged_into: str | None = None
    snoozed_until: datetime | None = None
    made_in_web: bool = False
    client: str | None = None
    client_url: str | None = None
    pending: dict[str, datetime] = field(default_factory=dict)

    @property
    def is_open(self) -> bool:
        """Whether it is not resolved."""
        return self.status != "resolved"


@dataclass(slots=True, kw_only=True)
class Subscription:
    """A v3 webhook subscription."""

    id: str
    url: str
    events: list[str]
    filter: Json
    secrets: list[str]
    description: str = ""
    active: bool = True
    headers: list[Json] = field(default_factory=list)
    delivery_method: str = ""
    drops: int = 0
    disabled_until: datetime | None = None


@dataclass(slots=True, kw_only=True)
class Extension:
    """A V1 or V2 webhook."""

    id: str
    name: str
    url: str
    services: list[str]
    schema: str
    headers: list[Json] = field(default_factory=list)
    drops: int = 0
    disabled_until: datetime | None = None


@dataclass(slots=True, kw_only=True)
class CustomField:
    """The definition of a custom field."""

    id: str
    name: str
    display_name: str
    data_type: str = "string"
    field_type: str = "single_value"
    options: list[str] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Workflow:
    """An incident workflow with its trigger."""

    id: str
    name: str
    trigger: str
    trigger_type: str = "manual"
    services: list[str] = field(default_factory=list)
    enabled: bool = True


@dataclass(slots=True, kw_only=True)
class Key:
    """Something that opens the REST API."""

    token: str
    kind: Literal["account", "read_only", "user", "app"]
    user: str | None = None
    scopes: frozenset[str] = frozenset()
    expires: datetime | None = None
    bearer: bool = False
    used: list[datetime] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Switches:
    """What published material leaves open, and what tests turn."""

    reopen: bool = True
    repeat_is_error: bool = False
    plays: bool = True
    priorities: bool = True
    workflows: bool = True
    subscription_status: int = 200
    event_delay: float = 0.0
    rate_limit: int = 960
    events_limit: int = 120
    low_limit: int = 0
    rate_headers: bool = True
    rate_body: bool = True
    title_refused: bool = False
    retry_after: tuple[float, ...] = (60, 120, 300, 600, 1800, 3600)
    timeout: float = 5.0
    page_limit: int = 100
    region: str = "us"
    capital_name: bool = False
    rule_set_keys: bool = False


@dataclass(slots=True)
class World:
    """An account."""

    subdomain: str = "demo"
    ids: Ids = field(default_factory=Ids)
    switches: Switches = field(default_factory=Switches)
    abilities: list[str] = field(default_factory=list)
    users: dict[str, User] = field(default_factory=dict)
    teams: dict[str, Named] = field(default_factory=dict)
    priorities: list[Named] = field(default_factory=list)
    types: list[Named] = field(default_factory=list)
    schedules: dict[str, Schedule] = field(default_factory=dict)
    policies: dict[str, Policy] = field(default_factory=dict)
    services: dict[str, Service] = field(default_factory=dict)
    integrations: dict[str, Integration] = field(default_factory=dict)
    custom_fields: list[CustomField] = field(default_factory=list)
    workflows: dict[str, Workflow] = field(default_factory=dict)
    plays: dict[str, Named] = field(default_factory=dict)
    keys: dict[str, Key] = field(default_factory=dict)
    apps: dict[str, str] = field(default_factory=dict)
    incidents: dict[str, Incident] = field(default_factory=dict)
    subscriptions: dict[str, Subscription] = field(default_factory=dict)
    extensions: dict[str, Extension] = field(default_factory=dict)
    windows: dict[str, Json] = field(default_factory=dict)
    runs: list[Json] = field(default_factory=list)
    changes: list[Json] = field(default_factory=list)
    number: int = 100

    def user_by_email(self, email: str) -> User | None:
        """Return the user with this e-mail address."""
        found = [one for one in self.users.values() if one.email.lower() == email.lower()]
        return found[0] if found else None

    def priority(self, id: str | None) -> Named | None:
        """Return the priority with this id."""
        return next((one for one in self.priorities if one.id == id), None)
