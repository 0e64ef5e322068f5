"""Deliveries, their traces, holds and the inbox, as the API shows them."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, Field

from hub.http.bodies import Body
from hub.runs.schemas import RunDetail


class DeliveryOut(BaseModel):
    """One inbound request, poll page or hand-made input."""

    id: str
    connector: str | None
    source: str = Field(description="webhook, poll, import, replay, timer, desk or manual.")
    received_at: datetime
    state: str = Field(description="accepted, unreadable or ignored.")
    detail: str | None = Field(description="Why it is unreadable or ignored.")
    size: int
    events: int = Field(description="How many events it brought that were new.")
    repeats: int = Field(description="How often the vendor sent it again.")
    replay_of: str | None


class DeliveryDetail(DeliveryOut):
    """A delivery exactly as it came."""

    key: str
    headers: dict[str, Any]
    body: str | None
    repeated_at: datetime | None


class LinkedRecord(BaseModel):
    """A record of the same matter."""

    connector: str | None
    object: str
    record: str | None
    human_id: str | None
    url: str | None
    state: str


class HeldBy(BaseModel):
    """Why an event's lane waits."""

    reason: str
    not_before: datetime | None
    detail: str
    since: datetime


class EventTrace(BaseModel):
    """What became of one event: rules, runs with their requests, links."""

    id: str
    trigger: str
    object: str
    record: str
    human_id: str | None
    occurred_at: datetime | None
    actor: str | None
    changed: dict[str, Any] | None = Field(description="Prior values, where the vendor told them.")
    values: dict[str, Any]
    state: str = Field(description="pending, done, echo or skipped.")
    outcome: str | None
    lane: str
    shard: int
    hops: int
    plan: int | None = Field(description="Version of the rules that planned it.")
    created_at: datetime
    done_at: datetime | None
    held: HeldBy | None
    traces: list[dict[str, Any]] = Field(description="Rules that fired or were kept from it.")
    runs: list[RunDetail]
    correlation: str | None
    links: list[LinkedRecord]
    explain: str = Field(description="Where to ask why the other rules did not fire.")


class DeliveryTrace(DeliveryDetail):
    """The whole way of a delivery: why it did, or did not, do something."""

    trace: list[str] = Field(description="The way in a line each, for people.")
    events: list[EventTrace]  # type: ignore[assignment]  # the events themselves, not their number


class ReplayIn(Body):
    """How to work a delivery again."""

    mode: Literal["missing", "all"] = Field(
        default="missing",
        description="missing: what was done already is not done again. all: everything.",
    )


class BulkReplayIn(ReplayIn):
    """Deliveries to work again; without `confirm` they are only counted."""

    connector: str | None = Field(default=None, max_length=63)
    state: Literal["accepted", "unreadable", "ignored"] | None = None
    since: datetime | None = None
    until: datetime | None = None
    confirm: int | None = Field(default=None, ge=0, description="The count that was shown.")


class BulkReplayOut(BaseModel):
    """How many deliveries a filter finds, and which were made of them."""

    count: int
    done: bool
    deliveries: list[str] = Field(default_factory=list)


class HoldOut(BaseModel):
    """A lane that waits, and the record that its first event is about."""

    lane: str
    object: str | None = None
    record: str | None = Field(default=None, description="The record's id at its vendor.")
    human_id: str | None = Field(default=None, description="How people call the record.")
    shard: int
    reason: str
    detail: str
    not_before: datetime | None = Field(description="null: until a person or a connector.")
    connector: str | None
    run: str | None
    since: datetime
    waiting: int = Field(description="Events that wait in the lane.")


class ReleasedOut(BaseModel):
    """A lane that was let go on."""

    lane: str
    released: bool


class ShardOut(BaseModel):
    """One shard of the inbox."""

    id: int
    scheduled: bool
    awake: bool
    owner: str | None
    epoch: int
    wake_no: int
    due_at: datetime | None
    pending: int
    oldest: datetime | None


class InboxOut(BaseModel):
    """The inbox of all tenants, for the hub's operator."""

    driver: str
    connected: bool
    detail: str
    pending: int
    oldest: datetime | None
    held: dict[str, int]
    dead: int
    shards: list[ShardOut]
    workers: list[dict[str, Any]]


class InvariantOut(BaseModel):
    """Something that must hold of the inbox at any moment."""

    name: str
    holds: bool
    broken: list[str] = Field(description="Ids of rows that break it, the first few.")


class InboxCheckOut(BaseModel):
    """Whether what must hold of the inbox does."""

    holds: bool
    invariants: list[InvariantOut]
