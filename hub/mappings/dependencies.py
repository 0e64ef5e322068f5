"""What the vendors are asked before a service mapping is written."""

import uuid
from typing import TYPE_CHECKING, Annotated, Final, NamedTuple

from fastapi import Depends, Query, Request

from hub.catalog.catalog import Catalog
from hub.errors import Invalid
from hub.http.actor import Actor, RulesCreate, RulesEdit, RulesRead
from hub.http.deps import TheCatalog
from hub.mappings.doubts import doubts
from hub.mappings.naming import with_ids
from hub.mappings.repository import ServiceMappings
from hub.mappings.rows import changed_by, said_of
from hub.mappings.schemas import ServiceMappingIn, ServiceMappingPatch
from hub.mappings.service import Mappings

if TYPE_CHECKING:
    from hub.connectors.clients import Clients

_VENDORS_KNOW: Final = frozenset({"object", "field", "value", "service"})


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


class AskedToChange(NamedTuple):
    """A change that was sent, with the id of the record that its value names; what is odd."""

    patch: ServiceMappingPatch
    flags: list[str]


async def _asked_to_change(
    actor: RulesEdit,
    request: Request,
    catalog: TheCatalog,
    mapping: uuid.UUID,
    asked: ServiceMappingPatch,
) -> AskedToChange:
    """Ask the vendors about the row as it would be, before anything is written."""
    clients: Clients | None = getattr(request.app.state, "clients", None)
    if clients is None or not asked.model_fields_set & _VENDORS_KNOW:
        return AskedToChange(asked, [])
    before, connectors = await _kept(request, actor, catalog, mapping)
    try:
        after = changed_by(before, asked)
    except Invalid:
        return AskedToChange(asked, [])  # whoever writes refuses it, in its turn
    if after.value == before.value and after.field == before.field:
        return AskedToChange(asked, await doubts(after, connectors, catalog, (clients, actor)))
    found = await with_ids(_unnamed(after), catalog, clients, actor)
    flags = await doubts(found, connectors, catalog, (clients, actor))
    if found.value == after.value:
        return AskedToChange(asked, flags)
    changes = {"value": found.value}
    if after.name == before.name:  # not given: it follows the value that it is called by
        own = await with_ids(_unnamed(before), catalog, clients, actor)
        if before.name in {own.name, before.value}:
            changes["name"] = found.name
    return AskedToChange(asked.model_copy(update=changes), flags)


def _unnamed(row: ServiceMappingIn) -> ServiceMappingIn:
    return row.model_copy(update={"name": ""})


async def _kept(
    request: Request, actor: Actor, catalog: Catalog, mapping: uuid.UUID
) -> tuple[ServiceMappingIn, list[tuple[str, str]]]:
    """Return a row as it is kept, and the tenant's connectors with their types."""
    async with request.app.state.database.reading() as session:
        row, connector = await Mappings(session, actor, catalog).got(mapping)
        known = await ServiceMappings(session, actor.home).connectors()
        return said_of(row, connector), [(one.name, one.type) for one in known.values()]


AskedChange = Annotated[AskedToChange, Depends(_asked_to_change)]


AskVendors = Annotated[
    bool, Query(description="Also ask the vendors whether they know service and value.")
]


async def _doubted(
    actor: RulesRead,
    request: Request,
    catalog: TheCatalog,
    mapping: uuid.UUID,
    ask_vendors: AskVendors = False,  # noqa: FBT002 - a query parameter
) -> list[str]:
    """Ask the vendors about a row as it is, if that is wanted."""
    clients: Clients | None = getattr(request.app.state, "clients", None)
    if clients is None or not ask_vendors:
        return []
    row, connectors = await _kept(request, actor, catalog, mapping)
    return await doubts(row, connectors, catalog, (clients, actor))


Doubted = Annotated[list[str], Depends(_doubted)]
