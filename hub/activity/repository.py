"""Reading the activity and the audit."""

from sqlalchemy import ColumnElement

from hub.activity.models import Activity, AuditLine
from hub.db.repository import Repository, Rows

_LEVELS = ("debug", "info", "warning", "error")


class ActivityLines(Repository[Activity]):
    """One tenant's activity."""

    model = Activity
    word = "activity line"

    async def newest(
        self, *conditions: ColumnElement[bool], after: str | None, limit: int
    ) -> Rows[Activity]:
        """Return a page of lines, the newest first."""
        return await self.page(*conditions, after=after, limit=limit, newest=True)


class AuditLines(Repository[AuditLine]):
    """One tenant's audit."""

    model = AuditLine
    word = "audit line"

    async def newest(
        self, *conditions: ColumnElement[bool], after: str | None, limit: int
    ) -> Rows[AuditLine]:
        """Return a page of lines, the newest first."""
        return await self.page(*conditions, after=after, limit=limit, newest=True)


def levels_from(level: str) -> ColumnElement[bool]:
    """Return the condition for lines of at least this level."""
    return Activity.level.in_(_LEVELS[_LEVELS.index(level) :])


def of_kind(kind: str) -> ColumnElement[bool]:
    """Return the condition for lines of one kind."""
    return Activity.kind == kind


def by(actor: str) -> ColumnElement[bool]:
    """Return the condition for what one actor changed."""
    return AuditLine.actor == actor
