"""Runs and dead letters at the API."""

from collections.abc import Callable
from typing import Annotated, Literal, TypeAlias

from fastapi import APIRouter, Depends, Path, Query, Request

from hub import ids
from hub.http.actor import Actor, OperationsAct, OperationsRead
from hub.http.deps import ReadSession, TheClock, WriteSession
from hub.http.paging import Page, PageQuery
from hub.runs.schemas import DismissIn, RetriedOut, RetryAllIn, RunOut
from hub.runs.service import Reopens, RunsService, connector_id

router = APIRouter(prefix="/api/v1/tenants/{tenant}/runs", tags=["operations"])

MakeService: TypeAlias = Callable[[Actor], RunsService]
RunId = Annotated[str, Path(alias="run", max_length=40, description="run_…")]


def the_inbox(request: Request) -> Reopens:
    """Return the process's inbox."""
    inbox: Reopens = request.app.state.inbox
    return inbox


TheInbox = Annotated[Reopens, Depends(the_inbox)]


def _reading(session: ReadSession, inbox: TheInbox, clock: TheClock) -> MakeService:
    return lambda actor: RunsService(session, actor, inbox, clock)


def _writing(session: WriteSession, inbox: TheInbox, clock: TheClock) -> MakeService:
    return lambda actor: RunsService(session, actor, inbox, clock)


Reading = Annotated[MakeService, Depends(_reading)]
Writing = Annotated[MakeService, Depends(_writing)]


@router.get("", operation_id="list_runs")
async def list_runs(  # noqa: PLR0913, PLR0917 - what may be filtered by
    actor: OperationsRead,
    reading: Reading,
    page: PageQuery,
    state: Annotated[
        Literal["intent", "sent", "waiting", "done", "skipped", "dead"] | None, Query()
    ] = None,
    connector: Annotated[str | None, Query(max_length=63)] = None,
    action: Annotated[str | None, Query(max_length=120)] = None,
    rule: Annotated[str | None, Query(max_length=36, description="A rule's id.")] = None,
) -> Page[RunOut]:
    """List runs, the newest first; with `state=dead` the dead letters."""
    service = reading(actor)
    wanted = {"state": state, "action": action, "rule_id": rule}
    if connector is not None:
        wanted["connector_id"] = await connector_id(service.runs, connector)  # type: ignore[assignment]  # a column's value
    after = str(ids.number("run", page.cursor)) if page.cursor is not None else None
    found = await service.runs.newest(wanted, after, page.limit)
    following = ids.shown("run", int(found.next)) if found.next is not None else None
    return Page(items=await service.shown(found.items), next=following)


@router.post(":retry", operation_id="retry_runs")
async def retry_runs(actor: OperationsAct, writing: Writing, asked: RetryAllIn) -> RetriedOut:
    """Count the dead letters that match; with `confirm` set to that count, retry them."""
    count, rows = await writing(actor).retry_all(asked)
    return RetriedOut(count=count, retried=[ids.shown("run", row.id) for row in rows])


@router.get("/{run}", operation_id="get_run")
async def get_run(actor: OperationsRead, reading: Reading, run: RunId) -> RunOut:
    """Show a run with its attempts."""
    service = reading(actor)
    return (await service.shown([await service.one(run)], attempts=True))[0]


@router.post("/{run}/retry", operation_id="retry_run")
async def retry_run(actor: OperationsAct, writing: Writing, run: RunId) -> RunOut:
    """Put a dead letter back to work, under the same key."""
    service = writing(actor)
    return (await service.shown([await service.retry(run)]))[0]


@router.post("/{run}/dismiss", operation_id="dismiss_run")
async def dismiss_run(
    actor: OperationsAct, writing: Writing, run: RunId, asked: DismissIn
) -> RunOut:
    """Put a dead letter aside, with the reason."""
    service = writing(actor)
    return (await service.shown([await service.dismiss(run, asked.reason)]))[0]
