"""The activity and the audit as the API shows them."""

import uuid
from datetime import datetime
from typing import Any

from pydantic import BaseModel


class ActivityOut(BaseModel):
    """What happened and why, for people."""

    id: str
    at: datetime
    kind: str
    level: str
    text: str
    connector_id: uuid.UUID | None
    correlation_id: uuid.UUID | None
    event: str | None
    run: str | None
    facts: dict[str, Any]


class AuditOut(BaseModel):
    """Who changed what; `before` and `after` hold what differs."""

    id: str
    at: datetime
    actor: str
    address: str
    action: str
    subject: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None
