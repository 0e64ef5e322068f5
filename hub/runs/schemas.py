"""Runs, as the API shows them."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field

from hub.http.bodies import Body


class AttemptOut(BaseModel):
    """One request to a vendor."""

    n: int = Field(description="Of which attempt.")
    at: datetime
    method: str
    url: str
    status: int | None = Field(description="null: no answer came.")
    took_ms: int
    request: str | None = Field(default=None, description="Body sent, without secrets.")
    response: str | None = Field(default=None, description="Body answered, without secrets.")
    error: str | None = None


class RunRule(BaseModel):
    """The rule that wanted a run."""

    id: str
    name: str
    ruleset: str
    version: int


class RunOut(BaseModel):
    """The attempt series of one planned action."""

    id: str
    event: str
    action: str
    connector: str | None
    record: str | None = Field(description="Id of the record acted on or made.")
    object: str | None
    about: str | None = None
    rule: RunRule
    state: str = Field(description="intent, sent, waiting, done, skipped or dead.")
    outcome: str | None
    summary: str | None
    error: str | None
    error_class: str | None
    attempts: int
    created_at: datetime
    first_at: datetime | None
    due_at: datetime | None = Field(description="When it is tried again.")
    sent_at: datetime | None
    done_at: datetime | None


class RunDetail(RunOut):
    """A run with its parameters and the requests made for it."""

    key: str = Field(description="What the vendor was given to recognise a repeat.")
    params: dict[str, Any]
    result: dict[str, Any] | None
    correlation: str | None
    attempts_made: list[AttemptOut]


class Dismissal(Body):
    """Why a run need not be done any more."""

    reason: str = Field(min_length=1, max_length=1000)


class RunFilter(Body):
    """Which dead letters: all members given must fit."""

    connector: str | None = Field(default=None, max_length=63)
    rule: str | None = Field(default=None, max_length=36)
    error: str | None = Field(default=None, max_length=40, description="A class: Rejected, ….")
    since: datetime | None = None
    until: datetime | None = None


class BulkRetry(RunFilter):
    """Dead letters to try again; without `confirm` they are only counted."""

    confirm: int | None = Field(default=None, ge=0, description="The count that was shown.")


class BulkDismiss(BulkRetry):
    """Dead letters to put aside; without `confirm` they are only counted."""

    reason: str = Field(min_length=1, max_length=1000)


class BulkAnswer(BaseModel):
    """How many rows a filter finds, and whether they were changed."""

    count: int
    done: bool
