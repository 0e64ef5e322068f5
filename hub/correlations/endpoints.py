"""Matters and links, as the API offers them."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request

from hub.correlations.linking import Linker
from hub.correlations.listing import Correlations
from hub.correlations.schemas import CorrelationOut, LinkIn, NewCorrelation, TimelineEntry
from hub.correlations.service import CorrelationsService
from hub.http.actor import Actor, LinksCreate, LinksDelete, LinksEdit, LinksRead
from hub.http.deps import ReadSession, TheClock, WriteSession
from hub.http.paging import Page, PageQuery

router = APIRouter(prefix="/api/v1/tenants/{tenant}/correlations", tags=["links"])


def _linker(request: Request) -> Linker:
    linker: Linker = request.app.state.engine.linker
    return linker


class _Writing:
    def __init__(
        self, session: WriteSession, clock: TheClock, linker: Annotated[Linker, Depends(_linker)]
    ) -> None:
        self._session, self._clock, self._linker = session, clock, linker

    def of(self, actor: Actor) -> CorrelationsService:
        matters = Correlations(self._session, actor.home)
        return CorrelationsService(matters, actor, self._clock, self._linker)


Writing = Annotated[_Writing, Depends(_Writing)]


@router.get("", operation_id="list_correlations")
async def list_correlations(
    actor: LinksRead,
    session: ReadSession,
    clock: TheClock,
    page: PageQuery,
    record: Annotated[str | None, Query(max_length=255, description="Id or number.")] = None,
    connector: Annotated[str | None, Query(max_length=63)] = None,
) -> Page[CorrelationOut]:
    """List matters with their records, the newest first."""
    service = CorrelationsService(Correlations(session, actor.home), actor, clock)
    items, following = await service.page(record, connector, page.cursor, page.limit)
    return Page(items=items, next=following)


@router.post("", operation_id="create_correlation", status_code=201)
async def create_correlation(
    actor: LinksCreate, writing: Writing, asked: NewCorrelation
) -> CorrelationOut:
    """Make records one matter: events of all of them are worked one after the other."""
    return await writing.of(actor).create(asked.records)


@router.get("/{correlation}", operation_id="get_correlation")
async def get_correlation(
    actor: LinksRead, session: ReadSession, clock: TheClock, correlation: str
) -> CorrelationOut:
    """Show a matter by its id or its code."""
    service = CorrelationsService(Correlations(session, actor.home), actor, clock)
    return await service.get(correlation)


@router.get("/{correlation}/timeline", operation_id="get_timeline")
async def get_timeline(
    actor: LinksRead, session: ReadSession, clock: TheClock, page: PageQuery, correlation: str
) -> Page[TimelineEntry]:
    """Show what happened in a matter, in order."""
    service = CorrelationsService(Correlations(session, actor.home), actor, clock)
    items, following = await service.timeline(correlation, page.cursor, page.limit)
    return Page(items=items, next=following)


@router.post("/{correlation}/links", operation_id="link_record", status_code=201)
async def link_record(
    actor: LinksEdit, writing: Writing, correlation: str, asked: LinkIn
) -> CorrelationOut:
    """Add a record to a matter; of two matters the younger joins the older."""
    return await writing.of(actor).link(correlation, asked)


@router.delete("/{correlation}/links/{link}", operation_id="unlink_record", status_code=204)
async def unlink_record(actor: LinksDelete, writing: Writing, correlation: str, link: str) -> None:
    """Take a record out of a matter."""
    await writing.of(actor).unlink(correlation, link)
