"""Deliveries and their ways, as the API shows them."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, Field

from hub.http.bodies import Body
from hub.runs.schemas import RunOut


class ReceivedOut(BaseModel):
    """The answer to a delivery: it is durable under this id."""

    delivery: str = Field(description="The delivery's id; of a repeat, the first one's.")


class DeliveryOut(BaseModel):
    """One inbound request, poll page or hand-made input."""

    id: str
    connector: str
    source: str
    received_at: datetime
    state: str
    detail: str | None = None
    events: int = Field(description="Events that were filed.")
    size: int = Field(description="Bytes of the body.")
    key: str
    replay_of: str | None = None


class DeliveryWhole(DeliveryOut):
    """A delivery as it came; `body` is text, what is no UTF-8 replaced."""

    headers: dict[str, Any]
    body: str | None = None


class EventOut(BaseModel):
    """One event of a delivery, and what became of it."""

    id: str
    trigger: str
    record: dict[str, Any]
    lane: str
    shard: int
    state: str
    outcome: str | None = None
    plan_version: int | None = None
    hops: int = 0
    occurred_at: datetime | None = None
    actor: str | None = None
    created_at: datetime
    done_at: datetime | None = None
    replay_of: str | None = None
    hold: "HoldOut | None" = None
    traces: list[dict[str, Any]] = Field(description="Why rules fired, or were suppressed.")
    runs: list[RunOut]
    correlation: str | None = None
    links: list["LinkedOut"] = Field(default_factory=list)
    activity: list["LineOut"] = Field(default_factory=list)


class LineOut(BaseModel):
    """A line of the activity."""

    at: datetime
    level: str
    text: str


class LinkedOut(BaseModel):
    """A record that is the same matter."""

    connector: str
    object: str
    record: str | None = None
    human_id: str | None = None
    url: str | None = None
    state: str


class DeliveryTrace(DeliveryOut):
    """The whole way of a delivery: received, repeated?, events, rules, runs, links."""

    events: list[EventOut]  # type: ignore[assignment]  # the events themselves instead of their count
    replays: list[str] = Field(default_factory=list)


class ReplayIn(Body):
    """How a delivery is worked again."""

    mode: Literal["missing", "all"] = Field(
        default="missing",
        description="missing: skip what was done before; all: repeat every effect.",
    )


class BulkReplayIn(Body):
    """Which deliveries are worked again; without `confirm` they are only counted."""

    connector: str | None = None
    state: Literal["accepted", "unreadable", "ignored"] | None = None
    since: datetime | None = None
    until: datetime | None = None
    mode: Literal["missing", "all"] = "missing"
    confirm: int | None = Field(
        default=None, ge=0, description="The count that the question without it answered."
    )


class BulkReplayOut(BaseModel):
    """How many deliveries match, and those that are worked again."""

    count: int
    replayed: list[str] = Field(default_factory=list)


class HoldOut(BaseModel):
    """A lane that waits."""

    lane: str
    shard: int
    reason: str
    detail: str = ""
    not_before: datetime | None = Field(description="null: until a person lets it go.")
    since: datetime
    connector: str | None = None
    run: str | None = None
    pending: int | None = Field(default=None, description="Events that wait in it.")


class ShardOut(BaseModel):
    """A bucket of lanes."""

    id: int
    scheduled: bool
    wake_no: int
    epoch: int
    owner: str | None = None
    due_at: datetime | None = None
    pending: int = 0
    oldest: datetime | None = None
    held: int = 0


class InboxOut(BaseModel):
    """What is to be done, in all tenants."""

    pending: int
    oldest: datetime | None = None
    held: int
    dead: int
    shards: list[ShardOut]


EventOut.model_rebuild()
