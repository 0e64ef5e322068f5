"""The imports' part of the API."""

import uuid
from typing import Annotated

from fastapi import APIRouter, Depends

from hub.connectors.endpoints import TheClients
from hub.http.actor import Actor, OperationsAct, OperationsRead
from hub.http.deps import ReadSession, TheClock, WriteSession
from hub.http.paging import Page, PageQuery
from hub.imports.schemas import ImportIn, ImportOut
from hub.imports.service import ImportsService

router = APIRouter(prefix="/api/v1/tenants/{tenant}", tags=["operations"])
_LIST = "/connectors/{name}/imports"


class _Acting:
    def __init__(self, session: WriteSession, clock: TheClock) -> None:
        self._session, self._clock = session, clock

    def of(self, actor: Actor) -> ImportsService:
        return ImportsService(session=self._session, actor=actor, clock=self._clock)


Acting = Annotated[_Acting, Depends(_Acting)]


@router.post(_LIST, operation_id="begin_import", status_code=201)
async def begin_import(
    actor: OperationsAct, acting: Acting, clients: TheClients, name: str, asked: ImportIn
) -> ImportOut:
    """Read existing records once, page by page, after what happens now; it can be followed."""
    connector = await clients.by_name(actor.slug, name)
    return await acting.of(actor).begin(connector, asked, clients.catalog.objects)


@router.get(_LIST, operation_id="list_imports")
async def list_imports(
    actor: OperationsRead, session: ReadSession, clock: TheClock, name: str, page: PageQuery
) -> Page[ImportOut]:
    """List a connector's imports, the newest first."""
    service = ImportsService(session=session, actor=actor, clock=clock)
    items, following = await service.page(name, page.cursor, page.limit)
    return Page(items=items, next=following)


@router.get(_LIST + "/{number}", operation_id="get_import")
async def get_import(
    actor: OperationsRead, session: ReadSession, clock: TheClock, name: str, number: uuid.UUID
) -> ImportOut:
    """Show an import and how far it is."""
    return await ImportsService(session=session, actor=actor, clock=clock).get(name, number)


@router.post(_LIST + "/{number}/stop", operation_id="stop_import")
async def stop_import(
    actor: OperationsAct, acting: Acting, name: str, number: uuid.UUID
) -> ImportOut:
    """Stop an import; what it read already stays."""
    return await acting.of(actor).stop(name, number)
