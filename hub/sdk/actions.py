"""What rules can do."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Generic, TypeVar

from hub.sdk.events import Event, Record, RecordRef
from hub.sdk.vocabulary import Value

if TYPE_CHECKING:
    from pydantic import BaseModel

Client = TypeVar("Client")
Params = TypeVar("Params", bound="BaseModel")


class Repeat(StrEnum):
    """What a second send would do when nobody knows whether the first one arrived."""

    HARMLESS = "harmless"
    """The same value again: send again."""
    KEYED = "keyed"
    """The vendor drops the second one by our key: send again with the same key."""
    FIND_FIRST = "find_first"
    """A second effect: ask the action's `find` before sending again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionCall(Generic[Client, Params]):
    """All that one run of an action may use.

    `record` is the record to act on; None when the action creates one.
    `key` is the same at every attempt of this run (33 lower-case letters and digits): hand
    it to the vendor. `origin` ("hub/<rule>/<run>") is written where the vendor has a place.
    `sparing`: the vendor's quota runs out; send together what can be sent together.
    """

    client: Client
    params: Params
    event: Event
    record: RecordRef | None
    key: str
    origin: str
    sparing: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionResult:
    """What an action did.

    `summary` is one sentence for people ("Created incident #42").
    `record` is the record that was made or changed, as far as the answer told.
    `changed` is False when it was so already. `note` is the id of the note that was made; with
    a note and no record, the note is all that the action wrote. `wrote` are values of the
    target, by key, that it set beside those that `Action.writes` foretold: the id that a name
    stood for, a status that was looked up. `wrote_each` are values that the vendor reports back
    one by one, each in an event of its own: several people who were asked by one request.
    """

    summary: str
    record: Record | None = None
    changed: bool = True
    note: str | None = None
    wrote: Mapping[str, Value] = field(default_factory=dict)
    wrote_each: Mapping[str, Sequence[Value]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Action(Generic[Client, Params]):
    """A kind of thing a rule can do; made by `ConnectorType.action`.

    `target` is the source object it makes or acts on; "" = the rule's own object.
    `calls` is the number of vendor requests a run costs, for dry run and quota.
    `find` looks for what an earlier send of the same run made (FIND_FIRST); it must read
    primary data, not a search index. `writes` is pure: the target's field values (by key)
    that a run will set, as the vendor will report them back. `notes`: it makes a note and
    returns its id in `ActionResult.note`, so that the note is known when it comes back.
    `status`: it changes the target's status also where `writes` does not tell; such a run does not
    wait while the vendor's quota runs out.
    `scopes` are the vendor's OAuth scopes that a run needs, `abilities` what the account's plan
    must have, both in the vendor's words.
    """

    connector_type: str
    verb: str
    label: str
    params: "type[Params]"
    perform: Callable[[ActionCall[Client, Params]], Awaitable[ActionResult]]
    target: str = ""
    creates: bool = False
    repeat: Repeat = Repeat.HARMLESS
    calls: int = 1
    find: Callable[[ActionCall[Client, Params]], Awaitable[ActionResult | None]] | None = None
    writes: Callable[[Params], Mapping[str, Value]] | None = None
    notes: bool = False
    status: bool = False
    scopes: tuple[str, ...] = ()
    abilities: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The whole name, as rules write it: `pagerduty.create_incident`."""
        return f"{self.connector_type}.{self.verb}"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSettled:
    """A run that ended; `took` is in seconds from its first attempt."""

    id: str
    action: str
    outcome: str
    attempts: int
    took: float
