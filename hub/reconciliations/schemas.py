"""Reconciliations and what they found, as the API takes and shows them."""

import uuid
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, Field

from hub.http.bodies import Body


class ReconcileIn(Body):
    """Which matters are compared: all of the connector, or one."""

    correlation: str | None = Field(
        default=None, max_length=40, description="Code (M-…) or id of one matter."
    )


class DriftOut(BaseModel):
    """One difference between what the hub knows and what a vendor has."""

    correlation: str
    connector: str
    object: str
    record: str
    kind: Literal["gone", "changed", "given_up", "unreadable"] = Field(
        description="gone: the record is deleted. changed: fields have other values than the hub "
        "knows. given_up: a write never arrived, it is a dead letter. unreadable: the vendor "
        "did not let it be read."
    )
    text: str
    fields: dict[str, Any] = Field(description="By field: what the hub knew, what is there.")
    repaired: bool
    at: datetime


class ReconciliationOut(BaseModel):
    """One comparison of linked records with what the hub knows of them."""

    id: uuid.UUID
    connector: str
    repair: bool = Field(description="Whether what was missed is worked as changes.")
    state: Literal["running", "done", "failed"]
    compared: int
    unchanged: int
    came_in: int = Field(description="Changes found at this connector's vendor.")
    went_out: int = Field(description="Changes found at the vendors of linked records.")
    errors: int
    error: str | None
    created_at: datetime
    created_by: str
    ended_at: datetime | None


class ReconciliationDetail(ReconciliationOut):
    """A comparison with the first 1,000 differences."""

    drifts: list[DriftOut]
