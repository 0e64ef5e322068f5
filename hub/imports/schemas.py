"""Imports as the API takes and shows them."""

import uuid
from datetime import datetime
from typing import Any, Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from hub.http.bodies import Body


class ImportIn(Body):
    """Existing records to be read once."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    object: str = Field(max_length=200, description="`salesforce.case`")
    since: AwareDatetime | None = Field(
        default=None, alias="from", description="Only records from this time on."
    )
    until: AwareDatetime | None = Field(
        default=None, alias="to", description="Only records up to this time."
    )
    filters: dict[str, Any] = Field(
        default_factory=dict, description="What the connector type offers to narrow it by."
    )

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.since is not None and self.until is not None and self.since >= self.until:
            raise ValueError("`from` must be before `to`")
        return self


class ImportOut(BaseModel):
    """An import and how far it is."""

    model_config = ConfigDict(populate_by_name=True)

    id: uuid.UUID
    connector: str
    object: str
    since: datetime | None = Field(serialization_alias="from")
    until: datetime | None = Field(serialization_alias="to")
    filters: dict[str, Any]
    state: Literal["running", "done", "stopped", "failed"]
    pages: int
    found: int = Field(description="Records read so far.")
    filed: int = Field(description="Of these, those that told something new.")
    error: str | None
    created_at: datetime
    created_by: str
    ended_at: datetime | None
