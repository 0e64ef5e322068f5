"""What happened: records and events, as a plugin reports them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from hub.sdk.vocabulary import Value


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordRef:
    """Which record, without its values."""

    source_object: str
    id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A record as the vendor described it at one moment.

    `values` are by field key. A missing key means "not said"; None means "empty".
    `human_id` is the number people know it by ("#1234", "00001027").
    """

    source_object: str
    id: str
    url: str | None = None
    human_id: str | None = None
    values: Mapping[str, Value] = field(default_factory=dict)

    @property
    def ref(self) -> RecordRef:
        """Which record this is."""
        return RecordRef(source_object=self.source_object, id=self.id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """In which of several ways a vendor told of a change.

    One change told in two ways comes as two events, each with a `key` of its own way: a webhook
    of today's kind and one of an older kind, or a webhook and an entry of a log. Events with the
    same trigger and record but different `way`, whose moments are no more than `window` apart,
    are one event: the first one filed counts. Within one way every key is an event; told again in
    that way, it has the same moment.
    """

    way: str
    window: timedelta = timedelta(seconds=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One occurrence of a trigger.

    `key` is the vendor's own identity of the occurrence: two events with one key are one event.
    `occurred_at` is aware. `before`: None = the vendor does not tell; {} = there was nothing
    before (created); else the prior values, whose keys are then the fields that changed.
    `actor` is the vendor's id of who did it, `actor_name` what people call them, `actor_email`
    the address by which another vendor may know them, too.
    `origin` is our own mark where the vendor carries one back: an `ActionCall.origin` or
    an `ActionCall.key`. `note` is the vendor's id of the note or comment that the event is
    about; one that a run of ours made is recognised by it as an echo. `told` is for vendors that
    tell one change in several ways. `joins`: the record ended by going into this one of the same
    connector; what is linked to it moves there.
    """

    trigger: str
    record: Record
    occurred_at: datetime
    key: str
    before: Mapping[str, Value] | None = None
    actor: str | None = None
    actor_name: str | None = None
    actor_email: str | None = None
    origin: str | None = None
    note: str | None = None
    told: Told | None = None
    joins: RecordRef | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliverySettled:
    """A delivery whose events have all been worked; `took` is in seconds."""

    id: str
    connector_type: str
    events: int
    outcome: str
    took: float
