"""Runs, as the API shows them."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field

from hub.http.bodies import Body
from hub.ids import shown
from hub.runs.models import Attempt, Run


class AttemptOut(BaseModel):
    """One request to a vendor; bodies are kept as the connector's log level says, redacted."""

    n: int
    at: datetime
    method: str
    url: str
    status: int | None = None
    took_ms: int
    request: str | None = None
    response: str | None = None
    error: str | None = None


class RunOut(BaseModel):
    """The attempts of one planned action, and how they ended."""

    id: str
    event: str
    ruleset: str
    ruleset_version: int
    rule: str = Field(description="The rule's name when it ran.")
    rule_id: str
    action: str
    action_index: int
    connector: str | None
    object: str | None = None
    record: str | None = None
    correlation: str | None = None
    key: str
    params: dict[str, Any]
    state: str
    outcome: str | None = None
    attempts: int
    first_at: datetime | None = None
    due_at: datetime | None = None
    sent_at: datetime | None = None
    done_at: datetime | None = None
    error_class: str | None = None
    error: str | None = None
    summary: str | None = None
    result: dict[str, Any] | None = None
    created_at: datetime
    attempts_made: list[AttemptOut] = Field(default_factory=list)


class DismissIn(Body):
    """Why a run need not be done any more."""

    reason: str = Field(min_length=1, max_length=500)


class RetryAllIn(Body):
    """Which dead letters are tried again; without `confirm` they are only counted."""

    connector: str | None = None
    action: str | None = None
    error_class: str | None = None
    confirm: int | None = Field(default=None, ge=0)


class RetriedOut(BaseModel):
    """How many dead letters match, and those that are tried again."""

    count: int
    retried: list[str] = Field(default_factory=list)


def run_out(row: Run, connector: str | None, attempts: list[Attempt]) -> RunOut:
    """Return a run with its attempts."""
    return RunOut(
        id=shown("run", row.id),
        event=shown("evt", row.event_id),
        ruleset=row.ruleset_id,
        ruleset_version=row.ruleset_version,
        rule=row.rule_name,
        rule_id=row.rule_id,
        action=row.action,
        action_index=row.action_index,
        connector=connector,
        object=row.source_object,
        record=row.record_id,
        correlation=str(row.correlation_id) if row.correlation_id else None,
        key=row.key,
        params=row.params,
        state=row.state,
        outcome=row.outcome,
        attempts=row.attempts,
        first_at=row.first_at,
        due_at=row.due_at,
        sent_at=row.sent_at,
        done_at=row.done_at,
        error_class=row.error_class,
        error=row.error,
        summary=row.summary,
        result=row.result,
        created_at=row.created_at,
        attempts_made=[_attempt(one) for one in attempts],
    )


def _attempt(row: Attempt) -> AttemptOut:
    return AttemptOut(
        n=row.n,
        at=row.at,
        method=row.method,
        url=row.url,
        status=row.status,
        took_ms=row.took_ms,
        request=row.request,
        response=row.response,
        error=row.error,
    )
