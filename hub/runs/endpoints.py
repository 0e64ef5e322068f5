"""Runs and dead letters, as the API offers them."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request

from hub.http.actor import Actor, OperationsAct, OperationsRead
from hub.http.deps import ReadSession, TheClock, WriteSession
from hub.http.paging import Page, PageQuery
from hub.runs.repository import Runs
from hub.runs.schemas import BulkAnswer, BulkDismiss, BulkRetry, Dismissal, RunDetail, RunOut
from hub.runs.service import Reopens, RunsService

router = APIRouter(prefix="/api/v1/tenants/{tenant}", tags=["operations"])


def _reopens(request: Request) -> Reopens:
    reopens: Reopens = request.app.state.engine.reopening
    return reopens


class _Acting:
    def __init__(
        self,
        session: WriteSession,
        clock: TheClock,
        reopens: Annotated[Reopens, Depends(_reopens)],
    ) -> None:
        self._session, self._clock, self._reopens = session, clock, reopens

    def of(self, actor: Actor) -> RunsService:
        return RunsService(Runs(self._session, actor.home), actor, self._clock, self._reopens)


Acting = Annotated[_Acting, Depends(_Acting)]


@router.get("/runs", operation_id="list_runs")
async def list_runs(  # noqa: PLR0913, PLR0917 - what may be filtered by
    actor: OperationsRead,
    session: ReadSession,
    clock: TheClock,
    page: PageQuery,
    connector: Annotated[str | None, Query(max_length=63)] = None,
    state: Annotated[
        Literal["intent", "sent", "waiting", "done", "skipped", "dead"] | None,
        Query(description="dead: given up, waiting for a person."),
    ] = None,
    event: Annotated[str | None, Query(max_length=30, description="evt_…")] = None,
) -> Page[RunOut]:
    """List runs, the newest first."""
    items, following = await RunsService(Runs(session, actor.home), actor, clock).page(
        connector=connector, state=state, event=event, after=page.cursor, limit=page.limit
    )
    return Page(items=items, next=following)


@router.post("/runs/retry", operation_id="retry_runs")
async def retry_runs(actor: OperationsAct, acting: Acting, asked: BulkRetry) -> BulkAnswer:
    """Count dead letters; with the count as `confirm`, try them again."""
    return await acting.of(actor).retry_all(asked, asked.confirm)


@router.post("/runs/dismiss", operation_id="dismiss_runs")
async def dismiss_runs(actor: OperationsAct, acting: Acting, asked: BulkDismiss) -> BulkAnswer:
    """Count dead letters; with the count as `confirm`, put them aside."""
    return await acting.of(actor).dismiss_all(asked, asked.confirm, asked.reason)


@router.get("/runs/{run}", operation_id="get_run")
async def get_run(
    actor: OperationsRead, session: ReadSession, clock: TheClock, run: str
) -> RunDetail:
    """Show a run with its parameters and every request made for it."""
    return await RunsService(Runs(session, actor.home), actor, clock).get(run)


@router.post("/runs/{run}/retry", operation_id="retry_run")
async def retry_run(actor: OperationsAct, acting: Acting, run: str) -> RunOut:
    """Try a run again that was given up: same run, same key."""
    return await acting.of(actor).retry(run)


@router.post("/runs/{run}/dismiss", operation_id="dismiss_run")
async def dismiss_run(actor: OperationsAct, acting: Acting, run: str, asked: Dismissal) -> RunOut:
    """Put a run aside that was given up, or give up one that waits: its lane goes on.

    Also one that was sent and whose outcome nobody knows, unless it is worked at the moment.
    """
    return await acting.of(actor).dismiss(run, asked.reason)
