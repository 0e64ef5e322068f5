"""The state of one simulated org: users, apps, records, sessions."""

import random
import string
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from hub import clock
from hub_salesforce.ids import to_18
from hub_salesforce.testing.answers import not_found
from hub_salesforce.testing.schema import Definition, field_of

Row = dict[str, Any]
_BASE62 = string.digits + string.ascii_uppercase + string.ascii_lowercase


@dataclass(kw_only=True)
class User:
    """Somebody who can sign in."""

    id: str
    username: str
    name: str
    email: str
    password: str = "correct horse"  # noqa: S105 - of a simulated person
    security_token: str = "TOKEN"  # noqa: S105 - likewise
    active: bool = True
    approved: bool = True
    api_enabled: bool = True
    password_expired: bool = False
    failures: int = 0
    locked: bool = False
    hidden: set[tuple[str, str]] = field(default_factory=set)
    """(object, field) pairs that field-level security hides from this user."""
    sign_ins: list[datetime] = field(default_factory=list)


@dataclass(kw_only=True)
class App:
    """A connected app."""

    consumer_key: str
    consumer_secret: str
    certificates: list[str] = field(default_factory=list)
    scopes: str = "api refresh_token"
    admin_approved: bool = True
    run_as: str | None = None
    refresh_tokens: dict[str, str] = field(default_factory=dict)
    codes: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Codes of approvals: whose it was, and where it was sent back to."""
    rotates: bool = False
    active_from: datetime | None = None


@dataclass(kw_only=True)
class SessionRow:
    """A session; it slides with use."""

    token: str
    user: User
    app: str
    used_at: datetime


@dataclass(kw_only=True)
class Switches:
    """What an administrator or a contract turns on and off."""

    api: bool = True
    soap_login: bool = True
    password_flow: bool = True
    trusted_ip: bool = False
    comment_touches_case: bool = False
    slash_after_instance: bool = False
    not_valid_for_api: bool = False
    refusal_name: str = "invalid_grant"
    org_active: bool = True
    soap_fault: str = ""


class World:
    """One org. Everything in it moves by `now`, which `advance` can push on."""

    def __init__(self, *, name: str = "Acme", sandbox: bool = False, seed: int = 1) -> None:
        self.name = name
        self.sandbox = sandbox
        self.my_domain = f"{name.lower()}.my.salesforce.com"
        self.instance = "CS42" if sandbox else "NA42"
        self.edition = "Developer Edition"
        self.trial_ends: datetime | None = None
        self.random = random.Random(seed)  # noqa: S311 - a world that is the same each time
        self.offset = timedelta()
        self._real: clock.Clock = clock.now
        self.counters: dict[str, int] = {}
        self.numbers_begin = 7_000_000
        self.id = self.mint("00D")
        self.definitions: dict[str, Definition] = {}
        self.modified: dict[str, datetime] = {}
        self.records: dict[str, dict[str, Row]] = {}
        self.users: dict[str, User] = {}
        self.apps: dict[str, App] = {}
        self.sessions: dict[str, SessionRow] = {}
        self.idle = timedelta(hours=2)
        self.switches = Switches()
        self.daily_limit = 15_000
        self.calls: list[datetime] = []
        self.usage_lag = 0
        self.page_sizes = (200, 2000)
        self.locators: dict[str, tuple[str, str, list[Row], int]] = {}
        self.automation = Automation()
        self.layout_required: dict[str, tuple[str, ...]] = {}
        self.apex_rest: dict[str, list[Any]] = {}
        self.apex_classes: dict[str, Callable[[str, str, Any], Any]] = {}
        self.versions = [f"{n}.0" for n in range(31, 68)]

    def now(self) -> datetime:
        """Return the org's time."""
        return self._real() + self.offset

    def use_clock(self, now: clock.Clock) -> None:
        """Let the org live by another clock."""
        self._real = now

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.offset += timedelta(seconds=seconds)

    def mint(self, prefix: str) -> str:
        """Return a new id of 18 characters."""
        number = self.counters[prefix] = self.counters.get(prefix, 0) + 1
        digits = ""
        number += self.numbers_begin
        while number:
            number, rest = divmod(number, 62)
            digits = _BASE62[rest] + digits
        return to_18(f"{prefix}xx{digits:0>10}")

    def define(self, definition: Definition) -> None:
        """Add an object, or replace its description."""
        name = definition["name"]
        self.definitions[name] = definition
        self.modified[name] = self.now().replace(microsecond=0)
        self.records.setdefault(name, {})

    def add_field(self, object: str, one: Definition) -> None:
        """Add a field to an object; records have no value in it."""
        definition = self.definitions[object]
        definition["fields"] = [*definition["fields"], one]
        self.modified[object] = self.now().replace(microsecond=0)
        for row in self.records[object].values():
            row.setdefault(one["name"], None)

    def remove_field(self, object: str, name: str) -> None:
        """Take a field away, as somebody does who renames it."""
        definition = self.definitions[object]
        definition["fields"] = [one for one in definition["fields"] if one["name"] != name]
        self.modified[object] = self.now().replace(microsecond=0)

    def definition(self, name: str) -> Definition:
        """Return an object by API name, letter case aside; 404 when it is not there."""
        for known, definition in self.definitions.items():
            if known.lower() == name.lower():
                return definition
        raise not_found()

    def visible(self, definition: Definition, user: User | None) -> list[Definition]:
        """Return the fields that a user may see."""
        if user is None or not user.hidden:
            return list(definition["fields"])
        return [
            f for f in definition["fields"] if (definition["name"], f["name"]) not in user.hidden
        ]

    def sees(self, definition: Definition, name: str, user: User | None) -> Definition | None:
        """Return a field if the user may see it."""
        one = field_of(definition, name)
        hidden = user is not None and one and (definition["name"], one["name"]) in user.hidden
        return None if hidden else one

    def find(self, object: str, id: str) -> Row | None:
        """Return a record, deleted ones too."""
        return self.records[object].get(id)

    def rows(self, object: str) -> list[Row]:
        """Return the records of an object, deleted ones too, oldest first."""
        return list(self.records[object].values())

    def by_prefix(self, id: str) -> str | None:
        """Return the object that an id belongs to."""
        for name, definition in self.definitions.items():
            if definition["keyPrefix"] == id[:3]:
                return name
        return None

    def user(self, username: str) -> User | None:
        """Return a user by username; letter case does not count."""
        return self.users.get(username.lower())

    def user_by_id(self, id: str) -> User | None:
        """Return a user by id."""
        return next((one for one in self.users.values() if one.id == id), None)

    def open_session(self, user: User, app: str = "") -> SessionRow:
        """Return a new session."""
        secret = "".join(self.random.choices(string.ascii_letters + string.digits, k=40))
        row = SessionRow(token=f"{self.id[:15]}!{secret}", user=user, app=app, used_at=self.now())
        self.sessions[row.token] = row
        return row

    def expire_sessions(self) -> None:
        """End all sessions, as a clean-up at night does."""
        self.sessions.clear()

    @property
    def calls_today(self) -> int:
        """The requests of the last 24 hours."""
        since = self.now() - timedelta(hours=24)
        self.calls = [at for at in self.calls if at > since]
        return len(self.calls)


@dataclass(kw_only=True)
class Change:
    """One committed change of a record; `old` is None for a new one."""

    object: str
    operation: str
    old: Row | None
    new: Row | None
    user: User
    context: str = "api"
    client: str = ""


Hook = Callable[[World, Row, Row | None], None]
Rule = Callable[[Row, Row | None], tuple[str, list[str]] | None]


@dataclass(kw_only=True)
class Automation:
    """What the customer built: flows before and after a save, and validation rules, by object.

    A rule gets the new and the old row (None for a new record) and returns its message and the
    fields it is shown at, or None. `after` hooks may call the org's own save again.
    """

    before: dict[str, list[Hook]] = field(default_factory=dict)
    after: dict[str, list[Callable[[World, Change], None]]] = field(default_factory=dict)
    rules: dict[str, list[Rule]] = field(default_factory=dict)
    tracked: dict[str, tuple[str, ...]] = field(
        default_factory=lambda: {"Case": ("Status", "Priority", "OwnerId")}
    )
    on_commit: list[Callable[[list[Change]], None]] = field(default_factory=list)
