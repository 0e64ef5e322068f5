"""Syncing and comparing, as the API offers it."""

import uuid
from typing import Annotated

from fastapi import APIRouter, Depends

from hub.http.actor import Actor, OperationsAct, OperationsRead
from hub.http.deps import ReadSession, TheClock, WriteSession
from hub.http.paging import Page, PageQuery
from hub.reconciliations.schemas import ReconcileIn, ReconciliationDetail, ReconciliationOut
from hub.reconciliations.service import ReconciliationsService

router = APIRouter(prefix="/api/v1/tenants/{tenant}", tags=["operations"])
_ONE = "/connectors/{name}"


class _Acting:
    def __init__(self, session: WriteSession, clock: TheClock) -> None:
        self._session, self._clock = session, clock

    def of(self, actor: Actor) -> ReconciliationsService:
        return ReconciliationsService(session=self._session, actor=actor, clock=self._clock)


Acting = Annotated[_Acting, Depends(_Acting)]


@router.post(f"{_ONE}/sync", operation_id="sync_connector", status_code=202)
async def sync_connector(
    actor: OperationsAct, acting: Acting, name: str, asked: ReconcileIn
) -> ReconciliationOut:
    """Poll now, compare linked records, and work what was missed; follow it by its id."""
    return await acting.of(actor).begin(name, asked.correlation, repair=True)


@router.post(f"{_ONE}/reconciliations", operation_id="begin_reconciliation", status_code=202)
async def begin_reconciliation(
    actor: OperationsAct, acting: Acting, name: str, asked: ReconcileIn
) -> ReconciliationOut:
    """Compare linked records with what the hub knows, and tell what differs; nothing is changed."""
    return await acting.of(actor).begin(name, asked.correlation, repair=False)


@router.get(f"{_ONE}/reconciliations", operation_id="list_reconciliations")
async def list_reconciliations(
    actor: OperationsRead, session: ReadSession, clock: TheClock, name: str, page: PageQuery
) -> Page[ReconciliationOut]:
    """List a connector's syncs and comparisons, the newest first."""
    service = ReconciliationsService(session=session, actor=actor, clock=clock)
    items, following = await service.page(name, page.cursor, page.limit)
    return Page(items=items, next=following)


@router.get(f"{_ONE}/reconciliations/{{number}}", operation_id="get_reconciliation")
async def get_reconciliation(
    actor: OperationsRead, session: ReadSession, clock: TheClock, name: str, number: uuid.UUID
) -> ReconciliationDetail:
    """Show a comparison, how far it is, and what differed."""
    service = ReconciliationsService(session=session, actor=actor, clock=clock)
    return await service.get(name, number)
