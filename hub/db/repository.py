"""Reading and writing one tenant's rows."""

import uuid
from collections.abc import Sequence
from typing import Any, ClassVar, Generic, NamedTuple, TypeVar

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from hub import ids
from hub.db.base import Base
from hub.errors import NotFound
from hub.ids import no_cursor

M = TypeVar("M", bound=Base)


class Rows(NamedTuple, Generic[M]):
    """A page: its rows, and the cursor of the next one (None = the last)."""

    items: Sequence[M]
    next: str | None


class Repository(Generic[M]):
    """One tenant's rows of one table.

    It is built with its tenant, so that no method can forget it: each statement starts
    from `_mine()`. Subclasses name `model` and add sentences: `find_by_name`, `next_batch`.
    """

    model: type[M]
    word: ClassVar[str] = "row"
    prefix: ClassVar[ids.Prefix | None] = None

    def __init__(self, session: AsyncSession, tenant: uuid.UUID) -> None:
        self.session = session
        self.tenant = tenant

    def _mine(self) -> Select[M]:
        return select(self.model).where(self._column("tenant_id") == self.tenant)

    def _column(self, name: str) -> Any:  # noqa: ANN401 - the column's type differs by model
        return getattr(self.model, name)

    async def get(self, key: object, *, lock: bool = False) -> M:
        """Return the row with this id; NotFound when there is none of this tenant.

        With `lock` nobody else changes it before this transaction ends.
        """
        row = await self._first(self._column("id") == key, lock=lock)
        if row is None:
            raise NotFound(f"There is no {self.word} {self.shown(key)}.")
        return row

    def shown(self, key: object) -> str:
        """Return an id as people see it."""
        return ids.shown(self.prefix, key) if self.prefix and isinstance(key, int) else str(key)

    async def find(self, *conditions: ColumnElement[bool]) -> Sequence[M]:
        """Return all rows that meet the conditions."""
        return (await self.session.scalars(self._mine().where(*conditions))).all()

    async def _first(self, *conditions: ColumnElement[bool], lock: bool = False) -> M | None:
        query = self._mine().where(*conditions).limit(1)
        return (await self.session.scalars(query.with_for_update() if lock else query)).first()

    async def page(
        self, *conditions: ColumnElement[bool], after: str | None, limit: int, newest: bool = False
    ) -> Rows[M]:
        """Return rows by id after the cursor, oldest or newest first."""
        key = self._column("id")
        query = self._mine().where(*conditions).limit(limit + 1)
        query = query.order_by(key.desc() if newest else key.asc())
        if after is not None:
            value = self._cursor(after)
            query = query.where(key < value if newest else key > value)
        rows = (await self.session.scalars(query)).all()
        more = len(rows) > limit
        return Rows(rows[:limit], str(rows[limit - 1].id) if more else None)  # type: ignore[attr-defined]  # each paged model has an id

    def _cursor(self, after: str) -> object:
        kind = self._column("id").type.python_type
        try:
            return kind(after)
        except (ValueError, OverflowError) as error:
            raise no_cursor(after) from error

    async def count(self, *conditions: ColumnElement[bool]) -> int:
        """Return how many rows meet the conditions."""
        query = self._mine().where(*conditions).with_only_columns(func.count())
        return (await self.session.scalar(query.order_by(None))) or 0

    def add(self, row: M) -> M:
        """Add a row of this tenant."""
        row.tenant_id = self.tenant  # type: ignore[attr-defined]  # TenantOwned
        self.session.add(row)
        return row

    async def remove(self, row: M) -> None:
        """Delete a row."""
        await self.session.delete(row)
