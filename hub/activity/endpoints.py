"""The activity and the audit, as the API offers them."""

import uuid
from typing import Annotated, Literal

from fastapi import APIRouter, Query

from hub.activity import repository
from hub.activity.models import Activity, AuditLine
from hub.activity.repository import ActivityLines, AuditLines
from hub.activity.schemas import ActivityOut, AuditOut
from hub.http.actor import AuditRead, OperationsRead
from hub.http.deps import ReadSession
from hub.http.paging import Page, PageQuery
from hub.ids import cursor as row_of
from hub.ids import shown

router = APIRouter(prefix="/api/v1/tenants/{tenant}", tags=["operations"])


@router.get("/activity", operation_id="list_activity")
async def list_activity(  # noqa: PLR0913, PLR0917 - what may be filtered by
    actor: OperationsRead,
    session: ReadSession,
    page: PageQuery,
    level: Annotated[
        Literal["debug", "info", "warning", "error"] | None, Query(description="At least.")
    ] = None,
    kind: Annotated[str | None, Query(max_length=64)] = None,
    connector: Annotated[uuid.UUID | None, Query(description="A connector's id.")] = None,
    correlation: Annotated[uuid.UUID | None, Query(description="A correlation's id.")] = None,
) -> Page[ActivityOut]:
    """List what happened and why, the newest first."""
    wanted = [
        *([repository.levels_from(level)] if level else []),
        *([repository.of_kind(kind)] if kind else []),
        *([Activity.connector_id == connector] if connector else []),
        *([Activity.correlation_id == correlation] if correlation else []),
    ]
    after = _row(page.cursor, "act")
    found = await ActivityLines(session, actor.home).newest(*wanted, after=after, limit=page.limit)
    return Page(items=[_activity(row) for row in found.items], next=_cursor(found.next, "act"))


@router.get("/audit", operation_id="list_audit")
async def list_audit(
    actor: AuditRead,
    session: ReadSession,
    page: PageQuery,
    by: Annotated[str | None, Query(max_length=200, description="Whose changes.")] = None,
) -> Page[AuditOut]:
    """List who changed what, the newest first."""
    wanted = [repository.by(by)] if by else []
    after = _row(page.cursor, "aud")
    found = await AuditLines(session, actor.home).newest(*wanted, after=after, limit=page.limit)
    return Page(items=[_audit(row) for row in found.items], next=_cursor(found.next, "aud"))


def _row(cursor: str | None, prefix: Literal["act", "aud"]) -> str | None:
    return str(row_of(prefix, cursor)) if cursor is not None else None


def _cursor(row: str | None, prefix: Literal["act", "aud"]) -> str | None:
    return shown(prefix, int(row)) if row is not None else None


def _activity(row: Activity) -> ActivityOut:
    return ActivityOut(
        id=shown("act", row.id),
        at=row.at,
        kind=row.kind,
        level=row.level,
        text=row.text,
        connector_id=row.connector_id,
        correlation_id=row.correlation_id,
        event=shown("evt", row.event_id) if row.event_id is not None else None,
        run=shown("run", row.run_id) if row.run_id is not None else None,
        facts=row.facts,
    )


def _audit(row: AuditLine) -> AuditOut:
    return AuditOut(
        id=shown("aud", row.id),
        at=row.at,
        actor=row.actor,
        address=row.address,
        action=row.action,
        subject=row.subject,
        before=row.before,
        after=row.after,
    )
