"""What a plugin brings for one vendor."""

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import orjson

from hub.sdk.actions import Action, ActionCall, ActionResult, Client, Params, Repeat
from hub.sdk.errors import InvalidPayload
from hub.sdk.events import Event
from hub.sdk.vocabulary import Choice, FieldSchema, SourceObject, Value

if TYPE_CHECKING:
    from datetime import datetime

    import httpx
    from pydantic import BaseModel

    from hub.sdk.secrets import SecretVault

Settings = TypeVar("Settings", bound="BaseModel")


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookRequest:
    """A delivery as it came; header names are lower-case, the body is raw."""

    headers: Mapping[str, str]
    body: bytes
    query: Mapping[str, str] = field(default_factory=dict)

    def json(self) -> Any:  # noqa: ANN401 - JSON
        """Return what the body says; InvalidPayload where it is no JSON.

        Whole numbers beyond 64 bits are read as floats.
        """
        try:
            return orjson.loads(self.body)
        except ValueError:
            pass  # it is stricter than vendors: half a character (a lone surrogate) is none
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError) as error:
            raise InvalidPayload(f"The body is no JSON: {error}") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookReceiver(Generic[Settings]):
    """How deliveries of a connector type are verified and read; all three are pure.

    `verify` raises InvalidSignature. `parse` returns the events ([] = nothing for us) and
    raises InvalidPayload. `delivery_key` is the same for each redelivery of one delivery;
    "" = take the body's hash. `answer` is the body of the 2xx, where the vendor reads it
    (b"" = the hub's own).
    """

    verify: Callable[[Settings, WebhookRequest], None]
    parse: Callable[[WebhookRequest], Sequence[Event]]
    delivery_key: Callable[[WebhookRequest], str] = lambda _: ""
    answer: bytes = b""
    answer_type: str = "application/json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """A page of a poller; `cursor` is stored in the same transaction as the events."""

    events: Sequence[Event]
    cursor: str
    more: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Import(Generic[Params]):
    """How existing records are chosen that a person wants to be read once.

    `cursor(params, since, until)` (pure) returns the cursor that the poller's `fetch` reads
    them by, page by page, until a page has `more` False. What lies outside of `since` and
    `until` may be left out here; the hub leaves it out in any case.
    """

    params: "type[Params]"
    cursor: "Callable[[Params, datetime | None, datetime | None], str]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Poller(Generic[Client]):
    """Reads changes where no webhook tells of them.

    `fetch(client, cursor)`: None means start at now. `fetch_one(client, record id)` reads
    one record anew, for "sync this record", replays with today's values, and comparing linked
    records. `since(time)` (pure) returns the cursor that reads what changed from then on; with
    it nothing is missed between adding a connector and its first poll. `imports` says which
    existing records can be read on request. `channel` tells
    several pollers of one object apart. One that `waits` listens: its `fetch` returns when
    something came, within a minute, and takes no turn from pollers that ask.
    """

    source_object: str
    fetch: Callable[[Client, str | None], Awaitable[Batch]]
    fetch_one: Callable[[Client, str], Awaitable[Event]] | None = None
    since: "Callable[[datetime], str] | None" = None
    imports: Import[Any] | None = None
    channel: str = ""
    waits: bool = False

    @property
    def key(self) -> str:
        """What its cursor is kept under."""
        return f"{self.source_object}#{self.channel}" if self.channel else self.source_object


@dataclass(frozen=True, slots=True, kw_only=True)
class Check(Generic[Client]):
    """One line of a connector's test.

    `run` returns what is well ("Service PXXXXXX accessible") or raises ConnectorError with
    the cause. `fix` says what to do then; it may name a settings field.
    """

    name: str
    label: str
    run: Callable[[Client], Awaitable[str]]
    fix: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChoiceSource(Generic[Client]):
    """A live list for forms: fetch(client, search text) -> choices.

    `age(client, search text)` (pure) says how many seconds ago a list that the plugin keeps for
    a while was read; None where it is read each time.
    """

    name: str
    fetch: Callable[[Client, str], Awaitable[Sequence[Choice]]]
    age: Callable[[Client, str], float | None] = lambda _client, _search: None


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaDiscovery(Generic[Client]):
    """What this one account has: its objects and their fields.

    `objects(client, search text)`; `verbs` are the triggers an adopted object gets.
    """

    objects: Callable[[Client, str], Awaitable[Sequence[SourceObject]]]
    fields: Callable[[Client, SourceObject], Awaitable[Sequence[FieldSchema]]]
    verbs: tuple[str, ...] = ("created", "updated")


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionState:
    """A webhook subscription at the vendor; `secret` only when it was just made."""

    id: str
    active: bool
    detail: str = ""
    secret: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription(Generic[Client]):
    """Makes the vendor send webhooks.

    `ensure(client, our URL)` keeps an existing subscription. The secret it returns goes
    into the settings field `secret_field`. `wake(client, our URL)` switches a subscription on
    again that the vendor itself switched off; one that a person switched off stays off.
    """

    ensure: Callable[[Client, str], Awaitable[SubscriptionState]]
    inspect: Callable[[Client, str], Awaitable[SubscriptionState | None]]
    ping: Callable[[Client, str], Awaitable[str]]
    remove: Callable[[Client, str], Awaitable[None]]
    wake: Callable[[Client, str], Awaitable[SubscriptionState | None]] | None = None
    secret_field: str = "webhook_secret"  # noqa: S105 - the name of a field


@dataclass(frozen=True, slots=True, kw_only=True)
class Query(Generic[Client, Params]):
    """A question a person may ask a vendor: who is on call.

    A member `text` of the answer is what people are shown; programs read the others.
    """

    name: str
    label: str
    params: "type[Params]"
    run: Callable[[Client, Params], Awaitable[Mapping[str, Any]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Handshake(Generic[Settings]):
    """Set-up by redirect; the hub makes and checks `state`.

    `start(settings, our call-back)` returns the vendor's URL; where the vendor has no
    parameter for `state`, the literal text "{state}" in it says where the hub puts it.
    `complete(http, settings, query)` returns the settings with what the vendor gave (the query
    also has our call-back, as `redirect_uri`), and raises
    Cancelled when the person turned away. `services(settings)` (pure) tells for which of the
    vendor's services, id -> name, the settings hold something by now: they are mapped.
    `label` is what the button says.
    """

    start: Callable[[Settings, str], str]
    complete: "Callable[[httpx.AsyncClient, Settings, Mapping[str, str]], Awaitable[Settings]]"
    services: Callable[[Settings], Mapping[str, str]] | None = None
    label: str = "Connect"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectorConfig:
    """A vendor's own configuration document, taken apart."""

    settings: Mapping[str, Any]
    templates: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    value_maps: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    service_mappings: Sequence[Mapping[str, Any]] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulator:
    """A vendor's stateful stand-in: an ASGI app, and working settings for its base URL."""

    app: Callable[..., Awaitable[None]]
    settings: Callable[[str], Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """What the vendor's answer says of its limit; `resets_in` is in seconds."""

    limit: int | None = None
    remaining: int | None = None
    resets_in: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectorType(Generic[Settings, Client]):
    """What a plugin brings for one vendor.

    `settings` is a pydantic model: SecretStr marks what is secret, titles and descriptions
    make the form. `connect(settings, http)` builds the client and never calls out.
    `read_config` takes a vendor's configuration document apart. `simulator` imports the
    simulator inside, so that production never loads it. `requests_per_minute` is the pace
    per credential; `quota` (pure) reads what the vendor's response headers say of it.
    `limited_by` names the secret settings field that the vendor counts its limit by.
    `poll_every` (pure) reads from the settings after how many seconds to poll again, where the
    type has a setting for it (None = as often as the hub thinks right); what is set for the one
    connector goes before.
    `send_test(client, service)` has the vendor show a test event on a service ("" = the default
    one), so that a person can see the way there and back; it returns what was sent.
    `demanded` (pure) reads from the words of a Rejected which fields the record lacked, by key
    or vendor name; rules that set none of them are warned of.
    `vault` hands the client a place for secrets that the vendor replaces while it is used, such
    as refresh tokens that turn.
    """

    name: str
    label: str
    settings: "type[Settings]"
    connect: "Callable[[Settings, httpx.AsyncClient], Client]"
    checks: tuple[Check[Client], ...] = ()
    pollers: tuple[Poller[Client], ...] = ()
    choices: tuple[ChoiceSource[Client], ...] = ()
    queries: tuple[Query[Client, Any], ...] = ()
    receiver: WebhookReceiver[Settings] | None = None
    subscription: Subscription[Client] | None = None
    discovery: SchemaDiscovery[Client] | None = None
    handshake: Handshake[Settings] | None = None
    read_config: Callable[[Mapping[str, Any]], ConnectorConfig] | None = None
    simulator: Callable[[], Simulator] | None = None
    requests_per_minute: int | None = None
    quota: Callable[[Mapping[str, str]], Quota | None] | None = None
    limited_by: str | None = None
    poll_every: Callable[[Settings], float | None] | None = None
    send_test: Callable[[Client, str], Awaitable[str]] | None = None
    demanded: Callable[[str], Sequence[str]] | None = None
    vault: "Callable[[Client, SecretVault], None] | None" = None

    def source_object(self, name: str, label: str, *, vendor_name: str = "") -> SourceObject:
        """Declare a source object of this connector type: `incident` -> `pagerduty.incident`."""
        return SourceObject(name=f"{self.name}.{name}", label=label, vendor_name=vendor_name)

    def action(
        self,
        verb: str,
        label: str,
        params: type[Params],
        perform: Callable[[ActionCall[Client, Params]], Awaitable[ActionResult]],
        *,
        target: SourceObject | None = None,
        creates: bool = False,
        repeat: Repeat = Repeat.HARMLESS,
        calls: int = 1,
        find: Callable[[ActionCall[Client, Params]], Awaitable[ActionResult | None]] | None = None,
        writes: Callable[[Params], Mapping[str, Value]] | None = None,
        notes: bool = False,
        status: bool = False,
        scopes: tuple[str, ...] = (),
        abilities: tuple[str, ...] = (),
    ) -> Action[Client, Params]:
        """Declare an action of this connector type."""
        return Action(
            connector_type=self.name,
            verb=verb,
            label=label,
            params=params,
            perform=perform,
            target=target.name if target else "",
            creates=creates,
            repeat=repeat,
            calls=calls,
            find=find,
            writes=writes,
            notes=notes,
            status=status,
            scopes=scopes,
            abilities=abilities,
        )
