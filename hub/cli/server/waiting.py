"""Starting where the database is not there yet: wait, say so, and begin when it is."""

import asyncio
import contextlib
import os
import threading
from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING, Any, Final

import typer

from hub.cli.failure import Status

if TYPE_CHECKING:
    from hub.db.engine import Database
    from hub.http.gate import Gate

_LOOK_S: Final = 1.0
_GRACE_S: Final = 9.0
"""With the vendor time-out, less than orchestrators are told to wait before they kill."""


class Opening:
    """Opens an app's lifespan once its database answers; until then the gate is shut.

    `opened` is set when it is open. StartRefused from the lifespan ends the program.
    """

    def __init__(self, app: Any, gate: "Gate | None" = None) -> None:  # noqa: ANN401 - FastAPI, imported late
        self._app, self._gate = app, gate
        self._lifespan = contextlib.AsyncExitStack()
        self._insisting: threading.Timer | None = None

    async def at_once(self) -> bool:
        """Open if the database answers; False: it has to be waited for."""
        why = await self._away()
        if why:
            typer.echo(f"The database can't be reached ({why}). Waiting for it …", err=True)
            if self._gate is not None:
                self._gate.shut("its database")
            return False
        await self._open()
        return True

    async def wait(self, stopping: Callable[[], bool]) -> None:
        """Open as soon as the database answers, unless the process stops before."""
        while not stopping():
            await asyncio.sleep(_LOOK_S)
            if not await self._away():
                await self._open()
                return

    @contextlib.asynccontextmanager
    async def closing(self) -> AsyncIterator[None]:
        """Close at the end of the block what was opened by then.

        From there the process ends in time, whatever hangs; `ended` takes that back.
        """
        try:
            async with self._lifespan:
                try:
                    yield
                finally:
                    self._insist()
        except BaseException:
            self.ended()
            raise

    def ended(self) -> None:
        """Take note that the process has come to its end."""
        if self._insisting is not None:
            self._insisting.cancel()

    def _insist(self) -> None:
        patience = self._app.state.settings.dispatch.http_timeout_s + _GRACE_S
        self._insisting = threading.Timer(patience, _leave)
        self._insisting.daemon = True
        self._insisting.start()

    async def _away(self) -> str:
        from hub.db.away import why_away  # noqa: PLC0415 - so that --help is quick

        database: Database = self._app.state.database
        return "" if database.is_sqlite else await why_away(database)

    async def _open(self) -> None:
        await self._lifespan.enter_async_context(self._app.router.lifespan_context(self._app))
        if self._gate is not None:
            self._gate.open()


def _leave() -> None:
    typer.echo("The database hangs: left without it; others, or the next start, go on.", err=True)
    os._exit(Status.FAILED)
