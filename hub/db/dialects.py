"""The few statements that differ between SQLite and PostgreSQL."""

from typing import Any

from sqlalchemy import FromClause, Table
from sqlalchemy.dialects import postgresql, sqlite

from hub.db.base import Base


def insert(dialect: str, table: Table | type[Base]) -> Any:  # noqa: ANN401 - two classes, same methods
    """Return the database's own INSERT, which has `on_conflict_do_…` and `returning`."""
    target: FromClause = table if isinstance(table, Table) else table.__table__
    return (postgresql if dialect == "postgresql" else sqlite).insert(target)
