"""Correlations and links, as the API shows them."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field

from hub.http.bodies import Body


class LinkOut(BaseModel):
    """A record's membership of a matter."""

    id: str
    connector: str | None
    object: str
    record: str | None
    human_id: str | None
    url: str | None
    state: str = Field(description="reserved (being made), live, gone or unlinked.")
    made_by_run: str | None
    created_at: datetime
    created_by: str


class CorrelationOut(BaseModel):
    """The records that are one matter."""

    id: str
    code: str
    lane: str
    created_at: datetime
    links: list[LinkOut]


class TimelineEntry(BaseModel):
    """One line of what happened in a matter."""

    id: str
    at: datetime
    kind: str
    level: str
    text: str
    connector: str | None
    event: str | None
    run: str | None
    facts: dict[str, Any]


class LinkIn(Body):
    """A record to link."""

    connector: str = Field(min_length=1, max_length=63)
    object: str = Field(min_length=1, max_length=120, description="pagerduty.incident, …")
    record: str = Field(min_length=1, max_length=255, description="The vendor's id.")
    human_id: str | None = Field(default=None, max_length=120)
    url: str | None = Field(default=None, max_length=2000)


class NewCorrelation(Body):
    """Two or more records that are one matter."""

    records: list[LinkIn] = Field(min_length=1, max_length=20)
