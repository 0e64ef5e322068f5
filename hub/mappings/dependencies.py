"""What the vendors are asked before a service mapping is written."""

from typing import TYPE_CHECKING, Annotated, NamedTuple

from fastapi import Depends, Request

from hub.http.actor import RulesCreate
from hub.http.deps import TheCatalog
from hub.mappings.doubts import doubts
from hub.mappings.naming import with_ids
from hub.mappings.repository import ServiceMappings
from hub.mappings.schemas import ServiceMappingIn

if TYPE_CHECKING:
    from hub.connectors.clients import Clients


async def _looked_up(
    actor: RulesCreate, request: Request, catalog: TheCatalog, asked: ServiceMappingIn
) -> ServiceMappingIn:
    """Ask the vendor for the record that a value names, before anything is written."""
    clients: Clients | None = getattr(request.app.state, "clients", None)
    return asked if clients is None else await with_ids(asked, catalog, clients, actor)


class AskedAbout(NamedTuple):
    """A row that was sent, with the id of the record that its value names; and what is odd."""

    row: ServiceMappingIn
    flags: list[str]


async def _asked_about(
    actor: RulesCreate,
    request: Request,
    catalog: TheCatalog,
    sent: Annotated[ServiceMappingIn, Depends(_looked_up)],
) -> AskedAbout:
    """Ask the vendors whether they know service and value, before anything is written."""
    state = request.app.state
    clients: Clients | None = getattr(state, "clients", None)
    if clients is None:
        return AskedAbout(sent, [])
    async with state.database.reading() as session:
        known = await ServiceMappings(session, actor.home).connectors()
    connectors = [(one.name, one.type) for one in known.values()]
    return AskedAbout(sent, await doubts(sent, connectors, catalog, (clients, actor)))


Asked = Annotated[AskedAbout, Depends(_asked_about)]
