"""What endpoints are handed: sessions, catalog, settings; all from `app.state`."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy.ext.asyncio import AsyncSession

from hub.catalog.catalog import Catalog
from hub.clock import Clock
from hub.clock import now as present
from hub.db.engine import Database
from hub.http.idempotency import write_mark
from hub.settings import HubSettings


def the_database(request: Request) -> Database:
    """Return the process's database."""
    database: Database = request.app.state.database
    return database


def the_catalog(request: Request) -> Catalog:
    """Return what the installed plugins declare."""
    catalog: Catalog = request.app.state.catalog
    return catalog


def the_settings(request: Request) -> HubSettings:
    """Return the process's settings."""
    settings: HubSettings = request.app.state.settings
    return settings


def the_clock(request: Request) -> Clock:
    """Return the process's clock."""
    clock: Clock = getattr(request.app.state, "clock", present)
    return clock


TheDatabase = Annotated[Database, Depends(the_database)]
TheCatalog = Annotated[Catalog, Depends(the_catalog)]
TheSettings = Annotated[HubSettings, Depends(the_settings)]
TheClock = Annotated[Clock, Depends(the_clock)]


async def read_session(database: TheDatabase) -> AsyncIterator[AsyncSession]:
    """Open a session for the request's queries."""
    async with database.reading() as session:
        yield session


async def write_session(request: Request, database: TheDatabase) -> AsyncIterator[AsyncSession]:
    """Open a session whose changes are committed before the answer is sent.

    The request's Idempotency-Key, if it has one, is written in the same transaction.
    """
    mark = getattr(request.state, "idempotency", None)
    async with database.writing() as session:
        if mark is not None:
            await write_mark(session, mark)
        yield session


ReadSession = Annotated[AsyncSession, Depends(read_session, scope="function")]
WriteSession = Annotated[AsyncSession, Depends(write_session, scope="function")]
