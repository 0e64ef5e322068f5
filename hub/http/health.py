"""Whether the process lives, and whether it can do its work."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final, TypeAlias

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from hub import logs
from hub._version import __version__
from hub.db.engine import Database
from hub.http.actor import Anyone
from hub.http.deps import TheDatabase

router = APIRouter(tags=["hub"])
logger = logs.get_logger(__name__)

ReadyCheck: TypeAlias = Callable[[], Awaitable[str]]
"""Returns "" when a part works, else what is wrong with it. `app.state.ready_checks`: by name."""
_OK: Final = "ok"


class Alive(BaseModel):
    """The process answers."""

    status: str = _OK
    version: str = __version__


class Ready(BaseModel):
    """Whether the process can do its work; each part is `ok` or says what is wrong."""

    status: str
    parts: dict[str, str]


@router.get("/healthz", operation_id="get_liveness")
async def get_liveness(_: Anyone) -> Alive:
    """Answer as long as the process lives."""
    return Alive()


@router.get("/readyz", operation_id="get_readiness", responses={503: {"model": Ready}})
async def get_readiness(_: Anyone, request: Request, database: TheDatabase) -> JSONResponse:
    """Answer 200 when the process can do its work, else 503 with what is wrong."""
    checks: Mapping[str, ReadyCheck] = getattr(request.app.state, "ready_checks", {})
    parts = {"database": await _database(database)}
    parts |= {name: await check() or _OK for name, check in checks.items()}
    well = all(value == _OK for value in parts.values())
    ready = Ready(status="ready" if well else "not ready", parts=parts)
    return JSONResponse(ready.model_dump(), 200 if well else 503)


async def _database(database: Database) -> str:
    try:
        async with database.reading() as session:
            await session.execute(text("SELECT 1"))
    except (SQLAlchemyError, OSError) as error:
        logger.warning("database does not answer", error=str(error))
        return "does not answer"
    return _OK
